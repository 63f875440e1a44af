"""What the engine reads and posts: invoices, purchase orders. One engine, and a row here for each kind of document.

An area says which kind is read, over which window, what a mark means, how stored documents are planned, what is in at
most one live document, and which settings hold. The order of `AREAS` is the order in which they are posted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Session

from domain.documents import SourceHeader, Window
from domain.known import Facts
from domain.order_documents import ORDER
from domain.plan import Plan
from domain.reasons import Reason
from domain.settings import SyncState
from models import Company, Document
from sync import invoices, orders
from sync.settings import INVOICES as INVOICE_SETTINGS
from sync.settings import ORDERS as ORDER_SETTINGS
from sync.settings import load_invoices, load_orders


class PassSettings(Protocol):
    """What the engine itself asks of an area's settings; the rest is the area's own."""

    @property
    def sync_state(self) -> SyncState: ...
    @property
    def run_limit(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Area:
    name: str
    """Of its settings, runs and to-dos."""
    kind: str
    """The source's record type."""
    words: str
    load: Callable[[Session, int], Any]
    window: Callable[[Any, datetime], Window]
    taken: Callable[[SourceHeader, Any], Reason | None]
    """Voided, or marked by somebody: not to be posted any more."""
    early: Callable[[SourceHeader, Any, datetime], Reason | None]
    """Why it is listed, and only posted when a person includes it."""
    plans: Callable[[Session, Company, Sequence[Document], Facts, Any, Sequence[str]], list[Plan]]
    claims: Callable[[Plan], list[str]]
    """Keys of what is in at most one live document."""
    guarded: bool
    """The source may still be building it: young ones are read twice, totals are compared."""
    looked_up: bool
    """What another program marked is looked up in the ledger by its number."""
    spread: Callable[[Session, Document, Any, datetime], Any] | None = None
    """After the lines of a document were read: the further documents that it makes."""


INVOICES = Area(
    name=INVOICE_SETTINGS, kind=invoices.KIND, words="invoices", load=load_invoices, window=invoices.window,
    taken=invoices.taken, early=invoices.early, plans=invoices.plans, claims=invoices.claims, guarded=True,
    looked_up=True,
)  # fmt: skip
ORDERS = Area(
    name=ORDER_SETTINGS, kind=ORDER, words="purchase orders", load=load_orders, window=orders.window,
    taken=orders.taken, early=orders.early, plans=orders.plans, claims=orders.claims, guarded=False, looked_up=False,
    spread=orders.spread,
)  # fmt: skip
AREAS = (INVOICES, ORDERS)


def area_of(kind: str) -> Area:
    """The area of a document's kind."""
    return next(area for area in AREAS if area.kind == kind)


def named(name: str) -> Area:
    return next(area for area in AREAS if area.name == name)


def by_area(rows: Sequence[Document]) -> list[tuple[Area, list[Document]]]:
    """The rows of each area, in the order of posting; areas without any are left out."""
    shared = [(area, [row for row in rows if row.kind == area.kind]) for area in AREAS]
    return [(area, rows) for area, rows in shared if rows]
