"""The lines of a document: quantities, prices, accounts, tax and tracking, and what the server works out itself.

``LineAmount = Quantity x UnitAmount x (100 - DiscountRate) / 100``, two decimals; tax per line, two decimals, then
summed. Lines of an update: one with a known ``LineItemID`` changes that line, one without is new, one that is not
listed is gone. Source: Xero, api/accounting/invoices and rounding-in-xero; fact sheet sections 2.4, 2.8 and 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.xero import items, lists, taxes, wire
from sandbox.xero.errors import Problems
from sandbox.xero.organisation import Organisation, r2

FOUR = Decimal("0.0001")
MOST = Decimal("9999999999.99")
MONEY = ("Quantity", "UnitAmount", "LineAmount", "TaxAmount", "DiscountRate")
SALES_TYPES = ("ACCREC", "ACCRECCREDIT")
Body = dict[str, Any]


@dataclass
class Lines:
    """What came of a document's lines. ``total`` is tax included, without a rounding amount."""

    lines: list[Body] = field(default_factory=list)
    tax: Decimal = Decimal("0.00")
    amounts: Decimal = Decimal("0.00")


@dataclass(frozen=True)
class Frame:
    """What a line must know of its document. ``final``: submitted or approved, so nothing may be missing."""

    type: str
    tax_mode: str
    decimals: int
    final: bool
    path: str

    @property
    def sales(self) -> bool:
        return self.type in SALES_TYPES


def build(org: Organisation, sent: Any, old: Sequence[Body], frame: Frame, problems: Problems) -> Lines:
    """Complete and check every line; what is wrong is added to ``problems``."""
    result = Lines()
    known = {str(line["LineItemID"]): line for line in old}
    rows = sent if isinstance(sent, list) else []
    if not rows:
        problems.add("One or more line items must be specified")
    for place, raw in enumerate(rows):
        before = known.get(str(raw.get("LineItemID", "")).lower())
        kept_price = before is not None and ("UnitAmount" not in raw or raw is before)
        priced = replace(frame, decimals=4) if kept_price else frame  # unitdp concerns what is sent
        line = _one(org, _merged(raw, before), priced, f"{frame.path}.LineItems[{place}]", problems)
        line["LineItemID"] = before["LineItemID"] if before else org.new_id("LineItem")
        result.lines.append(line)
        result.amounts += line.get("LineAmount", Decimal(0))
        result.tax += line.get("TaxAmount", Decimal(0))
    return result


def _merged(raw: Body, before: Body | None) -> Body:
    if before is None:
        return dict(raw)
    kept = dict(before)
    if any(name in raw for name in MONEY):
        kept = {name: value for name, value in kept.items() if name not in ("LineAmount", "TaxAmount")}
    if "TaxType" in raw or "AccountCode" in raw:
        kept.pop("TaxAmount", None)
    if "AccountCode" in raw:
        kept.pop("AccountID", None)
    return {**kept, **raw}


def _one(org: Organisation, raw: Body, frame: Frame, path: str, problems: Problems) -> Body:
    given = _filled_from_item(org, raw, frame, problems)
    line: Body = {}
    text = str(given.get("Description") or "")
    if len(text) > 4000:
        problems.add("Description cannot exceed 4000 characters.")  # inferred
    if text:
        line["Description"] = text
    if given.get("ItemCode"):
        line["ItemCode"] = str(given["ItemCode"])
    amounts = {name: wire.read_number(given[name], f"{path}.{name}") for name in MONEY if name in given}
    if not amounts and not given.get("AccountCode") and not given.get("AccountID"):
        if not text:
            problems.add("Description must be supplied")  # inferred
        return line  # a line of text alone is legal
    if frame.final and not text:
        problems.add("Description must be supplied")  # inferred
    _amount(org, line, amounts, frame, problems)
    _tax(line, org, given, amounts, frame, _account(org, line, given, frame, problems), problems)
    line["Tracking"] = _tracking(org, given.get("Tracking"), problems)
    return line


def _filled_from_item(org: Organisation, raw: Body, frame: Frame, problems: Problems) -> Body:
    """An item gives price, account, tax type and text, unless the line says otherwise."""
    code = str(raw.get("ItemCode") or "")
    if not code:
        return raw
    found = items.by_code(org, code)
    if not found:
        problems.add(f"Item code '{code}' is not valid")
        return raw
    entity = found[0]["entity"]
    details = entity.get("SalesDetails" if frame.sales else "PurchaseDetails", {})
    texts = entity.get("Description") if frame.sales else entity.get("PurchaseDescription")
    filled: Body = {"Description": texts or entity["Name"], **_renamed(details), **raw}
    if "LineAmount" in raw and "UnitAmount" not in raw:
        filled.pop("UnitAmount", None)
    return {**filled, "ItemCode": entity["Code"]}


def _renamed(details: Mapping[str, Any]) -> Body:
    names = {"UnitPrice": "UnitAmount", "AccountCode": "AccountCode", "TaxType": "TaxType"}
    return {names[name]: value for name, value in details.items() if name in names}


def _amount(org: Organisation, line: Body, sent: Mapping[str, Decimal], frame: Frame, problems: Problems) -> None:
    """Quantity, price and amount: two of them give the third, three of them must agree."""
    rate = sent.get("DiscountRate", Decimal(0))
    if rate and not frame.sales:
        problems.add("Discounts can only be applied to sales documents")  # inferred
        rate = Decimal(0)
    quantity, price, amount = sent.get("Quantity"), sent.get("UnitAmount"), sent.get("LineAmount")
    if quantity is not None:
        quantity = quantity.quantize(FOUR, ROUND_HALF_UP)
        if quantity < 0 and org.switch("negative_quantity_refused"):
            problems.add("Quantity must not be less than zero")
    if price is not None:
        price = taxes.price(price, frame.decimals)
    if price is None and amount is not None:
        quantity = Decimal(1) if quantity is None else quantity
        factor = quantity * (100 - rate) / 100
        price = taxes.price(amount / factor if factor else amount, frame.decimals)
    elif price is not None and quantity is None:
        quantity = (amount / price).quantize(FOUR, ROUND_HALF_UP) if amount is not None and price else Decimal(1)
    quantity, price = quantity if quantity is not None else Decimal(1), price if price is not None else Decimal(0)
    expected = r2(quantity * price * (100 - rate) / 100, org.switch("line_rounding"))
    if amount is not None and r2(amount) != expected:
        problems.add(f"The line total {amount:f} does not match the expected line total {expected:f}")
    if abs(expected) > MOST:
        problems.add(f"The line amount cannot exceed {MOST}")  # inferred
    line |= {"Quantity": quantity, "UnitAmount": price, "LineAmount": expected}
    if rate:
        line["DiscountRate"] = rate


def _account(
    org: Organisation, line: Body, given: Mapping[str, Any], frame: Frame, problems: Problems
) -> Mapping[str, Any] | None:
    """The account of a line: active, no bank account, no system account."""
    code, ident = given.get("AccountCode"), given.get("AccountID")
    if not code and not ident:
        if frame.final:
            problems.add("Account code must be specified")  # inferred
        return None
    found = org.account(str(code)) if code else org.account(ident=str(ident))
    label = code or ident
    if found is None:
        problems.add(f"Account code '{label}' is not a valid code for this document.")
        return None
    entity: Mapping[str, Any] = found["entity"]
    if entity["Status"] != "ACTIVE":
        problems.add(f"Account code '{label}' has been archived, or is not a valid code for this document.")
    elif entity["Type"] in ("BANK", "INVENTORY") or entity.get("SystemAccount"):
        problems.add(f"Account code '{label}' is not a valid code for this document.")
    line |= {"AccountCode": entity.get("Code", ""), "AccountID": found["id"]}
    return entity


def _tax(
    line: Body,
    org: Organisation,
    given: Mapping[str, Any],
    amounts: Mapping[str, Decimal],
    frame: Frame,
    account: Mapping[str, Any] | None,
    problems: Problems,
) -> None:
    """The tax type (the line's, else the account's) and the tax it makes; one that was sent stands."""
    kind = str(given.get("TaxType") or (account or {}).get("TaxType") or "NONE")
    if frame.tax_mode == "NoTax":
        line |= {"TaxType": "NONE", "TaxAmount": Decimal("0.00")}
        return
    wrong = taxes.problem(org, kind, account) if account else None
    rate = taxes.rate(org, kind)
    if wrong:
        problems.add(wrong)
    elif rate is None:
        problems.add(f"The TaxType code '{kind}' does not exist")  # inferred
    percent = Decimal(str(rate["EffectiveRate"])) if rate else Decimal(0)
    tax = amounts.get("TaxAmount")
    computed = taxes.of_line(line["LineAmount"], percent, frame.tax_mode)
    line |= {"TaxType": kind, "TaxAmount": computed if tax is None else r2(tax)}


def _tracking(org: Organisation, sent: Any, problems: Problems) -> list[Body]:
    rows = sent if isinstance(sent, list) else []
    found = []
    if len(rows) > lists.MOST_TRACKING:
        problems.add("A line item can have at most 2 tracking categories")  # inferred
    for row in rows:
        means = lists.tracking_of(org, row)
        if means is None:
            problems.add(f"Tracking option '{row.get('Option', '')}' could not be found")  # inferred
        else:
            found.append(means)
    return found


def present(line: Mapping[str, Any]) -> Body:
    """A line as an answer shows it."""
    return {
        **{name: wire.number(value) if name in MONEY else value for name, value in line.items()},
        "Tracking": line.get("Tracking", []),
        "ValidationErrors": [],
    }
