"""More settings: when reports of automatic syncs go, and who hears of which alarm."""

from __future__ import annotations

from typing import Any

from wtforms import RadioField, SelectField, TextAreaField

from blueprints.forms import Addresses, split_addresses
from blueprints.settings.section import Scene, Section, text_choices
from domain.mails import Rhythm

RHYTHMS = (
    (Rhythm.DAILY, "Once a day"),
    (Rhythm.HOURLY, "Once an hour"),
    (Rhythm.EACH, "Each by itself"),
    (Rhythm.PROBLEMS, "Only problems"),
)
HOURS = [(str(hour), f"{hour:02}:00") for hour in range(24)]


class Mails(Section):
    key = "mails"
    title = "Mails"
    why = "A run or tool that a person starts is mailed at its end. The rest goes like this."

    class Fields:
        scheduled_mails = RadioField("Reports of automatic syncs", choices=text_choices(RHYTHMS))
        mail_hour = SelectField("Hour of the daily report", choices=HOURS)
        problem_recipients = TextAreaField("Who hears of problems", [Addresses()])
        connection_recipients = TextAreaField("Who hears of a lost connection", [Addresses()])
        silence_recipients = TextAreaField("Who hears when nothing was checked for 24 hours", [Addresses()])

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        return {"mail_zone": scene.current.time_zone.replace("_", " ")}

    def read(self, name: str, data: Any) -> Any:
        if name.endswith("_recipients"):
            return split_addresses(data)
        return int(data) if name == "mail_hour" else data

    def fill(self, name: str, value: Any) -> Any:
        return "\n".join(value) if name.endswith("_recipients") else str(value)
