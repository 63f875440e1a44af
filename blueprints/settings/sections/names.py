"""More settings: when a customer's name is that of Autotask's company."""

from __future__ import annotations

from wtforms import BooleanField

from blueprints.settings.section import Section


class Names(Section):
    key = "names"
    title = "Names of customers"
    why = "A customer is found by its link, then by our number where it has one, then by its name."

    class Fields:
        exact_names = BooleanField("Upper and lower case must agree too")
