"""What tax the simulated QuickBooks puts on a sales document.

Three models: ``none`` (sales tax off: whatever is sent is dropped), ``ast`` (US automated sales tax, lines TAX
or NON, an explicit total honoured or not) and ``vat`` (UK, AU: a code per line, tax per rate). Source: Intuit,
"Manage sales tax for US / non-US locales". Rounding per rate over the document or per line is not documented
and therefore a switch of the company.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.qbo.errors import bad_reference, business, fault, required
from sandbox.qbo.fields import number_of
from sandbox.qbo.realm import Realm, money

MOST_TAXED_LINES = 750
PSEUDO = ("TAX", "NON")


@dataclass
class Taxed:
    """One sales line as the tax model sees it: net amount, code id or None, gross when sent tax-inclusive."""

    net: Decimal
    code: str | None
    gross: Decimal | None = None


@dataclass(frozen=True)
class TaxResult:
    """Total tax and the ``TxnTaxDetail`` to store (None: no such member)."""

    total: Decimal
    detail: dict[str, Any] | None


NO_TAX = TaxResult(Decimal(0), None)


def check_code(realm: Realm, code: str | None) -> None:
    """Refuse a line code the company's tax model does not have: 6100 (US) or 2500 (elsewhere)."""
    if realm.switch("tax_model") == "vat":
        if code is not None:
            found = realm.record("TaxCode", code)
            if found is None or code in PSEUDO:
                raise bad_reference("TaxCode", code)
            if found["entity"].get("Active") is False:
                raise bad_reference("TaxCode", code, "has been made inactive")
    elif code is not None and code not in PSEUDO:
        raise fault("6100", "The line TaxCode should be TAX or NON for US companies", "TaxCodeRef")


def compute(realm: Realm, lines: Sequence[Taxed], body: Mapping[str, Any], customer: Mapping[str, Any]) -> TaxResult:
    """Tax of one document. ``body`` carries ``TxnTaxDetail`` and ``GlobalTaxCalculation`` as sent."""
    sent: Mapping[str, Any] = body.get("TxnTaxDetail") or {}
    model = realm.switch("tax_model")
    if model == "vat":
        return _vat(realm, lines, body.get("GlobalTaxCalculation"), sent)
    for line in lines:
        check_code(realm, line.code)
    if model == "none" or not realm.preference("TaxPrefs", "UsingSalesTax", False):
        return NO_TAX
    if realm.preference("TaxPrefs", "PartnerTaxEnabled") is not True:
        return NO_TAX  # automated sales tax was never set up: nothing is computed and nothing is kept
    return _automated(realm, lines, sent, customer)


def _too_many(lines: Sequence[Taxed]) -> None:
    if len(lines) > MOST_TAXED_LINES:
        raise business(f"A taxable transaction can have at most {MOST_TAXED_LINES} lines; it has {len(lines)}.", "Line")


def _automated(realm: Realm, lines: Sequence[Taxed], sent: Mapping[str, Any], customer: Mapping[str, Any]) -> TaxResult:
    taxed = [line for line in lines if line.code == "TAX"]
    if taxed:
        _too_many(lines)
    base = sum((line.net for line in taxed), Decimal(0))
    explicit = sent.get("TotalTax")
    ignored = realm.world.faults.active("tax_ignored", "qbo", realm.id) is not None
    if explicit is not None and realm.switch("honours_total_tax") and not ignored:
        total = money(number_of("TotalTax", explicit))
        if total < 0:
            raise fault("6170", "TotalTax must not be negative", "TotalTax")
    elif customer.get("Taxable") is False:
        total = Decimal(0)
    else:
        total = money(base * Decimal(realm.switch("ast_rate")) / 100)
    detail: dict[str, Any] = {"TotalTax": total}
    if total:
        agency = realm.settings["ast_rate_id"]
        detail["TxnTaxCodeRef"] = {"value": realm.settings["ast_code_id"]}
        detail["TaxLine"] = [_tax_line(agency, total, Decimal(realm.switch("ast_rate")), base)]
    return TaxResult(total, detail)


def _tax_line(rate_id: str, amount: Decimal, percent: Decimal, base: Decimal) -> dict[str, Any]:
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate_id},
            "PercentBased": True,
            "TaxPercent": percent,
            "NetAmountTaxable": base,
        },
    }


def _vat(realm: Realm, lines: Sequence[Taxed], mode: str | None, sent: Mapping[str, Any]) -> TaxResult:
    if mode is None:
        if realm.switch("global_tax_required"):
            raise required("GlobalTaxCalculation")
        mode = "TaxExcluded"
    if mode == "NotApplicable":
        if sent.get("TotalTax") or sent.get("TaxLine"):
            raise fault("6170", "TxnTaxDetail cannot go with GlobalTaxCalculation NotApplicable", "TxnTaxDetail")
        return TaxResult(Decimal(0), None)
    for line in lines:
        if line.code is None:
            raise business("Make sure all your transactions have a VAT/GST rate before you save.", "TaxCodeRef")
        check_code(realm, line.code)
    groups = _by_rate(realm, lines, inclusive=mode == "TaxInclusive")
    if any(percent for percent, _, _ in groups.values()):
        _too_many(lines)
    total = sum((amount for _, _, amount in groups.values()), Decimal(0))
    if realm.switch("non_us_total_tax") and sent.get("TotalTax") is not None:
        total = money(number_of("TotalTax", sent["TotalTax"]))
    tax_lines = [_tax_line(rate, amount, percent, base) for rate, (percent, base, amount) in groups.items()]
    return TaxResult(total, {"TotalTax": total, "TaxLine": tax_lines})


def _by_rate(realm: Realm, lines: Sequence[Taxed], *, inclusive: bool) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Per rate id: percent, net base, tax. A tax-inclusive line's net is taken out of its gross amount."""
    base: dict[str, Decimal] = defaultdict(Decimal)
    by_line: dict[str, Decimal] = defaultdict(Decimal)
    percents: dict[str, Decimal] = {}
    for line in lines:
        rates = sales_rates(realm, str(line.code))
        if inclusive and line.gross is not None:
            line.net = money(line.gross / (1 + sum((percent for _, percent in rates), Decimal(0)) / 100))
        for rate, percent in rates:
            percents[rate] = percent
            base[rate] += line.net
            by_line[rate] += money(line.net * percent / 100)
    per_line = realm.switch("tax_rounding") == "line"
    return {
        rate: (percent, base[rate], by_line[rate] if per_line else money(base[rate] * percent / 100))
        for rate, percent in percents.items()
    }


def sales_rates(realm: Realm, code: str) -> list[tuple[str, Decimal]]:
    """(rate id, percent) of a tax code on sales; empty for a code without rates."""
    found = realm.record("TaxCode", code)
    if found is None:
        raise bad_reference("TaxCode", code)
    details = (found["entity"].get("SalesTaxRateList") or {}).get("TaxRateDetail", [])
    rates = []
    for detail in details:
        ident = detail["TaxRateRef"]["value"]
        rate = realm.record("TaxRate", ident)
        if rate is not None:
            rates.append((ident, Decimal(str(rate["entity"]["RateValue"]))))
    return rates
