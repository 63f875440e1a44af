"""More settings: how many lines a document has, and the table of lines, which has a page of its own."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from wtforms import IntegerField, RadioField, StringField
from wtforms.validators import InputRequired, NumberRange

from blueprints.settings.section import UNREADABLE, Scene, Section, text_choices
from domain.settings import LineDetail

DETAIL = (
    (LineDetail.EVERY, "Every item"),
    (LineDetail.PRINTED, "As printed on the Autotask invoice"),
    (LineDetail.ITEM, "One line per item"),
    (LineDetail.DOCUMENT, "One line per document"),
)


class LineMap(Section):
    key = "line_map"
    title = "Lines"
    why = "How many there are, and where they go."

    class Fields:
        line_detail = RadioField("Lines in the ledger", choices=text_choices(DETAIL))
        long_service_months = IntegerField(
            "Months a service may be billed for at once without an account of its own",
            [
                InputRequired("Enter a number of months."),
                NumberRange(1, 120, "Enter a number of months from 1 to 120."),
            ],
        )
        line_map = StringField("Table of lines")

    def hidden(self, scene: Scene) -> Collection[str]:
        return ("line_map",)

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        return {"line_rules": len(scene.current.line_map), "periods_unread": bool(scene.records(UNREADABLE))}

    def words(self, name: str, value: Any, scene: Scene) -> str | None:
        return "; ".join(_words(dict(each) if isinstance(each, dict) else vars_of(each), scene) for each in value)


def vars_of(rule: Any) -> dict[str, Any]:
    return {"code_id": rule.code_id, "kind": rule.kind, "item": rule.item, "account": rule.account}


def _words(rule: dict[str, Any], scene: Scene) -> str:
    what = " ".join(filter(None, (f"billing code {rule['code_id']}" if rule["code_id"] else "", rule["kind"])))
    if rule["item"]:
        return f"{what}: item {scene.name_of('item', rule['item'])}"
    return f"{what}: {scene.name_of('account', rule['account'])}"
