"""Who is billed, and in which currency (domain/catalogue/customers.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from connectors.ledgers.base import Kind
from connectors.ledgers.memory import Entry
from domain.documents import Party
from domain.settings import BillTo, SubCustomers
from tests.catalogue.stage import Case, Stage, invoice, line
from tests.engine.test_currencies import confirm

NAME = "Customer 175"


def _go(stage: Stage, *args: Any, **header: Any) -> None:
    stage.put(invoice("1", *args, **header))
    stage.sync()


def _there(name: str, kind: Kind = Kind.CUSTOMER, **details: str | bool | None) -> Callable[[Stage], None]:
    """The ledger has a record of this name before."""

    def provoke(stage: Stage) -> None:
        stage.books.add(kind, name, **details)
        _go(stage)

    return provoke


def _link(name: str) -> Callable[[Stage], None]:
    """*Link This*, to the ledger's customer of that name."""
    return lambda stage: stage.link("175", stage.entry(name).id)


def _active(*, wanted: bool) -> Callable[[Stage], None]:
    return lambda stage: stage.edit(NAME, active=wanted)


def _inactive(stage: Stage) -> None:
    stage.books.add(Kind.CUSTOMER, NAME)
    _active(wanted=False)(stage)
    _go(stage)


def _archived_number(stage: Stage) -> None:
    """A ledger whose customers bear our numbers; the one with this company's was archived under another name."""
    stage.ledger.capabilities = replace(stage.ledger.capabilities, party_numbers="AT-")
    stage.books.add(Kind.CUSTOMER, "Long gone", number="AT-175")
    stage.edit("Long gone", active=False)
    _go(stage)


def _is_vendor(stage: Stage) -> None:
    stage.books.add(Kind.VENDOR, NAME)
    _go(stage)


def _twice_in_source(stage: Stage) -> None:
    stage.world.source.put_party(Party("176", "CUSTOMER  175"))
    stage.put(invoice("1"), invoice("2", party="176"))
    stage.sync()


def _renamed(stage: Stage) -> None:
    """One of them is renamed in Autotask. A retry reads the company again, however lately it was read."""
    stage.world.source.put_party(Party("176", "Quite another one"))


def _foreign(party: str = "EUR", **kept: str) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        stage.world.source.put_party(Party("175", NAME, currency=party))
        stage.books.multi_currency = bool(kept)
        if kept:
            stage.books.add(Kind.CUSTOMER, NAME, **kept)
        _go(stage)

    return provoke


def _several_currencies(stage: Stage) -> None:
    stage.books.multi_currency = True
    stage.refresh()


def _home(stage: Stage, currency: str, *, multi: bool = False) -> None:
    stage.world.source.lists = replace(stage.world.source.lists, home_currency=currency, multi_currency=multi)


def _homes_differ(stage: Stage) -> None:
    _home(stage, "CAD")
    _go(stage)


def _homes_agree(stage: Stage) -> None:
    _home(stage, "USD")
    stage.refresh()


def _assumed(stage: Stage) -> None:
    stage.books.multi_currency = True
    _home(stage, "USD")
    _go(stage)


def _switched(stage: Stage) -> None:
    """Multicurrency was on in the ledger only, as a person confirmed; then it is switched on in Autotask too."""
    _assumed(stage)
    assert confirm(stage.world, "USD/USD+")
    _home(stage, "USD", multi=True)
    stage.refresh()
    stage.sync()


def _exempt_here(stage: Stage) -> None:
    stage.world.source.put_party(Party("175", NAME, tax_exempt=True))
    stage.books.add(Kind.CUSTOMER, NAME, taxable=True)
    _go(stage)


def _exempt_there(stage: Stage) -> None:
    stage.books.add(Kind.CUSTOMER, NAME, taxable=False)
    _go(stage, "108.25", tax="8.25")


def _linked_and_gone(survivor: str | None) -> Callable[[Stage], None]:
    """The linked customer is merged into another one, or deleted."""

    def provoke(stage: Stage) -> None:
        old: Entry = stage.entry(stage.books.add(Kind.CUSTOMER, "Customer of old").name)
        stage.put(invoice("1"))
        stage.read()
        stage.link("175", old.id)
        if survivor is not None:
            stage.books.add(Kind.CUSTOMER, survivor)
        stage.gone(old.id)
        stage.sync()

    return provoke


def _branch_elsewhere(stage: Stage) -> None:
    """All lines are for a branch, whose customer in the ledger stands alone."""
    stage.world.source.put_party(Party("180", "North branch", parent_id="175"))
    stage.books.add(Kind.CUSTOMER, NAME)
    stage.books.add(Kind.CUSTOMER, "North branch")
    _go(stage, lines=(replace(line("1-1", "100.00"), party_id="180"),))


def _new_and_link(stage: Stage) -> None:
    stage.link("175", stage.books.add(Kind.CUSTOMER, "The right one").id)
    stage.refresh()


CASES: dict[str, Case] = {
    "bill_to_unknown": Case(
        lambda s: _go(s, lines=(replace(line("1-1", "100.00"), party_id="999"),)),
        lambda s: s.world.source.put_party(Party("999", "A branch")), settings={"bill_to": BillTo.CHECK},
    ),
    "no_customer": Case(
        lambda s: _go(s, party=None), lambda s: s.choose(no_company_name="Counter sales"), on=("retry", "sync")),
    "customer_unreadable": Case(
        lambda s: _go(s, party="999"), lambda s: s.world.source.put_party(Party("999", "Hidden so far"))),
    "customer_similar": Case(_there("Customer 175, Ltd."), _link("Customer 175, Ltd.")),
    "customer_twice_in_source": Case(_twice_in_source, _renamed, ends=2),
    "customer_twice_in_ledger": Case(
        lambda s: (s.books.add(Kind.CUSTOMER, "CUSTOMER  175"), _there(NAME)(s)), _link(NAME)),
    "customer_inactive": Case(_inactive, _active(wanted=True)),
    "customer_number_held": Case(_archived_number, lambda s: s.link("175", None)),
    "customer_is_vendor": Case(
        _is_vendor, lambda s: s.books.rename(s.entry(NAME).id, f"{NAME} (V)")),
    "customer_currency": Case(_foreign(currency="USD"), lambda s: s.link("175", None)),
    "foreign_currency": Case(_foreign(), _several_currencies),
    "home_currencies_differ": Case(_homes_differ, _homes_agree),
    "currency_assumed": Case(_assumed, lambda s: confirm(s.world, "USD/USD+")),
    "currencies_switched": Case(_switched, lambda s: confirm(s.world, "USD+/USD+")),
    "customer_exempt_here": Case(_exempt_here, lambda s: s.edit(NAME, taxable=False)),
    "customer_exempt_there": Case(_exempt_there, lambda s: s.edit(NAME, taxable=True)),
    "customer_merged": Case(_linked_and_gone("Customer 175 Inc"), _link("Customer 175 Inc")),
    "sub_customer_unfit": Case(
        _branch_elsewhere, lambda s: s.edit("North branch", parent_id=s.entry(NAME).id),
        settings={"sub_customers": SubCustomers.ON},
    ),
    "link_gone": Case(_linked_and_gone(None), _new_and_link),
}
