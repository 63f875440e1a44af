"""The two simulated ledgers of the casebook's stories: what people do in them, and what the stories read there.

Not here: the stories (stories.toml) and what Autotask does (stories.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.settings import InitialStatus
from domain.taxmap import TaxEntry, TaxMap
from sandbox.qbo import currencies, lists, preferences, writes
from sandbox.qbo import ledger as qbo_ledger
from sandbox.world import World
from sandbox.xero import contacts, documents, forms, payments
from sandbox.xero import ledger as xero_ledger
from sandbox.xero.elements import Call
from sandbox.xero.lists import account_keys
from tests.casebook.books import added
from tests.casebook.sides import CODES, RECEIVABLE, QuickBooksSide, Side, XeroSide, journal

EURO_RATE = "1.08"
"""QuickBooks': units of home currency for one euro. Xero's is the other way about, and in the organisation's table."""
UNTAXED = {"uk": {("UK VAT", "Exempt"): "EXEMPTOUTPUT", ("UK VAT", "Outside"): "NONE"}}
"""Xero's tax types of what bears no tax, beside those of `CODES`."""


class StorySide(Side, Protocol):
    """One company of a ledger with something special. Documents are named by their number."""

    def prepare(self, *, euros: bool) -> None:
        """Accounts, customers and rates that stories name."""
        ...

    def choices(self) -> dict[str, Any]:
        """Settings that a person chooses in every such company."""
        ...

    def pay(self, number: str, amount: Decimal) -> None:
        """A customer pays a part; it goes to UND."""
        ...

    def put_class(self, number: str, name: str) -> None:
        """A person gives the document's lines a class, or what stands for it."""
        ...

    def close(self, through: date) -> None:
        """Close the books through a day."""
        ...

    def further(self, number: str) -> dict[str, Any]:
        """The document's customer, tax codes and classes, by line."""
        ...

    def journals(self, number: str) -> list[dict[str, Any]]:
        """Kind and journal of every document of this number."""
        ...


class QuickBooksStories(QuickBooksSide):
    def prepare(self, *, euros: bool) -> None:
        self.short |= {self.accounts["Deferred Revenue"]: "DEF", self.accounts["Undeposited Funds"]: "UND"}
        for name in ("Exempt School", *(("Porto Hotel",) if euros else ())):
            lists.seed(self.realm, "Customer", DisplayName=name)

    def rate(self, day: date) -> None:
        """What one euro is worth from this day on."""
        row = {"SourceCurrencyCode": "EUR", "Rate": Decimal(EURO_RATE), "AsOfDate": day.isoformat()}
        currencies.write_rate(self.realm, row)

    def choices(self) -> dict[str, Any]:
        return {"rounding_account": self.accounts["Rounding"]}

    def pay(self, number: str, amount: Decimal) -> None:
        [record] = self._records(number)
        link = {"Amount": amount, "LinkedTxn": [{"TxnId": record["id"], "TxnType": "Invoice"}]}
        body = {"CustomerRef": record["entity"]["CustomerRef"], "TotalAmt": amount, "Line": [link]}
        writes.perform(self.realm, writes.entity_named("Payment"), "create", body)

    def put_class(self, number: str, name: str) -> None:
        [record] = self._records(number)
        lines = [{**line} for line in record["entity"]["Line"]]
        reference = {"value": lists.seed(self.realm, "Class", Name=name)}
        for line in lines:
            if "SalesItemLineDetail" in line:
                line["SalesItemLineDetail"] = {**line["SalesItemLineDetail"], "ClassRef": reference}
        body = {**record["entity"], "Line": lines, "sparse": True}
        writes.perform(self.realm, writes.entity_named("Invoice"), "update", body)

    def close(self, through: date) -> None:
        preferences.change(self.realm, "AccountingInfoPrefs", BookCloseDate=through.isoformat())

    def further(self, number: str) -> dict[str, Any]:
        [entity] = [row["entity"] for row in self._records(number)]
        parent, _, name = str(entity["CustomerRef"]["name"]).rpartition(":")
        details = [line["SalesItemLineDetail"] for line in entity["Line"] if "SalesItemLineDetail" in line]
        codes = {row["id"]: row["entity"]["Name"] for row in self.realm.records("TaxCode")}
        return {
            "customer": f"under its parent: {name}" if parent else name,
            "codes": [codes[each["TaxCodeRef"]["value"]] for each in details],
            "classes": [each["ClassRef"]["name"] for each in details if "ClassRef" in each],
        }

    def journals(self, number: str) -> list[dict[str, Any]]:
        return [{"kind": row["kind"], "journal": journal(row["journal"], self.short)} for row in self._records(number)]

    def _records(self, number: str) -> list[dict[str, Any]]:
        return [row for kind in ("Invoice", "CreditMemo") for row in self.realm.records(kind)
                if row["entity"].get("DocNumber") == number]

    def found(self, number: str, today: date) -> dict[str, Any]:
        self._know_receivables()
        return super().found(number, today)

    def balances(self) -> dict[str, Decimal]:
        """The trial balance; receivables of every currency are one, in home units."""
        self._know_receivables()
        rows = qbo_ledger.trial_balance(self.realm)
        return added((self.short.get(row["id"], row["name"]), row["debit"] - row["credit"]) for row in rows)

    def _know_receivables(self) -> None:
        """A foreign currency gets a receivable account of its own when the first customer is kept in it."""
        for row in self.realm.records("Account"):
            if row["entity"]["Name"].startswith("Accounts Receivable"):
                self.short[row["id"]] = RECEIVABLE


class XeroStories(XeroSide):
    def __init__(self, world: World, tenant: str, region: str) -> None:
        super().__init__(world, tenant, region)
        owed = self.org.account(ident=self.accounts["Unearned Revenue"]) or {}
        entity = {**owed["entity"], "Code": "816", "Name": "Deferred Revenue"}
        entity.pop("AccountID")
        with world.store.transaction():
            deferred = self.org.insert("Account", entity, account_keys(entity))
        self.accounts["Deferred Revenue"] = deferred["id"]
        self.short |= {
            deferred["id"]: "DEF", self.accounts["Business Bank Account"]: "UND",
            self.accounts["Rounding Differences"]: "RND",
        }  # fmt: skip

    def prepare(self, *, euros: bool) -> None:
        for name in ("Exempt School", *(("Porto Hotel",) if euros else ())):
            contacts.store(self.org, {"Name": name}, creating=True)

    def rate(self, day: date) -> None:
        """The organisation has its own table."""

    def choices(self) -> dict[str, Any]:
        entries = tuple(TaxEntry(*pair, code) for pair, code in CODES[self.region].items())
        more = tuple(TaxEntry(*pair, code) for pair, code in UNTAXED.get(self.region, {}).items())
        return {
            "rounding_account": self.accounts["Rounding Differences"], "initial_status": InitialStatus.APPROVED,
            "tax_map": TaxMap((*entries, *more)),
        }

    def pay(self, number: str, amount: Decimal) -> None:
        [record] = self._records(number)
        paid = {"Invoice": {"InvoiceID": record["id"]}, "Account": {"Code": "090"}, "Amount": amount}
        payments.write(Call(self.org, "PUT", {}), paid)

    def put_class(self, number: str, name: str) -> None:
        """An option of the organisation's tracking category."""
        [record] = self._records(number)
        lines = [{**line, "Tracking": [{"Name": "Department", "Option": name}]}
                 for line in record["entity"]["LineItems"]]
        documents.store(Call(self.org, "POST", {}), forms.INVOICE, {"LineItems": lines}, record["id"])

    def close(self, through: date) -> None:
        self.org.keep(self.org.settings | {"period_lock": through.isoformat()})

    def further(self, number: str) -> dict[str, Any]:
        [entity] = [row["entity"] for row in self._records(number)]
        contact = self.org.record("Contact", entity["ContactID"]) or {}
        lines = entity["LineItems"]
        return {
            "customer": contact["entity"]["Name"], "codes": [line["TaxType"] for line in lines],
            "classes": [each["Option"] for line in lines for each in line.get("Tracking", ())],
        }

    def journals(self, number: str) -> list[dict[str, Any]]:
        return [{"kind": {"CreditNote": "CreditMemo"}.get(row["kind"], row["kind"]),
                 "journal": journal(row["journal"], self.short)} for row in self._records(number)]

    def balances(self) -> dict[str, Decimal]:
        """The trial balance; both accounts of cents are one."""
        rows = xero_ledger.trial_balance(self.org)
        return added((self.short.get(row["id"], row["name"]), row["debit"] - row["credit"]) for row in rows)

    def _records(self, number: str) -> list[dict[str, Any]]:
        return [*self._named("Invoice", number), *self._named("CreditNote", number)]

    def _named(self, kind: str, number: str) -> Iterator[dict[str, Any]]:
        return (row for row in self.org.records(kind) if row["entity"].get(f"{kind}Number") == number)
