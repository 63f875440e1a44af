"""Purchase orders on the pages: settings and their refusals, review, Sync one PO, logs, what a person decides."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from domain.documents import SourceLine
from domain.order_settings import Becomes, VendorRule
from domain.todos import Choice, TodoLists
from models import (
    Company,
    Document,
    ErrorMark,
    MirrorEntry,
    MirrorState,
    PartyEntry,
    Posting,
    Run,
    RunItem,
    ToolRow,
    User,
)
from sync import codec, settings
from tests.domain.order_samples import line, order, receipt
from tests.web.site import BASE, NOW, Site, make_site
from workers import enqueue

GOOD = {
    "days": "30", "becomes": "bill", "numbers": "ledger", "bill_number": "order", "external_prefix": "BILL-",
    "missing_item": "create", "created_item_account": "81", "payable": "33", "freight_account": "81",
    "freight": "first", "term": "", "order_class": "", "location": "", "purchase_for": "y", "vendor_suffix": "(V)",
    "closed_period": "stop", "error_todos": "y", "todo_action_type": "7", "todo_resource": "29",
}  # fmt: skip


@pytest.fixture
def shop(site: Site) -> Site:
    """Accounts of the right types, and people who can own to-dos."""
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        for id, name, kind in (("33", "Payables", "Accounts Payable"), ("81", "Purchases", "Cost of Goods Sold")):
            db.add(MirrorEntry(
                company_id=a, kind="account", ledger_id=id, name=name, folded=name.casefold(), loose=name.casefold(),
                version="0", active=True, details={"type": kind}, read_at=NOW,
            ))
        db.get_one(MirrorState, a).todo_lists = codec.dump(TodoLists(
            (Choice("29", "Billing Desk", True, "desk@acme.example"),), (Choice("7", "To-Do: Phone Call"),)
        ))
    return site


def save(site: Site, who: str = "A admin", **changed: str | None) -> TestResponse:
    a = site.ids["A"]["company_id"]
    sent = {key: value for key, value in {**GOOD, **changed, "company_id": str(a)}.items() if value is not None}
    return site.client(who).post(f"/c/{a}/settings/orders", base_url=BASE, data=sent)


def get(site: Site, path: str, who: str = "A admin") -> str:
    answer = site.client(who).get(f"/c/{site.ids['A']['company_id']}/{path}", base_url=BASE)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.get_data(as_text=True)


def add_order(site: Site, id: str = "411", **changes: Any) -> int:
    a = site.ids["A"]["company_id"]
    made = order(line("1", 10, "42", receipt(6, "V-1")))
    values = {
        "company_id": a, "source_tenant": "513558", "kind": "purchase_order", "source_id": id, "number": f"PO-{id}",
        "party_id": "41", "party_name": "Northwind Supplies", "document_date": date(2026, 11, 13),
        "source_created_at": NOW, "total": 420, "tax_total": 0, "currency": "USD", "status": "Fault",
        "reasons": [{"code": "order_item_missing", "params": {"item": "Switch 24p"}}],
        "reason_code": "order_item_missing", "flags": [], "header": codec.dump(made.header), "header_hash": id,
        "lines": codec.dump_text(made.lines, tuple[SourceLine, ...]), "seen_at": NOW, "read_at": NOW,
        "lines_read_at": NOW, "changed_at": NOW, "part": "", **changes,
    }  # fmt: skip
    with site.db() as db, db.begin():
        row = Document(**values)
        db.add(row)
        db.flush()
        return row.id


def test_every_field_of_the_old_app_stands_under_its_own_name(shop: Site) -> None:
    page = get(shop, "settings/orders")
    for label in (
        "Number of days in the past to look for unsynced POs", "Assign QBO PO Number from",
        "When an item cannot be found in QBO that matches Autotask", "create a new item",
        "error out and stop processing", "for created items, select the expense account to use:",
        "Select the AP account to which the bill is credited", "Type of To-Do Action when there is an error.",
        "Default resource to whom the error To-Dos will be assigned.", "Overview",
        "Matching on Vendors, Customers and Items", "Other Account Settings", "Error Handling", "Paused",
        "numbers only its purchase orders, never bills", "No tax is transferred", "Only the net is compared",
    ):  # fmt: skip
        assert label in page, label


def test_what_an_order_becomes_has_no_default(shop: Site) -> None:
    answer = save(shop, becomes=None)
    assert answer.status_code == 422
    assert "Choose what an order becomes" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"days": "999"}, "Enter a number of days from 0 to 365"),
        ({"payable": "81"}, "of type Accounts payable"),
        ({"payable": ""}, "Choose an AP account"),
        ({"created_item_account": ""}, "Choose the expense account of created items"),
        ({"todo_resource": ""}, "Choose a resource"),
        ({"todo_action_type": ""}, "Choose an action type"),
        ({"becomes": "order", "numbers": "source"}, "numbers purchase orders by itself"),
        ({"billable": "y", "purchase_for": None}, "Billable lines need"),
    ],
)
def test_a_wrong_answer_is_refused_at_its_field(shop: Site, changed: dict[str, str | None], text: str) -> None:
    answer = save(shop, **changed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert text in page
    with shop.db() as db:
        assert settings.load_orders(db, shop.ids["A"]["company_id"]).paused


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ({"own_order_numbers": True}, "Custom transaction numbers are on for purchase orders"),
        ({"purchase_orders": False}, "plan has no purchase orders. Choose a bill"),
    ],
)
def test_what_the_ledger_company_contradicts_is_refused_when_saving(
    shop: Site, profile: dict[str, bool], text: str
) -> None:
    with shop.db() as db, db.begin():
        company = db.get_one(Company, shop.ids["A"]["company_id"])
        company.profile = {**company.profile, **profile}
    answer = save(shop, becomes="order")
    assert answer.status_code == 422 and text in answer.get_data(as_text=True)
    assert save(shop, becomes="bill").status_code == 302, "bills have no numbers of the ledger's"


def test_0_days_is_said_to_be_paused_and_connect_asks_for_the_days(shop: Site) -> None:
    client, a = shop.client("A admin"), shop.ids["A"]["company_id"]
    client.post(f"/c/{a}/settings/orders", base_url=BASE, data={**GOOD, "days": "0", "company_id": str(a)})
    review = client.get(f"/c/{a}/settings/orders/review", base_url=BASE).get_data(as_text=True)
    assert "Purchase orders are Paused: the number of days is 0." in review and "0: Paused" in review
    answer = client.post(f"/c/{a}/settings/orders/connect", base_url=BASE, data={"company_id": a})
    assert answer.headers["Location"].endswith("/settings/orders")
    page = client.get(f"/c/{a}/settings/orders", base_url=BASE).get_data(as_text=True)
    assert "Set the number of days first" in page


def test_the_owner_of_to_dos_is_prefilled_with_the_person_who_is_signed_in(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    with shop.db() as db, db.begin():
        user = db.scalars(select(User).where(User.name == "A admin")).one()
        db.get_one(MirrorState, a).todo_lists = codec.dump(TodoLists(
            (Choice("28", "Front Desk", True, "front@acme.example"),
             Choice("29", "Somebody", True, user.email.upper())),
            (Choice("7", "To-Do: Phone Call"),),
        ))
    page = get(shop, "settings/orders")
    assert re.search(r'<option selected value="29">', page) and 'selected value="28"' not in page


def test_connect_looks_for_orders_at_once(_migrated_sqlite: Path, tmp_path: Path, redis_url: str) -> None:
    site = make_site(_migrated_sqlite, tmp_path, redis_url=redis_url)
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        settings.save_orders(db, a, replace(settings.load_orders(db, a), days=30), now=NOW, user=None)
    site.client("A admin").post(f"/c/{a}/settings/orders/connect", base_url=BASE, data={"company_id": a})
    jobs = enqueue.queue(site.services.redis, enqueue.INTERACTIVE).jobs
    assert [(job.func_name, job.args) for job in jobs] == [("workers.jobs.poll", [a])]
    site.services.engine.dispose()


def test_the_expense_account_is_asked_only_where_new_items_are_created(shop: Site) -> None:
    """The page hides the field by a style; what is refused is decided by the answer alone, so it works without."""
    assert '<div class="bb-created">' in get(shop, "settings/orders")
    assert save(shop, missing_item="hold", created_item_account="").status_code == 302
    assert save(shop, missing_item="create", created_item_account="").status_code == 422


def test_the_time_zones_of_orders_follow_those_of_the_company(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    save(shop)
    with shop.db() as db, db.begin():
        settings.change(
            db, a, now=NOW, user=None, time_zone="Australia/Sydney", source_time_zone="Pacific/Auckland"
        )
    with shop.db() as db:
        kept = settings.load_orders(db, a)
    assert (kept.time_zone, kept.source_time_zone, kept.days) == ("Australia/Sydney", "Pacific/Auckland", 30)


def test_saving_leads_to_the_review_and_connect_to_the_orders_page(shop: Site) -> None:
    answer = save(shop)
    assert answer.headers["Location"].endswith("/settings/orders/review")
    page = get(shop, "settings/orders/review")
    assert "Step 2 complete" in page and "Bill at once" in page and "Payables" in page
    a = shop.ids["A"]["company_id"]
    connected = shop.client("A admin").post(f"/c/{a}/settings/orders/connect", base_url=BASE, data={"company_id": a})
    assert connected.headers["Location"].endswith("/orders")
    assert "Connection settings and logs" in get(shop, "orders")
    with shop.db() as db:
        kept = settings.load_orders(db, a)
    assert (kept.days, kept.becomes, kept.payable, kept.vendor_suffix, kept.active) == (
        30, Becomes.BILL, "33", " (V)", False
    )  # fmt: skip


def test_only_admins_save_and_orders_are_not_automatic_before_one_was_posted(shop: Site) -> None:
    assert save(shop, who="A staff").status_code == 403
    save(shop)
    a = shop.ids["A"]["company_id"]
    sent = {"active": "yes", "company_id": a}
    shop.client("A admin").post(f"/c/{a}/settings/orders/active", base_url=BASE, data=sent)
    with shop.db() as db:
        assert not settings.load_orders(db, a).active
    add_order(shop, status="Complete", reasons=[], reason_code=None, ledger_id="151", ledger_kind="bill")
    sent = {"active": "yes", "company_id": a}
    shop.client("A admin").post(f"/c/{a}/settings/orders/active", base_url=BASE, data=sent)
    with shop.db() as db:
        assert settings.load_orders(db, a).active


def test_a_vendor_has_a_choice_of_its_own_and_loses_it(shop: Site) -> None:
    save(shop)
    a = shop.ids["A"]["company_id"]
    add_order(shop)
    with shop.db() as db, db.begin():
        db.add(PartyEntry(company_id=a, source_id="41", name="Northwind Supplies", folded="northwind supplies",
                          loose="northwindsupplies", data={}, read_at=NOW))
    client = shop.client("A admin")
    sent = {"company_id": a, "party": "41", "becomes": "on_receipt"}
    client.post(f"/c/{a}/settings/orders/vendors", base_url=BASE, data=sent)
    with shop.db() as db:
        assert settings.load_orders(db, a).vendors == (VendorRule("41", Becomes.ON_RECEIPT),)
    assert "Northwind Supplies" in get(shop, "settings/orders")
    client.post(f"/c/{a}/settings/orders/vendors", base_url=BASE, data={"company_id": a, "party": "41", "remove": "1"})
    with shop.db() as db:
        assert settings.load_orders(db, a).vendors == ()


def test_sync_one_po_starts_a_run_and_its_error_stands_in_red_above_the_overview(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    sent = {"order": "411", "alternate": "someone@acme.example", "company_id": a}
    client = shop.client("A staff")
    assert client.post(f"/c/{a}/orders/sync-one", base_url=BASE, data={"company_id": a}).status_code == 422
    assert client.post(f"/c/{a}/orders/sync-one", base_url=BASE, data=sent).status_code == 302
    with shop.db() as db, db.begin():
        run = db.scalars(select(Run).where(Run.kind == "one_order")).one()
        assert run.recipients == [{"address": "someone@acme.example", "kind": "alternate"}]
        assert (run.summary, run.area) == ({"asked": "411"}, "orders")
    running = get(shop, "orders/sync-one", "A staff")
    assert "Running: “411”" in running and f'hx-get="/c/{a}/orders/sync-one"' in running
    with shop.db() as db, db.begin():
        run = db.scalars(select(Run).where(Run.kind == "one_order")).one()
        run.state, run.finished_at, run.message = "Failed", NOW, "Autotask shows no order 411."
    page = get(shop, "orders/sync-one", "A staff")
    assert page.index("Autotask shows no order 411.") < page.index("<h1")
    assert "hx-get" not in page[page.index('id="result"'):page.index("<h1")]
    assert 'role="alert"' in page


def test_the_logs_lead_to_an_entry_with_retry_running_and_done(shop: Site) -> None:
    a, id = shop.ids["A"]["company_id"], add_order(shop)
    assert "Switch 24p" in get(shop, "orders/logs", "A staff")
    entry = get(shop, f"orders/logs/{id}", "A staff")
    assert "Retry" in entry and "Done" in entry and "create a new item" in entry
    answer = shop.client("A staff").post(f"/c/{a}/orders/logs/{id}/retry", base_url=BASE, data={"company_id": a})
    assert answer.headers["Location"].endswith(f"/orders/logs/{id}")
    assert f'hx-get="/c/{a}/orders/logs/{id}"' in get(shop, f"orders/logs/{id}", "A staff")
    assert "Running" in get(shop, f"orders/logs/{id}", "A staff")
    with shop.db() as db, db.begin():
        document = db.get_one(Document, id)
        document.status, document.reasons, document.run_id = "Complete", [], None
    assert "No error: the order is Complete" in get(shop, f"orders/logs/{id}", "A staff")


def test_error_in_autotask_is_told_on_the_entry_and_on_the_document(shop: Site) -> None:
    a, id = shop.ids["A"]["company_id"], add_order(shop)
    with shop.db() as db, db.begin():
        db.add(ErrorMark(document_id=id, company_id=a, source_tenant="513558", area="orders", kind="purchase_order",
                         source_id="411", state="marked", sends=1, tries=0, marked_at=NOW, fence=1))
    for path in (f"orders/logs/{id}", f"documents/{id}"):
        assert "stands in External P.O. Number since 22 Nov 2026" in get(shop, path), path


def test_what_waits_for_goods_is_said_where_it_was_asked_for(shop: Site) -> None:
    a, id = shop.ids["A"]["company_id"], add_order(shop)
    with shop.db() as db, db.begin():
        run = Run(company_id=a, kind="one_order", area="orders", trigger="button", state="Finished", phase="finished",
                  step="", confirmed=True, started_at=NOW, finished_at=NOW, heartbeat_at=NOW, counts={}, summary={})
        db.add(run)
        db.flush()
        db.add(RunItem(company_id=a, run_id=run.id, document_id=id, kind="purchase_order", source_id="411",
                       number="PO-411", changed_at=NOW,
                       party_name="Northwind Supplies", document_date=date(2026, 11, 13), amount=420, currency="USD",
                       status="Pending Sync", reasons=[{"code": "waits_for_receipt", "params": {}}]))
    assert "PO-411: Waits for goods: nothing of it is received" in get(shop, "orders/sync-one", "A staff")


def test_the_document_shows_ordered_received_and_billed_side_by_side(shop: Site) -> None:
    page = get(shop, f"documents/{add_order(shop)}")
    assert "Ordered, received, billed" in page and "Purchase order PO-411" in page
    assert "Unit cost, USD" in page and ">42.00</td>" in page and "10 × 42.00" in page


def test_opening_an_order_that_may_have_moved_on_asks_for_it_once_a_minute(
    _migrated_sqlite: Path, tmp_path: Path, redis_url: str
) -> None:
    site = make_site(_migrated_sqlite, tmp_path, redis_url=redis_url)
    old = {"lines_read_at": NOW - timedelta(hours=3), "reasons": []}
    posted = add_order(site, status="Complete", reason_code=None, ledger_id="151", ledger_kind="bill", **old)
    young = add_order(site, "412", status="Complete", reason_code=None, ledger_id="152", ledger_kind="bill", reasons=[])
    for id in (posted, young, posted):
        get(site, f"documents/{id}")
    jobs = enqueue.queue(site.services.redis, enqueue.INTERACTIVE).jobs
    assert [(job.func_name, job.args) for job in jobs] == [
        ("workers.jobs.order_opened", [site.ids["A"]["company_id"], posted])
    ]  # fmt: skip
    site.services.engine.dispose()


def test_a_bill_that_may_be_there_is_decided_with_a_reason(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    id = add_order(
        shop, reasons=[{"code": "bill_exists", "params": {"what": "V-9, USD 420.00"}}], reason_code="bill_exists",
        alike={"found": [{"id": "9", "text": "V-9, USD 420.00"}]},
    )
    assert "V-9, USD 420.00" in get(shop, f"documents/{id}/decide", "A staff")
    where = f"/c/{a}/documents/{id}/decide"
    client = shop.client("A staff")
    assert client.post(where, base_url=BASE, data={"company_id": a}).status_code == 422
    assert client.post(where, base_url=BASE, data={"company_id": a, "reason": "another delivery"}).status_code == 302
    with shop.db() as db:
        row = db.get_one(Document, id)
        assert (row.status, row.alike["post_anyway"]["why"]) == ("Pending Sync", "another delivery")
        assert db.get_one(Company, a).id == a


def test_a_cancelled_order_can_be_deleted_in_the_ledger_from_its_page(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    why = [{"code": "order_cancelled_after", "params": {"when": "20 Nov 2026", "number": "V-1"}}]
    posted = {"reasons": why, "reason_code": "order_cancelled_after", "ledger_id": "151", "ledger_kind": "bill"}
    id = add_order(shop, part="V-1", **posted)
    whole = add_order(shop, **{**posted, "ledger_id": "150", "ledger_kind": "purchase_order"})
    with shop.db() as db, db.begin():
        made = Posting(
            company_id=a, document_id=id, ledger_tenant="1", source_tenant="513558", kind="purchase_order",
            source_id="411", part="V-1", operation="create", generation=1, ledger_kind="bill", state="DONE",
            draft={"number": "V-1"}, marker="ref:A", ledger_id="151", sends=1, lookups=0, created_at=NOW,
            changed_at=NOW,
        )  # fmt: skip
        db.add(made)
        db.flush()
        db.get_one(Document, id).posting_id = made.id
    client, sent = shop.client("A staff"), {"company_id": a, "reason": "never delivered", "delete": "yes"}
    assert "Delete in QuickBooks" in get(shop, f"documents/{id}/decide", "A staff")
    assert "Delete in QuickBooks" not in get(shop, f"documents/{whole}/decide", "A staff"), "its bill stands"
    for which in (id, id, whole):
        assert client.post(f"/c/{a}/documents/{which}/decide", base_url=BASE, data=sent).status_code == 302
    with shop.db() as db:
        asked = db.scalars(select(Posting).where(Posting.operation == "void")).one()
        assert (asked.document_id, asked.target_id, asked.terms["by"]) == (id, "151", "A staff")
        assert db.get_one(Document, whole).reason_code == "order_cancelled_after"


@pytest.mark.parametrize(("code", "offered"), [("void_closed", 1), ("void_paid", 2), ("void_refused", 2)])
def test_a_bill_that_could_not_be_deleted_is_tried_again_or_kept(shop: Site, code: str, offered: int) -> None:
    params = {"number": "V-1", "date": "its date", "applied": "1.00", "total": "2.00", "currency": "USD",
              "message": "no", "code": "6000"}  # fmt: skip
    why = [{"code": code, "params": params}]
    id = add_order(shop, reasons=why, reason_code=code, ledger_id="151", ledger_kind="bill")
    page = get(shop, f"documents/{id}", "A staff")
    assert (f"/documents/{id}/keep" in page) + (f"/documents/{id}/void" in page) == offered
    assert "first open day</" not in page


def test_a_vendor_that_is_only_similar_is_linked_to_a_vendor(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    id = add_order(shop, reasons=[{"code": "vendor_similar", "params": {"name": "x"}}], reason_code="vendor_similar")
    page = get(shop, f"documents/{id}/customer", "A staff")
    assert "Which vendor is" in page
    sent = {"company_id": a, "customer": "new"}
    shop.client("A staff").post(f"/c/{a}/documents/{id}/customer", base_url=BASE, data=sent)
    with shop.db() as db:
        assert db.scalars(select(Run).where(Run.kind == "retry")).one().company_id == a


def test_what_a_ledger_has_no_use_for_is_not_asked_and_the_rest_is_saved(shop: Site) -> None:
    a = shop.ids["A"]["company_id"]
    hidden = ("payable", "term", "vendor_suffix", "purchase_for", "billable")
    assert all(f'name="{name}"' in get(shop, "settings/orders") for name in hidden)
    with shop.db() as db, db.begin():
        company = db.get_one(Company, a)
        company.ledger, company.profile = "xero", {**(company.profile or {}), "own_order_numbers": None}
    page = get(shop, "settings/orders")
    assert not [name for name in hidden if f'name="{name}"' in page]
    assert 'name="initial_status"' in page and "keeps no terms" in page and "book the line on the account" in page
    assert save(shop, initial_status="approved", numbers="ledger").status_code == 302
    with shop.db() as db:
        held = settings.load_orders(db, a)
    assert (held.initial_status, held.numbers, held.payable) == ("approved", "ledger", None)



def test_orders_and_bills_are_kinds_of_their_own_in_lists_and_on_home(shop: Site) -> None:
    add_order(shop, "411")
    add_order(shop, "412", status="Complete", reasons=[], reason_code=None, ledger_id="151", ledger_kind="bill")
    shown = {
        kind: {id for id in ("411", "412") if f"PO-{id}" in get(shop, f"documents?tab=all&kind={kind}")}
        for kind in ("", "order", "bill", "invoice", "credit_memo")
    }
    assert shown == {"": {"411", "412"}, "order": {"411"}, "bill": {"412"}, "invoice": set(), "credit_memo": set()}
    assert "PO-411" in get(shop, "errors?view=document&kind=order")
    assert "PO-411" not in get(shop, "errors?view=document&kind=invoice")
    home = get(shop, "")
    assert "Purchase orders" in home and "Orders and their bills" in home
    assert "Paused" in home, "days are not set"
    named = {line.split(",")[1]: line.split(",")[2] for line in get(shop, "documents.csv?tab=all").splitlines()}
    assert (named["PO-411"], named["PO-412"]) == ("Purchase order", "Bill")


def test_all_companies_tells_invoices_and_orders_apart(shop: Site) -> None:
    """What customers owe and what is owed to vendors are never one sum."""
    alone = shop.client("A admin").get("/companies", base_url=BASE).text
    assert "Purchase orders" not in alone
    add_order(shop, "412", status="Complete", reasons=[], reason_code=None, ledger_id="151", ledger_kind="bill",
              completed_at=NOW)
    add_order(shop, "413", status="Pending Sync", reason_code="waits_for_receipt", reasons=[])
    page = shop.client("A admin").get("/companies", base_url=BASE).text
    assert page.count("Purchase orders 1: USD 420.00") == 1 and "Invoices 1: USD" in page
    assert 'data-l="On its way">1<span class="sub">USD 420.00</span>' in page


def test_all_that_is_ready_takes_no_order_along(shop: Site) -> None:
    """Review and release speaks of invoices; an order that is ready is told of, and goes where it was ticked."""
    a = shop.ids["A"]["company_id"]
    id = add_order(shop, status="Pending Sync", reason_code="waits_for_sync", reasons=[{"code": "waits_for_sync"}])
    page = get(shop, "review")
    assert "Nothing stands ready" in page and "1 purchase order stands ready too" in page
    sent = {"company_id": a, "all": "yes", "confirmed": "yes"}
    shop.client("A admin").post(f"/c/{a}/documents/release", base_url=BASE, data=sent)
    shop.client("A admin").post(f"/c/{a}/documents/preview", base_url=BASE, data={"company_id": a, "all": "yes"})
    with shop.db() as db:
        assert db.get_one(Document, id).due_at is None
        assert [run.kind for run in db.scalars(select(Run)) if run.kind != "sync"] == ["preview"]
        assert id not in {one.data.get("document_id") for one in db.scalars(select(ToolRow))}
    ticked = {"company_id": a, "action": "release", "id": str(id)}
    shown = shop.client("A admin").post(f"/c/{a}/documents/bulk", base_url=BASE, data=ticked)
    assert "Release 1 document" in shown.text and "Purchase orders" in shown.text


def test_once_one_order_is_in_the_books_an_admin_can_let_the_rest_follow_and_stop_it_again(shop: Site) -> None:
    a, client = shop.ids["A"]["company_id"], shop.client("A admin")
    save(shop)
    offer, stop = "Post orders automatically", "Post by hand only"
    assert "post that one by hand" in get(shop, "orders") and offer not in get(shop, "orders")
    add_order(shop, "412", status="Complete", reasons=[], reason_code=None, ledger_id="151", ledger_kind="bill")
    page = get(shop, "orders")
    assert offer in page and stop not in page
    assert offer not in get(shop, "orders", "A staff")
    client.post(f"/c/{a}/settings/orders/active", base_url=BASE, data={"company_id": a, "active": "yes"})
    page = get(shop, "orders")
    assert stop in page and offer not in page and "Active" in page
