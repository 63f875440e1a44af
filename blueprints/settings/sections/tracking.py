"""More settings: class of a line and location of a document, by what of Autotask, and the values that need a row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from wtforms import RadioField, SelectField, SelectMultipleField

from blueprints.settings.section import Scene, Section, text_choices
from domain.matching import fold
from domain.settings import TrackBy, TrackRule

CLASS_BY = (
    (TrackBy.NONE, "No {class_word}"), (TrackBy.DEPARTMENT, "Department of the billing code"),
    (TrackBy.BUSINESS, "Line of business"),
)  # fmt: skip
LOCATION_BY = (
    (TrackBy.NONE, "No {location_word}"), (TrackBy.BUSINESS, "Line of business"),
    (TrackBy.TERRITORY, "Territory of the company"), (TrackBy.DEPARTMENT, "Department of the billing code"),
)  # fmt: skip
MAPS = ("class_map", "location_map")


class Tracking(Section):
    key = "tracking"
    title = "{tracking_section}"
    why = "Values of equal name are found by themselves."
    records: ClassVar = {"class_default": "class", "location_default": "location"}

    class Fields:
        class_by = RadioField("{Class_word} of a line", choices=text_choices(CLASS_BY))
        class_map = SelectMultipleField("Values without a {class_word} of their name", choices=[])
        class_default = SelectField("{Class_word} of lines without one", choices=[])
        location_by = RadioField("{Location_word} of a document", choices=text_choices(LOCATION_BY))
        location_map = SelectMultipleField("Values without a {location_word} of their name", choices=[])
        location_default = SelectField("{Location_word} of documents without one", choices=[])

    def hidden(self, scene: Scene) -> Collection[str]:
        """What the ledger company has no list of."""
        out = [] if scene.records("class") else ["class_by", "class_map", "class_default"]
        return [*out, *([] if scene.records("location") else ["location_by", "location_map", "location_default"])]

    def prepare(self, form: Any, scene: Scene) -> None:
        if form.class_default:
            form.class_default.choices = scene.choices("class", "None: such lines wait")
        if form.location_default:
            form.location_default.choices = scene.choices("location", "None")
        for name in filter(form.__contains__, MAPS):
            pairs = [pair for row in _rows(scene, name) for pair in row["choices"]]
            getattr(form, name).choices = [("", ""), *pairs]

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        """A drop-down for each value of the source that the ledger has nothing of equal name of."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for name in MAPS:
            sent = (form[name].data or []) if name in form else []
            rows[name] = [
                {**row, "chosen": next((v for v, _ in row["choices"] if v in sent), "")} for row in _rows(scene, name)
            ]
        return {"track_rows": rows, "tracks": {kind: bool(scene.records(kind)) for kind in ("class", "location")}}

    def read(self, name: str, data: Any) -> Any:
        if name not in MAPS:
            return data
        return tuple(TrackRule(TrackBy(by), value, there) for by, value, there in _parts(data))

    def fill(self, name: str, value: Any) -> Any:
        return [f"{rule.by}>{rule.source_id}>{rule.ledger_id}" for rule in value] if name in MAPS else value

    def words(self, name: str, value: Any, scene: Scene) -> str | None:
        if name not in MAPS:
            return None
        rules = [each if isinstance(each, dict) else {
            "by": each.by, "source_id": each.source_id, "ledger_id": each.ledger_id
        } for each in value]  # fmt: skip
        kind = name.removesuffix("_map")
        return "; ".join(
            f"{scene.name_of(str(r['by']), str(r['source_id']))}: {scene.name_of(kind, str(r['ledger_id']))}"
            for r in rules
        )


def _parts(data: Any) -> list[list[str]]:
    return [parts for each in data or () if each and len(parts := each.split(">", 2)) == 3]


def _rows(scene: Scene, name: str) -> list[dict[str, Any]]:
    """Of what is chosen now: another choice shows its values once it was saved."""
    kind = name.removesuffix("_map")
    by = scene.current.class_by if kind == "class" else scene.current.location_by
    if by is TrackBy.NONE:
        return []
    offered = scene.records(kind)
    known = {fold(each.name) for each in offered}
    return [
        {
            "id": f"{kind}-{value.ledger_id}", "name": value.name,
            "choices": [(f"{by}>{value.ledger_id}>{each.ledger_id}", each.name) for each in offered],
        }
        for value in scene.records(str(by)) if value.name and fold(value.name) not in known
    ]  # fmt: skip
