"""The cut-off question as people ask it: the page's sentence, its rows and the CSV."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest

from models import Company, Document, Posting, Run, ToolRow
from sync import reconciling
from tests.web.site import BASE, NOW, Site, document

DAY = date(2026, 9, 30)
ASIDE = {"code": "skipped_by_person", "params": {"who": "Robin", "why": "billed twice"}}
HELD = {"code": "held", "params": {"who": "Robin", "when": "1 Oct 2026", "why": "in dispute", "what": "this document"}}


def add(site: Site, number: str, status: str, told: dict[str, Any] | None = None, **changes: Any) -> int:
    with site.db() as db, db.begin():
        row = document(
            db.get_one(Company, site.ids["A"]["company_id"]), number, "Globex", document_date=DAY, status=status,
            reasons=[told] if told else [], reason_code=told["code"] if told else None, **changes,
        )  # fmt: skip
        db.add(row)
        db.flush()
        return row.id


def posted(
    site: Site, number: str, status: str = "Complete", told: dict[str, Any] | None = None, **changes: Any
) -> int:
    """A document whose creation is proven."""
    kind = changes.setdefault("ledger_kind", "invoice")
    document_id = add(site, number, status, told, ledger_id="777", **changes)
    with site.db() as db, db.begin():
        company = db.get_one(Company, site.ids["A"]["company_id"])
        posting = Posting(
            company_id=company.id, document_id=document_id, ledger_tenant=company.ledger_tenant, source_tenant="1",
            kind="invoice", source_id=f"9{number}", operation="create", part="", generation=1, marker="ref:AAAAAAAA",
            ledger_kind=kind, ledger_id="777", state="DONE", draft={}, created_at=NOW, changed_at=NOW, sends=1,
            lookups=0,
        )  # fmt: skip
        db.add(posting)
        db.flush()
        db.get_one(Document, document_id).posting_id = posting.id
    return document_id


def missing(site: Site, number: str) -> None:
    """A posted document that the newest comparison did not find in the ledger."""
    document_id = posted(site, number)
    with site.db() as db, db.begin():
        company = db.get_one(Company, site.ids["A"]["company_id"])
        run = Run(company_id=company.id, kind=reconciling.KIND, trigger="schedule", state="Finished with problems",
                  phase="done", started_at=NOW, finished_at=NOW)  # fmt: skip
        db.add(run)
        db.flush()
        db.add(ToolRow(company_id=company.id, run_id=run.id, outcome="missing",
                       data={"document_id": document_id, "ledger_id": "777"}))  # fmt: skip


def page(site: Site) -> str:
    a = site.ids["A"]["company_id"]
    return site.client("A viewer").get(f"/c/{a}/tools/reconcile?through={DAY}", base_url=BASE).get_data(as_text=True)


def download(site: Site, through: str = str(DAY)) -> Any:
    a = site.ids["A"]["company_id"]
    return site.client("A viewer").get(f"/c/{a}/tools/not-in-the-books.csv?through={through}", base_url=BASE)


def test_nothing_is_left_out_is_a_plain_yes_and_says_that_the_ledger_was_not_asked(site: Site) -> None:
    add(site, "4001", "Complete")
    text = page(site)
    assert "Yes: everything dated to 30 Sep 2026 that Bookbridge knows of is in the books." in text
    assert "Both sides were not compared yet" in text and "not-in-the-books.csv" not in text


def test_what_a_person_keeps_out_is_told_as_an_exception_with_its_documents(site: Site) -> None:
    add(site, "4001", "Skipped Over", ASIDE)
    add(site, "4002", "Skipped Over", ASIDE)
    add(site, "4003", "Skipped Over", HELD)
    add(site, "4004", "Skipped Over", {"code": "zero_total", "params": {}})
    text = page(site)
    assert "Yes, except 2 set aside by a person and 1 held by a person: everything else dated to 30 Sep 2026" in text
    assert "Set aside by Robin: billed twice" in text and "4003" in text and "4004" not in text


def test_what_is_missing_in_the_ledger_makes_it_a_no_although_it_is_complete(site: Site) -> None:
    missing(site, "4001")
    add(site, "4002", "Fault", {"code": "no_customer", "params": {}})
    add(site, "4003", "Skipped Over", ASIDE)
    text = page(site)
    assert "No: 2 documents are dated to 30 Sep 2026 and not in the books, 1 of them posted" in text
    assert "and missing in the ledger; besides 1 set aside by a person." in text
    assert text.index("Missing in the ledger") < text.index("4002") < text.index("4003")
    assert "Both sides were compared last" in text


def test_what_was_voided_in_autotask_and_still_stands_there_is_no_no_and_is_named(site: Site) -> None:
    open_there = {"code": "voided_open", "params": {"number": "4001", "when": ""}}
    posted(site, "4001", "Fault", open_there)
    text = page(site)
    assert "Yes: everything dated to 30 Sep 2026 that Bookbridge knows of is in the books." in text
    assert "1 document is in the books and should not be: voided or cancelled in Autotask." in text
    assert "In the books and should not be" in text and "4001 still stands in" in text
    [row] = csv.DictReader(io.StringIO(download(site).get_data().decode("utf-8-sig")))
    assert (row["How it stands"], row["Ledger ID"]) == ("In the books and should not be", "777")


def test_what_was_booked_on_the_first_open_day_is_told_and_when_autotask_was_read(site: Site) -> None:
    posted(site, "4001", ledger_date=date(2026, 10, 1))
    with site.db() as db, db.begin():
        db.get_one(Company, site.ids["A"]["company_id"]).last_checked_at = NOW
    text = page(site)
    assert "Yes: everything" in text and "1 document is in the books on a later day." in text
    assert "Booked on 1 Oct 2026, the first open day" in text and "Autotask was read last" in text


def test_a_draft_that_nobody_approved_makes_it_a_no(site: Site) -> None:
    posted(site, "4001", flags=["Draft in {the_ledger}"])
    posted(site, "4002", flags=["Draft in {the_ledger}"], ledger_kind="purchase_order")
    text = page(site)
    assert "No: 1 document is dated to 30 Sep 2026 and not in the books, 1 of them in the ledger as a draft" in text
    [row] = csv.DictReader(io.StringIO(download(site).get_data().decode("utf-8-sig")))
    assert (row["Number"], row["How it stands"]) == ("4001", "Draft in the ledger")


def test_the_csv_names_each_with_its_why_and_cannot_run_formulas(site: Site) -> None:
    missing(site, "4001")
    add(site, "4002", "Pending Sync", {"code": "waits_for_sync", "params": {}}, party_name="=cmd()")
    add(site, "4003", "Skipped Over", ASIDE)
    add(site, "4004", "Skipped Over", HELD)
    answer = download(site)
    assert f"bookbridge-not-in-the-books-{DAY}.csv" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [(row["Number"], row["How it stands"]) for row in rows] == [
        ("4001", "Missing in the ledger"), ("4002", "Waits"), ("4003", "Set aside by a person"),
        ("4004", "Held by a person"),
    ]  # fmt: skip
    assert rows[0]["Status"] == "Complete" and rows[0]["Ledger ID"] == "777"
    assert rows[1]["Customer or vendor"] == "'=cmd()"
    assert rows[2]["Reason"] == "Set aside by Robin: billed twice"


@pytest.mark.parametrize("through", ["", "yesterday", "2026-13-01"])
def test_a_csv_of_no_day_leads_back_to_the_question(site: Site, through: str) -> None:
    assert download(site, through).headers["Location"].endswith("/tools/reconcile")
