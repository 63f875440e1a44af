"""Sync Now, first posting, runs, documents and errors as people use them. What the engine does is tested elsewhere."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from models import Company, Connection, Document, Link, Run, RunItem
from tests.web.site import BASE, NOW, Site, document


def post(site: Site, path: str, who: str = "A staff", **form: str) -> TestResponse:
    a = site.ids["A"]["company_id"]
    return site.client(who).post(f"/c/{a}/{path}", base_url=BASE, data={"company_id": str(a), **form})


def page(site: Site, path: str, who: str = "A staff") -> str:
    answer = site.client(who).get(f"/c/{site.ids['A']['company_id']}/{path}", base_url=BASE)
    assert answer.status_code == 200, answer.status_code
    return answer.get_data(as_text=True)


def add(site: Site, number: str, **changes: object) -> int:
    with site.db() as db, db.begin():
        row = document(db.get_one(Company, site.ids["A"]["company_id"]), number, "Globex", **changes)
        db.add(row)
        db.flush()
        return row.id


def runs(site: Site, kind: str = "sync") -> list[Run]:
    with site.db() as db:
        return list(db.scalars(select(Run).where(
            Run.company_id == site.ids["A"]["company_id"], Run.kind == kind, Run.finished_at.is_(None)
        )))  # fmt: skip


def test_sync_now_shows_count_and_total_before_it_posts(site: Site) -> None:
    add(site, "2001", reason_code="waits_for_sync", total=Decimal("100.25"))
    add(site, "2002", reason_code="waits_for_sync", total=Decimal("-10.00"))
    text = post(site, "tools/sync-now").get_data(as_text=True)
    assert "Post 2 documents to QuickBooks?" in text and "USD 90.25" in text and "Credit memos" in text
    assert runs(site) == []
    answer = post(site, "tools/sync-now", confirmed="yes")
    [run] = runs(site)
    assert answer.headers["Location"] == f"/c/{site.ids['A']['company_id']}/runs/{run.id}"
    assert run.confirmed is True


def test_pressing_twice_joins_the_same_run(site: Site) -> None:
    first = post(site, "tools/sync-now", additional="one@acme.example")
    second = post(site, "tools/sync-now", who="A admin", additional="two@acme.example, one@acme.example")
    assert first.headers["Location"] == second.headers["Location"].partition("?")[0]
    [run] = runs(site)
    assert [each["address"] for each in run.recipients] == ["one@acme.example", "two@acme.example"]
    assert "An invoice batch is currently in process." in page(site, "tools")
    assert "Nothing was started twice" in page(site, f"runs/{run.id}?joined=1")


def test_sync_now_leads_to_the_first_posting_before_it(site: Site) -> None:
    with site.db() as db, db.begin():
        db.get_one(Company, site.ids["A"]["company_id"]).first_posted_at = None
    assert "Choose the first invoice" in page(site, "tools/sync-now")
    assert post(site, "tools/sync-now").headers["Location"].endswith("/first-posting")
    assert runs(site) == []


@pytest.mark.parametrize("field", ["alternate", "additional"])
def test_a_wrong_address_starts_nothing(site: Site, field: str) -> None:
    answer = post(site, "tools/sync-now", **{field: "not an address"})
    assert answer.status_code == 422 and "<title>Error: " in answer.get_data(as_text=True)
    assert runs(site) == []


def test_a_run_above_the_limit_offers_to_post_all(site: Site) -> None:
    add(site, "2001", reason_code="waits_for_sync", total=Decimal("5.00"))
    with site.db() as db, db.begin():
        run = Run(company_id=site.ids["A"]["company_id"], kind="sync", trigger="schedule", state="Stopped",
                  phase="finished", message="Too many", counts={}, summary={}, started_at=NOW,
                  finished_at=NOW)  # fmt: skip
        db.add(run)
        db.flush()
        run_id = run.id
    text = page(site, f"runs/{run_id}")
    assert "Post all 1 (USD 5.00)" in text and "post_all=1" in text
    assert "Post 1 document to QuickBooks?" in page(site, "tools/sync-now?post_all=1")


def test_stopping_asks_first_and_stops_after_the_batch(site: Site) -> None:
    post(site, "tools/sync-now")
    [run] = runs(site)
    assert "Stop after this batch" in page(site, f"runs/{run.id}/stop")
    post(site, f"runs/{run.id}/stop")
    [run] = runs(site)
    assert run.stop_requested is True


def test_the_runs_page_polls_only_while_the_run_is_on(site: Site) -> None:
    post(site, "tools/sync-now")
    [run] = runs(site)
    a = site.ids["A"]
    assert f"/c/{a['company_id']}/runs/{run.id}/live" in page(site, f"runs/{run.id}")
    assert "hx-get" not in page(site, f"runs/{a['run_id']}")
    status = (
        site.client("A viewer").get(f"/c/{a['company_id']}/runs/{a['run_id']}/status.json", base_url=BASE).get_json()
    )
    assert (status["finished"], status["complete"], status["faults"], status["total"]) == (True, 1, 1, 2)


def test_the_status_for_programs_names_the_ledger(site: Site) -> None:
    post(site, "tools/sync-now")
    [run] = runs(site)
    with site.db() as db, db.begin():
        found = db.get_one(Run, run.id)
        found.step = "{the_ledger} limit, continues at 2026-11-20T15:00:00+00:00"
        found.message = "{the_ledger} is away."
    client = site.client("A viewer")
    told = client.get(f"/c/{site.ids['A']['company_id']}/runs/{run.id}/status.json", base_url=BASE).get_json()
    assert told["step"].startswith("QuickBooks limit, continues at ") and "T15" not in told["step"]
    assert told["message"] == "QuickBooks is away."


def test_records_open_on_either_side(site: Site) -> None:
    a = site.ids["A"]
    client, base = site.client("A viewer"), f"/c/{a['company_id']}/documents/{a['document_id']}/open"
    assert "/invoice/145" in client.get(f"{base}/ledger", base_url=BASE).headers["Location"]
    assert "ww1.autotask.net" in client.get(f"{base}/source", base_url=BASE).headers["Location"]
    assert client.get(f"{base}/elsewhere", base_url=BASE).status_code == 404


def test_the_csv_of_a_run_cannot_run_formulas(site: Site) -> None:
    a = site.ids["A"]
    with site.db() as db, db.begin():
        for row in db.scalars(select(RunItem).where(RunItem.run_id == a["run_id"])):
            row.party_name = '=HYPERLINK("http://evil.example")'
    answer = site.client("A viewer").get(f"/c/{a['company_id']}/runs/{a['run_id']}/report.csv", base_url=BASE)
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(rows) == 2 and all(row["Customer"].startswith("'=") for row in rows)


def test_error_logs_group_by_cause_with_cause_fix_and_action(site: Site) -> None:
    for number in ("3001", "3002"):
        add(site, number, status="Fault", reason_code="no_customer", reasons=[{"code": "no_customer", "params": {}}])
    text = page(site, "errors")
    for words in ("The invoice names no customer", "An item is missing", "Choose a customer in QuickBooks", "Retry 2"):
        assert words in text
    assert "3002" in page(site, "errors?view=document&q=3002") and "3001" not in page(
        site, "errors?view=document&q=3002"
    )


def test_a_retry_is_a_run_of_its_own(site: Site) -> None:
    fault = site.ids["A"]["fault_id"]
    answer = post(site, f"documents/{fault}/retry")
    [run] = runs(site, "retry")
    assert answer.headers["Location"].endswith(f"/runs/{run.id}")
    assert post(site, f"documents/{site.ids['A']['document_id']}/retry").headers["Location"].endswith("/errors")


def test_a_run_is_resubmitted_and_marked(site: Site) -> None:
    a = site.ids["A"]
    post(site, f"runs/{a['run_id']}/resubmit")
    with site.db() as db:
        assert db.get_one(Run, a["run_id"]).state == "Resubmitted"
    assert len(runs(site, "retry")) == 1


def test_skipping_wants_a_reason_and_can_be_taken_back(site: Site) -> None:
    fault = site.ids["A"]["fault_id"]
    assert "Say why" in post(site, "documents/skip", id=str(fault)).get_data(as_text=True)
    assert post(site, "documents/skip", id=str(fault), reason="Billed by hand").status_code == 302
    assert "Billed by hand" in page(site, f"documents/{fault}")
    assert post(site, f"documents/{fault}/unskip").status_code == 302
    with site.db() as db:
        assert db.get_one(Document, fault).status == "Pending Sync"


def test_what_is_in_the_books_cannot_be_set_aside(site: Site) -> None:
    complete = site.ids["A"]["document_id"]
    post(site, "documents/skip", id=str(complete), reason="Oops")
    with site.db() as db:
        assert db.get_one(Document, complete).status == "Complete"


@pytest.mark.parametrize(("q", "found"), [
    ("1002", ["1002"]), ("acme", ["1001", "1002"]), ("120.00", ["1001", "1002"]), ("2026-11-20", ["1001", "1002"]),
    ("145", []), ("%", []), ("'; DROP TABLE documents; --", []),
])  # fmt: skip
def test_one_box_searches_number_customer_amount_and_date(site: Site, q: str, found: list[str]) -> None:
    client, a = site.client("A viewer"), site.ids["A"]["company_id"]
    answer = client.get(f"/c/{a}/documents.csv", query_string={"tab": "all", "q": q}, base_url=BASE)
    rows = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert sorted(row["Number"] for row in rows) == found


def test_filters_and_pages_are_in_the_address(site: Site) -> None:
    for n in range(60):
        add(site, f"5{n:03}", reason_code="waits_for_sync")
    text = page(site, "documents?tab=open&sort=number")
    assert "1–50 of 61" in text and "page=2" in text and "sort=number" in text
    assert "51–61 of 61" in page(site, "documents?tab=open&sort=number&page=2")


def test_text_from_outside_is_never_markup(site: Site) -> None:
    nasty = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    row = add(site, "6001", status="Fault", reason_code="item_missing",
              reasons=[{"code": "item_missing", "params": {"item": nasty}}])  # fmt: skip
    with site.db() as db, db.begin():
        found = db.get_one(Document, row)
        found.party_name, found.number = nasty, nasty
        for connection in db.scalars(select(Connection)):
            connection.problem = nasty
    paths = ["", "documents", f"documents/{row}", f"documents/{row}/steps", "errors", "errors?view=document"]
    for path in (*paths, "connections", f"documents?tab=all&q={nasty}"):
        text = page(site, path)
        assert "<script>alert" not in text and "<img src=x" not in text


def test_every_page_of_the_set_up_list_can_be_opened(site: Site) -> None:
    with site.db() as db, db.begin():
        company = db.get_one(Company, site.ids["A"]["company_id"])
        company.first_posted_at, company.setup_step = None, "first"
    assert "Set-up" in page(site, "", who="A admin")
    for path in ("connect/autotask", "connect/review", "settings/invoices"):
        page(site, path, who="A admin")


def test_a_similar_customer_is_linked_or_created_by_a_person(site: Site) -> None:
    similar = [{"code": "customer_similar", "params": {"name": "ACME Support", "candidates": "Acme Support"}}]
    first = add(site, "7001", status="Fault", reason_code="customer_similar", reasons=similar)
    add(site, "7002", status="Fault", reason_code="customer_similar", reasons=similar)
    with site.db() as db, db.begin():
        for row in db.scalars(select(Document).where(Document.id >= first)):
            row.party_name = "ACME Support"
    assert f"documents/{first}/customer" in page(site, f"documents/{first}")
    text = page(site, f"documents/{first}/customer")
    assert "Link This" in text and "Acme Support" in text and "2 documents wait" in text
    post(site, f"documents/{first}/customer", customer="58")
    [run] = runs(site, "retry")
    with site.db() as db:
        link = db.scalars(select(Link)).one()
        assert (link.source_key, link.ledger_id, link.made_by) == ("7", "58", site.users["A staff"])
        retried = db.scalars(select(RunItem.document_id).where(RunItem.run_id == run.id)).all()
        assert len(retried) == 2
    assert post(site, f"documents/{first}/customer", customer="999").status_code == 400
