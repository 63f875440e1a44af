"""Where lines go: how a billing code finds its item, and what happens when there is none."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import RadioField, SelectField
from wtforms.validators import InputRequired

from blueprints.settings.section import Scene, Section, refuse, text_choices
from domain.settings import MatchBy, MissingItem

INCOME = ("Income", "Other Income")
MATCH_BY = (
    (MatchBy.NUMBER, "Billing Code External Number"),
    (MatchBy.NAME, "Billing Code Name"),
    (MatchBy.ID, "Billing Code ID"),
)
MISSING = ((MissingItem.HOLD, "Hold the invoice"), (MissingItem.CREATE, "Create the item"))


class Lines(Section):
    key = "lines"
    title = "Where lines go"
    why = "Items are matched exactly."
    records: ClassVar = {"created_item_account": "account"}

    class Fields:
        match_by = SelectField(
            "Autotask billing code field used to match item names",
            [InputRequired("Choose the field that names the item.")],
            choices=text_choices(MATCH_BY),
        )
        missing_item = RadioField(
            "If an item is missing",
            [InputRequired("Choose what happens to a missing item.")],
            choices=text_choices(MISSING),
        )
        created_item_account = SelectField("Account for created items", choices=[])

    def prepare(self, form: Any, scene: Scene) -> None:
        form.created_item_account.choices = scene.choices(
            "account", "Choose an account", lambda each: each.details.get("type") in INCOME
        )

    def check(self, form: Any, scene: Scene) -> None:
        if form.missing_item.data == MissingItem.CREATE and not form.created_item_account.data:
            refuse(form.created_item_account, "Choose the account on which created items are booked.")
