"""More settings: whether the ledger mails posted invoices to their customers, and whether Autotask's PDF hangs on them.

Switching the mail on asks once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from wtforms import BooleanField

from blueprints.settings.section import Scene, Section, refuse
from domain.formats import format_plural


class Delivery(Section):
    key = "delivery"
    title = "Mail to customers, PDF"
    why = "Sent by {ledger} itself, after the invoice stands in the books."

    class Fields:
        mail_customers = BooleanField("Email invoices automatically")
        confirm_mail_customers = BooleanField("Yes, customers get these mails")
        attach_pdf = BooleanField("Attach Autotask’s PDF")
        attach_shown = BooleanField("Show the PDF to the customer")
        history_note = BooleanField("Write a note into the history")

    def hidden(self, scene: Scene) -> Collection[str]:
        return () if scene.capabilities.can_note else ("history_note",)

    def check(self, form: Any, scene: Scene) -> None:
        if form.mail_customers.data and not scene.current.mail_customers and not form.confirm_mail_customers.data:
            refuse(form.confirm_mail_customers, "Nothing was saved yet. Tick this if customers shall get these mails.")

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        told = [each for each in scene.records("party") if each.details.get("mailed") is not None]
        twice = sum(1 for each in told if each.details["mailed"])
        with_address = sum(1 for each in scene.records("customer") if each.details.get("email"))
        return {
            "mail_asks": bool(form.mail_customers.data) and not scene.current.mail_customers,
            "mail_twice": format_plural(twice, "customer") if told else "",
            "mail_reaches": format_plural(with_address, "customer"),
        }
