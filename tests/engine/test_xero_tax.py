"""Tax, rounding, tracking and currencies on Xero through the engine, judged by the organisation's own records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from domain.documents import SourceDocument, TaxRule
from domain.statuses import Status
from domain.taxmap import EVERY_CATEGORY, TaxEntry, TaxMap
from models import Step
from sandbox.server import World as Sandbox
from sandbox.xero import ledger as books
from sync import codec
from tests.connectors.xero_bench import XeroOrganisation
from tests.engine.test_xero import Bridge
from tests.engine.world import invoice, line
from tests.infra.database import Sessions

CODES = {"uk": ("OUTPUT2", Decimal("0.2")), "au": ("OUTPUT", Decimal("0.1")), "us": ("TAX001", Decimal("0.08"))}

Bridges = Callable[..., Bridge]


@pytest.fixture
def bridge(sessions: Sessions, sandbox_world: Sandbox, sandbox: str) -> Bridges:
    def make(region: str, **changes: Any) -> Bridge:
        """A company whose source taxes region 4 at the organisation's usual rate."""
        code, rate = CODES[region]
        entry = TaxEntry("Here", EVERY_CATEGORY, code, region_id="4")
        it = Bridge(
            sessions, XeroOrganisation(sandbox_world, sandbox, f"xero-{region}"),
            tax_map=codec.dump(TaxMap((entry,))), **changes,
        )  # fmt: skip
        it.world.source.lists = replace(
            it.world.source.lists, tax_regions={"4": "Here"},
            taxes=(TaxRule("Here", None, "Standard", rate, region_id="4"),),
        )
        return it

    return make


def taxed(id: str, total: str, tax: str, *amounts: str, **header: Any) -> SourceDocument:
    """A document of lines that are all taxed, each with its part of the tax."""
    part = str(Decimal(tax) / len(amounts))
    lines = tuple(line(f"{id}-{n}", amount, tax=part) for n, amount in enumerate(amounts, start=1))
    return invoice(id, total, tax=tax, lines=lines, tax_region="Here", tax_region_id="4", **header)


def entity(it: Bridge, kind: str, number: str) -> dict[str, Any]:
    [found] = [row["entity"] for row in it.at.org.records(kind) if row["entity"][f"{kind}Number"] == number]
    return dict(found)


def figures(it: Bridge, kind: str, number: str) -> tuple[Decimal, Decimal, Decimal]:
    held = entity(it, kind, number)
    return Decimal(str(held["SubTotal"])), Decimal(str(held["TotalTax"])), Decimal(str(held["Total"]))


def complete(it: Bridge) -> None:
    rows = it.sync()
    assert {row.status for row in rows.values()} == {Status.COMPLETE}, [row.reasons for row in rows.values()]


@pytest.mark.parametrize(
    ("region", "net", "tax", "total"),
    [("uk", "123.45", "24.69", "148.14"), ("au", "123.45", "12.35", "135.80"), ("us", "123.45", "9.88", "133.33")],
)
def test_a_taxed_invoice_and_its_credit_are_equal_to_the_cent(
    bridge: Bridges, region: str, net: str, tax: str, total: str
) -> None:
    it = bridge(region)
    it.world.source.put(taxed("1", total, tax, net), taxed("2", f"-{total}", f"-{tax}", f"-{net}"))
    complete(it)
    told = (Decimal(net), Decimal(tax), Decimal(total))
    assert figures(it, "Invoice", "AT-1") == figures(it, "CreditNote", "AT-2") == told
    [taken] = entity(it, "Invoice", "AT-1")["LineItems"]
    assert taken["TaxType"] == CODES[region][0]
    assert "RoundingAmount" not in entity(it, "Invoice", "AT-1")


def test_what_rounding_left_stands_beside_an_invoices_lines_and_on_a_line_of_a_credit(bridge: Bridges) -> None:
    """Two lines of 33.335: the source rounds their sum once, Xero each of them and the tax of each."""
    it = bridge("uk")
    it.world.source.put(
        taxed("1", "80.00", "13.33", "33.335", "33.335"), taxed("2", "-80.00", "-13.33", "-33.335", "-33.335")
    )
    complete(it)
    assert figures(it, "Invoice", "AT-1")[2] == figures(it, "CreditNote", "AT-2")[2] == Decimal("80.00")
    beside = Decimal(str(entity(it, "Invoice", "AT-1")["RoundingAmount"]))
    assert beside == Decimal("80.00") - sum(figures(it, "Invoice", "AT-1")[:2]) != 0
    assert len(entity(it, "Invoice", "AT-1")["LineItems"]) == 2
    *_, last = entity(it, "CreditNote", "AT-2")["LineItems"]
    assert (last["Description"].split(":")[0], Decimal(str(last["LineAmount"]))) == ("Rounding", beside)
    assert last["TaxType"] == "NONE"
    [rounded] = [row for row in books.trial_balance(it.at.org) if row["name"] == "Rounding"]
    assert Decimal(str(rounded["debit"])) - Decimal(str(rounded["credit"])) == -beside


def test_a_line_names_the_option_of_its_tracking_category(bridge: Bridges) -> None:
    it = bridge("uk", class_by="department")
    lists = it.world.source.lists
    codes = {key: replace(code, department_id="9") for key, code in lists.codes.items()}
    it.world.source.lists = replace(lists, codes=codes, departments={"9": "Service"})
    it.world.source.put(taxed("1", "120.00", "20.00", "100.00"))
    complete(it)
    [taken] = entity(it, "Invoice", "AT-1")["LineItems"]
    [tracked] = taken["Tracking"]
    assert (tracked["Name"], tracked["Option"]) == ("Department", "Service")


def in_euros(bridge: Bridges, home_price: str) -> Bridge:
    """An invoice of EUR 100.00 and 20.00 tax, posted; Autotask's rate follows from the price in pounds."""
    it = bridge("uk", rate_source="source")
    source = it.world.source
    source.put_party(replace(source.companies["175"], currency="EUR"))
    source.lists = replace(source.lists, home_currency="GBP", multi_currency=True)
    one = replace(line("1-1", "100.00", tax="20.00"), home_price=Decimal(home_price))
    source.put(invoice("1", "120.00", tax="20.00", lines=(one,), tax_region="Here", tax_region_id="4"))
    complete(it)
    return it


def test_a_foreign_invoice_keeps_its_currency_and_the_sources_rate(bridge: Bridges) -> None:
    it = in_euros(bridge, home_price="80.00")
    held = entity(it, "Invoice", "AT-1")
    assert (held["CurrencyCode"], Decimal(str(held["CurrencyRate"]))) == ("EUR", Decimal("1.25"))
    assert figures(it, "Invoice", "AT-1") == (Decimal(100), Decimal(20), Decimal(120))
    assert it.world.documents()["1"].currency == "EUR" and warned(it) == []


def test_what_xero_takes_and_finds_odd_is_shown_beside_the_document(bridge: Bridges) -> None:
    it = in_euros(bridge, home_price="10.00")
    assert warned(it) == ["Taken, with a warning: The currency rate is very different from the rate of the day."]


def warned(it: Bridge) -> list[str]:
    with it.world.sessions() as db:
        return list(db.scalars(select(Step.text).where(Step.name == "warned")))
