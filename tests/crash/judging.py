"""How the books are judged after a crash: what ought to stand there, what does, and what the database believes.

Source, books and journal are the sandbox's own. A record is paired with what it stands for by its marker alone, so
neither numbers nor the product's own ids are trusted. `problems` names whatever is wrong, in words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from domain.plan import marker
from domain.statuses import OPEN_STATES, PostingState, Status
from models import Document, Posting, Run
from sandbox import audit_orders, ledgers
from sandbox.autotask.tenants import Tenant
from sync.operations import CORRECT
from tests.crash.story import Story

MARKER = re.compile(r"ref:[A-Z2-7]{8}")
INVOICE, ORDER = "invoice", "purchase_order"


@dataclass(frozen=True)
class Wanted:
    """What ought to stand in the books: `amount` is positive, of a purchase net of tax; `marked`: its source tells."""

    name: str
    amount: Decimal
    marked: bool


Books = Mapping[str, Wanted]
"""By marker."""


def tenant(story: Story) -> Tenant:
    return Tenant(story.world, int(story.made["ci"]))


def mark_of(story: Story, kind: str, id: object, *more: str) -> str:
    """The marker of a document of the source; `more`: a part of an order, or what corrects it."""
    whose = (str(story.company_id), str(story.made["realm"]), str(story.made["ci"]))
    return marker(*whose, kind, str(id), *more)


def invoices(story: Story) -> dict[str, Wanted]:
    """Every invoice that is neither void nor zero nor set aside by a person."""
    return {
        mark_of(story, INVOICE, row["id"]): Wanted(
            f"invoice {row['id']}", abs(Decimal(row["invoiceTotal"])), row.get("webServiceDate") is not None)
        for row in tenant(story).rows("Invoices")
        if row["invoiceTotal"] and not row.get("isVoided") and str(row["id"]) not in story.aside
    }  # fmt: skip


def corrections(story: Story) -> dict[str, Wanted]:
    """For every invoice that is void in the source: it as it was, and what takes it back. The first is marked."""
    return {
        mark_of(story, INVOICE, row["id"], *more): Wanted(
            f"{what} {row['id']}", abs(Decimal(row["invoiceTotal"])), row.get("webServiceDate") is not None)
        for row in tenant(story).rows("Invoices") if row.get("isVoided")
        for what, more in (("invoice", ()), ("the correction of", (CORRECT,)))
    }  # fmt: skip


def orders(story: Story) -> dict[str, Wanted]:
    """Every order, as one document."""
    return {
        mark_of(story, ORDER, one.id): Wanted(f"order {one.number}", one.net, bool(one.external))
        for one in audit_orders.read(tenant(story), None, False) if one.net
    }


# ---- what is wrong ------------------------------------------------------------------------------------------


def records(story: Story) -> list[dict[str, Any]]:
    """Every document in the books that bears a marker of ours, dead ones too; `amount` as `Wanted` has it."""
    realm = str(story.made["realm"])
    books = ledgers.kind_of(story.world, realm).books
    found = [*books.documents(story.world, realm), *books.purchases(story.world, realm)]
    return [{**each, "marker": marked.group(), "amount": each.get("net", each["total"])} for each in found
            if (marked := MARKER.search(f"{each['PrivateNote'] or ''} {each.get('url') or ''}"))]  # fmt: skip


def live(story: Story) -> list[dict[str, Any]]:
    return [each for each in records(story) if each["live"]]


def problems(story: Story, wanted: Books, *, asked: frozenset[str] = frozenset()) -> list[str]:
    """All that differs between what ought to stand in the books and what does, what the source does not know of it, and
    what the database holds against them. `asked`: reasons for which one document may wait for a person."""
    standing = live(story)
    return [*_in_books(wanted, standing), *_nobodys(story), *_in_database(story, wanted, standing, asked)]


def _in_books(wanted: Books, standing: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    by_marker: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in standing:
        by_marker[record["marker"]].append(record)
    for mark, one in wanted.items():
        mine = by_marker.pop(mark, [])
        found += [f"{one.name} is lost"] if not mine else []
        found += [f"{one.name} stands there {len(mine)} times"] if len(mine) > 1 else []
        found += [f"{one.name} stands there with {each['amount']} instead of {one.amount}" for each in mine
                  if each["amount"] != one.amount]
        found += [f"{one.name} bears no mark in Autotask"] if mine and not one.marked else []
    return found + [f"{each['type']} {each['id']} ought not to stand there" for rest in by_marker.values()
                    for each in rest]


def _nobodys(story: Story) -> list[str]:
    """Documents that came over the API, by the journal, and bear no marker."""
    realm = str(story.made["realm"])
    kind = ledgers.kind_of(story.world, realm)
    ours = {str(each["id"]) for each in records(story)}
    documents = {kind.invoice, kind.credit, "Bill", "PurchaseOrder"}
    rows = story.world.journal.rows(kind.platform, realm)
    made = [effect for row in rows for effect in row["effects"] if effect["action"] == "create"]
    return [f"{each['kind']} {each['id']} was written without a marker" for each in made
            if each["kind"] in documents and str(each["id"]) not in ours]  # fmt: skip


def _in_database(
    story: Story, wanted: Books, standing: list[dict[str, Any]], asked: frozenset[str]
) -> list[str]:
    """Nothing is under way, no document waits, and what stands in the books is held under its id by one posting."""
    company, posting = Document.company_id == story.company_id, Posting.company_id == story.company_id
    moving = select(Posting.operation, Posting.ledger_kind, Posting.state).where(
        posting, Posting.state.in_((*OPEN_STATES, PostingState.CONFIRMED)))
    waiting = select(Document.source_id, Document.status, Document.reason_code).where(
        company, Document.status.not_in((Status.COMPLETE, Status.SKIPPED)))
    holding = select(Posting.marker, Posting.ledger_id).where(
        posting, Posting.state == PostingState.DONE, Posting.document_id.is_not(None),
        Posting.operation.in_(("create", CORRECT)))
    open_ = select(Run.id).where(Run.company_id == story.company_id, Run.finished_at.is_(None))
    with story.services.sessions() as db:
        found = [f"{row.operation} of {row.ledger_kind} is {row.state}" for row in db.execute(moving)]
        found += [f"run {id} is open" for id in db.scalars(open_)]
        waits, held = db.execute(waiting).all(), db.execute(holding).all()
    allowed = len(waits) == 1 and waits[0].reason_code in asked
    found += [f"document {row.source_id} is {row.status} ({row.reason_code})" for row in waits if not allowed]
    there: dict[str, set[str]] = defaultdict(set)
    for each in standing:
        there[each["marker"]].add(str(each["id"]))
    count = Counter(mark for mark, _ in held)
    found += [f"{count[mark]} postings hold {one.name}" for mark, one in wanted.items() if count[mark] != 1]
    return found + [f"the database holds {id} for what stands there as {', '.join(sorted(there[mark]))}"
                    for mark, id in held if mark in there and str(id) not in there[mark]]  # fmt: skip


def effects(story: Story, actions: tuple[str, ...], *kinds: str) -> int:
    """How many documents of these kinds (by default of the two sales kinds) were changed so, by calls that were carried
    out, as the ledger's journal has it."""
    kind = ledgers.kind_of(story.world, str(story.made["realm"]))
    meant = kinds or (kind.invoice, kind.credit)
    rows = story.world.journal.rows(kind.platform, str(story.made["realm"]))
    return sum(effect["action"] in actions and effect["kind"] in meant for row in rows for effect in row["effects"])
