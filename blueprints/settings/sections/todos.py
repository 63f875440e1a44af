"""More settings: error to-dos in Autotask, one per cause, whom they are for, and the word `ERROR` on the invoice."""

from __future__ import annotations

from typing import Any, ClassVar

from wtforms import BooleanField, SelectField

from blueprints.context import company, db
from blueprints.settings.section import Choices, Scene, Section, refuse
from domain.reasons import Reason, reason
from domain.todos import Choice, TodoLists, proposed
from sync.todo_state import problem_of

PEOPLE, ACTION_TYPES = "person", "action_type"


class Todos(Section):
    key = "todos"
    title = "Errors in Autotask"
    why = "Faults as to-dos of your local organization in Autotask (My, CRM, To-Dos), one per cause, and as ERROR."
    records: ClassVar = {"todo_action_type": ACTION_TYPES, "todo_resource": PEOPLE}

    class Fields:
        error_todos = BooleanField("Create a to-do in Autotask when there is an error")
        todo_action_type = SelectField("Type of To-Do Action when there is an error.", choices=[])
        todo_resource = SelectField("Default resource to whom the error To-Dos will be assigned.", choices=[])
        mark_errors = BooleanField("Write ERROR into the invoice number in Autotask when there is an error")

    def prepare(self, form: Any, scene: Scene) -> None:
        form.todo_action_type.choices = _choices(scene, ACTION_TYPES, form.todo_action_type.data, "Choose an action")
        form.todo_resource.choices = _choices(scene, PEOPLE, form.todo_resource.data, "Choose a resource")
        lists = TodoLists(_listed(scene, PEOPLE), _listed(scene, ACTION_TYPES))
        action_type, person = proposed(lists, scene.emails)
        if not scene.current.error_todos:
            form.todo_action_type.data = form.todo_action_type.data or action_type
            form.todo_resource.data = form.todo_resource.data or person

    def check(self, form: Any, scene: Scene) -> None:
        if not form.error_todos.data:
            return
        for each, kind, what in (
            (form.todo_action_type, ACTION_TYPES, "an action type"), (form.todo_resource, PEOPLE, "a resource"),
        ):
            if each.data not in {record.ledger_id for record in scene.records(kind)}:
                refuse(each, f"Choose {what} that is active in Autotask.")

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        read = bool(scene.records(PEOPLE)) and bool(scene.records(ACTION_TYPES))
        return {"todo_lists_read": read, "todo_problem": _problem(scene) if read else ""}


def _choices(scene: Scene, kind: str, held: str | None, first: str) -> Choices:
    """Active entries; one that was deactivated after it was saved stays visible with the word for it."""
    offered = scene.choices(kind, first)
    if held and held not in {value for value, _ in offered}:
        offered.append((held, scene.name_of(kind, held)))
    return offered


def _problem(scene: Scene) -> str:
    """What became of the saved person or action type since, or what Autotask refused; empty while all is well."""
    now = scene.current
    if not now.error_todos:
        return ""
    for code, kind, held in (
        ("todo_resource_gone", PEOPLE, now.todo_resource), ("todo_action_gone", ACTION_TYPES, now.todo_action_type)
    ):
        if held not in {each.ledger_id for each in scene.records(kind)}:
            why = reason(code, name=scene.name_of(kind, held or "").removesuffix(" (inactive)"))
            return _words(why, scene)
    refused = problem_of(db(), company().id)
    return _words(refused, scene) if refused is not None and refused.code == "todo_refused" else ""


def _words(why: Reason, scene: Scene) -> str:
    return f"{why.sentence(scene.ledger)}. {why.fix(scene.ledger)}"


def _listed(scene: Scene, kind: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(each.ledger_id, each.name, each.active, str((each.details or {}).get("note") or ""))
        for each in scene.records(kind)
    )
