"""More settings: whom to bill for invoices that name no company."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import SelectField, StringField
from wtforms.validators import Length

from blueprints.settings.section import Scene, Section, refuse

MOST = 500
"""Customers in the drop-down; the page behind the Fault searches all of them."""


class NoCompany(Section):
    key = "no_company"
    title = "Invoices without a company"
    why = "Until somebody is chosen they wait in Error Logs, with a button to choose."
    records: ClassVar = {"no_company_customer": "customer"}

    class Fields:
        no_company_customer = SelectField("Bill them to", choices=[])
        no_company_name = StringField("Or to a new customer called", [Length(max=100)])

    def prepare(self, form: Any, scene: Scene) -> None:
        choices = scene.choices("customer", "Nobody yet: they wait")
        own = scene.current.no_company_customer
        kept = [each for each in choices[MOST:] if each[0] == own]
        form.no_company_customer.choices = [*choices[:MOST], *kept]

    def check(self, form: Any, scene: Scene) -> None:
        if form.no_company_customer.data and form.no_company_name.data:
            refuse(form.no_company_name, "Choose a customer or enter the name of a new one, not both.")
