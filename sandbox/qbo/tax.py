"""What tax the simulated QuickBooks puts on a sales document.

Four models: ``none`` (sales tax off: whatever is sent is dropped), ``ast`` (US automated sales tax, lines TAX
or NON, an explicit total honoured or not), ``groups`` (older US companies: one rate group on the document) and ``vat``
(UK, AU, CA: a code per line, tax per rate). Source: Intuit, "Manage sales tax for US / non-US locales". Rounding per
rate over the document or per line is not documented and therefore a switch of the company.
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
            check_active(realm, code)
    elif code is not None and code not in PSEUDO:
        raise fault("6100", "The line TaxCode should be TAX or NON for US companies", "TaxCodeRef")


def check_active(realm: Realm, code: str) -> None:
    """Refuse a tax code that is inactive or has an inactive rate (2500), where the company's switch says so."""
    if not realm.switch("inactive_tax_refused"):
        return
    found = realm.record("TaxCode", code)
    if found is not None and found["entity"].get("Active") is False:
        raise bad_reference("TaxCode", code, "has been made inactive")
    for part in rates_of(realm, code):
        rate = realm.record("TaxRate", part.rate)
        if rate is not None and rate["entity"].get("Active") is False:
            raise bad_reference("TaxRate", part.rate, "has been made inactive")


def compute(
    realm: Realm,
    lines: Sequence[Taxed],
    body: Mapping[str, Any],
    customer: Mapping[str, Any],
    *,
    purchases: bool = False,
) -> TaxResult:
    """Tax of one document. ``body`` carries ``TxnTaxDetail`` and ``GlobalTaxCalculation`` as sent.

    ``purchases``: by the codes' rates on purchases instead of those on sales, where the model has codes on lines.
    """
    sent: Mapping[str, Any] = body.get("TxnTaxDetail") or {}
    model = realm.switch("tax_model")
    if model == "vat":
        return _vat(realm, lines, body.get("GlobalTaxCalculation"), sent, purchases=purchases)
    for line in lines:
        check_code(realm, line.code)
    if model == "none" or not realm.preference("TaxPrefs", "UsingSalesTax", False):
        return NO_TAX
    if model == "groups":
        return _grouped(realm, lines, sent, customer)
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
    code_ok = not realm.switch("total_tax_needs_code") or bool(sent.get("TxnTaxCodeRef"))
    explicit = _explicit(realm, sent) if code_ok else None
    if explicit is not None:
        total = explicit
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


def _explicit(realm: Realm, sent: Mapping[str, Any]) -> Decimal | None:
    """The amount that was sent, where this company books it as it is."""
    ignored = realm.world.faults.active("tax_ignored", "qbo", realm.id) is not None
    if sent.get("TotalTax") is None or not realm.switch("honours_total_tax") or ignored:
        return None
    total = money(number_of("TotalTax", sent["TotalTax"]))
    if total < 0:
        raise fault("6170", "TotalTax must not be negative", "TotalTax")
    return total


def _grouped(realm: Realm, lines: Sequence[Taxed], sent: Mapping[str, Any], customer: Mapping[str, Any]) -> TaxResult:
    """Older US companies: nothing without a group; with one, its rates on the taxed lines, or the amount that was
    sent, spread over the rates as they stand to each other."""
    group = str((sent.get("TxnTaxCodeRef") or {}).get("value") or "")
    if not group or group in PSEUDO:
        return TaxResult(Decimal(0), {"TotalTax": Decimal(0)})
    if realm.record("TaxCode", group) is None:
        raise bad_reference("TaxCode", group)
    check_active(realm, group)
    base = sum((line.net for line in lines if line.code == "TAX"), Decimal(0))
    if base:
        _too_many(lines)
    computed = {} if customer.get("Taxable") is False else _by_rate(realm, [Taxed(base, group)], inclusive=False)
    total = sum((amount for _, _, amount in computed.values()), Decimal(0))
    explicit = _explicit(realm, sent)
    if explicit is not None and explicit != total:
        parts = spread(explicit, [amount for _, _, amount in computed.values()])
        computed = {
            rate: (percent, net, part) for (rate, (percent, net, _)), part in zip(computed.items(), parts, strict=True)
        }
        total = explicit
    tax_lines = [_tax_line(rate, amount, percent, net) for rate, (percent, net, amount) in computed.items()]
    return TaxResult(total, {"TotalTax": total, "TxnTaxCodeRef": {"value": group}, "TaxLine": tax_lines})


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """The total in cents by weights; the last takes what rounding leaves. Without weights nothing is spread."""
    whole = sum(weights, Decimal(0))
    if not whole:
        return [Decimal(0) for _ in weights]
    parts = [money(total * weight / whole) for weight in weights[:-1]]
    return [*parts, total - sum(parts, Decimal(0))]


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


def _vat(
    realm: Realm, lines: Sequence[Taxed], mode: str | None, sent: Mapping[str, Any], *, purchases: bool
) -> TaxResult:
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
    groups = _by_rate(realm, lines, inclusive=mode == "TaxInclusive", purchases=purchases)
    if any(percent for percent, _, _ in groups.values()):
        _too_many(lines)
    total = sum((amount for _, _, amount in groups.values()), Decimal(0))
    if realm.switch("non_us_total_tax") and sent.get("TotalTax") is not None:
        total = money(number_of("TotalTax", sent["TotalTax"]))
    tax_lines = [_tax_line(rate, amount, percent, base) for rate, (percent, base, amount) in groups.items()]
    return TaxResult(total, {"TotalTax": total, "TaxLine": tax_lines})


def _by_rate(
    realm: Realm, lines: Sequence[Taxed], *, inclusive: bool, purchases: bool = False
) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Per rate id: percent, base, tax. A tax-inclusive line's net is taken out of its gross amount. A rate on top of
    others has their unrounded tax in its base."""
    base: dict[str, Decimal] = defaultdict(Decimal)
    by_line: dict[str, Decimal] = defaultdict(Decimal)
    percents: dict[str, Decimal] = {}
    for line in lines:
        rates = rates_of(realm, str(line.code), "PurchaseTaxRateList" if purchases else "SalesTaxRateList")
        if inclusive and line.gross is not None:
            line.net = money(line.gross / (1 + sum((tax for _, tax in _taxes(Decimal(1), rates)), Decimal(0))))
        for part, (basis, tax) in zip(rates, _taxes(line.net, rates), strict=True):
            percents[part.rate] = part.percent
            base[part.rate] += basis
            by_line[part.rate] += money(tax)
    per_line = realm.switch("tax_rounding") == "line"
    return {
        rate: (percent, money(base[rate]), by_line[rate] if per_line else money(base[rate] * percent / 100))
        for rate, percent in percents.items()
    }


def _taxes(net: Decimal, rates: Sequence[Rate]) -> list[tuple[Decimal, Decimal]]:
    """(basis, tax) of each rate in their order, unrounded."""
    found: list[tuple[Decimal, Decimal]] = []
    for part in rates:
        before = sum((tax for _, tax in found), Decimal(0))
        bases = {"TaxOnAmount": net, "TaxOnAmountPlusTax": net + before, "TaxOnTax": before}
        basis = bases[part.applies_on]
        found.append((basis, basis * part.percent / 100))
    return found


@dataclass(frozen=True)
class Rate:
    """One rate of a tax code and what it applies on (Intuit's TaxTypeApplicableEnum)."""

    rate: str
    percent: Decimal
    applies_on: str


def rates_of(realm: Realm, code: str, listed: str = "SalesTaxRateList") -> list[Rate]:
    """The rates of a tax code on sales (or purchases) in their order; empty for a code without rates."""
    found = realm.record("TaxCode", code)
    if found is None:
        raise bad_reference("TaxCode", code)
    details = (found["entity"].get(listed) or {}).get("TaxRateDetail", [])
    rates = []
    for detail in sorted(details, key=lambda each: int(each.get("TaxOrder") or 0)):
        ident = detail["TaxRateRef"]["value"]
        rate = realm.record("TaxRate", ident)
        if rate is not None:
            percent = Decimal(str(rate["entity"]["RateValue"]))
            rates.append(Rate(ident, percent, detail.get("TaxTypeApplicable") or "TaxOnAmount"))
    return rates
