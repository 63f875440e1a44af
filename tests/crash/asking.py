"""What happened before a worker dies, and what it is asked for: acts of people in Autotask, in the ledger and here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.order_settings import Becomes
from domain.statuses import Status
from models import Document, Grant
from sandbox import ledgers
from sandbox.qbo import preferences
from sandbox.qbo.realm import Realm
from sandbox.xero.organisation import Organisation
from sync import codec, decisions, gather, operations, order_changes, replacing, settings, voids
from tests.crash.judging import tenant
from tests.crash.story import Story
from tests.infra.company import sync_in_process
from tests.infra.orders import ask_orders, choose_orders, orders_in_process, owner_of_todos
from workers import enqueue

CHANGED = "as agreed with the customer"
FEW = 3
"""So many documents are changed."""
WHO = "a person"

# ---- before -------------------------------------------------------------------------------------------------


def nothing(story: Story) -> None:
    """The company is connected, and nothing was posted yet."""


def post_all(story: Story) -> None:
    """The month is in the books already."""
    sync_in_process(story.services, story.company_id)


def only(kind: Callable[[Document], bool]) -> Callable[[Story], None]:
    """Everything else is set aside by a person before the press."""

    def leave(story: Story) -> None:
        services = story.services
        source, ledger = services.source(story.company_id), services.ledger(story.company_id)
        gather.scan(services.runtime(), story.company_id, source, ledger, None)
        with services.sessions() as db, db.begin():
            for row in db.scalars(select(Document).where(Document.company_id == story.company_id)):
                if not kind(row):
                    assert decisions.skip(db, row, why="another time", now=services.now(), who=WHO)
                    story.aside.add(row.source_id)

    return leave


def without_numbers(story: Story) -> None:
    """Autotask leaves them blank: the ledger numbers."""
    for row in tenant(story).rows("Invoices"):
        _act(story, "edit", invoice=row["id"], changes={"invoiceNumber": ""})


def expired(story: Story) -> None:
    """The access token is used up, so the next call renews it."""
    only(lambda row: row.total > 0)(story)
    with story.services.sessions() as db, db.begin():
        grant = db.scalars(select(Grant)).one()
        grant.access_expires_at = story.services.now() - timedelta(minutes=1)


def in_a_closed_month(story: Story) -> None:
    """A few of what is in the books are void in Autotask, and their period is closed: they could not be voided."""
    post_all(story)
    realm = str(story.made["realm"])
    books = ledgers.kind_of(story.world, realm).books
    through = max(str(each["date"])[:10] for each in books.documents(story.world, realm))
    if story.made["ledger"] == "qbo":
        preferences.change(Realm(story.world, realm), "AccountingInfoPrefs", BookCloseDate=through)
    else:
        organisation = Organisation(story.world, realm)
        organisation.keep(organisation.settings | {"period_lock": through})
    _void_in_autotask(story)
    post_all(story)
    assert {row.reason_code for row in at_fault(story)} == {"void_closed"} and len(at_fault(story)) == FEW


def buying(**choices: Any) -> Callable[[Story], None]:
    """Purchase orders are wanted, as these."""
    return lambda story: choose_orders(story.services, story.company_id, story.made, **choices)


def ordered_and_received(quantity: Callable[[list[dict[str, Any]]], list[int] | None]) -> Callable[[Story], None]:
    """Orders are in the books, and then of a few of them goods are received under one number of the vendor's.
    `quantity` gives so many of each item, None where all of it is."""

    def receive(story: Story) -> None:
        buying(becomes=Becomes.ORDER_AND_BILLS)(story)
        orders_in_process(story.services, story.company_id)
        for place, order in enumerate(several(story)):
            items = tenant(story).rows("PurchaseOrderItems", orderID=int(order))
            _act(story, "receive", order=int(order), quantities=quantity(items), number=f"V-9{place}")
        _read_again(story)

    return receive


def billed_and_cancelled(story: Story) -> None:
    """A few orders have a bill of a part of them, and were cancelled in Autotask after it."""
    ordered_and_received(lambda items: [1, *[0] * (len(items) - 1)])(story)
    orders_in_process(story.services, story.company_id)
    _cancel(story)


def ordered_and_cancelled(story: Story) -> None:
    """Orders are in the books, and a few of them were cancelled in Autotask after it."""
    buying(becomes=Becomes.ORDER)(story)
    orders_in_process(story.services, story.company_id)
    _cancel(story)


def with_todos(story: Story) -> None:
    """What needs a person is told in Autotask, as a to-do."""
    chosen = {"error_todos": True, **owner_of_todos(story.world, story.made)}
    with story.services.sessions() as db, db.begin():
        settings.change(db, story.company_id, now=story.services.now(), user=None, **chosen)


# ---- what is asked for --------------------------------------------------------------------------------------


def press(story: Story) -> None:
    story.press()


def press_orders(story: Story) -> None:
    enqueue.scan(story.services, story.company_id, ask_orders(story.services, story.company_id))


def void_some(story: Story) -> None:
    """Autotask voids a few invoices, which the setting voids in the ledger too."""
    _void_in_autotask(story)
    story.press()


def replace_some(story: Story) -> None:
    """A person confirms that a few documents are replaced by what is to stand there now."""
    _change(story, operations.UPDATE, CHANGED)


def remove_some(story: Story) -> None:
    """A person confirms that a few documents are taken out and copied again."""
    _change(story, operations.REMOVE)


def correct_some(story: Story) -> None:
    """A person has what a closed month keeps taken back by a document of its own."""
    _decide(story, voids.correct)


def take_out_bills(story: Story) -> None:
    """A person has what a cancelled order was billed deleted in the ledger too, and leaves the order as it is."""
    _decide(story, order_changes.settle, of=lambda row: not row.part, why="the vendor keeps it open")
    _decide(story, order_changes.take_out, of=lambda row: bool(row.part), why="never delivered")


def take_out_orders(story: Story) -> None:
    """A person has orders that were cancelled deleted in the ledger too."""
    _decide(story, order_changes.take_out, why="never delivered")


# ---- how ----------------------------------------------------------------------------------------------------


def posted(story: Story) -> list[Document]:
    """The first few invoices that are in the books."""
    with story.services.sessions() as db:
        rows = db.scalars(
            select(Document).where(Document.company_id == story.company_id, Document.ledger_id.is_not(None),
                                   Document.total > 0).order_by(Document.id)
        ).all()  # fmt: skip
    return list(rows[:FEW])


def several(story: Story) -> list[str]:
    """A few orders of which more than one piece of something was ordered."""
    items = sorted(tenant(story).rows("PurchaseOrderItems"), key=lambda row: int(row["id"]))
    return list(dict.fromkeys(str(row["orderID"]) for row in items if row["quantity"] > 1))[:FEW]


def at_fault(story: Story) -> Sequence[Document]:
    with story.services.sessions() as db:
        rows = select(Document).where(Document.company_id == story.company_id, Document.status == Status.FAULT)
        return db.scalars(rows.order_by(Document.id)).all()


def _act(story: Story, name: str, **body: Any) -> None:
    """A person does something in the simulated Autotask."""
    address = f"{story.url}/control/actions/{story.made['slug']}/{name}"
    answer = requests.post(address, json=body, timeout=30)
    assert answer.status_code == 200, answer.text


def _void_in_autotask(story: Story) -> None:
    for row in posted(story):
        _act(story, "void", invoice=int(row.source_id))


def _cancel(story: Story) -> None:
    for order in several(story):
        _act(story, "cancel_order", order=int(order))
    _read_again(story)
    assert {row.reason_code for row in at_fault(story)} == {"order_cancelled_after"}


def _read_again(story: Story) -> None:
    services = story.services
    source = services.source(story.company_id)
    order_changes.read_again(services.runtime(), story.company_id, source, several(story))


def _decide(
    story: Story, decision: Callable[..., bool], of: Callable[[Document], bool] = lambda row: True, **more: Any
) -> None:
    services = story.services
    for row in filter(of, at_fault(story)):
        with services.sessions() as db, db.begin():
            assert decision(db, db.get_one(Document, row.id), now=services.now(), who=WHO, **more)
    enqueue.ring(services, story.company_id)


def _change(story: Story, operation: str, text: str | None = None) -> None:
    """A few documents, each in the version in which it stands there; with another text of its first line."""
    services, ledger = story.services, story.services.ledger(story.company_id)
    for row in posted(story):
        kind, id = Kind(str(row.ledger_kind)), str(row.ledger_id)
        version = str(ledger.read(kind, [id])[id].version)
        with services.sessions() as db, db.begin():
            fresh = db.get_one(Document, row.id)
            draft = replacing.last_written(db, fresh)
            assert draft is not None
            if text is not None:
                first, *rest = draft.lines
                draft = replace(draft, lines=(replace(first, text=text), *rest))
            operations.reserve(db, fresh, operation, codec.dump(draft), now=services.now(), interactive=1,
                               terms={"by": WHO, "version": version})  # fmt: skip
    enqueue.ring(services, story.company_id)
