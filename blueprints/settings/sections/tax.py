"""Whose tax an invoice ends with, and the code of documents without tax."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from wtforms import SelectField

from blueprints.settings.section import Choices, Scene, Section, refuse


class Tax(Section):
    key = "tax"
    title = "Tax"
    why = "Whose tax the invoice ends with."
    records: ClassVar = {"untaxed_code": "tax_code"}

    class Fields:
        untaxed_code = SelectField("Tax code for documents without tax", choices=[])

    def hidden(self, scene: Scene) -> Collection[str]:
        return () if scene.taxed_by_code else ("untaxed_code",)

    def prepare(self, form: Any, scene: Scene) -> None:
        if "untaxed_code" in form:
            form.untaxed_code.choices = [("", "Choose a tax code"), *_untaxed_first(scene)]

    def check(self, form: Any, scene: Scene) -> None:
        if "untaxed_code" in form and not form.untaxed_code.data:
            refuse(form.untaxed_code, "Choose the tax code for documents without tax.")

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        return {"tax_sentence": tax_sentence(scene)}


def _untaxed_first(scene: Scene) -> Choices:
    """Codes that bear no tax come first."""
    codes = sorted(
        scene.records("tax_code"), key=lambda each: str(each.details.get("rate") or "").strip("0.") != ""
    )
    return [(each.ledger_id, each.name) for each in codes]


def tax_sentence(scene: Scene) -> str:
    """What happens to tax in this company's country."""
    if scene.taxed_by_code:
        return (
            f"Each line takes the {scene.ledger} tax code named like the invoice's tax region in Autotask, or like its "
            "one tax. What does not give Autotask's tax waits with the difference."
        )
    sent = "lines are marked as taxed or not, and the amount is sent as it is."
    return f"{scene.ledger} ends with Autotask's tax: {sent}"
