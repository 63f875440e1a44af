"""The document that takes back another one where nothing may be voided: the same lines as the other kind (R46). Pure.

An invoice in a closed period is corrected by a credit memo on the first open day, a credit memo by an invoice. It has a
number of its own, neither terms nor a mail, and says what it corrects.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from domain.documents import Draft
from domain.formats import format_long_day

KINDS = {"invoice": "credit_memo", "credit_memo": "invoice"}


def reversal(draft: Draft, number: str | None, day: dt.date, marker: str, *, attempt: int, number_length: int) -> Draft:
    """`draft` as it stands in the books under `number`; `day` is the first open one; `attempt` counts from 1 and keeps
    the numbers of refused ones apart."""
    own = None if draft.number is None else _number(draft.number, attempt, number_length)
    what = f"{'credit' if draft.kind == 'credit_memo' else 'invoice'} {number or ''}".strip()
    kind = KINDS[draft.kind]
    return replace(
        draft, kind=kind, number=own, date=day, due_date=day if kind == "invoice" else None, term=None, email=None,
        moved_from=None, marker=marker, notes=(), message=f"Corrects {what} of {format_long_day(draft.date)}",
        memo=f"corrects {what} of {format_long_day(draft.date)}, voided in Autotask after its period was closed",
    )


def _number(number: str, attempt: int, length: int) -> str:
    """Derived, so that both are found together. Ours alone, so it may be cut, unlike a number of the source."""
    tail = "-C" if attempt == 1 else f"-C{attempt}"
    return number[: length - len(tail)] + tail
