"""More settings: invoices of 0.00 and lines without text."""

from __future__ import annotations

from wtforms import RadioField
from wtforms.validators import InputRequired

from blueprints.settings.section import Section, text_choices
from domain.settings import BlankText, ZeroTotal

ZERO = ((ZeroTotal.SKIP, "Skip"), (ZeroTotal.POST, "Post"))
BLANK = ((BlankText.NAME, "Take the item's name"), (BlankText.HOLD, "Hold the invoice"))


class Contents(Section):
    key = "contents"
    title = "Zero totals and blank lines"
    why = "What has nothing to say."

    class Fields:
        zero_total = RadioField(
            "Zero-total invoices",
            [InputRequired("Choose what happens to invoices of 0.00.")],
            choices=text_choices(ZERO),
        )
        blank_text = RadioField(
            "A line without text",
            [InputRequired("Choose what a line without text shows.")],
            choices=text_choices(BLANK),
        )
