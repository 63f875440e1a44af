"""More settings: which invoices are looked for, and how many go without a question."""

from __future__ import annotations

from wtforms import IntegerField
from wtforms.validators import InputRequired, NumberRange

from blueprints.settings.section import Section


class Finding(Section):
    key = "finding"
    title = "Which invoices"
    why = "How far back we look, and how many go without a question."

    class Fields:
        look_back_days = IntegerField(
            "Calendar days in the past to look for unsynced invoices",
            [
                InputRequired("Enter how many days to look back."),
                NumberRange(1, 400, "Enter a number of days from 1 to 400."),
            ],
        )
        run_limit = IntegerField(
            "Documents a run may post without asking",
            [
                InputRequired("Enter how many documents a run may post without asking."),
                NumberRange(1, 100_000, "Enter a number from 1 to 100,000."),
            ],
        )
