"""Error to-dos as pages tell them: which one stands for a cause, whom it is for, and why it is not there yet."""

from __future__ import annotations

from sqlalchemy import select

from blueprints.context import company, db
from models import TodoRow

_STATES = {
    "wanted": "is written in Autotask in a moment",
    "sending": "is being written in Autotask",
    "checking": "is looked up in Autotask, so that it is not written twice",
}


def todo_facts(code: str | None) -> list[tuple[str, str]]:
    """[("To-do 812", "assigned to Billing Desk …")] of a cause; empty where there is none."""
    rows = db().scalars(select(TodoRow).where(
        TodoRow.company_id == company().id, TodoRow.code == (code or ""), TodoRow.ended_at.is_(None)
    ).order_by(TodoRow.id)).all()
    return [(f"To-do {row.todo_id}" if row.todo_id else "To-do", _told(row)) for row in rows]


def _told(row: TodoRow) -> str:
    who = f"assigned to {row.resource_name}" if row.resource_name else "assigned in Autotask"
    if row.problem:
        return f"{who}, waits: {row.problem}"
    if row.state in _STATES:
        return f"{who}, {_STATES[row.state]}"
    subject = row.title.partition(": ")[2]
    return f"{who}, open in Autotask{f' for {subject}' if subject else ''}"
