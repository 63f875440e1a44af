"""An honest small source in memory, for unit tests and the seeded simulation. It keeps the port's promises.

Tests put `SourceDocument`s, `Party`s and a `Catalog` in; marks are kept here like Autotask keeps them: one
instant and one number per document, last write wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from connectors.errors import BadAnswer
from connectors.limits import Used
from connectors.sources.base import Mark, SourceCheck, Todo, Voided
from domain.documents import Catalog, Party, SourceDocument, SourceHeader, Window
from domain.order_documents import ORDER, OrderHead, OrderStatus
from domain.todos import Choice, TodoDraft, TodoLists

PAGE = 500
_FAILED = "ERROR"


class MemorySource:
    """Implements `Source`. `calls` holds one word per call, in order; `hidden` ids are not visible to this user."""

    def __init__(self, tenant: str = "513558") -> None:
        self.tenant = tenant
        self.contents: dict[str, SourceDocument] = {}
        self.companies: dict[str, Party] = {}
        self.vendor_ids: set[str] = set()
        self.lists = Catalog()
        self.hidden: set[str] = set()
        self.voided_at: dict[str, datetime] = {}
        self.has_orders = False
        self.calls: list[str] = []
        self.staff = TodoLists(
            (Choice("29", "Billing Desk", note="billing.desk@source.invalid"),), (Choice("7", "To-Do: Phone Call"),)
        )
        self.todos: dict[str, Todo] = {}
        self.failed: set[str] = set()
        """Documents that bear the word for "failed" instead of a number."""

    # ---- what tests do ------------------------------------------------------------------------------------

    def put(self, *documents: SourceDocument) -> None:
        self.contents |= {one.header.id: one for one in documents}

    def put_party(self, *parties: Party) -> None:
        self.companies |= {one.id: one for one in parties}

    def void(self, id: str, at: datetime | None = None) -> None:
        """Void an invoice, or cancel an order."""
        header = self.contents[id].header
        if header.order is not None:
            self._change(id, order=replace(header.order, status=OrderStatus.CANCELLED, cancelled_at=at))
        self._change(id, voided=True)
        if at is not None:
            self.voided_at[id] = at

    # ---- the port -----------------------------------------------------------------------------------------

    def check(self) -> SourceCheck:
        self.calls.append("check")
        return SourceCheck(
            tenant=self.tenant,
            web_url="https://source.invalid/",
            api_url="https://source.invalid/api/",
            time_zone="UTC",
            currency="USD",
            multi_currency=False,
            parties=len(self.companies),
            can_read_invoices=True,
            can_mark_invoices=True,
            has_purchase_orders=self.has_orders,
        )

    def headers(self, kind: str, window: Window) -> Iterator[list[SourceHeader]]:
        found = [one for one in self._visible(kind) if _unsynced(one, window)]
        for start in range(0, max(len(found), 1), PAGE):
            self.calls.append("headers")
            page = found[start : start + PAGE]
            if page:
                yield page

    def headers_by_id(self, kind: str, ids: Sequence[str]) -> list[SourceHeader]:
        self.calls.append("headers_by_id")
        return [one for one in self._visible(kind) if one.id in set(ids)]

    def voided(self, kind: str, since: datetime) -> list[Voided]:
        self.calls.append("voided")
        dated = [(one, self.voided_at.get(one.id)) for one in self._visible(kind) if one.voided]
        return [Voided(one.id, one.number, at) for one, at in dated if at is None or at >= since]

    def headers_by_number(self, kind: str, number: str) -> list[SourceHeader]:
        self.calls.append("headers_by_number")
        return [one for one in self._visible(kind) if one.number == number]

    def documents(self, headers: Sequence[SourceHeader]) -> Iterator[list[SourceDocument]]:
        for start in range(0, len(headers), PAGE):
            self.calls.append("documents")
            chunk = headers[start : start + PAGE]
            yield [replace(self.contents[one.id], header=one) for one in chunk if one.id in self.contents]

    def parties(self, ids: Sequence[str]) -> list[Party]:
        self.calls.append("parties")
        return [self.companies[id] for id in dict.fromkeys(ids) if id in self.companies]

    def vendors(self) -> list[Party]:
        self.calls.append("vendors")
        return [self.companies[id] for id in sorted(self.vendor_ids) if self.companies[id].active]

    def catalog(self) -> Catalog:
        self.calls.append("catalog")
        return self.lists

    def original(self, kind: str, id: str) -> bytes:
        return b"%PDF-1.4\n% " + f"{kind} {id}".encode()

    def usage(self) -> Sequence[Used]:
        return ()

    def slot(self, operation: str) -> float:
        return 0.0

    def mark_synced(self, kind: str, id: str, *, number: str | None, at: datetime) -> None:
        self.calls.append("mark_synced")
        if kind == ORDER:
            if not number:
                raise ValueError("an order is marked with a number")
            self._mark_order(id, number)
        elif number is None:
            self._change(id, marked_at=at)
        else:
            self._change(id, marked_at=at, number=number)
            self.failed.discard(id)

    def clear_mark(self, kind: str, id: str) -> None:
        self.calls.append("clear_mark")
        if kind == ORDER:
            self._mark_order(id, None)
        else:
            self._change(id, marked_at=None)

    def marks(self, kind: str, ids: Sequence[str]) -> list[Mark]:
        self.calls.append("marks")
        return [self._mark(one) for one in self._visible(kind) if one.id in set(ids)]

    def set_error(self, kind: str, id: str) -> None:
        self.calls.append("set_error")
        if kind == ORDER:
            self._mark_order(id, _FAILED)
        else:
            self._change(id, number=None)
            self.failed.add(id)

    def clear_error(self, kind: str, id: str, *, number: str | None) -> None:
        self.calls.append("clear_error")
        if kind == ORDER:
            self._mark_order(id, number)
        else:
            self._change(id, number=number)
            self.failed.discard(id)

    def todo_lists(self) -> TodoLists:
        self.calls.append("todo_lists")
        return self.staff

    def find_todos(self, marker: str) -> list[Todo]:
        self.calls.append("find_todos")
        return [one for one in self.todos.values() if one.text.casefold().startswith(marker.casefold())]

    def create_todo(self, draft: TodoDraft) -> str:
        self.calls.append("create_todo")
        allowed = [one.id for one in (*self.staff.people, *self.staff.action_types) if one.active]
        if draft.resource not in allowed or draft.action_type not in allowed:
            raise BadAnswer("That person or action type is not active.", platform="Memory")
        made = str(800 + len(self.todos))
        self.todos[made] = Todo(made, draft.text, None)
        return made

    def change_todo(self, id: str, text: str) -> None:
        self.calls.append("change_todo")
        self._change_todo(id, text=text)

    def complete_todo(self, id: str, text: str, at: datetime) -> None:
        self.calls.append("complete_todo")
        self._change_todo(id, text=text, completed_at=at)

    # ---- inside -------------------------------------------------------------------------------------------

    def _visible(self, kind: str) -> list[SourceHeader]:
        found = [one.header for one in self.contents.values() if one.header.kind == kind]
        return sorted((one for one in found if one.id not in self.hidden), key=lambda one: int(one.id))

    def _change_todo(self, id: str, **changes: object) -> None:
        if id not in self.todos:
            raise BadAnswer(f"There is no to-do {id}.", platform="Memory")
        self.todos[id] = replace(self.todos[id], **changes)  # type: ignore[arg-type]

    def _mark(self, header: SourceHeader) -> Mark:
        if header.order is None:
            return Mark(header.id, header.number, header.marked_at, failed=header.id in self.failed)
        external, failed = header.order.external_number, header.order.external_number == _FAILED
        return Mark(header.id, None if failed else external, None, failed=failed)

    def _mark_order(self, id: str, number: str | None) -> None:
        document = self.contents.get(id)
        head = document.header.order if document is not None else None
        self._change(id, order=None if head is None else replace(head, external_number=number))

    def _change(self, id: str, **changes: object) -> None:
        document = self.contents.get(id)
        if document is None:
            raise BadAnswer(f"There is no document {id}.", platform="Memory")
        self.contents[id] = replace(document, header=replace(document.header, **changes))  # type: ignore[arg-type]


def _order_waits(header: SourceHeader, head: OrderHead, window: Window) -> bool:
    wanted = [OrderStatus.SUBMITTED]
    if window.received:
        wanted += [OrderStatus.PARTLY_RECEIVED, OrderStatus.RECEIVED]
    young = header.created_at >= window.since
    if window.submitted_since is not None and head.submitted_at is not None:
        young = young or head.submitted_at >= window.submitted_since
    return head.status in wanted and head.external_number in (None, _FAILED) and young


def _unsynced(header: SourceHeader, window: Window) -> bool:
    if header.order is not None:
        return _order_waits(header, header.order, window)
    blank = header.number is None if window.number_blank else header.marked_at is None
    return blank and not header.voided and header.created_at >= window.since
