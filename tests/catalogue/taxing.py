"""Tax that would not agree (domain/catalogue/tax.py)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connectors.ledgers.base import Kind
from domain.settings import LineDetail, TaxSource
from domain.taxes import TaxModel
from domain.taxmap import TaxEntry, TaxMap
from tests.catalogue.stage import Case, Stage, invoice, line

TAXED: dict[str, Any] = {"tax": "20.00", "tax_region": "UK", "tax_region_id": "4"}


def _model(model: TaxModel) -> Callable[[Stage], None]:
    """The ledger's sales tax is set up like this from now on."""

    def change(stage: Stage) -> None:
        stage.books.tax_model = model
        stage.refresh()

    return change


def _us(model: TaxModel = TaxModel.EXPLICIT_TOTAL, **settings: Any) -> Callable[[Stage], None]:
    """A taxed invoice into a company with this model."""

    def provoke(stage: Stage) -> None:
        stage.books.tax_model = model
        if settings:
            stage.choose(**settings)
        stage.put(invoice("1", "108.25", tax="8.25"))
        stage.sync()

    return provoke


def _codes(stage: Stage, **rates: str) -> dict[str, str]:
    """Tax codes of the ledger: name → id."""
    return {name: stage.books.add(Kind.TAX_CODE, name, rate=rate, components=f"{name}={rate}", rate_active=True).id
            for name, rate in rates.items()}


def _uk(
    *before: Callable[[Stage], None], region: str = "UK", code: str = "S20", tax: str = "20.00", mapped: bool = True
) -> Callable[[Stage], None]:
    """A code on every line; the map has an entry for the region. `before` goes wrong before the invoice is there."""

    def provoke(stage: Stage) -> None:
        stage.books.tax_model = TaxModel.CODE_PER_LINE
        ids = _codes(stage, S20="20", S19="19", Z="0")
        if mapped:
            _map(stage, ids.get(code, code), region=region)
        for each in before:
            each(stage)
        total = str(Decimal("100.00") + Decimal(tax))
        stage.put(invoice("1", total, **{**TAXED, "tax": tax}))
        stage.sync()

    return provoke


def _map(stage: Stage, code: str, *, region: str = "UK") -> None:
    """The tax map is confirmed."""
    stage.choose(tax_map=TaxMap((TaxEntry(region, "", code, code, "4"),)))


def _map_to(name: str) -> Callable[[Stage], None]:
    return lambda stage: _map(stage, stage.entry(name).id)


def _edited(**details: Any) -> Callable[[Stage], None]:
    """The code is edited in the ledger, and the lists are refreshed."""

    def change(stage: Stage) -> None:
        stage.edit("S20", **details)
        stage.refresh()

    return change


def _two_groups(stage: Stage) -> None:
    stage.books.tax_model = TaxModel.GROUP_AND_TOTAL
    ids = _codes(stage, S20="20", S19="19")
    _categories(stage, ids["S20"], ids["S19"])
    lines = tuple(replace(line(f"1-{n}", "50.00", tax="10.00"), tax_category=category)
                  for n, category in ((1, "Goods"), (2, "Work")))
    stage.put(invoice("1", "120.00", lines=lines, **TAXED))
    stage.sync()


def _categories(stage: Stage, goods: str, work: str) -> None:
    stage.choose(tax_map=TaxMap((TaxEntry("UK", "Goods", goods, "", "4"), TaxEntry("UK", "Work", work, "", "4"))))


def _one_group(stage: Stage) -> None:
    code = stage.entry("S20").id
    _categories(stage, code, code)


def _untaxed(stage: Stage) -> None:
    stage.books.tax_model = TaxModel.CODE_PER_LINE
    _codes(stage, Z="0")
    stage.put(invoice("1"))
    stage.sync()


def _estimate(stage: Stage) -> None:
    stage.choose(tax_source=TaxSource.LEDGER)
    _map(stage, _codes(stage, NY="8")["NY"])
    stage.put(invoice("1", "541.25", **{**TAXED, "tax": "41.25"}))
    stage.sync()


def _long(stage: Stage) -> None:
    stage.ledger.capabilities = replace(stage.ledger.capabilities, taxed_lines=1)
    lines = tuple(line(f"1-{n}", "50.00", tax="4.00") for n in (1, 2))
    stage.put(invoice("1", "108.00", tax="8.00", lines=lines))
    stage.sync()


def _without_line(stage: Stage) -> None:
    stage.put(invoice("1", "108.25", tax="8.25", lines=(line("1-1", "100.00"),)))
    stage.sync()


CASES: dict[str, Case] = {
    "tax_off": Case(_us(TaxModel.NONE), _model(TaxModel.EXPLICIT_TOTAL)),
    "tax_not_set_up": Case(_us(TaxModel.NOT_SET_UP), _model(TaxModel.EXPLICIT_TOTAL)),
    "tax_without_line": Case(
        _without_line, lambda s: s.change(lines=(line("1-1", "100.00", tax="8.25"),))),
    "tax_none_charged": Case(_us(tax_source=TaxSource.NONE), lambda s: s.choose(tax_source=TaxSource.SOURCE)),
    "tax_unmapped": Case(_uk(mapped=False), _map_to("S20")),
    "tax_region_renamed": Case(_uk(region="Great Britain"), _map_to("S20")),
    "tax_code_inactive": Case(_uk(_edited(active=False)), _edited(active=True)),
    "tax_rate_inactive": Case(_uk(_edited(rate_active=False)), _edited(rate_active=True)),
    "tax_code_gone": Case(_uk(code="999"), _map_to("S20")),
    "tax_two_groups": Case(_two_groups, _one_group),
    "untaxed_code_missing": Case(_untaxed, lambda s: s.choose(untaxed_code=s.entry("Z").id)),
    "tax_differs": Case(_uk(tax="19.00"), _map_to("S19")),
    "tax_estimate_differs": Case(_estimate, lambda s: s.choose(tax_source=TaxSource.SOURCE)),
    "too_many_taxed_lines": Case(_long, lambda s: s.choose(line_detail=LineDetail.ITEM)),
}
