"""Error to-dos: what one says, whom it may be given to, and when it is due. Pure.

One to-do stands for one cause (`domain.causes`) and lists the documents that wait for it. Who writes them into the
source, and how none is ever written twice, is in `sync/todos.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.formats import format_plural
from domain.help import steps
from domain.reasons import Reason

LISTED = 25
"""Documents that a to-do names; the rest is a number and behind the link."""
TEXT_MAX = 8000
"""Autotask takes 32,000 characters; nobody reads as many."""
_LAST_START = time(23, 29)
_LENGTH = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Choice:
    """A person or an action type of the source. `note` of a person is the e-mail address."""

    id: str
    name: str
    active: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class TodoLists:
    """Whom a to-do may be given to, and as what. `readable` False: the source does not show its lists to our user."""

    people: tuple[Choice, ...] = ()
    action_types: tuple[Choice, ...] = ()
    readable: bool = True


@dataclass(frozen=True, slots=True)
class TodoSettings:
    """What one product area (invoices, purchase orders) chose."""

    on: bool = False
    action_type: str | None = None
    resource: str | None = None
    per_document: bool = False
    """One to-do for every document instead of one per cause."""


@dataclass(frozen=True, slots=True)
class TodoDraft:
    """A to-do to create. `marker` is its proof of origin and stands at the start of the text."""

    marker: str
    text: str
    action_type: str
    resource: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """One document that waits for the cause."""

    number: str
    customer: str
    day: str
    amount: str


def marker(key: str) -> str:
    """The mark of one to-do; `key` is random, so that no other one ever bears it."""
    return f"[Bookbridge {key.replace('-', '')[:10].lower()}]"


def due(at: datetime, zone: str) -> tuple[datetime, datetime]:
    """Start and end of a to-do that is due today: now, or as late on this calendar day as fits. Aware."""
    local = at.astimezone(ZoneInfo(zone)).replace(second=0, microsecond=0)
    if local.time() > _LAST_START:
        local = local.replace(hour=_LAST_START.hour, minute=_LAST_START.minute)
    return local, local + _LENGTH


def text(
    mark: str, title: str, reason: Reason, sentences: Sequence[str], documents: Sequence[Waiting], count: int, *,
    ledger: str, link: str,
) -> str:
    """What the person reads: cause, fix, link, documents (at most `LISTED`, of `count` in all)."""
    lines = [f"{mark} {title} ({format_plural(count, 'document waits', 'documents wait')})", ""]
    lines += [f"What happened: {'. '.join(sentences)}.", f"Why: {reason.cause(ledger)}", "", "What to do:"]
    lines += [f"{place}. {step}" for place, step in enumerate(steps(reason.fix(ledger)), 1)]
    lines += ["", f"Open it in Bookbridge: {link}" if link else "", "", "Documents:"]
    lines += [f"- {_told(one)}" for one in documents[:LISTED]]
    if count > len(documents[:LISTED]):
        lines.append(f"- and {count - len(documents[:LISTED]):,} more")
    lines += ["", "Bookbridge completes this to-do by itself when the problem is solved."]
    return "\n".join(lines)[:TEXT_MAX]


def solved(mark: str, title: str) -> str:
    """What stands there once nothing waits for the cause any more."""
    return f"{mark} {title}: solved\n\nNo document waits for this any more. Completed by Bookbridge."


def digest(said: str) -> str:
    """Equal for equal texts: a to-do is only written again when it would say something else."""
    return hashlib.sha256(said.encode()).hexdigest()


def problem(chosen: TodoSettings, lists: TodoLists) -> Reason | None:
    """Why the chosen to-dos cannot be written; None when they can (or are switched off)."""
    if not chosen.on:
        return None
    if not lists.readable:
        return Reason("todo_lists_hidden")
    for code, wanted, listed in (
        ("todo_resource_gone", chosen.resource, lists.people),
        ("todo_action_gone", chosen.action_type, lists.action_types),
    ):
        found = next((one for one in listed if one.id == wanted), None)
        if found is None or not found.active:
            return Reason(code, {"name": found.name if found else f"id {wanted}" if wanted else "–"})
    return None


def proposed(lists: TodoLists, emails: Sequence[str]) -> tuple[str, str]:
    """(action type, person) to begin with: a member of ours where the source knows one, else the first of each."""
    people = [one for one in lists.people if one.active]
    wanted = [email.casefold() for email in emails]
    known = sorted(
        (one for one in people if one.note.casefold() in wanted), key=lambda one: wanted.index(one.note.casefold())
    )
    types = [one for one in lists.action_types if one.active]
    plain = [one for one in types if one.name.lower().startswith("to-do")]
    first = [*plain, *types][:1]
    return (first[0].id if first else "", [*known, *people][0].id if people else "")


def _told(one: Waiting) -> str:
    return ", ".join(part for part in (one.number, one.customer, one.day, one.amount) if part)
