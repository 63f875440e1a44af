"""More settings: the check stages that not every source or ledger has a notion of."""

from __future__ import annotations

from wtforms import RadioField

from blueprints.settings.section import Section, text_choices
from domain.settings import BillTo

BILL_TO = ((BillTo.IGNORE, "Do not check"), (BillTo.CHECK, "Hold the invoice"))


class CheckStages(Section):
    key = "stages"
    title = "Check stages"
    why = "What is looked at before an invoice is posted."

    class Fields:
        bill_to = RadioField(
            "A line for a company that cannot be read",
            choices=text_choices(BILL_TO),
        )
