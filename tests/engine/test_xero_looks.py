"""What an invoice in Xero looks like and what hangs on it: branding theme, set as sent, PDF.

The judge is the simulated organisation's own records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from domain.settings import InitialStatus, Numbering, ThemeRule
from domain.statuses import PostingState, Status
from sandbox.server import World as Sandbox
from sandbox.xero import papers
from sync import codec
from tests.connectors.xero_bench import XeroOrganisation
from tests.engine.test_xero import Bridge
from tests.engine.world import invoice
from tests.infra.database import Sessions

Bridges = Callable[..., Bridge]


@pytest.fixture
def at(sandbox_world: Sandbox, sandbox: str) -> XeroOrganisation:
    return XeroOrganisation(sandbox_world, sandbox)


@pytest.fixture
def bridge(sessions: Sessions, at: XeroOrganisation) -> Bridges:
    return lambda **changes: Bridge(sessions, at, **changes)


def complete(it: Bridge) -> None:
    rows = it.sync()
    assert {row.status for row in rows.values()} == {Status.COMPLETE}, [row.reasons for row in rows.values()]


def record(it: Bridge, kind: str, number: str) -> dict[str, Any]:
    [found] = [row for row in it.at.org.records(kind) if row["entity"].get(f"{kind}Number") == number]
    return dict(found)


def test_a_document_takes_the_theme_of_its_template_and_others_the_organisations_own(
    bridge: Bridges, at: XeroOrganisation
) -> None:
    themes = {row["entity"]["Name"]: row["id"] for row in at.org.records("BrandingTheme")}
    it = bridge(theme_map=codec.dump((ThemeRule("102", themes["Special Projects"]),)))
    sent = [replace(one, header=replace(one.header, template_id=id)) for one, id in (
        (invoice("1"), "102"), (invoice("2", "-40.00"), "102"), (invoice("3"), "101"),
    )]  # fmt: skip
    it.world.source.put(*sent)
    complete(it)
    worn = [record(it, *each)["entity"]["BrandingThemeID"] for each in (
        ("Invoice", "AT-1"), ("CreditNote", "AT-2"), ("Invoice", "AT-3"),
    )]  # fmt: skip
    assert worn == [themes["Special Projects"], themes["Special Projects"], themes["Standard"]]


@pytest.mark.parametrize("numbering", [Numbering.SOURCE, Numbering.LEDGER])
@pytest.mark.parametrize("status", [InitialStatus.APPROVED, InitialStatus.DRAFT])
def test_only_approved_invoices_are_set_as_sent_and_nothing_is_mailed(
    bridge: Bridges, numbering: Numbering, status: InitialStatus
) -> None:
    it = bridge(mark_sent=True, initial_status=status, numbering=numbering)
    bare = numbering is Numbering.LEDGER
    it.world.source.put(*(
        replace(one, header=replace(one.header, number=None)) if bare else one
        for one in (invoice("1"), invoice("2", "-40.00"))
    ))
    complete(it)
    [held] = [row["entity"] for row in it.at.org.records("Invoice")]
    assert bool(held.get("SentToContact")) is (status is InitialStatus.APPROVED)
    assert not any(call.path.endswith("/Email") for call in it.at.calls)


@pytest.mark.parametrize("fault", [None, "response_lost", "request_lost"])
def test_autotasks_pdf_hangs_once_on_invoice_and_credit_note(bridge: Bridges, fault: str | None) -> None:
    it = bridge(attach_pdf=True)
    it.world.source.put(invoice("1"), invoice("2", "-40.00"))
    if fault:
        it.at.world.faults.plan(fault, "xero", "*/attachments PUT")
    complete(it)
    for kind, number, id in (("Invoice", "AT-1", "1"), ("CreditNote", "AT-2", "2")):
        names = [row["FileName"] for row in record(it, kind, number)["attachments"]]
        assert names == [f"Autotask-invoice-{id}.pdf"]
    assert {one.state for one in it.world.postings() if one.operation == "attach"} == {PostingState.DONE}


@pytest.mark.parametrize("fault", [None, "response_lost", "request_lost", "error_500_after"])
def test_each_document_has_one_note_of_ours_in_its_history(bridge: Bridges, fault: str | None) -> None:
    it = bridge(history_note=True)
    it.world.source.put(invoice("1"), invoice("2", "-40.00"))
    if fault:
        it.at.world.faults.plan(fault, "xero", "*/history PUT")
    complete(it)
    for kind, number, id in (("Invoice", "AT-1", "1"), ("CreditNote", "AT-2", "2")):
        notes = [row["Details"] for row in papers.history(it.at.org, kind, record(it, kind, number)["id"])
                 if row["Changes"] == "Note"]  # fmt: skip
        assert len(notes) == 1 and f"Autotask invoice {number}, id {id}, of 2026-11-13." in notes[0]
    assert it.writes("/History") == (3 if fault == "request_lost" else 2)


def test_a_prefix_makes_the_number_and_the_look_up_uses_it(bridge: Bridges) -> None:
    it = bridge(numbering=Numbering.SOURCE_ID, number_prefix="INV:")
    it.world.source.put(invoice("1", number="AT-9"), invoice("2", "-40.00", number="AT-9"))
    for struck in ("invoices PUT", "creditnotes PUT"):
        it.at.world.faults.plan("response_lost", "xero", struck)
    complete(it)
    assert sorted(number or "" for number, _ in it.at.documents()) == ["INV:1", "INV:2"]
    assert it.sync()["1"].ledger_number == "INV:1" and len(it.at.documents()) == 2
