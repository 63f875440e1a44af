"""The invariants of exactly-once posting once the world is at rest, as named functions.

They read the books and the database, nothing else. Identifiers I01 to I22 are those of the reliability reference.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

from connectors.ledgers.base import Kind
from connectors.ledgers.memory import Entry
from domain.reasons import CATALOGUE
from domain.statuses import STATUS_OF, Flag, PostingState
from sync import attaching, reissues
from sync.settle import MAX_LOOKUPS, MAX_SENDS
from tests.simulation.books import DOCUMENTS, Delivery, SimBooks
from tests.simulation.following import FOLLOWING, order_mark, whose_are
from tests.simulation.reading import Finding, by_source, corrections, freight_of, ours, removed, written
from tests.simulation.watcher import CREATIONS, KEY, QUARANTINE, Watcher
from tests.simulation.world import Tenant


def final(watcher: Watcher) -> None:
    """Everything that must hold once nothing moves any more."""
    for check in CHECKS:
        for tenant in watcher.tenants.values():
            for subject, text, *kind in check(watcher, tenant):
                name = kind[0] if kind else check.__name__.split("_")[0].upper()
                watcher.blame(name, tenant.company_id, subject, text)


GONE = ("voided_open", "void_paid", "void_refused", "void_changing", "void_closed", "void_queued", "correct_")
ASKED_FOR = ("overwrite_", "remove_", "promote_", "order_cancelled_after", "unreceived_after", "received_after",
             "update_queued", "mail_unsure", *GONE)  # fmt: skip
"""Reasons of documents that are in the books while something else about them waits."""


def i01_one_document_each(watcher: Watcher, tenant: Tenant) -> Finding:
    every = by_source(tenant, tenant.books.documents(live=False))
    for id, entries in ours(tenant).items():
        came_twice = sum(_second_copy(tenant, every[id], entry) for entry in entries)
        for n, extra in enumerate(sorted(entries, key=lambda entry: int(entry.id))[1:] if id != "?" else ()):
            kind = "residual" if n < came_twice or _residual(tenant, entries, extra) else "duplicates"
            yield tenant.name_of(id), f"{len(entries)} live documents: {[e.id for e in entries]}", kind
    for id in came_back(watcher, tenant):
        yield tenant.name_of(id), "stands again after it was taken out", "residual"
    names = Counter((e.kind, str(e.body["name"]).casefold()) for e in tenant.books.entries if e.kind not in DOCUMENTS)
    for (kind, name), count in names.items():
        if count > 1:
            yield f"{kind} {name}", f"{count} records of one name", "duplicates"


def _residual(tenant: Tenant, entries: list[Entry], extra: Entry) -> bool:
    """The documented residual risk: a kind whose number the ledger does not check, a key that ended, and bytes
    that arrived (or were shown by reads) later than the quarantine, or once more when the answer was there already."""
    books = tenant.books
    if books.own_numbers and extra.kind in books.checked_numbers:
        return False
    made = [(books.made_by[entry.id], books.shown_at.get(entry.id, 0.0)) for entry in entries]
    return _nobody_could_tell(books, made)


def _second_copy(tenant: Tenant, every: list[Entry], entry: Entry) -> bool:
    """The residual risk where the first copy, by the very same call, may have been taken out since."""
    made_by = tenant.books.made_by
    call = [one for one in every if made_by[one.id].intended_at == made_by[entry.id].intended_at]
    return entry is not min(call, key=lambda one: int(one.id)) and _residual(tenant, call, entry)


def _nobody_could_tell(books: SimBooks, made: list[tuple[Delivery, float]]) -> bool:
    """Of deliveries of one write, and when reads showed them: a key was forgotten between them, and one came late or
    twice."""
    late = any(max(m.at, shown) - m.intended_at >= QUARANTINE - 1 for m, shown in made)
    twin = len({m.intended_at for m, _ in made}) < len(made)
    return books.key_ended([m for m, _ in made]) and (late or twin)


def came_back(watcher: Watcher, tenant: Tenant) -> set[str]:
    """The residual risk of a document that was taken out: its second copy, which no posting knows, arrived all the
    same and stands alone."""
    known = {row.ledger_id for row in watcher.postings.values() if row.company_id == tenant.company_id}
    every = by_source(tenant, tenant.books.made)
    return {
        id for id, entries in ours(tenant).items() if id != "?" and len(entries) == 1 < len(every[id])
        and entries[0].id not in known and _residual(tenant, every[id], entries[0])
    }  # fmt: skip


def wrong_company(watcher: Watcher, tenant: Tenant) -> Finding:
    for entry in ours(tenant).get("?", ()):
        yield f"ledger document {entry.id}", "belongs to a document of another company", "wrong_company"


def i02_nothing_lost(watcher: Watcher, tenant: Tenant) -> Finding:
    held, gone, corrected = ours(tenant), removed(tenant), corrections(tenant)
    statuses = dict(watcher.db.execute(
        f"SELECT {KEY}, status || ' ' || coalesce(reason_code, '') FROM documents WHERE company_id = ?",
        (tenant.company_id,),
    ))  # fmt: skip
    for id, wanted in tenant.wanted.items():
        stands = statuses.get(id, "never seen")
        if not wanted.posts and held[id]:
            yield tenant.name_of(id), f"was posted although: {wanted.why}", "I02"
            continue
        if not wanted.posts or held[id] or wanted.voided or id in gone:
            continue
        if stands == ABOVE and tenant.purchases is not None and wanted.id in tenant.purchases.sent_back:
            continue
        first = wanted.instead_of or ""
        if first not in gone and (first in corrected or not held.get(first)):
            yield tenant.name_of(id), f"eligible ({wanted.why}) and not in the books; it stands as {stands}", "lost"
        elif not stands.endswith(INSTEAD):
            yield tenant.name_of(id), f"waits for {tenant.name_of(first)}, and stands as {stands}", "lost"


ABOVE = "Fault billed_above_received"
"""Where something of the order went back, a person decides."""
INSTEAD = (*reissues.WAITING, *reissues.ASKED)
"""What bills a voided invoice again, and stands aside for its copy."""


def i20_voids_are_told(watcher: Watcher, tenant: Tenant) -> Finding:
    """What was voided, cancelled or sent back in the source and stands in the books says so, or a person was asked:
    of goods that went back and came again under another number, on the bill that would bill them twice."""
    held, unknown = ours(tenant), came_back(watcher, tenant)
    rows = watcher.db.execute(
        f"SELECT {KEY}, flags, reasons, status, source_id, coalesce(reason_code, '') FROM documents"
        " WHERE company_id = ?", (tenant.company_id,),
    ).fetchall()  # fmt: skip
    asked = {order for *_, status, order, code in rows if f"{status} {code}" == ABOVE}
    for id, flags, reasons, status, order, _ in rows:
        wanted = tenant.wanted.get(id)
        if wanted is None or not wanted.voided or not held[id] or id in unknown:
            continue
        if wanted.part and order in asked:
            continue
        codes = [one["code"] for one in json.loads(reasons)]
        if not DECIDED & set(json.loads(flags)) and not any(code.startswith(VOIDS) for code in codes):
            yield tenant.name_of(id), f"voided in the source and nobody was told: it stands as {status} {codes}"


DECIDED = {str(Flag.KEPT), str(Flag.CORRECTED)}
VOIDS = (*GONE, "order_cancelled_after", "unreceived_after", "received_after")
"""Reasons that tell of it."""


def i11_totals_agree(watcher: Watcher, tenant: Tenant) -> Finding:
    parties = (Kind.CUSTOMER, Kind.VENDOR)
    names = {one.id: one.body["name"] for one in tenant.books.entries if one.kind in parties}
    for id, entries in ours(tenant).items():
        for entry in entries if id != "?" else ():
            signed = written(entry) * (-1 if entry.kind is Kind.CREDIT_MEMO else 1)
            signed -= freight_of(tenant, entry)
            if signed not in tenant.wanted[id].totals:
                yield tenant.name_of(id), f"booked {signed}, the source says {tenant.wanted[id].totals}"
            if names.get(entry.body["party"]) != tenant.wanted[id].party:
                yield tenant.name_of(id), f"booked for {names.get(entry.body['party'])}", "wrong_company"


def i21_billed_once(watcher: Watcher, tenant: Tenant) -> Finding:
    """An item is on one invoice; of an order line no more is billed than was ordered, and its freight once. What is
    there twice is told as that, and counts once here."""
    billed: dict[str, set[str]] = {}
    pieces: dict[str, Decimal] = {}
    freight: dict[str, Decimal] = {}
    elsewhere = {*corrections(tenant), *came_back(watcher, tenant)}
    for id, entries in ours(tenant).items():
        for entry in entries[:1] if id not in elsewhere else ():
            bought = entry.kind in (Kind.BILL, Kind.PURCHASE_ORDER)
            for one in entry.body["lines"] if not bought else ():
                billed.setdefault(one["text"], set()).add(id)
            if entry.kind is Kind.BILL and id != "?":
                order = tenant.wanted[id].id
                freight[order] = freight.get(order, Decimal(0)) + freight_of(tenant, entry)
                for one in entry.body["lines"]:
                    pieces[one["text"]] = pieces.get(one["text"], Decimal(0)) + Decimal(one["quantity"])
    for item, ids in billed.items():
        if len(ids) > 1:
            yield item, f"is billed on {sorted(ids)}"
    for id, booked in freight.items():
        document = tenant.source.contents[id]
        head = document.header.order
        if head is not None and booked > head.freight:
            yield f"purchase_order {id}", f"has freight of {booked} on its bills instead of {head.freight}"
        for line in document.lines:
            if pieces.get(line.text, Decimal(0)) > line.quantity:
                yield f"purchase_order {id}", f"{pieces[line.text]} of {line.quantity} are billed: {line.text}"


def i08_done_means_marked(watcher: Watcher, tenant: Tenant) -> Finding:
    for row in watcher.postings.values():
        if (
            row.company_id != tenant.company_id
            or row.kind in CREATIONS
            or row.state != "DONE"
            or (row.operation not in ("create", "update"))
        ):
            continue
        header = tenant.source.contents[row.source_id].header
        if header.order is not None:
            yield from order_mark(watcher, tenant, row, header.order.external_number)
            continue
        if header.marked_at is None:
            yield f"{row.kind} {row.key}", "is DONE, and the source has no mark"
        if not tenant.books.own_numbers and header.number is None:
            yield f"{row.kind} {row.key}", "is DONE, and the ledger's number is not in the source"


SETTLED = (PostingState.CONFIRMED, PostingState.DONE, PostingState.NEEDS_HUMAN)


def i20_statuses_tell_the_truth(watcher: Watcher, tenant: Tenant) -> Finding:
    """The status is that of the posting, Complete only with the ledger's id, and every other one says why."""
    live, gone = {entry.id for entry in tenant.books.documents()}, removed(tenant)
    for id, status, ledger_id, reasons, posting_id, flags in watcher.db.execute(
        f"SELECT {KEY}, status, ledger_id, reasons, posting_id, flags FROM documents WHERE company_id = ?",
        (tenant.company_id,),
    ):
        posting = watcher.postings.get(posting_id)
        state = PostingState(posting.state) if posting else None
        voided = str(Flag.VOIDED) in json.loads(flags)
        if status == "Complete" and ledger_id not in live and not voided and id not in gone:
            yield tenant.name_of(id), "is Complete and not in the books"
        if voided and ledger_id in live:
            yield tenant.name_of(id), "is told to be void and stands in the books"
        asked = any(one["code"].startswith(ASKED_FOR) for one in json.loads(reasons))
        if state in SETTLED and status != STATUS_OF[state] and not asked:
            yield tenant.name_of(id), f"stands as {status} while its posting is {state}"
        if status == "Processing Now":
            yield tenant.name_of(id), "is still Processing Now at rest", "stuck"
        if status != "Complete":
            codes = [one["code"] for one in json.loads(reasons)]
            if not codes or any(not CATALOGUE[code].fix or not CATALOGUE[code].action for code in codes):
                yield tenant.name_of(id), f"is {status} without a cause and a next action: {codes}"


def i20_in_the_books_means_complete(watcher: Watcher, tenant: Tenant) -> Finding:
    """What is in the books stands as Complete, unless a person is asked because it is not certain."""
    statuses = {
        id: ("Complete" if (code or "").startswith(ASKED_FOR) else status, watcher.postings.get(posting_id))
        for id, status, posting_id, code in watcher.db.execute(
            f"SELECT {KEY}, status, posting_id, reason_code FROM documents WHERE company_id = ?",
            (tenant.company_id,),
        )
    }
    nobody_s = {"?", *came_back(watcher, tenant)}
    for id, entries in ours(tenant).items():
        status, posting = statuses.get(id, ("unknown to the app", None))
        asked = posting is not None and posting.state == "NEEDS_HUMAN"
        if entries and id not in nobody_s and status != "Complete" and not asked:
            yield tenant.name_of(id), f"is in the books and stands as {status}"


def i15_at_rest(watcher: Watcher, tenant: Tenant) -> Finding:
    for row in watcher.postings.values():
        # A customer or an item that no document needs any more is not created: it stays as it is.
        waits = row.kind not in CREATIONS and (row.state == "CONFIRMED" or (row.state == "NEW" and row.due))
        if row.company_id == tenant.company_id and (row.state in ("SENDING", "UNKNOWN", "READY") or waits):
            yield f"{row.kind} {row.source_id}", f"is still {row.state} ({row.operation})", "stuck"
    for run_id, phase in watcher.db.execute(
        "SELECT id, phase FROM runs WHERE company_id = ? AND finished_at IS NULL", (tenant.company_id,)
    ):
        yield f"run {run_id}", f"never finished (phase {phase})", "stuck"
    for (id,) in watcher.db.execute(
        f"SELECT {KEY} FROM documents WHERE company_id = ? AND due_at IS NOT NULL", (tenant.company_id,)
    ):
        yield tenant.name_of(id), "is still due", "stuck"


def i17_one_report_each(watcher: Watcher, tenant: Tenant) -> Finding:
    for run_id, recipient, count in watcher.db.execute(
        "SELECT run_id, lower(recipient), count(*) FROM outbox WHERE company_id = ? AND run_id IS NOT NULL"
        " GROUP BY 1, 2 HAVING count(*) > 1",
        (tenant.company_id,),
    ):
        yield f"run {run_id}", f"{recipient} gets {count} mails"
    silent = watcher.db.execute(
        "SELECT id FROM runs r WHERE company_id = ? AND recipients LIKE '%address%' AND finished_at IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.run_id = r.id)", (tenant.company_id,),
    )  # fmt: skip
    for (run_id,) in silent:
        yield f"run {run_id}", "finished without a report"


def i18_retries_are_bounded(watcher: Watcher, tenant: Tenant) -> Finding:
    for row in watcher.postings.values():
        if row.operation in attaching.OPERATIONS:  # a limit or a lost connection is no try: `lookups` counts the others
            over = row.lookups > attaching.MAX_TRIES
        else:
            over = row.sends > MAX_SENDS or row.lookups > MAX_LOOKUPS + MAX_SENDS
        if row.company_id == tenant.company_id and over:
            yield f"{row.kind} {row.source_id}", f"{row.sends} sends and {row.lookups} look-ups"


def i22_one_mail_each(watcher: Watcher, tenant: Tenant) -> Finding:
    books, whose = tenant.books, whose_are(watcher, tenant)
    sent: dict[str, list[tuple[Delivery, float]]] = {}
    for (record, _), delivery in zip(books.mails, books.mailed_by, strict=True):
        sent.setdefault(whose.get(record, f"? {record}"), []).append((delivery, 0.0))
    for key, mails in sent.items():
        if len(mails) > 1:
            kind = "residual" if _nobody_could_tell(books, mails) else "I22"
            yield tenant.name_of(key), f"was mailed {len(mails)} times", kind
    for (record, name), count in Counter((record, name) for record, name, _ in tenant.books.files).items():
        if count > 1:
            yield f"ledger document {record}", f"has {name} {count} times"
    for record, count in Counter(record for record, _ in tenant.books.notes).items():
        if count > 1:
            yield f"ledger document {record}", f"has our note {count} times"


def i14_rows_stay_in_their_company(watcher: Watcher, tenant: Tenant) -> Finding:
    for table, column, other in (
        ("postings", "document_id", "documents"), ("run_items", "run_id", "runs"),
        ("run_items", "document_id", "documents"), ("attempts", "batch_id", "batches"),
        ("item_claims", "posting_id", "postings"), ("posting_needs", "need_id", "postings"),
    ):  # fmt: skip
        count = watcher.db.execute(
            f"SELECT count(*) FROM {table} a JOIN {other} b ON b.id = a.{column}"
            " WHERE a.company_id = ? AND b.company_id <> a.company_id", (tenant.company_id,),
        ).fetchone()[0]  # fmt: skip
        if count:
            yield table, f"{count} rows point at {other} of another company"


def the_reconciler_finds_it(watcher: Watcher, tenant: Tenant) -> Finding:
    """What stands twice, was taken out or got another amount by hand, is named by the newest reconciliation; nothing
    else is."""
    keys = dict(watcher.db.execute(f"SELECT id, {KEY} FROM documents WHERE company_id = ?", (tenant.company_id,)))
    rows = watcher.db.execute(
        "SELECT t.outcome, t.data FROM tool_rows t WHERE t.run_id = (SELECT max(id) FROM runs WHERE kind = 'reconcile'"
        " AND company_id = ? AND finished_at IS NOT NULL)", (tenant.company_id,),
    ).fetchall()  # fmt: skip
    told: dict[str, set[str]] = {}
    for outcome, data in rows:
        told.setdefault(outcome, set()).add(keys.get(json.loads(data)["document_id"], "?"))
    held, gone = ours(tenant), removed(tenant)
    held = {id: entries for id, entries in held.items() if id != "?"}
    twice = {id for id, entries in held.items() if len(entries) > 1} | came_back(watcher, tenant)
    for id in sorted(twice - told.get("duplicate", set()) - told.get("orphan", set())):
        yield tenant.name_of(id), "stands twice, and the reconciliation does not say so", "unfound"
    posted = {id for id, entries in held.items() if len(entries) == 1} - twice
    for id in sorted(told.get("duplicate", set()) - twice):
        yield tenant.name_of(id), "is told to stand twice", "unfound"
    for id in sorted(told.get("orphan", set()) - twice):
        yield tenant.name_of(id), "is told to stand there without our knowing", "unfound"
    for id in sorted(told.get("missing", set()) & posted - gone):
        yield tenant.name_of(id), "is told to be missing", "unfound"
    yield from _by_hand(watcher, tenant, held, told)
    if not rows and posted:
        yield "reconciliation", "found no document at all", "unfound"


def _by_hand(
    watcher: Watcher, tenant: Tenant, held: dict[str, list[Entry]], told: dict[str, set[str]]
) -> Finding:
    """What people took out, or gave another amount, in the ledger's own pages; also what corrects a document."""
    gone, drift, corrected = removed(tenant), told.get("drift", set()), corrections(tenant)
    for id, flags, ledger_id in watcher.db.execute(
        f"SELECT {KEY}, flags, ledger_id FROM documents WHERE company_id = ? AND status = 'Complete'",
        (tenant.company_id,),
    ):
        known = set(json.loads(flags))
        if str(Flag.VOIDED) in known:
            continue
        entry = next((one for one in held.get(id, ()) if one.id == ledger_id), None)
        if entry is None and id in gone and id not in told.get("missing", set()):
            yield tenant.name_of(id), "was taken out by hand, and the reconciliation does not say so", "unfound"
        standing = [*([entry] if entry else []), *corrected.get(id, ())]
        changed = any(one.total != written(one) for one in standing)
        seen = str(Flag.DIFFERS) in known  # it had the other amount when our write was found in the ledger
        if changed and not seen and id not in drift:
            yield tenant.name_of(id), "has another amount by hand, and the reconciliation does not say so", "unfound"
        if id in drift and not changed and not seen:
            yield tenant.name_of(id), "is told to be another than we wrote", "unfound"


CHECKS: tuple[Callable[[Watcher, Tenant], Finding], ...] = (
    i01_one_document_each, wrong_company, i02_nothing_lost, i08_done_means_marked, i11_totals_agree,
    i14_rows_stay_in_their_company, i15_at_rest, i17_one_report_each, i18_retries_are_bounded,
    i20_statuses_tell_the_truth, i20_voids_are_told, i20_in_the_books_means_complete, i21_billed_once,
    i22_one_mail_each, *FOLLOWING, the_reconciler_finds_it,
)  # fmt: skip
