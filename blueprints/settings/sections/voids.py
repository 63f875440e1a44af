"""More settings: what becomes of the ledger's copy when Autotask voids an invoice, and how far back voids are seen."""

from __future__ import annotations

from wtforms import IntegerField, RadioField
from wtforms.validators import InputRequired, NumberRange

from blueprints.settings.section import Section, text_choices
from domain.settings import VoidPolicy

POLICY = ((VoidPolicy.ASK, "No"), (VoidPolicy.VOID, "Yes"))


class Voids(Section):
    key = "voids"
    title = "Voided invoices"
    why = "An invoice voided in Autotask still counts in {ledger} until it is voided there too."

    class Fields:
        voids = RadioField(
            "When invoices are voided in Autotask, sync to {the_ledger}?",
            choices=text_choices(POLICY),
        )
        void_window_days = IntegerField(
            "Calendar days in the past to look for voided invoices",
            [
                InputRequired("Enter how many days to look back for voids."),
                NumberRange(1, 400, "Enter a number of days from 1 to 400."),
            ],
        )
