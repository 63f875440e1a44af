"""The source contract on the memory fake and on Autotask (over HTTP, on the sandbox)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.sources.autotask import AutotaskSource
from connectors.sources.memory import MemorySource
from domain.documents import Party, SourceDocument, SourceHeader, SourceLine
from sandbox.autotask import actions
from sandbox.server import World
from tests.connectors.autotask_bench import AutotaskTenant
from tests.contract.source_contract import NOW, SourceBench, SourceContract


class MemoryBench(SourceBench):
    def __init__(self) -> None:
        self.source: MemorySource = MemorySource()
        self._next = 100

    def party(self, name: str, email: str | None = None) -> str:
        self._next += 1
        self.source.put_party(Party(str(self._next), name, email))
        return str(self._next)

    def vendor(self, name: str, *, active: bool = True) -> str:
        self._next += 1
        self.source.put_party(Party(str(self._next), name, active=active))
        self.source.vendor_ids.add(str(self._next))
        return str(self._next)

    def invoice(
        self, party: str | None, lines: Sequence[tuple[str, str]], *, number: str | None, age: timedelta = timedelta()
    ) -> str:
        self._next += 1
        amounts = [(Decimal(quantity), Decimal(rate)) for quantity, rate in lines]
        items = tuple(
            SourceLine(f"{self._next}{place}", "Labor", "x", "x", quantity, rate, quantity * rate, Decimal(0), None)
            for place, (quantity, rate) in enumerate(amounts)
        )
        total = sum((item.extended_price for item in items), Decimal(0))
        created = NOW - age
        header = SourceHeader(
            "invoice", str(self._next), number, party, created.date(), created, None, total, Decimal(0)
        )
        self.source.put(SourceDocument(header, items))
        return str(self._next)

    def void(self, id: str) -> None:
        self.source.void(id)


class AutotaskBench(SourceBench):
    def __init__(self, world: World, base: str) -> None:
        self.at = AutotaskTenant(world, base)
        self.source: AutotaskSource = self.at.source()

    def party(self, name: str, email: str | None = None) -> str:
        return self.at.company(name, email)

    def vendor(self, name: str, *, active: bool = True) -> str:
        return self.at.company(name, companyType=self.at.tenant.pick("companyType", "Vendor"), isActive=active)

    def invoice(
        self, party: str | None, lines: Sequence[tuple[str, str]], *, number: str | None, age: timedelta = timedelta()
    ) -> str:
        return self.at.invoice(party, lines, number=number, at=NOW - age)

    def void(self, id: str) -> None:
        actions.void(self.at.tenant, int(id))


class TestMemorySource(SourceContract):
    @pytest.fixture
    def bench(self) -> SourceBench:
        return MemoryBench()


class TestAutotaskSource(SourceContract):
    @pytest.fixture
    def bench(self, sandbox_world: World, sandbox: str) -> SourceBench:
        return AutotaskBench(sandbox_world, sandbox)
