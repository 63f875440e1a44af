"""More settings: whom an invoice goes to that Autotask bills to a parent for one of its sub-companies."""

from __future__ import annotations

from wtforms import RadioField

from blueprints.settings.section import Section, text_choices
from domain.settings import SubCustomers

CHOICES = ((SubCustomers.OFF, "To the parent, always"), (SubCustomers.ON, "To the sub-customer"))


class SubCompanies(Section):
    key = "sub_companies"
    title = "Sub-companies"
    why = "When all lines of an invoice to a parent are for one of its sub-companies."
    whole = "sub_customers"

    class Fields:
        sub_customers = RadioField("Such an invoice goes", choices=text_choices(CHOICES))
