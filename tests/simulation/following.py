"""Invariants of what follows documents: orders and their freight, drafts and their approval, to-dos, `ERROR` marks.

They read the books, the source and the database, nothing else, once the world is at rest.
"""

from __future__ import annotations

import json
from decimal import Decimal

from connectors.ledgers.base import Kind
from connectors.ledgers.memory_records import SALES
from domain.order_documents import ORDER
from domain.order_settings import Becomes, Freight
from domain.statuses import Flag
from tests.simulation.reading import Finding, corrections, freight_of, ours, removed, written
from tests.simulation.watcher import CREATIONS, KEY, Row, Watcher
from tests.simulation.world import BY_HAND, Tenant


def freight_is_booked(watcher: Watcher, tenant: Tenant) -> Finding:
    """Whole on what bills an order at once, and on the first bill where that was chosen."""
    made = tenant.purchases
    gone = removed(tenant)
    for id, entries in ours(tenant).items() if made is not None else ():
        wanted = tenant.wanted.get(id)
        if wanted is None or wanted.kind != ORDER or wanted.part or not entries or made is None:
            continue
        head = tenant.source.contents[id].header.order
        if head is not None and any(freight_of(tenant, entry) != head.freight for entry in entries):
            yield wanted.name, f"was written without its freight of {head.freight}", "I21"
    if made is None or made.freight is not Freight.FIRST or made.becomes is not Becomes.ON_RECEIPT:
        return
    for id in {one.id for one in tenant.wanted.values() if one.kind == ORDER}:
        parts = [one for one in tenant.wanted.values() if one.id == id and one.part]
        bills = [entry for one in parts for entry in ours(tenant)[one.key][:1]]
        head = tenant.source.contents[id].header.order if id in tenant.source.contents else None
        stand = not any(one.voided or one.key in gone for one in parts)
        if bills and head is not None and stand:
            booked = sum((freight_of(tenant, entry) for entry in bills), Decimal(0))
            if booked != head.freight:
                yield f"purchase_order {id}", f"has freight of {booked} on its bills instead of {head.freight}", "I21"


def corrections_are_opposite(watcher: Watcher, tenant: Tenant) -> Finding:
    """A document of a closed period that was voided in the source: it stays, and one opposite document undoes it."""
    held = ours(tenant)
    for key, entries in corrections(tenant).items():
        name, originals = tenant.wanted[key].name, held[key]
        if len(entries) > 1:
            yield name, f"is corrected {len(entries)} times: {[entry.id for entry in entries]}", "duplicates"
        if len(originals) != 1 or not tenant.wanted[key].voided:
            yield name, f"is corrected, and {len(originals)} of it are in the books", "corrected"
        for entry in entries if originals else ():
            if written(entry) != written(originals[0]) or {entry.kind, originals[0].kind} != set(SALES):
                yield name, f"of {originals[0].total} is corrected by {entry.kind} of {entry.total}", "corrected"
            if entry.body["date"] <= originals[0].body["date"]:
                yield name, f"is corrected on {entry.body['date']}", "corrected"


def foreign_documents_are_untouched(watcher: Watcher, tenant: Tenant) -> Finding:
    held = {entry.id: entry for entry in tenant.books.documents()}
    for id, total in tenant.foreign.items():
        entry = held.get(id)
        if entry is None or entry.total != total or entry.body["marker"] != BY_HAND:
            yield f"ledger document {id}", "was typed in by somebody and is not as it was", "foreign"


def order_mark(watcher: Watcher, tenant: Tenant, row: Row, mark: str | None) -> Finding:
    """External P.O. Number is the number, or the prefixed id, of one of the order's documents."""
    theirs = [other.ledger_id for other in watcher.postings.values()
              if other.company_id == tenant.company_id and other.kind == ORDER and other.source_id == row.source_id]
    entries = [entry for entry in tenant.books.documents(live=False) if entry.id in theirs]
    may = {f"BILL-{id}" for id in theirs} | {entry.number for entry in entries}
    deleted = len(entries) < len({id for id in theirs if id})  # nothing is left that could tell its number
    if not mark or (mark not in may and not deleted):
        yield f"purchase_order {row.key}", f"is DONE, and External P.O. Number is {mark}: {sorted(map(str, may))}"


def statuses_are_the_ledgers(watcher: Watcher, tenant: Tenant) -> Finding:
    """What was approved is approved in the books, what was created as approved stays so, and a draft is flagged."""
    if not tenant.books.drafts:
        return
    states = {entry.id: entry.status for entry in tenant.books.documents()}
    flagged = {
        ledger_id: str(Flag.DRAFT) in json.loads(flags) for ledger_id, flags in watcher.db.execute(
            "SELECT ledger_id, flags FROM documents WHERE company_id = ? AND ledger_id IS NOT NULL",
            (tenant.company_id,),
        )
    }  # fmt: skip
    for row in watcher.postings.values():
        if row.company_id != tenant.company_id or row.operation != "promote" or row.state != "DONE":
            continue
        if states.get(row.ledger_id or "", "approved") == "draft":
            yield f"{row.kind} {row.source_id}", "was approved, and the ledger holds a draft", "promoted"
    for ledger_id, flag in flagged.items():
        if not flag and states.get(ledger_id) in ("draft", "submitted"):
            yield f"ledger document {ledger_id}", "is a draft and nothing says so", "promoted"


def error_marks_follow_faults(watcher: Watcher, tenant: Tenant) -> Finding:
    """`ERROR` stands at Faults alone, at all that may bear it where it was chosen, and never in a number's place."""
    chosen = dict(watcher.db.execute(
        "SELECT area, wanted FROM error_mark_states WHERE company_id = ?", (tenant.company_id,)
    ))  # fmt: skip
    rows = watcher.db.execute(
        f"SELECT {KEY}, kind, status, number, ledger_id FROM documents WHERE company_id = ?", (tenant.company_id,)
    ).fetchall()
    bear = {id for id, document in tenant.source.contents.items()
            if document.header.order and document.header.order.external_number == "ERROR"}  # fmt: skip
    taken = {id for id, document in tenant.source.contents.items()
             if document.header.order and document.header.order.external_number not in (None, "ERROR")}  # fmt: skip
    for kind, area, failed in (("invoice", "invoices", tenant.source.failed), (ORDER, "orders", bear)):
        wanted = {
            id for id, of, status, number, ledger in rows
            if of == kind and status == "Fault" and ledger is None
            and (number is None if kind == "invoice" else "/" not in id and id not in taken)
        }
        for id in sorted(failed ^ (wanted if chosen.get(area) else set())):
            told = "bears ERROR" if id in failed else "bears no ERROR"
            may = sorted(wanted) if chosen.get(area) else "none"
            yield f"{kind} {id}", f"{told} at rest; Faults that may bear it: {may}", "marks"


def todos_follow_faults(watcher: Watcher, tenant: Tenant) -> Finding:
    """One to-do in the source for each cause that stands, none twice, none left open when its cause is over; where
    they are wanted, every Fault stands in one."""
    open_ = [one.text for one in tenant.source.todos.values() if one.completed_at is None]
    every = [one.text for one in tenant.source.todos.values()]
    faults: dict[str, set[int]] = {"invoices": set(), "orders": set()}
    for id, kind in watcher.db.execute(
        "SELECT id, kind FROM documents WHERE company_id = ? AND status = 'Fault'", (tenant.company_id,)
    ):
        faults["orders" if kind == ORDER else "invoices"].add(id)
    told: dict[str, set[int]] = {"invoices": set(), "orders": set()}
    for marker_, area, ended, problem, documents in watcher.db.execute(
        "SELECT marker, area, ended_at, problem, documents FROM todos WHERE company_id = ?", (tenant.company_id,)
    ).fetchall():
        standing = sum(text.startswith(marker_) for text in open_)
        if sum(text.startswith(marker_) for text in every) > 1:
            yield f"to-do {marker_}", "was made twice", "todos"
        if standing != (0 if ended or problem else 1):
            yield f"to-do {marker_}", f"of {area}: {standing} open in the source, ended {ended}", "todos"
        told[area] |= set(json.loads(documents)) if not ended else set()
    wanted = {area for (area,) in watcher.db.execute(
        "SELECT area FROM todo_states WHERE company_id = ? AND wanted AND problem IS NULL", (tenant.company_id,)
    )}  # fmt: skip
    for area, ids in told.items():
        if ids - faults[area]:
            yield "to-dos", f"tell of documents that are no Faults: {sorted(ids - faults[area])}", "todos"
        if area in wanted and faults[area] - ids:
            yield "to-dos", f"say nothing of {area} that are Faults: {sorted(faults[area] - ids)}", "todos"


def what_follows_arrives(watcher: Watcher, tenant: Tenant) -> Finding:
    """A Complete invoice was mailed and bears its PDF where the company wants that, or says why not."""
    values = json.loads(watcher.db.execute(
        "SELECT \"values\" FROM settings_versions WHERE company_id = ? AND area = 'invoices' ORDER BY version DESC",
        (tenant.company_id,),
    ).fetchone()[0])  # fmt: skip
    live = {entry.id: entry for entry in tenant.books.documents()}
    whose = whose_are(watcher, tenant)
    mailed = {whose.get(record) for record, _ in tenant.books.mails}
    filed = {record for record, _, _ in tenant.books.files}
    told = {(key, operation) for key, operation in watcher.db.execute(
        f"SELECT {KEY}, operation FROM postings WHERE company_id = ? AND operation IN ('send', 'attach')"
        " AND state IN ('REJECTED', 'NEEDS_HUMAN') AND reasons NOT IN ('[]', 'null')", (tenant.company_id,),
    )}  # fmt: skip
    for key, ledger_id in watcher.db.execute(
        f"SELECT {KEY}, ledger_id FROM documents WHERE company_id = ? AND kind = 'invoice' AND status = 'Complete'",
        (tenant.company_id,),
    ):
        entry = live.get(ledger_id)
        if entry is None:
            continue
        mails = values["mail_customers"] and entry.kind is Kind.INVOICE
        if mails and key not in mailed and (key, "send") not in told:
            yield tenant.name_of(key), "was never mailed to the customer, and nothing says why", "follows"
        if values["attach_pdf"] and ledger_id not in filed and (key, "attach") not in told:
            yield tenant.name_of(key), "has no PDF, and nothing says why", "follows"


def whose_are(watcher: Watcher, tenant: Tenant) -> dict[str, str]:
    """Ledger document → what it was written for."""
    return {row.ledger_id: row.key for row in watcher.postings.values()
            if row.company_id == tenant.company_id and row.ledger_id and row.kind not in CREATIONS}  # fmt: skip


FOLLOWING = (
    freight_is_booked, corrections_are_opposite, what_follows_arrives, foreign_documents_are_untouched,
    statuses_are_the_ledgers, error_marks_follow_faults, todos_follow_faults,
)
