"""Whose tax an invoice ends with, and the code of documents without tax. Codes by region are on the tax map's page."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired

from blueprints.settings.section import Choices, Scene, Section, refuse, text_choices
from domain.settings import TaxSource

SOURCES = (
    (TaxSource.SOURCE, "Autotask's tax"),
    (TaxSource.LEDGER, "The ledger computes the tax"),
    (TaxSource.NONE, "No tax from us"),
)


class Tax(Section):
    key = "tax"
    title = "Tax"
    why = "Whose tax the invoice ends with."
    records: ClassVar = {"untaxed_code": "tax_code"}

    class Fields:
        tax_source = RadioField(
            "Whose tax", [InputRequired("Choose whose tax the invoice ends with.")], choices=text_choices(SOURCES)
        )
        untaxed_code = SelectField("Tax code for documents without tax", choices=[])

    def hidden(self, scene: Scene) -> Collection[str]:
        return () if scene.taxed_by_code else ("untaxed_code",)

    def prepare(self, form: Any, scene: Scene) -> None:
        if "untaxed_code" in form:
            form.untaxed_code.choices = [("", "Choose a tax code"), *_untaxed_first(scene)]

    def check(self, form: Any, scene: Scene) -> None:
        mapped = scene.current.tax_map
        chosen = mapped.zero_rated and mapped.exempt and mapped.out_of_scope
        none = form.tax_source.data == TaxSource.NONE
        if "untaxed_code" in form and not form.untaxed_code.data and not chosen and not none:
            refuse(form.untaxed_code, "Choose the tax code for documents without tax, or three of them in the tax map.")

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        return {"tax_sources": described(scene), "tax_warning": scene.tax_warning}


def described(scene: Scene) -> dict[str, str]:
    """What each answer means under this company's tax model. Net amounts are sent whatever is chosen."""
    if scene.taxed_by_code:
        source = "Each line takes the tax map's code; what is further from Autotask's tax than rounding explains waits."
    else:
        source = "Lines are marked as taxed or not, the amount is sent as it is, and the answer must repeat it."
    computes = (
        "Totals may differ from the paper the customer has. What is further away than rounding explains waits with "
        "both figures."
    )
    none = "Lines go as not taxable. An invoice on which Autotask charged tax waits."
    return {"source": source, "ledger": computes, "none": none}


def _untaxed_first(scene: Scene) -> Choices:
    """Codes that bear no tax come first."""
    codes = sorted(
        scene.records("tax_code"), key=lambda each: str(each.details.get("rate") or "").strip("0.") != ""
    )
    return [(each.ledger_id, each.name) for each in codes]
