"""A preview against the sandbox: it asks nobody, and its journal is that of the books after posting."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import select

from domain.documents import Draft
from domain.statuses import Status
from models import BatchRow, Company, Document, Posting, Run, ToolRow
from sandbox.qbo import books
from sandbox.world import World
from sync import due, gather, previewing, release, requests, tools
from sync.apply import serve
from sync.operations.create import resolved
from sync.preview import preview
from tests.tools_pages.test_journal import company_id, services
from workers.wiring import Services

__all__ = ["company_id", "services"]
ZERO = Decimal(0)
TAKEN = "AT-TAKEN-1"
"""Its number is used in the ledger by somebody else's document, which only asking the ledger tells."""



def read(services: Services, company_id: int) -> None:
    """What a scan leaves: documents with lines that nothing asked to be posted."""
    with services.sessions() as db, db.begin():
        run, _ = requests.ask(db, db.get_one(Company, company_id), kind="first_scan", trigger="button",
                              now=services.now(), user=None)
        run_id = run.id
    gather.scan(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id)


def drafts_of(services: Services, company_id: int, ids: Iterable[int]) -> dict[int, Draft]:
    """What the previews of these documents show, as the page computes it."""
    capabilities, found = services.ledger(company_id).capabilities, {}
    with services.sessions() as db, db.no_autoflush:
        for row in db.scalars(select(Document).where(Document.id.in_(ids))):
            shown = preview(db, row, capabilities).draft
            assert shown is not None
            found[row.id] = shown
        db.rollback()
    return found


def standing(services: Services, company_id: int, taken: int) -> list[int]:
    """Documents that stand ready, without the one whose number is taken."""
    with services.sessions() as db:
        return list(db.scalars(select(Document.id).where(*release.ready(company_id), Document.id != taken)))


def sent_otherwise(services: Services, world: World, company_id: int, drafts: dict[int, Draft], mark: int) -> list[str]:
    """Documents of which another payload was sent than previewed, byte for byte; and bodies the ledger never received.

    A customer or item that was new at the preview is a name there; its id is filled in, nothing else.
    """
    ledger, wrong = services.ledger(company_id), []
    received = {row["request_sha256"] for row in world.journal.rows("qbo", since_id=mark)}
    with services.sessions() as db:
        bodies = {row.key: row for row in db.scalars(select(BatchRow))}
        for posting in db.scalars(select(Posting).where(Posting.document_id.in_(drafts))):
            ids = due.created_ids(db, [posting.id])
            previewed = ledger.payload(resolved(drafts[posting.document_id or 0], ids), {})
            body = bodies[posting.batch_key or ""].body
            if previewed != posting.payload or previewed not in body:
                wrong.append(f"{posting.draft['number']}: {previewed!r} was shown, {posting.payload!r} was sent")
            if hashlib.sha256(body).hexdigest() not in received:
                wrong.append(f"{posting.draft['number']}: its call is not in the ledger's journal")
    return wrong


def balances(world: World, services: Services, company_id: int) -> dict[str, Decimal]:
    """Debits less credits by account, in the sandbox's own books."""
    with services.sessions() as db:
        realm = db.get_one(Company, company_id).ledger_tenant
    rows = books.trial_balance(world, realm)
    return {row["name"]: Decimal(row["debit"]) - Decimal(row["credit"]) for row in rows}


def test_the_journal_of_a_preview_is_that_of_the_books(
    services: Services, company_id: int, sandbox_world: World
) -> None:
    read(services, company_id)
    before, mark = balances(sandbox_world, services, company_id), sandbox_world.journal.mark()
    with services.sessions() as db, db.begin():
        pending = previewing.chosen(db, company_id, {"ids": None})
        taken = db.scalars(select(Document.id).where(Document.number == TAKEN)).one()
        asked_for = {"ids": [each for each in pending if each != taken]}
        run, _ = tools.ask(db, db.get_one(Company, company_id), previewing.KIND, asked_for, now=services.now(),
                           user=None)
        preview_id = run.id
    capabilities = services.ledger(company_id).capabilities
    drafts = drafts_of(services, company_id, standing(services, company_id, taken))
    previewing.at_once(services.runtime(), company_id, capabilities, preview_id)
    assert sandbox_world.journal.rows(since_id=mark) == [], "a preview asks nobody"

    with services.sessions() as db, db.begin():
        seen = previewing.seen(db, company_id, preview_id)
        kept = db.get_one(Run, preview_id).summary
        rows = db.scalars(select(Document).where(Document.id.in_(seen))).all()
        for row in rows:
            row.reviewed = seen[row.id]
        db.flush()
        asked = release.ask(db, db.get_one(Company, company_id), rows, now=services.now(), user=None)
        assert asked is not None
        asked_id = asked.id
    assert len(seen) >= 10
    source, ledger = services.source(company_id), services.ledger(company_id)
    for _ in range(60):
        serve(services.runtime(), company_id, source, ledger)
        with services.sessions() as db:
            if db.get_one(Run, asked_id).finished_at is not None:
                break
    with services.sessions() as db:
        ended = Counter(str(row.status) for row in db.scalars(select(Document).where(Document.id.in_(seen))))
        refused = [row.reasons for row in db.scalars(select(Document).where(
            Document.id.in_(seen), Document.status != Status.COMPLETE))]
        assert {row.outcome for row in db.scalars(select(ToolRow).where(ToolRow.run_id == preview_id))} >= {"ready"}
    assert ended == {str(Status.COMPLETE): len(seen)}, refused
    assert set(drafts) == set(seen)
    assert sent_otherwise(services, sandbox_world, company_id, drafts, mark) == []
    [(currency, sums)] = kept["totals"].items()
    assert (currency, sums["count"]) == ("USD", len(seen))
    promised = {name: Decimal(amount) for name, amount in sums["accounts"]}
    after = balances(sandbox_world, services, company_id)
    moved = {name: after.get(name, ZERO) - before.get(name, ZERO) for name in {*after, *before}}
    assert {name: amount for name, amount in moved.items() if amount} == {n: a for n, a in promised.items() if a}
    assert sum(moved.values()) == 0
