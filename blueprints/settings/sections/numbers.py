"""Whose number a ledger document carries, and whether the ledger's own preference agrees."""

from __future__ import annotations

import re
from typing import Any

from wtforms import RadioField, StringField
from wtforms.validators import InputRequired, Regexp
from wtforms.validators import Optional as Blank

from blueprints.settings.section import Scene, Section, refuse, text_choices
from domain.settings import Numbering
from models import Company

NUMBERING = (
    (Numbering.SOURCE, "Use the invoice number in Autotask if available"),
    (Numbering.SOURCE_ID, "Use the Autotask Invoice ID"),
    (Numbering.LEDGER, "Let the ledger generate the number"),
)
PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,9}\Z")


class Numbers(Section):
    key = "numbers"
    title = "Invoice number"
    why = "Which number {ledger} shows."

    class Fields:
        numbering = RadioField(
            "Invoice numbering option",
            [InputRequired("Choose which number the documents carry.")],
            choices=text_choices(NUMBERING),
        )
        number_prefix = StringField(
            "Before the Autotask Invoice ID",
            [Blank(), Regexp(PREFIX, message="Use at most 10 letters, digits or the signs : . _ / and -.")],
        )

    def read(self, name: str, data: Any) -> Any:
        return (data or "").strip() if name == "number_prefix" else data

    def check(self, form: Any, scene: Scene) -> None:
        if (form.number_prefix.data or "").strip() != scene.current.number_prefix and scene.prefix_used:
            borne = f"Documents bear “{scene.current.number_prefix}” before their id already."
            refuse(form.number_prefix, f"{borne} It stays, so that every one of them is found by its number.")
        contradiction = numbering_contradiction(scene.company, form.numbering.data)
        if contradiction:
            refuse(form.numbering, contradiction)


def numbering_contradiction(company: Company, chosen: str | None) -> str:
    """A choice that the ledger's own preference contradicts, and how to change it; empty when they agree."""
    own_numbers = (company.profile or {}).get("own_numbers")
    where = "In {the_ledger}: {own_numbers_where}"
    if own_numbers is False and chosen in (Numbering.SOURCE, Numbering.SOURCE_ID):
        lost = "{the_ledger} numbers documents itself, so ours would be lost."
        return f"{lost} {where}: switch it on, then refresh lists."
    if own_numbers is True and chosen == Numbering.LEDGER:
        return f"{{the_ledger}} takes our numbers, so there would be none. {where}: switch it off, then refresh lists."
    return ""
