"""What is wrong in the books or in the source, and what the checker then has to say."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from decimal import Decimal

from connectors.ledgers.base import Kind
from connectors.ledgers.memory import Entry
from domain.order_settings import Becomes, Freight
from domain.plan import marker
from sync.operations import CORRECT
from tests.simulation.planting import Planted, says
from tests.simulation.reading import ours
from tests.simulation.watcher import QUARANTINE
from tests.simulation.world import Tenant

# ---- the books --------------------------------------------------------------------------------------------------


@says("duplicates", "2 live documents")
def a_second_copy(world: Planted) -> None:
    tenant, _, entry = world.posted()
    world.second(tenant, entry)


@says("unfound", "stands twice, and the reconciliation does not say so")
def a_second_copy_that_the_reconciliation_did_not_find(world: Planted) -> None:
    a_second_copy(world)


def _late(world: Planted, tenant: Tenant, key: str) -> None:
    """A second copy whose bytes came after the quarantine, when its key was forgotten."""
    entry = ours(tenant)[key][0]
    tenant.books.checked_numbers = frozenset()
    first = tenant.books.made_by[entry.id].intended_at
    tenant.books.forgotten_at.append(first + 1)
    world.second(tenant, entry, at=first + QUARANTINE + 5)


@says("residual", "2 live documents")
def a_second_copy_that_nobody_can_exclude(world: Planted) -> None:
    tenant, key, _ = world.posted()
    _late(world, tenant, key)


@says("unfound", "stands twice, and the reconciliation does not say so")
def a_residual_copy_that_the_reconciliation_did_not_find(world: Planted) -> None:
    a_second_copy_that_nobody_can_exclude(world)


@says("residual", "stands again after it was taken out")
def the_residual_copy_of_what_was_taken_out(world: Planted) -> None:
    tenant, key, entry = world.posted()
    _late(world, tenant, key)
    entry.live = False


@says("duplicates", "2 records of one name")
def a_customer_made_twice(world: Planted) -> None:
    books = world.tenants[0].books
    customer = next(one for one in books.entries if one.kind is Kind.CUSTOMER)
    books.entries.append(replace(customer, id="90000"))


@says("wrong_company", "belongs to a document of another company")
def a_document_in_the_books_of_another_company(world: Planted) -> None:
    tenant, _, entry = world.posted()
    other = next(one for one in world.tenants if one is not tenant)
    other.books.entries.append(replace(entry, id="90000"))
    other.books.made_by["90000"] = tenant.books.made_by[entry.id]


@says("wrong_company", "booked for")
def a_document_of_another_customer(world: Planted) -> None:
    tenant, _, entry = world.posted()
    other = tenant.books.add(Kind.CUSTOMER, "Somebody Else")
    entry.body = {**entry.body, "party": other.id}


@says("I11", "the source says")
def another_total(world: Planted) -> None:
    world.more(world.posted()[2])


@says("I11", "the source says")
def another_total_of_an_order(world: Planted) -> None:
    world.more(world.posted("purchase_order")[2])


@says("lost", "not in the books; it stands as Complete")
def a_document_that_is_gone(world: Planted) -> None:
    tenant, _, entry = world.posted()
    tenant.books.entries.remove(entry)


@says("lost", "not in the books; it stands as never seen")
def a_document_that_nobody_read(world: Planted) -> None:
    tenant, key, entry = world.posted()
    tenant.books.entries.remove(entry)
    world.sql("UPDATE documents SET source_id = '77777' WHERE id = ?", world.document(tenant, key))


@says("lost", "waits for")
def a_re_issue_that_waits_without_saying_so(world: Planted) -> None:
    tenant, key, entry = world.posted()
    _, first, _ = next(found for found in world.all_posted() if found[0] is tenant and found[1] != key)
    tenant.books.entries.remove(entry)
    tenant.wanted[key].instead_of = first


@says("I02", "was posted although")
def a_document_that_must_not_be_posted(world: Planted) -> None:
    tenant, key, _ = world.posted()
    tenant.wanted[key].posts = False


@says("I20", "voided in the source and nobody was told")
def a_void_left_standing(world: Planted) -> None:
    tenant, key, _ = world.posted()
    tenant.wanted[key].voided = True


@says("I21", "is billed on")
def an_item_billed_twice(world: Planted) -> None:
    (_, _, one), (_, _, two) = itertools.islice(world.all_posted("invoice", "quickbooks"), 2)
    two.body = {**two.body, "lines": [{**two.body["lines"][0], "text": one.body["lines"][0]["text"]}]}


def _order(world: Planted, part: str) -> tuple[Tenant, str, Entry]:
    """An order in the books, by its id: what stands there is the whole of it, or a part."""
    tenant, key, entry = world.posted("purchase_order")
    one = tenant.wanted.pop(key)
    whose = (str(tenant.company_id), tenant.books.tenant, tenant.source.tenant, one.kind, one.id)
    old = marker(*whose, *([one.part] if one.part else []))
    one.part = part
    tenant.want(one)
    new = marker(*whose, *([part] if part else []))
    entry.body = {**entry.body, "marker": str(entry.body["marker"]).replace(old, new)}
    return tenant, one.id, entry


@says("I21", "are billed")
def more_billed_than_ordered(world: Planted) -> None:
    tenant, id, entry = _order(world, "V-1")
    entry.kind = Kind.BILL
    document = tenant.source.contents[id]
    lines = tuple(replace(one, quantity=one.quantity / 100) for one in document.lines)
    tenant.source.contents[id] = replace(document, lines=lines)


@says("I21", "has freight of 5000 on its bills")
def freight_billed_that_nobody_ordered(world: Planted) -> None:
    tenant, _, entry = _order(world, "V-1")
    tenant.purchases_of().becomes = Becomes.ORDER_AND_BILLS
    account = tenant.purchases_of().freight_account
    entry.kind = Kind.BILL
    goods = [one for one in entry.body["lines"] if one["item"] != account]
    freight = {**goods[0], "item": account, "amount": Decimal(5000)}
    entry.body = {**entry.body, "lines": [*goods, freight]}


@says("I21", "was written without its freight")
def an_order_without_its_freight(world: Planted) -> None:
    tenant, id, _ = _order(world, "")
    _freight_is(tenant, id, Decimal("12.34"))


@says("I21", "instead of 12.34")
def bills_without_the_freight_of_their_order(world: Planted) -> None:
    """Whoever books it on the first bill owes the whole of it."""
    tenant, id, _ = _order(world, "V-1")
    made = tenant.purchases_of()
    made.becomes, made.freight = Becomes.ON_RECEIPT, Freight.FIRST
    _freight_is(tenant, id, Decimal("12.34"))


def _freight_is(tenant: Tenant, id: str, amount: Decimal) -> None:
    document = tenant.source.contents[id]
    assert document.header.order is not None
    head = replace(document.header.order, freight=amount)
    tenant.source.contents[id] = replace(document, header=replace(document.header, order=head))


@says("foreign", "was typed in by somebody and is not as it was")
def a_document_of_somebody_else_changed(world: Planted) -> None:
    tenant, _, entry = world.posted()
    tenant.foreign[entry.id] = Decimal(5)


# ---- what corrects a closed month -------------------------------------------------------------------------------


def _corrected(world: Planted, *, times: int = 1) -> tuple[Tenant, str]:
    """A voided invoice of a closed month with the opposite document beside it."""
    tenant, key, entry = next(found for found in world.all_posted() if found[2].kind is Kind.INVOICE)
    one = tenant.wanted[key]
    one.voided = True
    ref = marker(str(tenant.company_id), tenant.books.tenant, tenant.source.tenant, one.kind, one.id, CORRECT)
    for _ in range(times):
        twin = world.second(tenant, entry)
        twin.kind, twin.id = Kind.CREDIT_MEMO, str(90_000 + len(tenant.books.entries))
        twin.body = {**entry.body, "marker": ref, "date": "2026-12-01"}
    return tenant, key


@says("duplicates", "is corrected 2 times")
def a_document_corrected_twice(world: Planted) -> None:
    _corrected(world, times=2)


@says("corrected", "0 of it are in the books")
def a_correction_of_nothing(world: Planted) -> None:
    tenant, key = _corrected(world)
    ours(tenant)[key][0].live = False


@says("corrected", "is corrected by")
def a_correction_of_another_amount(world: Planted) -> None:
    tenant, _ = _corrected(world)
    world.more(tenant.books.entries[-1])


@says("corrected", "is corrected on")
def a_correction_in_the_closed_month(world: Planted) -> None:
    tenant, _ = _corrected(world)
    entry = tenant.books.entries[-1]
    entry.body = {**entry.body, "date": "2026-11-01"}


# ---- marks, ERROR, to-dos ---------------------------------------------------------------------------------------


@says("I08", "is DONE, and the source has no mark")
def a_mark_that_is_missing(world: Planted) -> None:
    tenant, key, _ = world.posted()
    tenant.source.clear_mark("invoice", key)


@says("I08", "the ledger's number is not in the source")
def a_number_that_is_missing(world: Planted) -> None:
    tenant, key, _ = world.posted()
    tenant.books.own_numbers = False
    tenant.source._change(key, number=None)


@says("I08", "External P.O. Number is None")
def an_order_s_mark_that_is_missing(world: Planted) -> None:
    tenant, key, _ = world.posted("purchase_order")
    tenant.source.clear_mark("purchase_order", tenant.wanted[key].id)


@says("I08", "External P.O. Number is 4711")
def an_order_s_mark_that_is_another_s(world: Planted) -> None:
    tenant, key, _ = world.posted("purchase_order")
    tenant.source._mark_order(tenant.wanted[key].id, "4711")


def _errors_wanted(world: Planted, tenant: Tenant) -> None:
    for area in ("invoices", "orders"):
        world.sql("INSERT OR REPLACE INTO error_mark_states (company_id, area, wanted) VALUES (?, ?, 1)",
                  tenant.company_id, area)  # fmt: skip


@says("marks", "bears no ERROR at rest")
def an_error_mark_that_is_missing(world: Planted) -> None:
    tenant, key, _ = world.posted()
    _errors_wanted(world, tenant)
    world.sql("UPDATE documents SET status = 'Fault', ledger_id = NULL, number = NULL WHERE id = ?",
              world.document(tenant, key))  # fmt: skip


@says("marks", "bears no ERROR at rest")
def an_order_s_error_mark_that_is_missing(world: Planted) -> None:
    tenant, key, _ = world.posted("purchase_order")
    _errors_wanted(world, tenant)
    tenant.source._mark_order(tenant.wanted[key].id, None)
    world.sql("UPDATE OR REPLACE documents SET status = 'Fault', ledger_id = NULL, part = '' WHERE id = ?",
              world.document(tenant, key))  # fmt: skip


@says("marks", "bears ERROR at rest")
def an_error_mark_that_is_left(world: Planted) -> None:
    tenant, key, _ = world.posted()
    tenant.source.failed.add(key)


def _todo(world: Planted) -> str:
    marker, _ = world.one("SELECT marker, id FROM todos WHERE ended_at IS NULL AND problem IS NULL")
    return str(marker)


def _its_source(world: Planted, marker: str) -> tuple[Tenant, str]:
    return next((tenant, id) for tenant in world.tenants for id, one in tenant.source.todos.items()
                if one.text.startswith(marker) and one.completed_at is None)  # fmt: skip


@says("todos", ": 0 open in the source")
def a_to_do_that_is_missing(world: Planted) -> None:
    tenant, id = _its_source(world, _todo(world))
    del tenant.source.todos[id]


@says("todos", "was made twice")
def a_to_do_made_twice(world: Planted) -> None:
    tenant, id = _its_source(world, _todo(world))
    tenant.source.todos["90000"] = replace(tenant.source.todos[id], id="90000")


@says("todos", "1 open in the source, ended 2026")
def a_to_do_left_open(world: Planted) -> None:
    world.sql("UPDATE todos SET ended_at = '2026-11-20' WHERE marker = ?", _todo(world))


@says("todos", "tell of documents that are no Faults")
def a_to_do_about_what_is_no_fault(world: Planted) -> None:
    tenant, key, _ = world.posted()
    marker = _todo(world)
    ids = json.dumps([world.document(tenant, key)])
    world.sql("UPDATE todos SET documents = ? WHERE marker = ?", ids, marker)


@says("todos", "say nothing of")
def a_fault_without_a_to_do(world: Planted) -> None:
    world.sql("DELETE FROM todos WHERE marker = ?", _todo(world))
