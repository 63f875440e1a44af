"""What is wrong in the database, in what follows a document or with a send, and what the checker then has to say."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from connectors.ledgers.base import Batch
from domain.reasons import CATALOGUE
from domain.statuses import Flag
from tests.simulation.kernel import Process, Task
from tests.simulation.planting import Planted, says
from tests.simulation.world import Tenant

# ---- mails to customers and attachments ---------------------------------------------------------------------------


def _mailed(world: Planted) -> tuple[Tenant, int]:
    """A mail to a customer: its company, and which of its mails."""
    for tenant, _, entry in world.all_posted():
        for index, (record, _) in enumerate(tenant.books.mails):
            if record == entry.id:
                return tenant, index
    raise AssertionError("nobody was mailed")


@says("follows", "was never mailed to the customer")
def a_mail_that_is_missing(world: Planted) -> None:
    tenant, index = _mailed(world)
    del tenant.books.mails[index], tenant.books.mailed_by[index]


@says("I22", "was mailed 2 times")
def a_second_mail(world: Planted) -> None:
    tenant, index = _mailed(world)
    tenant.books.mails.append(tenant.books.mails[index])
    tenant.books.mailed_by.append(tenant.books.mailed_by[index])


@says("residual", "was mailed 2 times")
def a_second_mail_that_nobody_can_exclude(world: Planted) -> None:
    a_second_mail(world)
    for tenant in world.tenants:
        tenant.books.forgotten_at += [one.at for one in tenant.books.mailed_by]


@says("follows", "has no PDF")
def a_pdf_that_is_missing(world: Planted) -> None:
    tenant, _, entry = world.posted()
    tenant.books.files = [one for one in tenant.books.files if one[0] != entry.id]


@says("I22", "2 times")
def a_pdf_attached_twice(world: Planted) -> None:
    books = world.posted()[0].books
    books.files.append(books.files[0])


@says("I22", "has our note 2 times")
def a_note_written_twice(world: Planted) -> None:
    tenant, _, entry = world.posted()
    tenant.books.notes += [(entry.id, "posted by Bookbridge")] * 2


@says("promoted", "the ledger holds a draft")
def an_approval_that_the_ledger_does_not_have(world: Planted) -> None:
    tenant, _, entry = world.posted("invoice", "xero")
    entry.status = "draft"
    asked = {"operation": "'promote'", "state": "'DONE'", "generation": "99", "short_id": "'again'"}
    columns = world.columns("postings", id="90000", **asked)
    world.sql(f"INSERT INTO postings SELECT {columns} FROM postings WHERE id = ?", world.posting(tenant, entry))


@says("promoted", "is a draft and nothing says so")
def a_draft_that_nobody_is_told_of(world: Planted) -> None:
    tenant, key, entry = world.posted("invoice", "xero")
    entry.status = "draft"
    world.sql("UPDATE documents SET flags = '[]' WHERE id = ?", world.document(tenant, key))


# ---- what is told of documents ------------------------------------------------------------------------------------


@says("I20", "is Complete and not in the books")
def complete_and_nowhere(world: Planted) -> None:
    tenant, _, entry = world.posted()
    tenant.books.entries.remove(entry)


@says("I20", "is told to be void and stands in the books")
def void_and_there(world: Planted) -> None:
    tenant, key, _ = world.posted()
    world.sql("UPDATE documents SET flags = ? WHERE id = ?", json.dumps([str(Flag.VOIDED)]),
              world.document(tenant, key))  # fmt: skip


WAITS = json.dumps([{"code": next(code for code, entry in CATALOGUE.items() if entry.fix and entry.action)}])
"""A cause and a next action."""


def _stands(world: Planted, status: str, reasons: str = "[]") -> None:
    tenant, key, _ = world.posted()
    world.sql("UPDATE documents SET status = ?, reasons = ? WHERE id = ?", status, reasons,
              world.document(tenant, key))  # fmt: skip


@says("I20", "while its posting is DONE")
def a_status_that_lies(world: Planted) -> None:
    _stands(world, "Pending Sync", WAITS)


@says("I20", "is in the books and stands as")
def in_the_books_and_not_complete(world: Planted) -> None:
    _stands(world, "Pending Sync", WAITS)


@says("I20", "without a cause and a next action")
def a_fault_without_its_reason(world: Planted) -> None:
    _stands(world, "Fault")


@says("stuck", "is still Processing Now at rest")
def processing_for_ever(world: Planted) -> None:
    _stands(world, "Processing Now")


@says("stuck", "is still UNKNOWN")
def a_write_that_nobody_looks_up(world: Planted) -> None:
    tenant, _, entry = world.posted()
    world.sql("UPDATE postings SET state = 'UNKNOWN' WHERE id = ?", world.posting(tenant, entry))


@says("stuck", "is still CONFIRMED")
def a_mark_that_is_never_proven(world: Planted) -> None:
    tenant, _, entry = world.posted()
    world.sql("UPDATE postings SET state = 'CONFIRMED' WHERE id = ?", world.posting(tenant, entry))


@says("stuck", "never finished")
def a_run_without_end(world: Planted) -> None:
    world.sql("UPDATE runs SET finished_at = NULL WHERE id = (SELECT min(id) FROM runs)")


@says("stuck", "is still due")
def a_document_that_stays_due(world: Planted) -> None:
    tenant, key, _ = world.posted()
    world.sql("UPDATE documents SET due_at = '2026-11-21' WHERE id = ?", world.document(tenant, key))


@says("I18", "99 sends")
def retries_without_bound(world: Planted) -> None:
    tenant, _, entry = world.posted()
    world.sql("UPDATE postings SET sends = 99 WHERE id = ?", world.posting(tenant, entry))


@says("I14", "point at runs of another company")
def a_row_of_another_company(world: Planted) -> None:
    world.sql("UPDATE run_items SET company_id = 3 - company_id WHERE id = (SELECT min(id) FROM run_items)")


# ---- the reconciliation -------------------------------------------------------------------------------------------


def _reconciled(world: Planted, outcome: str, document: int | None = None) -> None:
    """The newest reconciliation says this of a document."""
    tenant, key, _ = world.posted()
    row = world.document(tenant, key) if document is None else document
    (run,) = world.one("SELECT max(id) FROM runs WHERE kind = 'reconcile' AND company_id = ?", tenant.company_id)
    world.sql("INSERT INTO tool_rows (company_id, run_id, outcome, data) VALUES (?, ?, ?, ?)",
              tenant.company_id, run, outcome, json.dumps({"document_id": row}))  # fmt: skip


@says("unfound", "is told to stand twice")
def a_copy_that_is_not_there(world: Planted) -> None:
    _reconciled(world, "duplicate")


@says("unfound", "is told to stand there without our knowing")
def a_stranger_that_is_not_there(world: Planted) -> None:
    _reconciled(world, "orphan")


@says("unfound", "is told to be missing")
def a_document_called_missing(world: Planted) -> None:
    _reconciled(world, "missing")


@says("unfound", "is told to be another than we wrote")
def drift_that_is_not_there(world: Planted) -> None:
    _reconciled(world, "drift")


@says("unfound", "has another amount by hand, and the reconciliation does not say so")
def drift_that_is_not_told(world: Planted) -> None:
    _, _, entry = world.posted()
    entry.total = (entry.total or Decimal(0)) + 1


@says("unfound", "was taken out by hand, and the reconciliation does not say so")
def a_removal_that_is_not_told(world: Planted) -> None:
    tenant, _, entry = world.posted("invoice", "quickbooks")
    tenant.books.remove_by_hand(entry)


@says("unfound", "found no document at all")
def a_reconciliation_of_nothing(world: Planted) -> None:
    world.sql("DELETE FROM tool_rows")


# ---- what one commit may do ---------------------------------------------------------------------------------------


def _row(world: Planted) -> int:
    tenant, _, entry = world.posted()
    return world.posting(tenant, entry)


def _becomes(world: Planted, *states: str) -> None:
    for state in states:
        world.sql("UPDATE postings SET state = ? WHERE id = ?", state, _row(world))


@says("I06", "moved from DONE to NEW")
def a_posting_that_begins_again(world: Planted) -> None:
    _becomes(world, "NEW")


@says("I06", "was withdrawn although it may be in the ledger")
def a_withdrawal_of_what_was_sent(world: Planted) -> None:
    _becomes(world, "READY", "REJECTED")


@says("I06", "is in the ledger")
def giving_up_what_stands(world: Planted) -> None:
    _becomes(world, "REJECTED")


@says("I20", "is sent while it stands as Complete")
def a_send_of_what_is_complete(world: Planted) -> None:
    _becomes(world, "NEW", "SENDING")


@says("I07", "CONFIRMED without a ledger id and its evidence")
def confirmed_without_evidence(world: Planted) -> None:
    _becomes(world, "SENDING")
    world.sql("UPDATE postings SET state = 'CONFIRMED', confirmed_by = NULL WHERE id = ?", _row(world))


@says("I05", "a frozen payload or its key changed")
def another_payload(world: Planted) -> None:
    world.sql("UPDATE postings SET payload_sha256 = 'another' WHERE id = ?", _row(world))


@says("I09", "wrote after fence")
def an_old_fence_that_writes(world: Planted) -> None:
    world.sql("UPDATE postings SET fence = fence - 1 WHERE id = ?", _row(world))


@says("I09", "which is not current")
def a_fence_that_is_not_current(world: Planted) -> None:
    world.sql("UPDATE company_leases SET fence = fence + 1")
    _becomes(world, "UNKNOWN")


@says("I09", "fence fell to")
def a_fence_that_falls(world: Planted) -> None:
    world.sql("UPDATE company_leases SET fence = fence - 1")


@says("I03", "its ledger company changed")
def another_ledger_company(world: Planted) -> None:
    world.sql("UPDATE postings SET ledger_tenant = 'another' WHERE id = ?", _row(world))


@says("I03", "reserved for another ledger company")
def reserved_for_another_company(world: Planted) -> None:
    columns = world.columns("postings", id="90000", ledger_tenant="'another'", ledger_id="NULL", short_id="'again'")
    world.sql(f"INSERT INTO postings SELECT {columns} FROM postings WHERE id = ?", _row(world))


@says("I10", "a completed attempt was changed")
def an_attempt_changed_afterwards(world: Planted) -> None:
    world.sql("UPDATE attempts SET http_status = 599 WHERE id = (SELECT min(id) FROM attempts)")


# ---- before a send ------------------------------------------------------------------------------------------------


def _sends(world: Planted, spoil: Callable[[Batch], Batch] = lambda batch: batch) -> None:
    """The process that sent a document's batch begins to send it once more."""
    tenant, _, entry = world.posted()
    batch = tenant.books.made_by[entry.id].batch
    (worker,) = world.one("SELECT a.worker FROM attempts a JOIN batches b ON b.id = a.batch_id WHERE b.key = ?",
                          batch.key)  # fmt: skip
    name, life, failed = str(worker).partition(":")[0].split(".")
    process = Process(name, life=int(life), failed=int(failed))
    world.kernel._current = Task(process, name)
    try:
        world.watcher.sent(tenant.company_id, batch)
        world.watcher.sent(tenant.company_id, spoil(batch))
    finally:
        world.kernel._current = None


@says("I04", "no committed batch and attempt for these bytes")
def bytes_without_a_committed_intent(world: Planted) -> None:
    _sends(world, lambda batch: replace(batch, key="another"))


@says("I04", "is sent while it is NEW")
def a_send_of_what_is_not_sending(world: Planted) -> None:
    _becomes(world, "NEW")
    _sends(world)


@says("I03", "sent to another ledger company")
def a_send_to_another_company(world: Planted) -> None:
    world.sql("UPDATE batches SET ledger_tenant = 'another'")
    _sends(world)


@says("I05", "one key with another body")
def one_key_with_another_body(world: Planted) -> None:
    tenant, _, entry = world.posted()
    batch = tenant.books.made_by[entry.id].batch
    world.watcher.bodies[batch.key, tuple(one.short_id for one in batch.members)] = "another"
    _sends(world)
