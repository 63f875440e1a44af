"""More settings: pennies that rounding leaves, and the account they are booked on."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import RadioField, SelectField

from blueprints.settings.section import Scene, Section, text_choices
from domain.accounts import INCOME_TYPES
from domain.settings import PennyPolicy

POLICY = ((PennyPolicy.LINE, "Add a rounding line"), (PennyPolicy.STOP, "Stop at any difference"))


class Rounding(Section):
    key = "rounding"
    title = "Rounding"
    why = "Autotask can keep labour at four decimals and round the total only."
    records: ClassVar = {"rounding_account": "account"}

    class Fields:
        penny_policy = RadioField(
            "When rounded lines miss the total by pennies",
            choices=text_choices(POLICY),
        )
        rounding_account = SelectField("Account for rounding lines", choices=[])

    def prepare(self, form: Any, scene: Scene) -> None:
        form.rounding_account.choices = scene.choices(
            "account", "Ask when the first one is needed", lambda each: each.details.get("type") in INCOME_TYPES
        )
