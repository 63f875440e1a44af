"""The audit: an honest little sync passes, and each way of getting it wrong shows under its own name."""

from __future__ import annotations

import csv
import io
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from sandbox import jsonio, mailbox
from sandbox.intuit import tokens
from sandbox.world import World
from tests.sandbox.autotask_client import Autotask

COLUMNS = (
    "Status",
    "StatusCode",
    "Reason",
    "Autotask ID",
    "Number",
    "Kind",
    "Customer",
    "Date",
    "Amount",
    "Currency",
    "Ledger ID",
    "Ledger number",
    "Run",
)


class Sync:
    """The smallest honest product: posts what has a company and a total, marks it, reports everything."""

    def __init__(self, world: World, base: str) -> None:
        self.world, self.base = world, base
        seeded = requests.post(f"{base}/control/seed/retail", json={}, timeout=30).json()
        self.seeded, self.api = seeded, Autotask(base, seeded)
        self.books = f"{base}/qbo/v3/company/{seeded['realm']}"
        self.headers = {
            "Authorization": f"Bearer {tokens.access_token(world, seeded['realm'])}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        self.mark = requests.get(f"{base}/control/journal/mark", timeout=5).json()["mark"]
        self.invoices = self.api.query("Invoices")
        self.customer = self.make("Customer", {"DisplayName": "Everybody"})
        account = self.query("SELECT * FROM Account WHERE Name = 'Sales'")["Account"][0]["Id"]
        self.item = self.make("Item", {"Name": "Anything", "Type": "Service", "IncomeAccountRef": {"value": account}})
        self.code = self.query("SELECT * FROM TaxCode WHERE Name = '0.0% Z'")["TaxCode"][0]["Id"]

    def query(self, statement: str) -> dict[str, Any]:
        answer = requests.get(f"{self.books}/query", params={"query": statement}, headers=self.headers, timeout=5)
        found: dict[str, Any] = answer.json()["QueryResponse"]
        return found

    def make(self, kind: str, body: dict[str, Any]) -> str:
        answer = requests.post(f"{self.books}/{kind.lower()}", jsonio.dumps(body), headers=self.headers, timeout=5)
        assert answer.status_code == 200, answer.text
        return str(answer.json()[kind]["Id"])

    def post(self, invoice: dict[str, Any], number: str | None = None) -> str:
        total = invoice["invoiceTotal"]
        return self.make(
            "Invoice" if total > 0 else "CreditMemo",
            {
                "CustomerRef": {"value": self.customer},
                "DocNumber": number or invoice["invoiceNumber"],
                "GlobalTaxCalculation": "TaxExcluded",
                "Line": [
                    {
                        "Amount": abs(total),
                        "DetailType": "SalesItemLineDetail",
                        "SalesItemLineDetail": {"ItemRef": {"value": self.item}, "TaxCodeRef": {"value": self.code}},
                    }
                ],
            },
        )

    def mark_synced(self, invoice: dict[str, Any]) -> None:
        answer = self.api.call("PATCH", "Invoices", {"id": invoice["id"], "webServiceDate": "2026-11-22T00:00:00"})
        assert answer.status_code == 200

    def eligible(self) -> list[dict[str, Any]]:
        return [row for row in self.invoices if row["invoiceTotal"] != 0 and row["companyID"] is not None]

    def word(self, invoice: dict[str, Any]) -> tuple[str, str]:
        if invoice["invoiceTotal"] == 0:
            return "Skipped Over", "zero_total"
        return ("Fault", "no_customer") if invoice["companyID"] is None else ("Complete", "")

    def report(self, **changed: tuple[str, str]) -> None:
        """Mail the report; `changed` replaces the word on an invoice by its number."""
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        for row in self.invoices:
            status, reason = changed.get(row["invoiceNumber"], self.word(row))
            if status:
                writer.writerow(
                    {
                        "Status": status,
                        "Reason": reason,
                        "Autotask ID": row["id"],
                        "Number": row["invoiceNumber"],
                        "Amount": row["invoiceTotal"],
                        "Currency": "GBP",
                    }
                )
        message = EmailMessage()
        message["Subject"] = "report"
        message.set_content("report")
        message.add_attachment(text.getvalue().encode("utf-8-sig"), maintype="text", subtype="csv", filename="r.csv")
        mailbox.keep(self.world, "app@example.invalid", ["books@example.invalid"], bytes(message))

    def audit(self, **params: Any) -> dict[str, Any]:
        answer = requests.get(
            f"{self.base}/control/audit",
            timeout=20,
            params={"ci": self.seeded["ci"], "realm": self.seeded["realm"], "since_mark": self.mark, **params},
        )
        assert answer.status_code == 200, answer.text
        account: dict[str, Any] = jsonio.loads(answer.content)
        return account


@pytest.fixture
def sync(sandbox: str, sandbox_world: World) -> Sync:
    sandbox_world.limits.switch(on=False)
    made = Sync(sandbox_world, sandbox)
    for invoice in made.eligible():
        made.post(invoice)
        made.mark_synced(invoice)
    return made


def test_an_honest_sync_is_found_complete(sync: Sync) -> None:
    sync.report()
    account = sync.audit(window_start=sync.seeded["first_day"], start=sync.seeded["first_day"])
    eligible, zero = sync.eligible(), [row for row in sync.invoices if row["invoiceTotal"] == 0]
    orphans = len(sync.invoices) - len(eligible) - len(zero)
    credits = sum(1 for row in eligible if row["invoiceTotal"] < 0)
    assert account["seen"] == len(sync.invoices) == 22
    assert (account["posted"], account["credit_memos"]) == (len(eligible) - credits, credits)
    assert account["skipped"] == ({"zero_total": len(zero)} if zero else {})
    assert account["faults"] == ({"no_customer": orphans} if orphans else {})
    assert [account[name] for name in ("waiting", "duplicates", "missing", "unmarked", "unexplained")] == [0] * 5
    total = sum(row["invoiceTotal"] for row in eligible)
    assert account["totals"] == {"GBP": {"expected": total, "posted": total}}
    assert account["ledger_calls"] == len(eligible) + 4
    assert account["source_calls"] == len(eligible) + 1
    assert (account["ledger"], account["limits"], account["seconds"] > 0) == ("qbo", "off", True)


def test_a_second_copy_is_a_duplicate_and_spoils_the_total(sandbox: str, sync: Sync) -> None:
    requests.post(
        f"{sandbox}/control/switches/{sync.seeded['realm']}", json={"warn_duplicate_numbers": False}, timeout=5
    )
    again = next(row for row in sync.eligible() if row["invoiceTotal"] < 0)
    sync.post(again)
    sync.report()
    account = sync.audit()
    assert (account["duplicates"], account["missing"], account["unexplained"]) == (1, 0, 0)
    assert account["totals"]["GBP"]["posted"] - account["totals"]["GBP"]["expected"] == again["invoiceTotal"]


def test_a_cleared_mark_is_unmarked_and_a_mark_without_a_document_missing(sandbox: str, sync: Sync) -> None:
    sync.report()
    posted = sync.eligible()[0]
    requests.post(
        f"{sandbox}/control/actions/{sync.seeded['ci']}/clear_mark", json={"invoice": posted["id"]}, timeout=5
    )
    skipped = next(row for row in sync.invoices if row["invoiceTotal"] == 0 or row["companyID"] is None)
    sync.mark_synced(skipped)
    account = sync.audit(details=1)
    assert (account["unmarked"], account["missing"]) == (1, 1)
    assert {row["number"]: row["why"] for row in account["details"]} == {
        posted["invoiceNumber"]: "posted but not marked",
        skipped["invoiceNumber"]: "missing in the ledger",
    }


@pytest.mark.parametrize(
    ("word", "unexplained", "waiting"),
    [
        (("", ""), 1, 0),
        (("Fault", "ledger_refused"), 1, 0),
        (("Skipped Over", "by_hand"), 1, 0),
        (("Pending Sync", ""), 0, 1),
    ],
)
def test_a_report_that_disagrees_with_the_books_is_unexplained(
    sync: Sync, word: tuple[str, str], unexplained: int, waiting: int
) -> None:
    sync.report(**{sync.eligible()[0]["invoiceNumber"]: word})
    account = sync.audit()
    assert (account["unexplained"], account["waiting"]) == (unexplained, waiting)


def test_the_last_report_has_the_last_word(sync: Sync) -> None:
    number = sync.eligible()[0]["invoiceNumber"]
    sync.report(**{number: ("Pending Sync", "")})
    sync.report()
    assert sync.audit()["waiting"] == 0


def test_a_document_of_no_invoice_is_unexplained_and_a_voided_one_is_not_live(sandbox: str, sync: Sync) -> None:
    sync.report()
    stray = sync.post(sync.eligible()[0], number="NOBODY-KNOWS")
    assert sync.audit()["unexplained"] == 1
    body = {"Id": stray, "SyncToken": "0"}
    answer = requests.post(
        f"{sync.books}/invoice", params={"operation": "void"}, json=body, headers=sync.headers, timeout=5
    )
    assert answer.status_code == 200, answer.text
    assert sync.audit()["unexplained"] == 0


def test_voided_in_autotask_and_outside_the_window_are_not_counted(sandbox: str, sync: Sync) -> None:
    requests.post(
        f"{sandbox}/control/actions/{sync.seeded['ci']}/void", json={"invoice": sync.invoices[0]["id"]}, timeout=5
    )
    assert sync.audit()["seen"] == 21
    assert sync.audit(window_start="2099-01-01")["seen"] == 0
