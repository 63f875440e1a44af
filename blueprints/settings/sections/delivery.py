"""More settings: whether the ledger mails posted invoices to their customers. Switching it on asks once."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField

from blueprints.settings.section import Scene, Section, refuse
from domain.formats import format_plural


class Delivery(Section):
    key = "delivery"
    title = "Mail to customers"
    why = "Sent by {ledger} itself, after the invoice stands in the books."

    class Fields:
        mail_customers = BooleanField("Email invoices automatically")
        confirm_mail_customers = BooleanField("Yes, customers get these mails")

    def check(self, form: Any, scene: Scene) -> None:
        if form.mail_customers.data and not scene.current.mail_customers and not form.confirm_mail_customers.data:
            refuse(form.confirm_mail_customers, "Nothing was saved yet. Tick this if customers shall get these mails.")

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        with_address = sum(1 for each in scene.records("customer") if each.details.get("email"))
        return {
            "mail_asks": bool(form.mail_customers.data) and not scene.current.mail_customers,
            "mail_reaches": format_plural(with_address, "customer"),
        }
