"""The account of a broken installation, from its database and the sandbox's books; nobody asks the product."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from models import Attempt, BatchRow, Document, Posting
from sandbox import audit, audit_orders, ledgers
from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant
from tests.chaos.companies import Companies, Month
from tests.chaos.installation import FACTOR, Installation

MARKER = re.compile(r"ref:[A-Z2-7]{8}")
KEPT_UNIQUE = {"Invoice"}
"""Kinds of which both ledgers refuse a second copy under one number, or answer with the first."""
QUARANTINE_S = 300 / FACTOR
NOBODY = "nobody@sandbox.invalid"
"""Whose report mails the audit is to read: with everybody's, read again for every company, it took minutes for each."""


@dataclass
class Account:
    documents: int = 0
    duplicates: int = 0
    lost: int = 0
    wrong_company: int = 0
    residual: int = 0
    recoveries: int = 0
    unanswered: int = 0
    """Documents in calls that got no answer, once for every such call."""
    kinds: Counter[str] = field(default_factory=Counter)
    remarks: list[str] = field(default_factory=list)

    def blame(self, what: str, remark: str, count: int = 1) -> None:
        setattr(self, what, getattr(self, what) + count)
        self.remarks.append(f"{what}: {remark}")


def judge(told: Installation, companies: Companies) -> Account:
    account = Account()
    for month in companies.months:
        lost = account.lost
        _sources(told, month, account)
        if account.lost > lost:
            account.remarks.append(f"  the product says: {companies.why_not(month)}")
        _books(told, month, account)
    _history(told, account)
    return account


def _sources(told: Installation, month: Month, account: Account) -> None:
    """Every eligible document of the source is in the books to the cent, and marked: the sandbox's own audit."""
    ci = int(month.made["ci"])
    verdict = audit.audit(told.world, ci, month.realm, to=NOBODY)
    account.documents += verdict["seen"]
    for figure in ("missing", "unmarked"):
        if verdict[figure]:
            account.blame("lost", f"{month.realm}: {verdict[figure]} invoices {figure}", verdict[figure])
    for currency, sums in verdict["totals"].items():
        if sums["expected"] != sums["posted"]:
            account.blame("lost", f"{month.realm}: {sums['posted']} {currency} in the books of {sums['expected']}")
    if month.made["on_receipt"]:
        _received(told, month, account)
        return
    if not month.made["buys"]:
        return
    verdict = audit_orders.audit(told.world, ci, month.realm)
    account.documents += verdict["eligible"]
    for figure in ("missing", "unmarked"):
        if verdict[figure]:
            account.blame("lost", f"{month.realm}: {verdict[figure]} orders {figure}", verdict[figure])


def _received(told: Installation, month: Month, account: Account) -> None:
    """Each vendor invoice number that goods arrived under is one bill, and together they are what the order is."""
    tenant = Tenant(told.world, int(month.made["ci"]))
    orders = audit_orders.read(tenant, None, received=True)
    audit_orders.pair(told.world, month.realm, orders)
    items = {row["id"]: row["orderID"] for row in tenant.rows("PurchaseOrderItems")}
    numbers: dict[int, set[str]] = defaultdict(set)
    for receipt in tenant.rows("PurchaseOrderItemReceiving"):
        numbers[items[receipt["purchaseOrderItemID"]]].add(str(receipt["vendorInvoiceNumber"]))
    for order in orders:
        arrived, bills = numbers[order.id], [str(one["DocNumber"]) for one in order.documents]
        account.documents += len(arrived)
        name = f"{month.realm}: order {order.number} arrived under {sorted(arrived)}, billed under {sorted(bills)}"
        if arrived - set(bills):
            account.blame("lost", name, len(arrived - set(bills)))
        elif Counter(bills) != Counter(arrived):
            account.blame("duplicates", name)
        elif purchasing.status_of(tenant, purchasing.existing(tenant, order.id)) == purchasing.FULL:
            net = sum(one["net"] for one in order.documents)
            if net != order.net:
                account.blame("lost", f"{name}: {net} of {order.net}")
        if arrived and not order.external:
            account.blame("lost", f"{name}: not marked")


def _books(told: Installation, month: Month, account: Account) -> None:
    """Each live document of the books that came through the interface belongs to one posting of this company, each
    posting that claims a record has it there, and what was voided in the source does not stand."""
    kind = ledgers.kind_of(told.world, month.realm)
    found = [*kind.books.documents(told.world, month.realm), *kind.books.purchases(told.world, month.realm)]
    with told.services.sessions() as db:
        rows = db.scalars(select(Posting).where(Posting.company_id == month.company_id, Posting.marker != "")).all()
        others = dict(db.execute(
            select(Posting.marker, Posting.company_id).where(Posting.company_id != month.company_id)
        ).all())  # fmt: skip
        documents = dict(db.execute(select(Document.id, Document.source_id).where(
            Document.company_id == month.company_id, Document.kind == "invoice"
        )).all())  # fmt: skip
    voided = {str(row["id"]) for row in Tenant(told.world, int(month.made["ci"])).rows("Invoices") if row["isVoided"]}
    ours = {row.marker: row for row in rows if row.operation == "create"}
    copies: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for each in found:
        marked = MARKER.search(f"{each['PrivateNote'] or ''} {each.get('url') or ''}")
        if marked is None:
            continue  # the seed's own
        if marked.group() not in ours:
            whose = others.get(marked.group(), "nobody")
            account.blame("wrong_company", f"{month.realm}: {each['type']} {each['id']} belongs to {whose}")
        elif each["live"]:
            copies[marked.group(), each["type"]].append(each)
            account.kinds[f"{kind.platform} {each['type']}"] += 1
    sends = _sends(told, month, rows)
    for (marker, name), records in copies.items():
        late = late_arrival([one["created"] for one in records], sends[marker])
        for extra in records[1:]:
            figure = "residual" if late and name not in KEPT_UNIQUE else "duplicates"
            account.blame(figure, f"{month.realm}: {name} {extra['DocNumber']} stands {len(records)} times")
    live = {str(each["id"]) for each in found if each["live"]}
    for row in ours.values():
        if documents.get(row.document_id) in voided:
            if row.ledger_id in live:
                account.blame("lost", f"{month.realm}: {row.ledger_kind} {row.ledger_id} stands, voided in the source")
        elif row.state in ("CONFIRMED", "DONE") and row.ledger_id not in live:
            account.blame("lost", f"{month.realm}: {row.ledger_kind} {row.ledger_id} is {row.state}, not in the books")


def _sends(told: Installation, month: Month, rows: Sequence[Posting]) -> dict[str, list[datetime]]:
    """When each document was sent to be created, under whatever key, by its marker."""
    markers = {row.id: row.marker for row in rows if row.operation == "create"}
    found: dict[str, list[datetime]] = defaultdict(list)
    with told.services.sessions() as db:
        for at, members in db.execute(
            select(Attempt.started_at, BatchRow.members).join(BatchRow, BatchRow.id == Attempt.batch_id)
            .where(Attempt.company_id == month.company_id)
        ):
            for id, _ in members:
                if id in markers:
                    found[markers[id]].append(at)
    return found


def late_arrival(booked: Sequence[datetime], sent: Sequence[datetime]) -> bool:
    """Whether one of these copies can only have come from a send that arrived after the quarantine, or twice: each
    copy is taken for that of the newest send before it that has none yet. Copies whose sends all arrived in time were
    sent too often, which is a duplicate."""
    left = sorted(sent)
    for copy in sorted(booked):
        before = [at for at in left if at <= copy]
        if not before or (copy - before[-1]).total_seconds() >= QUARANTINE_S:
            return True
        left.remove(before[-1])
    return False


def _history(told: Installation, account: Account) -> None:
    """What the attempts tell: who was in a call without an answer, and who of those stands in the books now."""
    with told.services.sessions() as db:
        attempts = db.execute(select(Attempt.outcome, BatchRow.members).join(BatchRow, BatchRow.id == Attempt.batch_id))
        documents = dict(db.execute(
            select(Posting.id, Posting.state).where(Posting.document_id.is_not(None), Posting.operation == "create")
        ).all())  # fmt: skip
        hit: set[int] = set()
        for outcome, members in attempts:
            if outcome != "answered":
                here = [id for id, _ in members if id in documents]
                account.unanswered += len(here)
                hit.update(here)
    account.recoveries = sum(documents[id] in ("CONFIRMED", "DONE") for id in hit)
