"""The ledger contract on the memory fake, on QuickBooks and on Xero (both over HTTP, on the sandbox)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from connectors.ledgers.base import Answer, Batch, Kind, Unknown
from connectors.ledgers.memory import MemoryCompany, MemoryLedger
from domain.documents import Draft, Reference
from sandbox import mailbox
from sandbox.qbo import books
from sandbox.qbo.realm import Realm
from sandbox.server import World
from tests.connectors.autotask_bench import utc_now
from tests.connectors.quickbooks_bench import QuickBooksCompany
from tests.connectors.xero_bench import XeroOrganisation
from tests.contract.ledger_contract import LedgerBench, LedgerContract


class MemoryBench(LedgerBench):
    def __init__(self) -> None:
        self.company = MemoryCompany(clock=utc_now)
        self.ledger: MemoryLedger = MemoryLedger(self.company)
        self.account = self.company.add(Kind.ACCOUNT, "Sales", type="Income").id

    def documents(self) -> list[tuple[str | None, Decimal]]:
        return [(one.number, one.total or Decimal(0)) for one in self.company.documents()]

    def mails(self) -> list[str]:
        return [address for _, address in self.company.mails]

    def files(self) -> list[tuple[str, str, bool]]:
        return self.company.files

    def send_and_lose_the_answer(self, batch: Batch) -> Answer:
        self.company.execute(batch)
        return Answer({member.short_id: Unknown("lost") for member in batch.members}, None, None)


class QuickBooksBench(LedgerBench):
    def __init__(self, world: World, base: str) -> None:
        self.at = QuickBooksCompany(world, base)
        self.ledger = self.at.ledger
        listed = self.at.ledger.lists([Kind.ACCOUNT]).records
        self.account = next(one.id for one in listed if one.details["type"] == "Income")

    def documents(self) -> list[tuple[str | None, Decimal]]:
        rows = books.documents(self.at.world, self.at.realm)
        return [(row.get("DocNumber"), Decimal(str(row["total"]))) for row in rows if row["live"]]

    def mails(self) -> list[str]:
        return [address for mail in mailbox.messages(self.at.world) for address in mail["to"]]

    def files(self) -> list[tuple[str, str, bool]]:
        found = []
        for row in Realm(self.at.world, self.at.realm).records("Attachable"):
            [link] = row["entity"]["AttachableRef"]
            found.append((link["EntityRef"]["value"], row["entity"]["FileName"], link["IncludeOnSend"]))
        return found

    def send_and_lose_the_answer(self, batch: Batch) -> Answer:
        self.at.world.faults.plan("response_lost", "qbo", "batch")
        return self.ledger.send(batch)


class XeroBench(LedgerBench):
    unknown_id = "00000000-0000-4000-8000-000000000999"

    def __init__(self, world: World, base: str) -> None:
        self.at = XeroOrganisation(world, base)
        self.ledger = self.at.ledger
        listed = self.at.ledger.lists([Kind.ACCOUNT]).records
        self.account = next(one.id for one in listed if one.details["type"] == "Income")

    def refusable(self, customer: str, item: str, number: str) -> Draft:
        """An unknown contact would refuse the whole call, so it is the account that Xero does not know."""
        draft = self.invoice(customer, item, number)
        nowhere = Reference("account", self.unknown_id, "Nowhere", self.unknown_id)
        return replace(draft, lines=tuple(replace(line, account=nowhere) for line in draft.lines))

    def documents(self) -> list[tuple[str | None, Decimal]]:
        return self.at.documents()

    def mails(self) -> list[str]:
        return [address for mail in mailbox.messages(self.at.world) for address in mail["to"]]

    def files(self) -> list[tuple[str, str, bool]]:
        rows = [row for kind in ("Invoice", "CreditNote") for row in self.at.org.records(kind)]
        return [
            (row["id"], file["FileName"], file["IncludeOnline"]) for row in rows for file in row.get("attachments", [])
        ]

    def send_and_lose_the_answer(self, batch: Batch) -> Answer:
        self.at.world.faults.plan("response_lost", "xero")
        return self.ledger.send(batch)


class TestXeroLedger(LedgerContract):
    @pytest.fixture
    def bench(self, sandbox_world: World, sandbox: str) -> LedgerBench:
        return XeroBench(sandbox_world, sandbox)


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def bench(self) -> LedgerBench:
        return MemoryBench()


class TestQuickBooksLedger(LedgerContract):
    @pytest.fixture
    def bench(self, sandbox_world: World, sandbox: str) -> LedgerBench:
        return QuickBooksBench(sandbox_world, sandbox)
