"""The simulated Xero's books as others see them: pages, seeds in organisations, the audit's account of a sync."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from sandbox import audit, audit_orders
from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant
from sandbox.seeds import msp, order_problems, retail
from sandbox.seeds.ledger import opened
from sandbox.server import open_world, running
from sandbox.world import World
from sandbox.xero import profiles
from tests.sandbox.xero_client import Xero, line, organisation


def test_pages_of_the_books() -> None:
    with organisation() as it:
        contact = {"ContactID": it.contact("Northwind & Co")}
        lines = [line("1100", 1), line("-100", 1)]
        made = it.put(
            "Invoices", it.invoice(Contact=contact, InvoiceNumber="AT-1", Reference="from <Autotask>", LineItems=lines)
        )[0]
        note = it.put("CreditNotes", it.invoice(Type="ACCRECCREDIT", Contact=contact, CreditNoteNumber="AT-2"))[0]
        cost = [line(AccountCode="310", TaxType="INPUT2")]
        order = it.put("PurchaseOrders", it.invoice(Contact=contact, PurchaseOrderNumber="P-1", LineItems=cost))[0]
        pay = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 200}
        it.put("Payments", pay | {"Date": "2026-11-20"})

        def page(path: str) -> str:
            answer = requests.get(f"{it.base}/xero-books/{it.tenant}{path}", timeout=5)
            assert answer.status_code == 200, answer.text
            return answer.text

        assert "AT-1" in page("") and "AT-2" in page("?q=at-2") and "AT-1" not in page("?q=at-2")
        shown = page(f"/invoice/{made['InvoiceID']}")
        assert "1,200.00" in shown and "610 Accounts Receivable" in shown and "from &lt;Autotask&gt;" in shown
        assert "25.20" in page(f"/creditnote/{note['CreditNoteID']}")
        assert "No effect on the books" in page(f"/purchaseorder/{order['PurchaseOrderID']}")
        assert "AT-1" in page(f"/contact/{contact['ContactID']}")
        accounts = {row["Code"]: row["AccountID"] for row in it.get("Accounts")["Accounts"]}
        assert "1,000.00" in page(f"/account/{accounts['200']}") and "Payment" in page(f"/account/{accounts['090']}")
        assert page("/trial-balance").count("1,234.50") == 2  # debit and credit total
        receivables = page("/receivables")
        assert "1,000.00" in receivables and "-25.20" in receivables and "AT-1" in receivables
        assert "20% (VAT on Income)" in page("/lists")
        assert "Test Company" in requests.get(it.base, timeout=5).text
        for gone in (f"{it.tenant}/invoice/999", "123"):
            assert requests.get(f"{it.base}/xero-books/{gone}", timeout=5).status_code == 404


@pytest.mark.parametrize("region", ["uk", "au", "us"])
def test_a_provider_in_an_organisation(sandbox_world: World, region: str) -> None:
    made = msp.generate(sandbox_world, 1, 5, region, problems=True, known_customers=True, profile=f"xero-{region}")
    assert made["ledger"] == "xero" and made["pages"]["books"].endswith(f"/xero-books/{made['realm']}")
    it = Xero(sandbox_world, "", made["realm"])
    names = {row["entity"]["Name"] for row in it.org.records("Contact")}
    companies = {row["companyName"] for row in Tenant(sandbox_world, made["ci"]).rows("Companies") if row["id"]}
    assert len(names & companies) >= 6
    codes = {row["entity"]["Code"]: row["entity"]["SalesDetails"] for row in it.org.records("Item")}
    assert codes["BLK-10"] == {"AccountCode": "815"}
    planted = {row["problem"]: row["outcome"] for row in made["planted"]}
    assert planted["customer that is a vendor"] == "post" and "item that is a category" not in planted


def test_the_real_month_in_an_organisation(sandbox_world: World) -> None:
    made = retail.load(sandbox_world, "sandbox/data/online-retail", profile="xero-uk")
    assert (made["ledger"], made["realm"], made["counts"]["invoices"]) == ("xero", profiles.tenant_id("retail"), 22)


def test_the_audit_counts_invoices_and_credit_notes_of_an_organisation() -> None:
    world = open_world()
    world.limits.switch(on=False)
    made = retail.load(world, "sandbox/data/online-retail", profile="xero-uk")
    tenant, mark = Tenant(world, made["ci"]), world.journal.mark()
    with running(world) as base:
        it = Xero(world, base, made["realm"])
        contact = {"ContactID": it.contact("Everybody")}
        rows = [row for row in tenant.rows("Invoices") if row["invoiceTotal"] and row.get("companyID") is not None]
        for row in rows:
            post(it, contact, row)
        account = audit.audit(world, made["ci"], made["realm"], since_mark=mark)
        positive = sum(1 for row in rows if row["invoiceTotal"] > 0)
        assert (account["ledger"], account["posted"]) == ("xero", positive)
        assert account["credit_memos"] == len(rows) - positive > 0
        total = sum((row["invoiceTotal"] for row in rows), Decimal(0))
        assert account["totals"] == {"GBP": {"expected": total, "posted": total}}
        assert (account["ledger_calls"], account["missing"], account["duplicates"]) == (len(rows) + 1, 0, 0)
        post(it, contact, {**rows[0], "invoiceNumber": "NOBODY-KNOWS"})
        stray = [row for row in audit.details(world, made["ci"], made["realm"]) if row["id"] is None]
        assert [row["number"] for row in stray] == ["NOBODY-KNOWS"]
        books = requests.get(f"{base}/control/books/{made['realm']}", timeout=5).json()
        assert len([row for row in books["documents"] if row["live"]]) == len(rows) + 3  # two counter sales, one stray
    world.close()


def post(it: Xero, contact: dict[str, str], row: dict[str, Any]) -> None:
    total, credit = row["invoiceTotal"], row["invoiceTotal"] < 0
    lines = [line(abs(total), 1, TaxType="NONE")]
    body = it.invoice(Contact=contact, LineItems=lines, Type="ACCRECCREDIT" if credit else "ACCREC")
    number = "CreditNoteNumber" if credit else "InvoiceNumber"
    it.put("CreditNotes" if credit else "Invoices", body | {number: row["invoiceNumber"]})


def test_purchase_orders_beside_an_organisation() -> None:
    world = open_world()
    world.limits.switch(on=False)
    made = msp.generate(world, 3, 0, "uk", orders=6, order_problems=13, profile="xero-uk")
    problems = {row["problem"] for row in made["planted_orders"]}
    assert "bill typed in by hand" in problems and "item that is a category" not in problems
    books, tenant = opened(world, made["realm"]), Tenant(world, made["ci"])
    before = audit_orders.audit(world, made["ci"], made["realm"])
    assert len(order_problems.cure(tenant, books)) == 13
    after = audit_orders.audit(world, made["ci"], made["realm"])
    assert before["eligible"] < after["eligible"] == after["missing"] == after["orders"]
    with running(world) as base:
        it = Xero(world, base, made["realm"])
        order = tenant.rows("PurchaseOrders")[0]
        net = purchasing.total(tenant, order)
        lines = [line(net, 1, AccountCode="310", TaxType="INPUT2")]
        link = f"https://app.example/source/{order['purchaseOrderNumber']}"
        bill = it.invoice(Type="ACCPAY", Contact={"Name": "Anybody"}, LineItems=lines, Status="DRAFT", Url=link)
        it.put("Invoices", bill)
    posted = audit_orders.audit(world, made["ci"], made["realm"])
    assert (posted["bills"], posted["missing"], posted["strays"]) == (1, after["missing"] - 1, [])
    assert posted["totals"]["GBP"]["posted"] == net
    world.close()


def test_switches_and_lock_dates_are_set_by_the_control_side() -> None:
    with organisation() as it:
        url = f"{it.base}/control/switches/{it.tenant}"
        told = requests.post(url, json={"period_lock": "2026-10-31", "day_calls": 9, "currencies": ["GBP"]}, timeout=5)
        assert (told.json()["period_lock"], told.json()["day_calls"]) == ("2026-10-31", 9)
        assert it.get("Organisation")["Organisations"][0]["PeriodLockDate"] == "/Date(1793404800000+0000)/"
        assert [row["Code"] for row in it.get("Currencies")["Currencies"]] == ["GBP"]
        assert requests.post(url, json={"nonsense": 1}, timeout=5).status_code == 400
        assert requests.get(f"{it.base}/control/switches/xero_identity", timeout=5).json()["tier"] == "core"
        assert requests.get(f"{it.base}/control/switches/nobody", timeout=5).status_code == 400
