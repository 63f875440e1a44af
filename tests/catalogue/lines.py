"""The number, items, texts and sums of the lines (domain/catalogue/lines.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

from connectors.ledgers.base import Kind
from domain.documents import Code
from domain.line_kinds import LONG_SERVICES
from domain.settings import (
    BlankText,
    LineRule,
    MissingItem,
    PennyPolicy,
    TrackBy,
)
from tests.catalogue.stage import Case, Stage, invoice, line
from tests.tools_pages.test_manual_copy import typed_by_hand

HOLD = {"missing_item": MissingItem.HOLD}
THIRDS = tuple(line(f"1-{n}", amount) for n, amount in enumerate(("33.334", "33.333", "33.333")))


def _go(stage: Stage, *args: Any, **header: Any) -> None:
    stage.put(invoice("1", *args, **header))
    stage.sync()


def _plain(stage: Stage) -> None:
    _go(stage)


def _repeats(stage: Stage) -> None:
    stage.put(invoice("1", number="AT-7"), invoice("2", number="AT-7"))
    stage.sync()


def _taken(stage: Stage) -> None:
    typed_by_hand(stage.world, "AT-1", "90.00")
    _go(stage)


def _renumber(stage: Stage) -> None:
    next(one for one in stage.books.documents() if one.number == "AT-1").number = "BY-HAND-1"


def _item(**details: str | bool | None) -> Callable[[Stage], None]:
    """The ledger has the billing code's item."""

    def provoke(stage: Stage) -> None:
        stage.books.add(Kind.ITEM, "LAB-1", **{"type": "Service", **details})
        _go(stage)

    return provoke


def _inactive_item(stage: Stage) -> None:
    stage.books.add(Kind.ITEM, "LAB-1", type="Service")
    stage.edit("LAB-1", active=False)
    _go(stage)


def _without_account(stage: Stage) -> None:
    stage.choose(created_item_account=None)
    _go(stage)


def _lines_on_accounts(stage: Stage) -> None:
    """A ledger whose lines name their account, and none is chosen."""
    stage.ledger.capabilities = replace(stage.ledger.capabilities, lines_on_accounts=True)
    _go(stage)


def _sales(stage: Stage) -> str:
    return stage.entry("Sales").id


def _item_with_account(stage: Stage) -> None:
    stage.books.add(Kind.ITEM, "LAB-1", type="Service", income_account_id=_sales(stage))


def _gone_account(stage: Stage) -> None:
    other = stage.books.add(Kind.ACCOUNT, "Old sales", type="Income").id
    stage.choose(created_item_account=other)
    stage.read()
    stage.gone(other)
    _go(stage)


def _edited_account(**details: Any) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        stage.edit("Sales", **details)
        _go(stage)

    return provoke


def _thirds(**settings: Any) -> Callable[[Stage], None]:
    def provoke(stage: Stage) -> None:
        stage.choose(**settings)
        _go(stage, "100.00", lines=THIRDS)

    return provoke


def _round_on(stage: Stage) -> None:
    stage.choose(penny_policy=PennyPolicy.LINE, rounding_account=_sales(stage))


def _remainder(stage: Stage) -> None:
    """Half a cent on one line: Autotask rounds its total down, the line rounds up."""
    _go(stage, "100.00", lines=(line("1-1", "100.005"),))


def _tracked(catalog: dict[str, Any], **settings: Any) -> Callable[[Stage], None]:
    """Classes and locations are on; billing codes have departments, lines a line of business."""

    def provoke(stage: Stage) -> None:
        stage.books.tracks = True
        stage.books.add(Kind.CLASS, "Projects")
        stage.books.add(Kind.LOCATION, "West")
        stage.books.add(Kind.LOCATION, "East")
        stage.world.source.lists = replace(stage.world.source.lists, **catalog)
        stage.choose(**settings)
        lines = tuple(replace(line(f"1-{n}", "50.00"), business_id=business) for n, business in ((1, "b1"), (2, "b2")))
        _go(stage, "100.00", lines=lines)

    return provoke


CODE = Code("1", "Remote support", "LAB-1", department_id="d1")
DEPARTMENTS = {"codes": {"1": CODE}, "departments": {"d1": "Service desk"}}
BUSINESSES = {"businesses": {"b1": "West", "b2": "East"}}


def _default(kind: str, name: str) -> Callable[[Stage], None]:
    return lambda stage: stage.choose(**{f"{kind}_default": stage.entry(name).id})


def _gone_default(stage: Stage) -> None:
    _tracked(DEPARTMENTS, class_by=TrackBy.DEPARTMENT, class_default="999")(stage)


def _themed(stage: Stage) -> None:
    """A ledger with branding themes, and the chosen one was deleted."""
    stage.ledger.capabilities = replace(stage.ledger.capabilities, themes=True)
    stage.choose(theme_default="999")
    _go(stage)


def _another_theme(stage: Stage) -> None:
    theme = stage.books.add(Kind.THEME, "Standard").id
    stage.refresh()
    stage.choose(theme_default=theme)


def _mapped_item(stage: Stage) -> None:
    stage.choose(line_map=(LineRule("1", "", item="999"),))
    _go(stage)


def _map_to_account(stage: Stage, kind: str = "") -> None:
    stage.choose(line_map=(LineRule("" if kind else "1", kind, account=_sales(stage)),))


def _prepaid(stage: Stage) -> None:
    _go(stage, lines=(replace(line("1-1", "100.00"), line_type="Block Purchase"),))


def _yearly(stage: Stage) -> None:
    _go(stage, lines=(replace(line("1-1", "100.00"), line_type="Recurring Services", months=12),))


def _deferred(stage: Stage) -> None:
    owed = stage.books.add(Kind.ACCOUNT, "Deferred revenue", type="Other Current Liability").id
    stage.choose(line_map=(LineRule("", LONG_SERVICES, account=owed),))


def _owed(stage: Stage) -> None:
    owed = stage.books.add(Kind.ACCOUNT, "Unearned revenue", type="Other Current Liability").id
    stage.choose(line_map=(LineRule("", "Block Purchases", account=owed),))


def _own_taken(stage: Stage) -> None:
    """All names of the item that would stand for the account book elsewhere."""
    for name in ("Sales", "Sales (Sales)", "Sales (Bookbridge)"):
        stage.books.add(Kind.ITEM, f"{name} ", type="Service", income_account_id="999")
    _map_to_account(stage)
    _go(stage)


def _own_free(stage: Stage) -> None:
    one = next(each for each in stage.books.entries if each.kind is Kind.ITEM and each.body["name"] == "Sales ")
    stage.books.rename(one.id, "Something else")


def _closed(stage: Stage) -> None:
    stage.books.closed_through = date(2026, 11, 13)
    _go(stage)


def _reopened(stage: Stage) -> None:
    stage.books.closed_through = None
    stage.refresh()


def _contradicted(stage: Stage) -> None:
    stage.books.own_numbers = False
    _go(stage)


def _switched_back(stage: Stage) -> None:
    stage.books.own_numbers = True
    stage.refresh()


CASES: dict[str, Case] = {
    "number_too_long": Case(lambda s: _go(s, number="N" * 40), lambda s: s.change(number="N-40")),
    "number_repeats": Case(
        _repeats, lambda s: s.change("2", number="AT-8"), subject="2", left=1, ends=2),
    "number_taken": Case(_taken, _renumber, left=1, ends=2),
    "no_billing_code": Case(
        lambda s: _go(s, code="99"), lambda s: s.change(lines=(line("1-1", "100.00"),))),
    "item_missing": Case(
        _plain, lambda s: s.books.add(Kind.ITEM, "LAB-1", type="Service"), on=("retry", "sync"), settings=HOLD),
    "item_inactive": Case(_inactive_item, lambda s: s.edit("LAB-1", active=True)),
    "item_unusable": Case(
        _item(type="Category"), lambda s: s.books.rename(s.entry("LAB-1").id, "A category")),
    "no_item_account": Case(_without_account, lambda s: s.choose(created_item_account=_sales(s))),
    "blank_text": Case(
        lambda s: _go(s, lines=(line("1-1", "100.00", text=""),)), lambda s: s.choose(blank_text=BlankText.NAME),
        settings={"blank_text": BlankText.HOLD},
    ),
    "remainder": Case(_remainder, lambda s: s.change(lines=(line("1-1", "100.00"),))),
    "remainder_stops": Case(_thirds(penny_policy=PennyPolicy.STOP), _round_on),
    "rounding_account_missing": Case(_thirds(), _round_on),
    "account_gone": Case(_gone_account, lambda s: s.choose(created_item_account=_sales(s))),
    "account_missing": Case(_lines_on_accounts, _item_with_account, settings=HOLD),
    "account_inactive": Case(_edited_account(active=False), lambda s: s.edit("Sales", active=True)),
    "account_unfit": Case(_edited_account(type="Bank"), lambda s: s.edit("Sales", type="Income")),
    "class_unmatched": Case(
        _tracked(DEPARTMENTS, class_by=TrackBy.DEPARTMENT), _default("class", "Projects")),
    "class_missing": Case(_tracked({}, class_by=TrackBy.DEPARTMENT), _default("class", "Projects")),
    "location_unmatched": Case(
        _tracked({"businesses": {"b1": "North", "b2": "North"}}, location_by=TrackBy.BUSINESS),
        _default("location", "West"),
    ),
    "location_mixed": Case(_tracked(BUSINESSES, location_by=TrackBy.BUSINESS), _default("location", "West")),
    "tracking_gone": Case(_gone_default, _default("class", "Projects")),
    "theme_gone": Case(_themed, _another_theme),
    "mapped_item_gone": Case(_mapped_item, lambda s: s.choose(line_map=())),
    "prepaid_account": Case(_prepaid, _owed),
    "long_service_account": Case(_yearly, _deferred),
    "own_item_taken": Case(_own_taken, _own_free),
    "closed_period": Case(_closed, _reopened),
    "numbering_contradicted": Case(_contradicted, _switched_back),
}
