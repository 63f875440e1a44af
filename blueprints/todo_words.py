"""Error to-dos and `ERROR` marks as pages tell them: what stands in Autotask, whom it is for, and why it is not there
yet."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from blueprints.context import company, db
from domain.causes import cause_key
from domain.formats import format_day
from domain.order_documents import ORDER
from domain.reasons import Reason
from models import Document, ErrorMark, TodoRow

_STATES = {
    "wanted": "is written in Autotask in a moment",
    "sending": "is being written in Autotask",
    "checking": "is looked up in Autotask, so that it is not written twice",
}


_MARKS = {"wanted": "is written in a moment", "clearing": "is cleared in a moment"}


def error_mark_facts(row: Document) -> list[tuple[str, str]]:
    """Whether `ERROR` stands in Autotask where the document's number would; empty where nothing is to be told."""
    mark = db().get(ErrorMark, row.id)
    if mark is None:
        return []
    if mark.state == "marked" and mark.marked_at is not None:
        where = "in External P.O. Number" if row.kind == ORDER else "as its number"
        told = f"stands {where} since {format_day(mark.marked_at.date())}"
    else:
        told = _MARKS.get(mark.state, "not written")
    return [("ERROR in Autotask", f"{told}. {mark.problem}" if mark.problem else told)]


def todo_facts(cause: str, code: str | None) -> list[tuple[str, str]]:
    """[("To-do 812", "assigned to Billing Desk …")] of one cause; empty where there is none. Where one to-do stands
    for every cause of a code, it is that one."""
    return _facts({cause, code or ""})


def todo_facts_of(reasons: Iterable[Reason]) -> list[tuple[str, str]]:
    """The to-dos of all these reasons, each once."""
    return _facts({key for why in reasons for key in (cause_key(why), why.code)})


def _facts(causes: set[str]) -> list[tuple[str, str]]:
    if not causes:
        return []
    rows = db().scalars(select(TodoRow).where(
        TodoRow.company_id == company().id, TodoRow.ended_at.is_(None)
    ).order_by(TodoRow.id)).all()
    return [
        (f"To-do {row.todo_id}" if row.todo_id else "To-do", _told(row)) for row in rows if row.cause in causes
    ]


def _told(row: TodoRow) -> str:
    who = f"assigned to {row.resource_name}" if row.resource_name else "assigned in Autotask"
    if row.problem:
        return f"{who}, waits: {row.problem}"
    if row.state in _STATES:
        return f"{who}, {_STATES[row.state]}"
    subject = row.title.partition(": ")[2]
    return f"{who}, open in Autotask{f' for {subject}' if subject else ''}"
