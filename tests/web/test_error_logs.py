"""Error Logs: one group per thing to mend, what is shown is what is exported and tried again, the to-do of each."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from sqlalchemy import select

from domain.causes import cause_key, waits_for
from domain.reasons import reason
from models import Document, Run, RunItem, TodoRow
from sync import pauses
from tests.web.site import BASE, NOW, Site
from tests.web.test_tools import add, page, post


def missing(site: Site, number: str, item: str, **changes: object) -> int:
    told = [reason("item_missing", item=item).to_json()]
    return add(site, number, status="Fault", reason_code="item_missing", reasons=told, **changes)


def retried(site: Site) -> set[str]:
    with site.db() as db:
        run = db.scalars(select(Run).where(Run.kind == "retry").order_by(Run.id.desc())).first()
        assert run is not None
        return set(db.scalars(select(Document.number).join(RunItem, RunItem.document_id == Document.id)
                              .where(RunItem.run_id == run.id)))  # fmt: skip


def numbers(site: Site, query: str) -> list[str]:
    a = site.ids["A"]["company_id"]
    answer = site.client("A viewer").get(f"/c/{a}/errors.csv?{query}", base_url=BASE)
    return sorted(row["Number"] for row in csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"))))


def test_a_group_is_one_thing_to_mend_and_is_tried_again_alone(site: Site) -> None:
    missing(site, "1003", "Backup 1TB")
    missing(site, "1004", "Firewall rent")
    shown = page(site, "errors")
    assert "2 invoices wait for item “Backup 1TB”" in shown and "1 invoice waits for item “Firewall rent”" in shown
    post(site, "errors/retry", cause="item_missing:firewall rent")
    assert retried(site) == {"1004"}


def test_what_is_shown_is_what_is_exported_and_tried_again(site: Site) -> None:
    missing(site, "1003", "Firewall rent", seen_at=NOW - timedelta(days=9))
    missing(site, "1004", "Firewall rent")
    add(site, "1005", status="Fault", reason_code="no_lines", reasons=[reason("no_lines").to_json()])
    assert numbers(site, "") == ["1002", "1003", "1004", "1005"]
    assert numbers(site, "q=firewall") == ["1003", "1004"]
    assert numbers(site, "code=no_lines") == ["1005"]
    assert numbers(site, "cause=item_missing:firewall+rent&waits=7") == ["1003"]
    assert numbers(site, "cause=item_missing") == ["1002", "1003", "1004"]
    assert numbers(site, "q=120.00&view=document") == ["1002", "1003", "1004", "1005"]
    assert numbers(site, "q=1e999999&waits=x&code=nonsense&view=9") == []
    shown = page(site, "errors?q=firewall&waits=7")
    assert "1 invoice waits for item “Firewall rent”" in shown and "Retry these 1" in shown
    post(site, "errors/retry", q="firewall", waits="7")
    assert retried(site) == {"1003"}


def test_the_todo_of_a_cause_stands_on_its_pages(site: Site) -> None:
    ids = site.ids["A"]
    with site.db() as db, db.begin():
        fault = db.get_one(Document, ids["fault_id"])
        told = reason("item_missing", item="Backup 1TB")
        db.add(TodoRow(
            company_id=fault.company_id, source_tenant=fault.source_tenant, area="invoices", cause=cause_key(told),
            code="item_missing", title="An item is missing: Backup 1TB", marker="[Bookbridge 1]", state="open",
            text="", digest="", todo_id="812", resource_name="Billing Desk", opened_at=NOW,
        ))  # fmt: skip
    missing(site, "1003", "Firewall rent")
    assert page(site, "errors").count("To-do 812") == 1, "not with the other item"
    for path in (f"documents/{ids['fault_id']}", f"runs/{ids['run_id']}"):
        assert "To-do 812" in page(site, path) and "assigned to Billing Desk" in page(site, path)


def test_a_cause_says_what_is_waited_for() -> None:
    assert waits_for(reason("customer_inactive", name="Acme"), 1) == "1 invoice waits for customer “Acme”"
    assert waits_for(reason("no_lines"), 14) == "14 invoices wait: the invoice has no lines"
    # An amount names no cause: two invoices with tax wait for one and the same switch.
    assert cause_key(reason("tax_off", tax="1.00")) == cause_key(reason("tax_off", tax="2.00"))


def test_a_paused_company_says_why_and_goes_on_when_staff_press_resume(site: Site) -> None:
    company_id = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        pauses.begin(db, company_id, pauses.ANOTHER_APP, {"numbers": ["AT-1", "AT-2"], "count": 3}, NOW)
    for path in ("", "connections"):
        shown = page(site, path)
        assert "Another app is also transferring invoices (invoices AT-1, AT-2)" in shown and "Resume" in shown
    post(site, "resume")
    assert "Posting is paused" not in page(site, "")
    with site.db() as db:
        assert pauses.last_end(db, company_id) is not None
