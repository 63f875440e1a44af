"""What bills and purchase orders share: the vendor's side of a transaction and its item and account lines.

Source: Intuit, Bill and PurchaseOrder entity pages. Quantity times price must give the amount to the cent; an item
without an expense account cannot be bought; what is bought on an inventory item goes into stock.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.qbo import transactions
from sandbox.qbo.accounts import by_role
from sandbox.qbo.errors import business, fault, required
from sandbox.qbo.fields import clean
from sandbox.qbo.lines import MOST_LINES, check_product
from sandbox.qbo.properties import BILL_LINE
from sandbox.qbo.realm import Realm, money
from sandbox.qbo.tax import Taxed, check_code

Body = dict[str, Any]
DETAILS = ("ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail")
_POORER = {"PurchaseOrder": ("Simple Start", "Essentials"), "Bill": ("Simple Start",)}


@dataclass
class ExpenseLines:
    """Lines as stored; per line the account it posts to with its net amount; goods that go into stock by item."""

    lines: list[Body] = field(default_factory=list)
    booked: list[tuple[str, Taxed]] = field(default_factory=list)
    stock: dict[str, Decimal] = field(default_factory=dict)

    @property
    def taxed(self) -> list[Taxed]:
        return [part for _, part in self.booked]


def check_edition(realm: Realm, kind: str) -> None:
    """Refuse (5020) what the company's plan does not have: orders below Plus, bills below Essentials."""
    edition = str(realm.settings.get("sku", ""))
    if realm.switch("gates_by_edition") and edition.endswith(_POORER.get(kind, ())):
        raise fault("5020", f"You do not have permission to use {kind} in {edition}.")


def settle_vendor(realm: Realm, draft: Body, before: Mapping[str, Any]) -> Body:
    """Resolve the vendor, the header's references and the payable account's fitness; gives the vendor."""
    if not draft.get("VendorRef"):
        raise required("VendorRef")
    vendor = realm.resolve("Vendor", draft["VendorRef"], inactive_ok=draft["VendorRef"] == before.get("VendorRef"))
    draft["VendorRef"] = {"value": str(draft["VendorRef"]["value"]), "name": vendor["DisplayName"]}
    for name, target in (("DepartmentRef", "Department"), ("ClassRef", "Class"), ("SalesTermRef", "Term")):
        if draft.get(name):
            draft[name] = realm.ref(target, draft[name], inactive_ok=draft[name] == before.get(name))
    return vendor


def settle_payable(realm: Realm, draft: Body) -> None:
    """The payable account: of that type (6430) and in the document's currency."""
    code = draft["CurrencyRef"]["value"]
    account = draft.get("APAccountRef") or {"value": by_role(realm, "payable", code)}
    found = realm.resolve("Account", account)
    if found["AccountType"] != "Accounts Payable":
        raise fault("6430", "You must select an account of type Accounts Payable", "APAccountRef")
    if found["CurrencyRef"]["value"] != code:
        raise business("The payable account has another currency than the transaction.", "APAccountRef")
    draft["APAccountRef"] = realm.ref("Account", account)


def settle_due(realm: Realm, draft: Body, vendor: Mapping[str, Any]) -> None:
    """Terms of the document or of its vendor, and the due date that follows from them."""
    term = draft.get("SalesTermRef") or vendor.get("TermRef")
    if term:
        draft["SalesTermRef"] = realm.ref("Term", term, inactive_ok=True)
    if not draft.get("DueDate"):
        found = realm.resolve("Term", term, inactive_ok=True) if term else None
        draft["DueDate"] = transactions.due_date(realm, draft["TxnDate"], found)


def build(realm: Realm, sent: Any, known_ids: Collection[str]) -> ExpenseLines:
    """Check and complete the lines of a request. ``known_ids``: line ids of the version being updated."""
    if not isinstance(sent, list) or not sent:
        raise required("Line")
    if len(sent) > MOST_LINES:
        raise business(f"A transaction can have at most {MOST_LINES} lines.", "Line")
    result = ExpenseLines()
    fresh = max((int(ident) for ident in known_ids if ident.isdigit()), default=0)
    for raw in sent:
        line = {name: value for name, value in clean("Line", raw, BILL_LINE, realm.rules).items() if value is not None}
        kind = line.get("DetailType") or next((name for name in DETAILS if line.get(name)), None)
        if kind not in DETAILS or not line.get(kind):
            raise fault("6440", "A line needs an item or an account", "DetailType")
        if line.get("Amount") is None:
            raise required("Line.Amount")
        amount, detail = money(line["Amount"]), dict(line[kind])
        account = _account(realm, kind, detail, amount, result)
        _about(realm, detail)
        result.booked.append((account, Taxed(amount, (detail.get("TaxCodeRef") or {}).get("value"))))
        ident = str(line.get("Id") or "")
        if ident not in known_ids:
            fresh += 1
            ident = str(fresh)
        placed = {"Id": ident, "LineNum": len(result.lines) + 1, "Amount": amount, "DetailType": kind, kind: detail}
        result.lines.append({**line, **placed})
    return result


def _about(realm: Realm, detail: Body) -> None:
    """Customer, billing, class and tax code of one line."""
    if detail.get("BillableStatus") == "Billable":
        if not detail.get("CustomerRef"):
            raise fault("6310", "A billable line needs a customer", "CustomerRef")
        if not realm.preference("VendorAndPurchasesPrefs", "BillableExpenseTracking", False):
            raise fault("5030", "Billable expense tracking is not enabled", "BillableStatus")
    if detail.get("CustomerRef"):
        detail["CustomerRef"] = realm.ref("Customer", detail["CustomerRef"])
    if detail.get("ClassRef"):
        detail["ClassRef"] = realm.ref("Class", detail["ClassRef"])
    if detail.get("TaxCodeRef") is None and realm.switch("tax_model") != "vat":
        detail["TaxCodeRef"] = {"value": "NON"}
    check_code(realm, (detail.get("TaxCodeRef") or {}).get("value"))


def _account(realm: Realm, kind: str, detail: Body, amount: Decimal, result: ExpenseLines) -> str:
    """The account a line posts to; completes the names of its references."""
    if kind == "AccountBasedExpenseLineDetail":
        if not detail.get("AccountRef"):
            raise required("AccountRef")
        detail["AccountRef"] = realm.ref("Account", detail["AccountRef"])
        return str(detail["AccountRef"]["value"])
    if not detail.get("ItemRef"):
        raise required("ItemRef")
    item = realm.resolve("Item", detail["ItemRef"])
    if item["Type"] == "Category" or not item.get("ExpenseAccountRef"):
        raise business("The item on this line is not a purchasable item.", "ItemRef")
    detail["ItemRef"] = realm.ref("Item", detail["ItemRef"])
    check_product(amount, detail)
    if item["Type"] != "Inventory":
        return str(item["ExpenseAccountRef"]["value"])
    ident = str(detail["ItemRef"]["value"])
    result.stock[ident] = result.stock.get(ident, Decimal(0)) + Decimal(str(detail.get("Qty") or 0))
    return str(item["AssetAccountRef"]["value"])


def move_stock(realm: Realm, before: Mapping[str, Any], after: Mapping[str, Decimal]) -> None:
    """Bring the quantities on hand from what a document held to what it holds now."""
    for ident in {*before, *after}:
        change = after.get(ident, Decimal(0)) - Decimal(str(before.get(ident, 0)))
        found = realm.record("Item", ident)
        if found is not None and change:
            entity = dict(found["entity"])
            entity["QtyOnHand"] = Decimal(str(entity.get("QtyOnHand") or 0)) + change
            scope = str((entity.get("ParentRef") or {}).get("value", ""))
            active = entity.get("Active") is not False
            realm.replace(found, entity, {"name": f"{scope}/{entity['Name'].casefold()}" if active else None})
