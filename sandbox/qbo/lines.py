"""The lines of a sales document: checked, completed as the server does, and split into what they post.

A line without an item is text only, whatever its amount. Quantity times price must give the amount to the
cent. The subtotal line is always the server's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.qbo.accounts import by_role
from sandbox.qbo.errors import business, fault, required
from sandbox.qbo.fields import clean
from sandbox.qbo.properties import SALES_LINE
from sandbox.qbo.realm import Realm, money
from sandbox.qbo.tax import Taxed

MOST_LINES = 10_000
_STEP = Decimal("0.00001")
DETAILS = (
    "SalesItemLineDetail",
    "DiscountLineDetail",
    "SubTotalLineDetail",
    "DescriptionLineDetail",
    "GroupLineDetail",
)


@dataclass
class SalesLines:
    """The outcome: lines as stored, their sum before tax, what tax sees, and income per account."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    subtotal: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    taxed: list[Taxed] = field(default_factory=list)
    income: list[tuple[str, Taxed]] = field(default_factory=list)
    discount_account: str | None = None

    @property
    def net(self) -> Decimal:
        return self.subtotal - self.discount


def build(realm: Realm, sent: Any, known_ids: set[str]) -> SalesLines:
    """Check and complete the lines of a request. ``known_ids``: line ids of the version being updated.

    Raises ``QboFault``: 2020 no lines, 2010, 2050, 2500, 6000, 6070, 6100 for the first line that does not fit.
    """
    if not isinstance(sent, list) or not sent:
        raise required("Line")
    if len(sent) > MOST_LINES:
        raise business(f"A transaction can have at most {MOST_LINES} lines.", "Line")
    result = SalesLines()
    fresh = max((int(ident) for ident in known_ids if ident.isdigit()), default=0)
    for raw in sent:
        if not isinstance(raw, dict):
            raise fault("2010", "Property Name:Line must hold objects", "Line")
        if raw.get("DetailType") in ("SubTotalLineDetail", "SubtotalLineDetail"):
            continue
        line = _one(realm, clean("Line", raw, SALES_LINE, realm.rules), result)
        if line.get("Id") not in known_ids:
            fresh += 1
            line["Id"] = str(fresh)
        line["LineNum"] = len(result.lines) + 1
        result.lines.append(line)
    result.lines.append({"Amount": result.subtotal, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}})
    return result


def _one(realm: Realm, line: dict[str, Any], result: SalesLines) -> dict[str, Any]:
    kind = line.get("DetailType") or next((name for name in DETAILS if line.get(name)), "SalesItemLineDetail")
    line = {name: value for name, value in line.items() if value is not None}
    if kind == "SalesItemLineDetail":
        return _sales_line(realm, line, result)
    if kind in ("DescriptionOnly", "DescriptionLineDetail"):
        return _text_line(line)
    if kind == "DiscountLineDetail":
        return _discount_line(realm, line, result)
    if kind == "GroupLineDetail":
        raise fault("500", "Operation on bundles is not supported by this simulator", "GroupLineDetail")
    raise fault("2170", f"DetailType {kind} is not known", "DetailType")


def _text_line(line: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: line[name] for name in ("Id", "Description") if name in line}
    return {**kept, "DetailType": "DescriptionOnly", "DescriptionLineDetail": {}}


def _sales_line(realm: Realm, line: dict[str, Any], result: SalesLines) -> dict[str, Any]:
    detail = dict(line.get("SalesItemLineDetail") or {})
    if not detail.get("ItemRef"):
        return _text_line(line)
    item = realm.resolve("Item", detail["ItemRef"])
    if item["Type"] == "Category":
        raise business("You can't use a category as a product or service on a transaction.", "ItemRef")
    if line.get("Amount") is None:
        raise required("Line.Amount")
    amount = money(line["Amount"])
    check_product(amount, detail)
    detail["ItemRef"] = {"value": detail["ItemRef"]["value"], "name": item["FullyQualifiedName"]}
    account = detail.get("ItemAccountRef") or item.get("IncomeAccountRef")
    if not account:
        raise business("You must specify an income account for this item.", "ItemRef")
    detail["ItemAccountRef"] = realm.ref("Account", account, inactive_ok=True)
    for name, target in (("ClassRef", "Class"), ("DepartmentRef", "Department")):
        if detail.get(name):
            detail[name] = realm.ref(target, detail[name])
    code = (detail.get("TaxCodeRef") or {}).get("value")
    if code is None and realm.switch("tax_model") != "vat":
        code = "NON"
        detail["TaxCodeRef"] = {"value": code}
    gross = detail.get("TaxInclusiveAmt") or None
    taxed = Taxed(amount, code, money(gross) if gross is not None else None)
    result.taxed.append(taxed)
    result.income.append((detail["ItemAccountRef"]["value"], taxed))
    result.subtotal += amount
    kept: dict[str, Any] = {name: line[name] for name in ("Id", "Description") if name in line}
    return {**kept, "Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}


def check_product(amount: Decimal, detail: dict[str, Any]) -> None:
    """Keep quantity and price at five decimals; refuse (6070) when their product is not the amount."""
    for name in ("Qty", "UnitPrice"):
        if detail.get(name) is not None:
            detail[name] = Decimal(detail[name]).quantize(_STEP, ROUND_HALF_UP).normalize() + 0
    quantity, price = detail.get("Qty"), detail.get("UnitPrice")
    if not quantity and not price:
        # Client libraries send both as 0 when they mean "not given"; the service drops them.
        detail.pop("Qty", None)
        detail.pop("UnitPrice", None)
    elif quantity is None or price is None:
        return
    elif money(quantity * price) != amount:
        raise fault("6070", f"Amount is not equal to UnitPrice * Qty. Supplied value:{amount}", "Amount")


def _discount_line(realm: Realm, line: dict[str, Any], result: SalesLines) -> dict[str, Any]:
    detail = dict(line.get("DiscountLineDetail") or {})
    if detail.get("PercentBased"):
        amount = money(result.subtotal * Decimal(detail.get("DiscountPercent") or 0) / 100)
    elif line.get("Amount") is None:
        raise required("Line.Amount")
    else:
        amount = money(line["Amount"])
    account = detail.get("DiscountAccountRef") or {"value": by_role(realm, "discount")}
    detail["DiscountAccountRef"] = realm.ref("Account", account)
    result.discount += amount
    result.discount_account = detail["DiscountAccountRef"]["value"]
    kept = {"Id": line["Id"]} if "Id" in line else {}
    return {**kept, "Amount": amount, "DetailType": "DiscountLineDetail", "DiscountLineDetail": detail}
