"""Invoices that bill again what a voided invoice billed: found by their billing items, else by customer and total.

A void in the source sets its items free to be billed under a new invoice, which would be posted faultlessly a second
time while the first still stands in the ledger (R53, R54). Pure; what was voided is prefetched (sync.reissues).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.documents import SourceDocument
from domain.reasons import Reason, reason

SLACK = timedelta(days=1)
"""Sources date a void by a clock, or a zone, of its own."""


class Copy(StrEnum):
    """What became of the ledger's copy of a voided invoice."""

    STANDS = "stands"
    KEPT = "kept"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Earlier:
    """An invoice that was voided in the source after it was posted. `number` is the ledger's."""

    document_id: int
    source_id: str
    number: str
    voided_at: datetime
    total: Decimal
    items: frozenset[str]
    copy: Copy


def bills_again(
    document: SourceDocument, voided: Sequence[Earlier], window_days: int
) -> tuple[Earlier, bool] | None:
    """The voided invoice of the same customer that this one bills again, and whether by the very same items.

    Without a common item (un-posting may give new ids) only one that still stands is thought of, with the same total
    and voided at most `window_days` before this one was made.
    """
    items = {line.id for line in document.lines}
    others = [one for one in voided if one.source_id != document.header.id]
    latest = sorted(others, key=lambda one: (one.copy is not Copy.GONE, one.voided_at), reverse=True)
    same = next((one for one in latest if one.items & items), None)
    if same is not None:
        return same, True
    made = document.header.created_at
    for one in latest:
        near = one.voided_at - SLACK <= made <= one.voided_at + timedelta(days=window_days)
        if near and one.copy is not Copy.GONE and one.total == document.header.total:
            return one, False
    return None


def objection(earlier: Earlier, *, same_items: bool) -> Reason | None:
    """Why it is not posted now; None once the earlier one is out of the ledger."""
    told = {"other": earlier.number, "when": f"{earlier.voided_at:%d %b %Y}"}
    if earlier.copy is Copy.GONE:
        return None
    if not same_items:
        return reason("reissue_like", **told)
    return reason("reissue_kept" if earlier.copy is Copy.KEPT else "reissue_waits", **told)
