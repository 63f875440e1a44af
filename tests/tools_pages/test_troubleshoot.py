"""Troubleshoot and Diagnostic Mode: what is found, what is never told, and that nothing is written."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.errors import NeedsReconnect
from connectors.trace import Exchange, Tape
from models import Connection, Document, Run, ToolRow, TraceEntry
from sync import masking, tools, tracing
from sync.diagnosis import KIND, Asked, bundle, causes_of
from sync.tool_report import csv_text, rows_of
from sync.tracing import Meant, concerning
from sync.troubleshoot import diagnose
from sync.troubleshoot_company import Around
from tests.engine.world import START, World, furnish, invoice, make_world
from tests.infra.database import Sessions
from tests.tools_pages.test_pages import get, post, runs
from tests.web.site import NOW, Site


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions)
    furnish(made)
    with made.sessions() as db, db.begin():
        for side, platform in (("source", "autotask"), ("ledger", "quickbooks")):
            db.add(Connection(company_id=made.company_id, side=side, platform=platform, tenant="1", found={}))
    return made


def troubleshoot(world: World, text: str = "", around: Around | None = None, **sides: Any) -> Run:
    from models import Company

    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run, _ = tools.ask(db, company, KIND, Asked(text).to_json(), now=world.clock.now(), user=None)
        run_id = run.id
    source, ledger = sides.get("source", world.source), sides.get("ledger", world.ledger)
    tools.carry(world.rt, run_id, lambda kind: diagnose(
        world.rt, world.company_id, source, ledger, run_id, around or Around()))
    return world.run(run_id)


def codes(run: Run) -> list[str]:
    return [why.code for why in causes_of(run)]


def told(world: World, run: Run) -> dict[str, str]:
    with world.sessions() as db:
        return {row.data["label"]: row.data["value"] for row in db.scalars(
            select(ToolRow).where(ToolRow.run_id == run.id).order_by(ToolRow.id))}


def test_the_company_alone_names_what_is_off(world: World) -> None:
    run = troubleshoot(world)
    assert run.state == "Finished"
    assert codes(run) == ["sync_is_off"]
    assert told(world, run)["Autotask: mark invoices"] == "Yes"


def test_an_invoice_is_shown_on_both_sides_and_a_changed_total_is_the_first_cause(world: World) -> None:
    world.source.put(invoice("1", number="AT-1"))
    world.sync()
    before = len(world.books.entries)
    assert "sides_differ" not in codes(troubleshoot(world, "AT-1"))
    [held] = [one for one in world.books.entries if one.body.get("number") == "AT-1"]
    held.total = Decimal("107")
    run = troubleshoot(world, "AT-1")
    assert codes(run)[0] == "sides_differ"
    assert len(world.books.entries) == before
    papers = run.summary["papers"]
    assert papers["source"]["header"]["number"] == "AT-1"
    assert papers["ledger"]["number"] == "AT-1"
    assert papers["postings"][0]["attempts"][0]["outcome"]


def test_an_invoice_that_was_never_seen_is_planned_and_leaves_nothing_behind(world: World) -> None:
    world.source.put(invoice("3", number="AT-3", created_at=START - timedelta(days=400)))
    run = troubleshoot(world, "3")
    assert {"outside_window", "sync_is_off"} <= set(codes(run))
    assert codes(troubleshoot(world, "77"))[0] == "not_in_source"
    assert world.documents() == {}


def test_several_invoices_are_offered(world: World) -> None:
    world.source.put(invoice("7", number="1"), invoice("1", number="900"))
    assert {hit["source_id"] for hit in troubleshoot(world, "1").summary["hits"]} == {"1", "7"}


def test_a_lost_connection_is_a_finding_and_not_a_failure(world: World) -> None:
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Connection).where(Connection.side == "ledger")).one()
        row.state, row.problem = "reconnect", "QuickBooks no longer accepts this connection."
    run = troubleshoot(world, "1", ledger=None)
    assert run.state == "Finished"
    assert codes(run)[0] == "reconnect"

    class Refusing:
        def check(self) -> Any:
            raise NeedsReconnect("Autotask does not accept the user.", platform="Autotask")

        usage = check

    assert "platform_refused" in codes(troubleshoot(world, source=Refusing()))


def test_clocks_are_compared_with_the_fastest_answer(world: World) -> None:
    tape = Tape(world.clock.now)
    for date, seconds in (("Fri, 20 Nov 2026 08:50:00 GMT", 5.0), ("Fri, 20 Nov 2026 08:58:00 GMT", 0.2)):
        tape(Exchange("Autotask", "GET", "https://x/", {}, b"", 200, b"{}", date, seconds))
    run = troubleshoot(world, around=Around(tape))
    assert "clock_off" in codes(run)
    assert told(world, run)["Autotask"] == "Ours is 120 seconds ahead of it"


def test_nothing_secret_is_ever_stored(world: World) -> None:
    secret = "S3cret-of-Autotask"
    with world.sessions() as db, db.begin():
        row = db.scalars(select(Connection).where(Connection.side == "source")).one()
        row.state = "reconnect"
        row.problem = f"user api@firm.example with {secret}; Bearer abcdefgh12345678; access_token=xyz"
    run = troubleshoot(world, around=Around(None, (secret,)))
    with world.sessions() as db:
        rows = rows_of(db, run)
        packed = bundle(run, rows, csv_text(run, rows, "QuickBooks"), "QuickBooks")
    archive = zipfile.ZipFile(io.BytesIO(packed))
    assert archive.namelist() == ["README.txt", "diagnosis.txt", "findings.csv", "diagnosis.json"]
    text = "\n".join(archive.read(name).decode() for name in archive.namelist())
    assert "a***@firm.example" in text
    for each in (secret, "api@firm.example", "abcdefgh12345678", "xyz"):
        assert each not in text


def test_masking_goes_by_name_shape_and_word() -> None:
    assert masking.mask({"a": [{"Secret": "x", "n": 3, "code": "E1"}], "t": "x@y.example"}) == {
        "a": [{"Secret": "[hidden]", "n": 3, "code": "E1"}], "t": "x***@y.example"}
    assert len(masking.mask("a" * 99_999)) < 17_000


# ---- Diagnostic Mode ----------------------------------------------------------------------------------------

MEANT = Meant(frozenset({"12"}), frozenset({"AT-12"}), "bb:mark", {"key-1": "3"})


def exchange(asked: Any, answered: bytes = b"{}", url: str = "https://api/x", **params: str) -> Exchange:
    return Exchange("QuickBooks", "POST", url, params, asked, 200, answered, None, 0.1)


def test_of_a_batch_only_the_member_of_the_document_is_kept() -> None:
    asked = b'{"BatchItemRequest":[{"bId":"2","Invoice":{"DocNumber":"AT-1"}},{"bId":"3","Invoice":{"Id":"9"}}]}'
    answered = b'{"BatchItemResponse":[{"bId":"3","Fault":{"Error":[]}},{"bId":"2","Invoice":{}}]}'
    found = concerning(exchange(asked, answered, requestid="key-1"), MEANT)
    assert found is not None
    assert found["asked"]["BatchItemRequest"] == [{"bId": "3", "Invoice": {"Id": "9"}}, "(1 others left out)"]
    assert found["answered"]["BatchItemResponse"][0]["bId"] == "3"


@pytest.mark.parametrize(("one", "kept"), [
    (exchange(b"select * from Invoice where DocNumber in ('AT-11', 'AT-12')"), True),
    (exchange({"filter": [{"op": "in", "field": "id", "value": [11, 12]}]}), True),
    (exchange({"filter": [{"op": "in", "field": "companyID", "value": [12]}]}), False),
    (exchange(b"", b'{"items":[{"invoiceID":12,"amount":1},{"invoiceID":13}]}'), True),
    (exchange(b"", b'{"items":[{"invoiceID":13,"quantity":12}]}'), False),
    (exchange(b"", b"%PDF \xff", url="https://api/invoice/12"), True),
])  # fmt: skip
def test_an_exchange_is_kept_where_it_speaks_of_the_document(one: Exchange, kept: bool) -> None:
    found = concerning(one, MEANT)
    assert (found is not None) is kept
    assert "13" not in str(found)
    assert "11" not in str(found) or isinstance(one.asked, bytes)


def test_the_trace_has_plans_and_changes_of_one_document_and_stays_bounded(world: World) -> None:
    world.source.put(invoice("1", number="AT-1"), invoice("2", number="AT-2"))
    world.sync()
    traced_id = world.documents()["1"].id
    world.source.put(invoice("4", number="AT-4"))
    run_id = _scan_only(world)
    assert run_id
    traced_id = world.documents()["4"].id
    with world.sessions() as db, db.begin():
        assert tracing.switch(db, db.get_one(Document, traced_id), True, world.clock.now())
        assert not tracing.switch(db, db.get_one(Document, traced_id), True, world.clock.now())
    world.sync()
    with world.sessions() as db, db.begin():
        kept = tracing.told(db, world.company_id, traced_id)
        assert {entry["what"] for entry in kept} == {"plan", "state"}
        assert db.scalar(select(func.count()).where(TraceEntry.document_id != traced_id)) == 0
        assert "Diagnostic Mode" in db.get_one(Document, traced_id).flags
        row = db.get_one(Document, traced_id)
        for _ in range(70):
            tracing.note(db, row, world.clock.now(), "request", "x", {"t": ["z" * 15_000]})
        total = db.scalar(select(func.sum(TraceEntry.size)))
        assert total is not None and total <= tracing.MOST_CHARACTERS
        assert tracing.purge(db, world.clock.now() + timedelta(days=31)) > 0
        assert tracing.told(db, world.company_id, traced_id) == []


def _scan_only(world: World) -> int:
    from models import Company
    from sync import gather, requests

    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run, _ = requests.ask_sync(db, company, now=world.clock.now(), user=None)
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


# ---- pages --------------------------------------------------------------------------------------------------


def test_the_form_and_what_it_refuses(shared_site: Site) -> None:
    text = get(shared_site, "/tools/troubleshoot?invoice=AT-7").get_data(as_text=True)
    for label in ("Autotask Invoice ID", "Additional Email", "Do It Now", 'value="AT-7"'):
        assert label in text
    assert "/tools/troubleshoot" in get(shared_site, "/settings/invoices").get_data(as_text=True)
    for wrong in ({"invoice": "https://ww5.autotask.net/x?AccountID=7"}, {"invoice": "1", "source_id": "1;2"},
                  {"additional": "a@b.example\nBcc: c@d.example"}):
        assert post(shared_site, "troubleshoot", **wrong).status_code == 422


def test_a_result_is_readable_and_its_bundle_is_for_staff(site: Site, world: World) -> None:
    post(site, "troubleshoot", invoice="AT-1")
    post(site, "troubleshoot", invoice="AT-1")
    [run] = runs(site, KIND)
    assert Asked.of(run).wanted == "AT-1"
    ids = site.ids["A"]
    with site.db() as db, db.begin():
        row = db.get_one(Run, run.id)
        row.finished_at, row.state, row.phase = NOW, "Finished", "finished"
        causes = [{"code": "sync_is_off", "params": {}}]
        row.summary = {**row.summary, "causes": causes, "document_id": ids["document_id"]}
        db.add(ToolRow(company_id=ids["company_id"], run_id=run.id, outcome="bad",
                       data={"area": "Clocks", "label": "Autotask", "value": "Ours is 90 seconds behind it"}))
    text = get(site, f"/tools/results/{run.id}", "A staff").get_data(as_text=True)
    for part in ("1. Syncing is off", "Ours is 90 seconds behind it", "/help/errors/sync_is_off", "bundle.zip"):
        assert part in text
    packed = get(site, f"/tools/results/{run.id}/bundle.zip", "A staff")
    assert zipfile.ZipFile(io.BytesIO(packed.data)).testzip() is None
    assert get(site, f"/tools/results/{run.id}/bundle.zip", "A viewer").status_code == 403


def test_diagnostic_mode_is_switched_on_the_documents_page_and_audited(site: Site) -> None:
    from models import Audit

    ids = site.ids["A"]
    path = f"/c/{ids['company_id']}/documents/{ids['document_id']}/trace"
    client = site.client("A staff")
    client.post(path, base_url="http://app.test:8300", data={"company_id": ids["company_id"]})
    text = get(site, f"/documents/{ids['document_id']}/trace", "A staff").get_data(as_text=True)
    assert "Diagnostic Mode is on" in text
    assert "Diagnostic Mode" in get(site, f"/documents/{ids['document_id']}").get_data(as_text=True)
    client.post(path, base_url="http://app.test:8300", data={"company_id": ids["company_id"]})
    with site.db() as db:
        actions = db.scalars(select(Audit.action).where(Audit.action.like("diagnostic%")).order_by(Audit.id)).all()
        assert actions == ["diagnostic mode on", "diagnostic mode off"]
        assert db.get_one(Document, ids["document_id"]).traced_since is None
