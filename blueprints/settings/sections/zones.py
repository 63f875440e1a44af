"""More settings: the time zones of the company and of its Autotask."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from wtforms import SelectField

from blueprints.settings.section import Scene, Section

# People look for a city, not for one of the database's 600 names; a company's own zone is added where it is missing.
ZONES = tuple(
    sorted(
        name
        for name in available_timezones()
        if name.split("/")[0] in ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Pacific")
        and name.count("/") == 1
    )
)


class Zones(Section):
    key = "zones"
    title = "Time zones"
    why = "Which day a time of day belongs to."

    class Fields:
        source_time_zone = SelectField("Autotask time zone", choices=[])
        time_zone = SelectField("Time zone of the company", choices=[])

    def prepare(self, form: Any, scene: Scene) -> None:
        current = scene.current
        for each, own in ((form.time_zone, current.time_zone), (form.source_time_zone, current.source_time_zone)):
            names = ZONES if own in ZONES else (own, *ZONES)
            each.choices = [("UTC", "UTC")] * ("UTC" not in names) + [(name, name.replace("_", " ")) for name in names]

    def words(self, name: str, value: Any, scene: Scene) -> str | None:
        return str(value).replace("_", " ")

    def default(self, name: str, scene: Scene) -> Any:
        """The default of both is the company's own zone."""
        return scene.current.time_zone
