"""Who gets the report."""

from __future__ import annotations

from typing import Any

from wtforms import TextAreaField

from blueprints.forms import Addresses, split_addresses
from blueprints.settings.section import Section


class Recipients(Section):
    key = "recipients"
    title = "Who gets the report"
    why = "One address a line."
    whole = "recipients"

    class Fields:
        recipients = TextAreaField("Who gets the report", [Addresses()])

    def read(self, name: str, data: Any) -> Any:
        return split_addresses(data)

    def fill(self, name: str, value: Any) -> Any:
        return "\n".join(value)
