"""The generated provider: sound invoices add up, problems are all there, one seed gives one world."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.autotask import actions
from sandbox.autotask.tenants import Tenant
from sandbox.seeds import msp
from sandbox.seeds.problems import PROBLEMS
from sandbox.world import World, open_world


def tenant_of(world: World, region: str = "us", **options: object) -> Tenant:
    return Tenant(world, msp.generate(world, **{"seed": 3, "invoices": 20, "region": region, **options})["ci"])


@pytest.mark.parametrize("region", ["us", "uk", "au", "none"])
@pytest.mark.parametrize("four_decimals", [False, True])
def test_every_sound_invoice_adds_up(sandbox_world: World, region: str, four_decimals: bool) -> None:
    tenant = tenant_of(sandbox_world, region, switches={"four_decimals": four_decimals})
    kinds = set()
    for invoice in tenant.rows("Invoices"):
        items = tenant.rows("BillingItems", invoiceID=invoice["id"])
        net = sum((item["extendedPrice"] for item in items), Decimal(0))
        tax = sum((item["taxDollars"] for item in items), Decimal(0))
        assert actions.cents(net + tax) == invoice["invoiceTotal"] != 0
        assert tax == invoice["totalTaxValue"]
        kinds |= {tenant.label("billingItemType", item["billingItemType"]) for item in items}
    assert {"Labor", "Recurring Services", "Contract Block", "Milestone"} <= kinds
    totals = [invoice["invoiceTotal"] for invoice in tenant.rows("Invoices")]
    assert min(totals) < 0 < max(totals)
    taxed = any(invoice["totalTaxValue"] for invoice in tenant.rows("Invoices"))
    assert taxed is (region != "none")


def test_one_seed_gives_one_world_and_another_another() -> None:
    def sums(seed: int) -> list[Decimal]:
        return [row["invoiceTotal"] for row in tenant_of(open_world(), seed=seed).rows("Invoices")]

    assert sums(3) == sums(3) != sums(4)


def test_lines_of_a_sub_company_are_billed_to_its_parent(sandbox_world: World) -> None:
    tenant = tenant_of(sandbox_world, invoices=60)
    parents = {row["id"]: row.get("parentCompanyID") for row in tenant.rows("Companies")}
    below = [
        (row["companyID"], (tenant.row("Invoices", row["invoiceID"]) or {})["companyID"])
        for row in tenant.rows("BillingItems")
        if row.get("invoiceID") and parents[row["companyID"]] is not None
    ]
    assert below and all(parents[child] == billed for child, billed in below)


@pytest.mark.parametrize("region", ["us", "uk", "au"])
def test_every_problem_of_the_catalogue_is_planted(sandbox_world: World, region: str) -> None:
    result = msp.generate(sandbox_world, 1, 5, region, problems=True)
    wanted = {problem for problem, _, _ in PROBLEMS} - (set() if region == "us" else {"compound tax"})
    assert {row["problem"] for row in result["planted"]} == wanted
    tenant = Tenant(sandbox_world, result["ci"])
    assert all(tenant.row("Invoices", row["id"]) for row in result["planted"])


def test_known_customers_and_items_stand_in_the_books_already(sandbox_world: World) -> None:
    result = msp.generate(sandbox_world, 1, 5, known_customers=True)
    tenant = Tenant(sandbox_world, result["ci"])
    space = f"realm:{result['realm']}"
    names = {row["entity"]["DisplayName"] for row in sandbox_world.store.all(space, "Customer")}
    items = {row["entity"]["Name"] for row in sandbox_world.store.all(space, "Item")}
    assert {row["companyName"] for row in tenant.rows("Companies") if row["id"] != 0} <= names
    assert {row["name"] for row in tenant.rows("BillingCodes")} <= items


def test_a_taken_slug_and_an_unknown_region_are_refused(sandbox_world: World) -> None:
    msp.generate(sandbox_world, 1, 1)
    with pytest.raises(ValueError, match="already an Autotask tenant"):
        msp.generate(sandbox_world, 1, 1)
    with pytest.raises(ValueError, match="region"):
        msp.generate(sandbox_world, 1, 1, "mars")


def test_with_several_currencies_internal_amounts_differ(sandbox_world: World) -> None:
    tenant = tenant_of(sandbox_world, "uk", invoices=40, switches={"multi_currency": True})
    euro = next(row["id"] for row in tenant.rows("Currencies") if row["name"] == "EUR")
    foreign = {row["id"] for row in tenant.rows("Companies") if row["currencyID"] == euro}
    lines = [row for row in tenant.rows("BillingItems") if row["extendedPrice"]]
    differing = {row["companyID"] for row in lines if row["extendedPrice"] != row["internalCurrencyExtendedPrice"]}
    assert differing and differing <= foreign
