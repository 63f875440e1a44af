"""Reconciling with Xero over HTTP: what agrees, what is gone, changed, there twice, or unknown to us.

The judge is the simulated organisation's own books.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.settings import InitialStatus
from domain.statuses import Flag, RunState
from sandbox.server import World as Sandbox
from tests.connectors import test_xero_refusals as refusals
from tests.connectors.xero_bench import XeroOrganisation
from tests.engine.test_reconciling import outcomes, reconcile
from tests.engine.test_xero import Bridge
from tests.engine.world import invoice
from tests.infra.database import Sessions


@pytest.fixture
def it(sessions: Sessions, sandbox_world: Sandbox, sandbox: str) -> Bridge:
    made = Bridge(sessions, XeroOrganisation(sandbox_world, sandbox, "xero-uk"))
    credits = (invoice("5", "-50.00"), invoice("6", "-60.00"))
    made.world.source.put(*(invoice(str(n), f"{n * 10}.00") for n in range(1, 5)), *credits)
    made.sync()
    made.at.calls.clear()
    return made


def record(it: Bridge, number: str) -> dict[str, Any]:
    rows = [row for kind in ("Invoice", "CreditNote") for row in it.at.org.records(kind)]
    [found] = [row for row in rows if number in (row["entity"].get("InvoiceNumber"),
                                                 row["entity"].get("CreditNoteNumber"))]  # fmt: skip
    return dict(found)


def change(it: Bridge, number: str, **values: Any) -> str:
    row = record(it, number)
    kind = "ACCREC" if row["kind"] == "Invoice" else "ACCRECCREDIT"
    it.at.org.replace(row, {**row["entity"], **values}, {"number": f"{kind}/{number.lower()}"})
    return str(row["id"])


def test_invoices_and_credit_notes_that_are_in_the_books_agree(it: Bridge) -> None:
    run = reconcile(it.world)
    assert run.state == RunState.FINISHED
    assert run.summary["counts"] == {"of": 6, "agree": 6, "drift": 0, "missing": 0, "duplicate": 0, "orphan": 0}
    assert run.summary["sums"]["GBP"]["ours"] == run.summary["sums"]["GBP"]["theirs"]
    assert 0 < len(it.at.calls) <= 4, "a look for each kind, whatever the number of documents"


def test_what_is_gone_changed_twice_or_unknown_is_named(it: Bridge) -> None:
    gone, credit_gone = change(it, "AT-1", Status="VOIDED"), change(it, "AT-5", Status="VOIDED")
    less = Decimal("19.00")
    drifted = change(it, "AT-2", SubTotal=less, Total=less)
    marker = record(it, "AT-3")["entity"]["Reference"]
    made = [refusals.one(it.at, refusals.invoice(it.at, number, Reference=reference)) for number, reference in (
        ("AT-3b", marker), ("BY-HAND", "x ref:ZZZZZZZZ"), ("THEIRS", "no mark of ours"),
    )]  # fmt: skip
    copy, stranger, theirs = (getattr(each, "ledger_id") for each in made)  # noqa: B009
    run = reconcile(it.world)
    found = outcomes(it.world, run)
    assert run.state == RunState.PROBLEMS
    assert (found[f"AT-1/{gone}"], found[f"AT-5/{credit_gone}"]) == ("missing", "missing")
    assert (found[f"AT-2/{drifted}"], found[f"AT-3/{copy}"]) == ("drift", "duplicate")
    assert found[f"BY-HAND/{stranger}"] == "orphan" and not any(theirs in key for key in found)


def test_what_a_bookkeeper_approved_there_is_a_draft_no_more(
    sessions: Sessions, sandbox_world: Sandbox, sandbox: str
) -> None:
    organisation = XeroOrganisation(sandbox_world, sandbox, "xero-uk")
    it = Bridge(sessions, organisation, initial_status=InitialStatus.DRAFT)
    it.world.source.put(invoice("1"))
    it.sync()
    reconcile(it.world)
    assert Flag.DRAFT in (it.world.documents()["1"].flags or [])
    change(it, "AT-1", Status="AUTHORISED")
    reconcile(it.world)
    assert Flag.DRAFT not in (it.world.documents()["1"].flags or [])
