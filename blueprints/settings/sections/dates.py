"""More settings: closed periods, the due date, and terms that the ledger calls by another name."""

from __future__ import annotations

from typing import Any

from wtforms import RadioField, SelectMultipleField

from blueprints.settings.section import Record, Scene, Section, text_choices
from domain.matching import fold
from domain.settings import ClosedPeriod, DueDate, TermRule

CLOSED = ((ClosedPeriod.STOP, "Stop"), (ClosedPeriod.OPEN_DAY, "Date it on the first open day"))
DUE = (
    (DueDate.SOURCE, "Autotask's due date"),
    (DueDate.TERMS, "From the terms"),
    (DueDate.DOCUMENT, "The document date"),
)
OWN = "Nothing is sent: the customer's own terms stay"


class Dates(Section):
    key = "dates"
    title = "Dates and terms"
    why = "Which day an invoice stands on in {ledger}, and when it is due."

    class Fields:
        closed_period = RadioField("An invoice dated in a closed period", choices=text_choices(CLOSED))
        due_date = RadioField("Due date", choices=text_choices(DUE))
        term_map = SelectMultipleField("Terms of another name", choices=[])

    def prepare(self, form: Any, scene: Scene) -> None:
        pairs = [pair for row in _rows(scene) for pair in row["choices"]]
        form.term_map.choices = [("", OWN), *pairs]

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        """A drop-down for each of the source's terms that the ledger has none of equal name of."""
        sent = form.term_map.data or []
        rows = [{**row, "chosen": next((v for v, _ in row["choices"] if v in sent), "")} for row in _rows(scene)]
        return {"term_rows": rows, "term_own": OWN}

    def read(self, name: str, data: Any) -> Any:
        if name != "term_map":
            return data
        return tuple(TermRule(*each.split(">", 1)) for each in data or () if each)

    def fill(self, name: str, value: Any) -> Any:
        return [f"{rule.term_id}>{rule.ledger_id}" for rule in value] if name == "term_map" else value

    def words(self, name: str, value: Any, scene: Scene) -> str | None:
        if name != "term_map":
            return None
        return "; ".join(_words(each, scene) for each in value)


def _rows(scene: Scene) -> list[dict[str, Any]]:
    offered: list[Record] = scene.records("term")
    known = {fold(each.name) for each in offered}
    return [
        {
            "id": f"term-{term.ledger_id}", "name": term.name,
            "choices": [(f"{term.ledger_id}>{each.ledger_id}", each.name) for each in offered],
        }
        for term in scene.records("source_term") if fold(term.name) not in known
    ]  # fmt: skip


def _words(rule: Any, scene: Scene) -> str:
    term, chosen = (rule["term_id"], rule["ledger_id"]) if isinstance(rule, dict) else (rule.term_id, rule.ledger_id)
    return f"{scene.name_of('source_term', str(term))}: {scene.name_of('term', str(chosen))}"
