"""Tax: the ledger ends with the source's tax within the penny limit, or the document waits with both figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.documents import Party, SourceDocument, SourceHeader, SourceLine, TaxRule
from domain.known import Entry
from domain.matching import fold
from domain.money import round_money
from domain.pennies import rounding_limit
from domain.settings import TaxSource
from domain.taxes import TaxModel, TaxResult, TaxRules, choose_tax, exemption
from domain.taxmap import TaxEntry, TaxMap, confirm, fallen_together, proposal
from domain.taxrates import ledger_tax, source_rate

STANDARD = Entry("20", "20.0% S", True, {"rate": "20"})
REDUCED = Entry("5", "5.0% R", True, {"rate": "5"})
ZERO = Entry("0", "0.0% Z", True, {"rate": "0"})
EXEMPT = Entry("90", "Exempt", True, {"rate": "0"})
NO_VAT = Entry("91", "No VAT", True, {"rate": None})
TWO, THREE = Entry("2", "Two", True, {"rate": "2"}), Entry("3", "Three", True, {"rate": "3"})
# A federal 5 % with a provincial 9.975 % on top, as Quebec once had it; and a federal 5 % alone.
ON_TOP = Entry("7", "GST QST", True, {"rate": "15.47375", "components": "fed=5 prov=9.975+"})
FEDERAL = Entry("8", "GST", True, {"rate": "5", "components": "fed=5"})
CODES = {entry.id: entry for entry in (STANDARD, REDUCED, ZERO, EXEMPT, NO_VAT, TWO, THREE, ON_TOP, FEDERAL)}
MAP = TaxMap(
    tuple(TaxEntry("UK", category, code) for category, code in
          (("Standard", "20"), ("Reduced", "5"), ("Zero", "0"), ("2", "2"), ("3", "3"), ("On top", "7"), ("Fed", "8"))),
    zero_rated="0", exempt="90", out_of_scope="91",
)
AUTOTASK = (
    TaxRule("UK", "Standard", "VAT", Decimal("0.2")), TaxRule("UK", "Zero", "0.0% Z", Decimal(0)),
)
BASE = TaxRules(TaxSource.SOURCE, TaxModel.CODE_PER_LINE, MAP, CODES, AUTOTASK)
US = replace(BASE, model=TaxModel.EXPLICIT_TOTAL, tax_map=TaxMap())
MODELS = tuple(TaxModel)
nets = st.lists(st.integers(-500_000, 500_000).map(lambda n: Decimal(n) / 100), min_size=1, max_size=8)
fine = st.lists(st.integers(1, 5_000_000).map(lambda n: Decimal(n) / 10_000), min_size=1, max_size=8)


def document(
    amounts: list[Decimal], tax: Decimal, region: str | None = "UK", *,
    categories: tuple[str | None, ...] = ("Standard",), taxed: bool = True, region_id: str | None = None,
) -> SourceDocument:
    lines = tuple(
        SourceLine(str(n), "Labor", "", "Work", Decimal(1), net, net, Decimal(1) if taxed else Decimal(0), "1",
                   tax_category=categories[n % len(categories)])
        for n, net in enumerate(amounts)
    )
    moment = dt.datetime(2026, 11, 13, tzinfo=dt.UTC)
    header = SourceHeader(
        "invoice", "1", "AT-1", "175", moment.date(), moment, None, sum(amounts, tax), tax, region, region_id,
    )
    return SourceDocument(header, lines)


def codes(result: TaxResult) -> list[str]:
    return [why.code for why in result.reasons]


def chosen(result: TaxResult) -> list[str | None]:
    return [reference.ledger_id if reference else None for reference in result.codes]


# ---- a code on every line -------------------------------------------------------------------------------------


@given(st.one_of(nets, fine), st.integers(-3, 3))
def test_the_codes_tax_meets_autotasks_within_the_limit_or_the_document_waits(
    amounts: list[Decimal], cents: int
) -> None:
    exact = round_money(sum((round_money(net, "GBP") for net in amounts), Decimal(0)) / 5, "GBP")
    charged = exact + Decimal(cents) / 100
    result = choose_tax(document(amounts, charged), "GBP", BASE)
    limit = rounding_limit("GBP", len(amounts), len(amounts))
    assert result.expected == exact
    assert codes(result) == ([] if abs(exact - charged) <= limit else ["tax_differs"])
    assert set(chosen(result)) == {"20"}
    assert not result.send_amount


def test_two_rates_on_one_document_never_mix() -> None:
    result = choose_tax(document([Decimal(100)] * 2, Decimal(5), categories=("2", "3")), "GBP", BASE)
    assert (result.expected, result.reasons, chosen(result)) == (Decimal(5), (), ["2", "3"])


@given(fine)
def test_components_are_rounded_once_per_rate_over_the_document(amounts: list[Decimal]) -> None:
    pairs = [((ON_TOP, FEDERAL)[n % 2], net) for n, net in enumerate(amounts)]
    federal = round_money(sum(amounts, Decimal(0)) * 5 / 100, "CAD")
    on_top = sum((net * Decimal("1.05") * Decimal("0.09975") for code, net in pairs if code is ON_TOP), Decimal(0))
    assert ledger_tax(pairs, "CAD") == federal + round_money(on_top, "CAD")


def test_a_compounded_tax_applies_on_what_stands_before_it() -> None:
    plain = [TaxRule("P", "G", "Federal", Decimal("0.05")), TaxRule("P", "G", "City", Decimal("0.01"))]
    top = [TaxRule("P", "G", "Local", Decimal("0.1"), True), TaxRule("P", "G", "Last", Decimal("0.02"), True)]
    assert source_rate(plain) == Decimal("0.06")
    assert source_rate(top[:1] + plain) == Decimal("1.06") * Decimal("1.1") - 1
    assert source_rate(plain + top) == Decimal("1.06") * Decimal("1.1") * Decimal("1.02") - 1


@pytest.mark.parametrize(("category", "party", "code"), [
    ("Zero", Party("175", "A"), "0"), ("Standard", Party("175", "A", tax_exempt=True), "90"),
    ("Standard", Party("175", "A"), "91"), (None, None, "91"),
])  # fmt: skip
def test_zero_rated_exempt_and_out_of_scope_are_three_codes(category: str, party: Party | None, code: str) -> None:
    free = document([Decimal(10)], Decimal(0), categories=(category,), taxed=False)
    result = choose_tax(free, "GBP", BASE, party)
    assert (chosen(result), result.reasons, result.expected) == ([code], (), 0)
    assert result.untaxed is not None
    assert result.untaxed.ledger_id == "91"


def test_a_line_of_nothing_keeps_the_code_of_its_category() -> None:
    free = document([Decimal("0.00"), Decimal(50)], Decimal(0), taxed=False)
    assert chosen(choose_tax(free, "GBP", BASE)) == ["20", "91"]


def test_before_there_is_a_map_the_one_untaxed_code_stands_for_all_and_without_one_it_waits() -> None:
    free = document([Decimal(10)], Decimal(0), "No tax", taxed=False)
    before = replace(BASE, tax_map=TaxMap(), untaxed_code="91")
    assert chosen(choose_tax(free, "GBP", before)) == ["91"]
    assert codes(choose_tax(free, "GBP", replace(before, untaxed_code=None))) == ["untaxed_code_missing"]
    partly = replace(before, tax_map=TaxMap(zero_rated="0"))
    assert codes(choose_tax(free, "GBP", partly)) == ["untaxed_code_missing"]


@pytest.mark.parametrize(("region", "region_id", "entry", "code"), [
    ("Atlantis", "9", None, "tax_unmapped"),
    ("UK", "4", TaxEntry("UK", "", "404", "Old", "4"), "tax_code_gone"),
    ("UK", "4", TaxEntry("UK", "Standard", "off", region_id="4"), "tax_code_inactive"),
    ("UK", "4", TaxEntry("UK", "", "dead", region_id="4"), "tax_rate_inactive"),
    ("New name", "4", TaxEntry("UK", "", "20", region_id="4"), "tax_region_renamed"),
    ("Old name", "4", TaxEntry("UK", "", "20", region_id="4", former=("Old name",)), None),
])  # fmt: skip
def test_what_is_wrong_with_the_map_is_found_before_posting(
    region: str, region_id: str, entry: TaxEntry | None, code: str | None
) -> None:
    more = {"off": Entry("off", "Off", False, {"rate": "20"}),
            "dead": Entry("dead", "Dead", True, {"rate": "20", "rate_active": False})}
    rules = replace(BASE, codes=CODES | more, tax_map=TaxMap((entry,) if entry else ()))
    result = choose_tax(document([Decimal(100)], Decimal(20), region, region_id=region_id), "GBP", rules)
    assert codes(result) == ([code] if code else [])


def test_confirming_a_renamed_region_keeps_its_former_names() -> None:
    kept = confirm(TaxEntry("B", "", "1", former=("A",)), TaxEntry("C", "", "2"))
    assert (kept.region, kept.code, kept.former) == ("C", "2", ("A", "B"))
    assert confirm(kept, TaxEntry("A", "", "2")).former == ("B", "C")


def test_a_code_is_proposed_by_an_equal_name_only_while_it_is_one_active_code() -> None:
    by_name = {fold(entry.name): (entry,) for entry in CODES.values()}
    assert proposal("UK", "Zero", AUTOTASK, by_name) is ZERO
    assert proposal("no vat", None, AUTOTASK, by_name) is NO_VAT
    assert proposal("UK", "Standard", AUTOTASK, by_name) is None
    assert proposal("No VAT", None, (), {"no vat": (NO_VAT, replace(NO_VAT, id="92"))}) is None


def test_untaxed_kinds_that_share_a_code_are_named() -> None:
    told = fallen_together(TaxMap(zero_rated="0", exempt="91", out_of_scope="91"), CODES)
    assert told == ["Exempt and out of scope sales share the code “No VAT”: they stand in one place on the return."]


# ---- lines are taxable or not ---------------------------------------------------------------------------------


@given(nets, st.integers(-10_000, 10_000).filter(bool))
def test_the_us_amount_travels_explicitly_whatever_it_is(amounts: list[Decimal], cents: int) -> None:
    tax = Decimal(cents) / 100
    result = choose_tax(document(amounts, tax), "USD", US)
    assert (result.send_amount, result.expected, result.reasons) == (True, tax, ())
    nothing_taxed = document(amounts, tax, taxed=False)
    assert codes(choose_tax(nothing_taxed, "USD", US)) == ["tax_without_line"]
    for model, code in ((TaxModel.NONE, "tax_off"), (TaxModel.NOT_SET_UP, "tax_not_set_up")):
        assert codes(choose_tax(document(amounts, tax), "USD", replace(US, model=model))) == [code]


@pytest.mark.parametrize(("charged", "expected"), [("41.25", ["tax_estimate_differs"]), ("40.01", []), ("40.00", [])])
def test_where_the_ledger_computes_the_maps_rate_estimates_and_is_never_booked(
    charged: str, expected: list[str]
) -> None:
    rules = replace(US, source=TaxSource.LEDGER, tax_map=TaxMap((TaxEntry("NY", "", "8%"),)),
                    codes={"8%": Entry("8%", "NY", True, {"rate": "8"})})
    result = choose_tax(document([Decimal(500)], Decimal(charged), "NY"), "USD", rules)
    assert codes(result) == expected
    assert (result.send_amount, result.expected, result.estimate) == (False, Decimal(charged), Decimal("40.00"))
    blind = choose_tax(document([Decimal(500)], Decimal(charged), "NY"), "USD", replace(rules, tax_map=TaxMap()))
    assert (codes(blind), blind.estimate) == ([], None)


def test_an_older_us_company_gets_the_rate_group_along_with_the_amount() -> None:
    rules = replace(BASE, model=TaxModel.GROUP_AND_TOTAL)
    result = choose_tax(document([Decimal(100)], Decimal(20)), "USD", rules)
    assert result.group is not None
    assert (result.group.ledger_id, result.send_amount, result.reasons) == ("20", True, ())
    two = document([Decimal(100)] * 2, Decimal(5), categories=("2", "3"))
    assert codes(choose_tax(two, "USD", rules)) == ["tax_two_groups"]
    assert codes(choose_tax(document([Decimal(1)], Decimal(1), "X"), "USD", rules)) == ["tax_unmapped"]
    computed = choose_tax(document([Decimal(100)], Decimal("20.01")), "USD", replace(rules, source=TaxSource.LEDGER))
    assert (computed.send_amount, computed.expected, computed.ledger_taxed) == (False, Decimal(20), 1)


@given(nets, st.sampled_from(MODELS), st.booleans())
def test_none_from_us_sends_no_code_and_refuses_a_taxed_invoice(
    amounts: list[Decimal], model: TaxModel, taxed: bool
) -> None:
    rules = replace(BASE, source=TaxSource.NONE, model=model)
    result = choose_tax(document(amounts, Decimal(8) if taxed else Decimal(0), taxed=taxed), "USD", rules)
    assert set(chosen(result)) == {None}
    assert codes(result) == (["tax_none_charged"] if taxed else [])
    assert result.expected == 0


@pytest.mark.parametrize(("here", "there", "tax", "expected"), [
    (True, True, "0", "customer_exempt_here"), (False, False, "8", "customer_exempt_there"),
    (False, False, "0", None), (True, False, "0", None), (False, True, "8", None), (True, None, "8", None),
])  # fmt: skip
def test_exempt_on_one_side_only(here: bool, there: bool | None, tax: str, expected: str | None) -> None:
    party = Party("175", "Acme", tax_exempt=here)
    found = exemption(document([Decimal(100)], Decimal(tax), "NY", taxed=tax != "0"), party, there, "Acme", US)
    assert (found.code if found else None) == expected


def test_a_customer_exempt_in_the_ledger_whose_region_charges_tax_is_told_before_the_first_taxed_invoice() -> None:
    rules = replace(US, rules=(TaxRule("NY", "Goods", "State", Decimal("0.08")),))
    free = document([Decimal(100)], Decimal(0), "NY", taxed=False)
    found = exemption(free, Party("175", "Acme"), False, "Acme", rules)
    assert found is not None
    assert found.code == "customer_exempt_there"
    assert exemption(free, Party("175", "Acme"), False, "Acme", replace(rules, source=TaxSource.NONE)) is None


@pytest.mark.parametrize(("written", "tax"), [("a=5 b=10", "15"), ("a=5 b=10+", "15.5"), ("a=5 b=10*", "5.5")])
def test_a_component_applies_on_the_net_on_the_taxes_before_it_or_on_both(written: str, tax: str) -> None:
    code = Entry("1", "Code", True, {"rate": tax, "components": written})
    assert ledger_tax([(code, Decimal(100))], "CAD") == Decimal(tax)
