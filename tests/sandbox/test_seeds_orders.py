"""Generated purchase orders: one seed gives one set, every problem is there, a cure makes an order sound; the judge."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import requests

from sandbox import audit_orders
from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant
from sandbox.qbo import books
from sandbox.seeds import msp, order_problems
from sandbox.seeds.ledger import Ledger
from sandbox.seeds.order_problems import FURTHER, PROBLEMS
from sandbox.world import World, open_world
from tests.sandbox.qbo_client import Company


def generated(world: World, orders: int = 24, problems: int = 14, seed: int = 3, **more: Any) -> dict[str, Any]:
    many = {"switches": {"multi_currency": True}, "books": {"multicurrency": True}}
    return msp.generate(world, seed=seed, invoices=0, orders=orders, order_problems=problems, **{**many, **more})


def test_one_seed_gives_one_set_of_orders_and_another_another() -> None:
    def sums(seed: int) -> list[Decimal]:
        tenant = Tenant(world := open_world(), generated(world, seed=seed)["ci"])
        return [purchasing.total(tenant, row) for row in tenant.rows("PurchaseOrders")]

    assert sums(3) == sums(3) != sums(4)


def test_sound_orders_have_items_costs_and_vendors_in_several_currencies(sandbox_world: World) -> None:
    made = generated(sandbox_world, problems=0)
    tenant = Tenant(sandbox_world, made["ci"])
    rows = tenant.rows("PurchaseOrders")
    assert len(rows) == made["counts"]["orders"] == 24 and not made["planted_orders"]
    assert all(purchasing.total(tenant, row) > 0 for row in rows)
    assert {purchasing.currency_of(tenant, row) for row in rows} == {"USD", "EUR", "GBP"}


def test_every_problem_with_a_cure_is_planted_and_mended(sandbox_world: World) -> None:
    made = generated(sandbox_world)
    tenant = Tenant(sandbox_world, made["ci"])
    assert {one["problem"] for one in made["planted_orders"]} == {one.name for one in PROBLEMS}
    before = audit_orders.audit(sandbox_world, made["ci"], made["realm"])
    assert (before["orders"], before["eligible"]) == (39, 25)  # one problem needs a sound order beside it
    assert set(before["stopped"]) == {one.name for one in PROBLEMS}
    assert len(order_cure(sandbox_world, made, ["not a purchasable item"])) == 1
    cured = order_cure(sandbox_world, made)
    assert len(cured) == 13
    after = audit_orders.audit(sandbox_world, made["ci"], made["realm"])
    assert (after["orders"], after["eligible"], after["missing"]) == (39, 39, 39)
    names = {row["companyName"] for row in tenant.rows("Companies")}
    vendors = [tenant.row("Companies", row["vendorID"]) for row in tenant.rows("PurchaseOrders")]
    assert all(one is not None and one["companyName"] in names for one in vendors)


def order_cure(world: World, made: dict[str, Any], problems: list[str] | None = None) -> list[int]:
    return order_problems.cure(Tenant(world, made["ci"]), Ledger(world, made["realm"]), problems)


def test_further_problems_are_planted_when_asked(sandbox_world: World) -> None:
    made = generated(sandbox_world, problems=1, further_order_problems=True)
    assert {one["problem"] for one in made["planted_orders"]} == {PROBLEMS[0].name, *(one.name for one in FURTHER)}


def test_the_judge_pairs_documents_with_orders_and_counts(sandbox: str, sandbox_world: World) -> None:
    made = generated(sandbox_world, orders=3, problems=1)
    sandbox_world.limits.switch(on=False)
    at = Company(sandbox_world, sandbox, made["realm"])
    tenant = Tenant(sandbox_world, made["ci"])
    first, second, _third, faulty = tenant.rows("PurchaseOrders")

    def post(order: dict[str, Any], amount: str, **more: Any) -> dict[str, Any]:
        vendor = at.query("SELECT * FROM Vendor WHERE DisplayName = 'Alder Components'")["Vendor"][0]
        line = {"Amount": Decimal(amount), "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": at.account("Freight")}}  # fmt: skip
        note = f"Autotask purchase order {order['purchaseOrderNumber']} ref:abc"
        return at.make("Bill", VendorRef={"value": vendor["Id"]}, PrivateNote=note, Line=[line], **more)

    post(first, str(purchasing.total(tenant, first)), DocNumber="V-1")
    tenant.save("PurchaseOrders", {**first, "externalPONumber": "BILL-1"})
    for _ in range(2):
        post(second, "1.00")
    post(faulty, "2.00")
    post({"purchaseOrderNumber": "PO99"}, "3.00")
    url = f"{sandbox}/control/audit/orders?ci={made['ci']}&realm={made['realm']}"
    judged = requests.get(url, timeout=20).json()
    assert (judged["bills"], judged["posted"], judged["missing"], judged["duplicates"]) == (4, 3, 1, 1)
    assert (judged["unmarked"], len(judged["strays"]), len(judged["wrong"])) == (2, 1, 3)
    assert len(books.purchases(sandbox_world, made["realm"])) == 5
