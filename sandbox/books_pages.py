"""Plain pages of the simulated QuickBooks books: what a person sees after following "Open in QuickBooks".

Reading only. The figures come from ``qbo.ledger``; nothing is computed here beyond sums of what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, render_template, request

from sandbox.qbo import ledger
from sandbox.qbo.realm import Realm

PAGE = 50
SHOWN = 500
TITLES = {
    "Invoice": "Invoice",
    "CreditMemo": "Credit memo",
    "Payment": "Payment",
    "Bill": "Bill",
    "BillPayment": "Bill payment",
    "PurchaseOrder": "Purchase order",
}
DOCUMENTS = {kind.lower(): kind for kind in TITLES} | {"billpaymentcheck": "BillPayment"}
PARTIES = {"customer": "Customer", "vendor": "Vendor", "item": "Item"}
LISTS = (
    ("Customer", "customer"),
    ("Vendor", "vendor"),
    ("Item", "item"),
    ("Account", "account"),
    ("Term", ""),
    ("TaxCode", ""),
    ("Class", ""),
    ("Department", ""),
)


def blueprint(world: Any) -> Blueprint:
    """All pages under ``/books/<realm>``."""
    routes = Blueprint("books", __name__, url_prefix="/books/<realm_id>")

    def opened(realm_id: str) -> Realm:
        realm = Realm(world, realm_id)
        if not realm.exists:
            abort(404, "There is no such company in the sandbox.")
        return realm

    routes.add_url_rule("", "home", lambda realm_id: _home(opened(realm_id)))
    routes.add_url_rule("/lists", "lists", lambda realm_id: _lists(opened(realm_id)))
    routes.add_url_rule("/trial-balance", "trial_balance", lambda realm_id: _trial_balance(opened(realm_id)))
    routes.add_url_rule("/receivables", "receivables", lambda realm_id: _receivables(opened(realm_id)))
    routes.add_url_rule("/account/<ident>", "account", lambda realm_id, ident: _account(opened(realm_id), ident))
    routes.add_url_rule(
        "/<kind>/<ident>", "record", lambda realm_id, kind, ident: _record(opened(realm_id), kind, ident)
    )
    return routes


def _page(realm: Realm, template: str, **values: Any) -> str:
    custom = realm.preference("SalesFormsPrefs", "CustomTxnNumbers")
    company = {
        "name": realm.settings["name"],
        "currency": realm.currency,
        "facts": (
            ("Company id", realm.id),
            ("Country, currency", f"{realm.country}, {realm.currency}"),
            ("Sales tax", realm.settings["profile"]),
            ("Custom transaction numbers", "on" if custom else "off"),
            ("Closing date", realm.preference("AccountingInfoPrefs", "BookCloseDate") or "none"),
        ),
        "product": "QuickBooks Online",
        "apps": "/intuit/myapps",
        "apps_title": "My Apps",
    }
    return render_template(template, company=company, base=f"/books/{realm.id}", **values)


def _all_documents(realm: Realm) -> list[dict[str, Any]]:
    """Every transaction, newest first, deleted ones included."""
    found = [record for kind in TITLES for record in realm.records(kind)]
    found.sort(key=lambda record: (record["born"], int(record["id"])), reverse=True)
    return found


def _home(realm: Realm) -> str:
    wanted = request.args.get("q", "").strip()
    records = [record for record in _all_documents(realm) if _matches(record, wanted.casefold())]
    pages = max(1, -(-len(records) // PAGE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = [_row(record) for record in records[(page - 1) * PAGE : page * PAGE]]
    return _page(realm, "books_home.html", rows=shown, total=len(records), page=page, pages=pages, q=wanted)


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    """A document as the tables of `books_macros.html` show it."""
    entity, party = record["entity"], _party(record["entity"])
    state, tone = _state(record)
    return {
        "page": f"{record['kind'].lower()}/{record['id']}",
        "title": TITLES[record["kind"]],
        "number": entity.get("DocNumber") or "no number",
        "party": f"{'vendor' if 'VendorRef' in entity else 'customer'}/{party['value']}",
        "name": party["name"],
        "date": entity["TxnDate"],
        "due": entity.get("DueDate", ""),
        "total": entity["TotalAmt"],
        "open": entity.get("Balance") or 0,
        "currency": entity["CurrencyRef"]["value"],
        "state": state,
        "tone": tone,
    }


def _state(record: Mapping[str, Any]) -> tuple[str, str]:
    """What became of a document, and the colour of the word."""
    entity = record["entity"]
    if record["state"] != "live":
        return str(record["state"]).capitalize(), "bad"
    if entity.get("POStatus"):
        return entity["POStatus"], "good" if entity["POStatus"] == "Closed" else ""
    return ("Open", "") if entity.get("Balance") else ("Paid", "good")


def _matches(record: Mapping[str, Any], wanted: str) -> bool:
    entity = record["entity"]
    return wanted in str(entity.get("DocNumber") or "").casefold() or wanted in _party(entity)["name"].casefold()


def _party(entity: Mapping[str, Any]) -> dict[str, str]:
    party: dict[str, str] = entity.get("CustomerRef") or entity["VendorRef"]
    return party


def _found(realm: Realm, kind: str, ident: str) -> dict[str, Any]:
    record = realm.record(kind, ident)
    if record is None:
        abort(404, f"There is no {kind} {ident} in this company.")
    return record


def _record(realm: Realm, kind: str, ident: str) -> str:
    if kind in DOCUMENTS:
        return _document(realm, _found(realm, DOCUMENTS[kind], ident))
    if kind in PARTIES:
        return _list_record(realm, _found(realm, PARTIES[kind], ident))
    return abort(404, f"There are no pages for {kind}.")


def _document(realm: Realm, record: dict[str, Any]) -> str:
    entity = record["entity"]
    address = [value for name, value in (entity.get("BillAddr") or {}).items() if name != "Id"]
    tax = (entity.get("TxnTaxDetail") or {}).get("TotalTax", 0)
    return _page(
        realm,
        "books_document.html",
        record=record,
        row=_row(record),
        entity=entity,
        party=_party(entity),
        address=address,
        tax=tax,
        created=datetime.fromtimestamp(float(record["born"]), UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        lines=[shown for line in entity.get("Line", []) if (shown := _line(realm, line))],
        links=[link for link in _links(entity) if str(link.get("TxnType", "")).lower() in DOCUMENTS],
        journal=record["journal"],
        accounts={found["id"]: found["entity"]["FullyQualifiedName"] for found in realm.records("Account")},
    )


def _links(entity: Mapping[str, Any]) -> list[dict[str, Any]]:
    links = list(entity.get("LinkedTxn") or [])
    for line in entity.get("Line", []):
        links += line.get("LinkedTxn") or []
    return links


def _line(realm: Realm, line: Mapping[str, Any]) -> dict[str, Any] | None:
    """One row of the document's table; None for the server's subtotal and for lines that only link."""
    kind = line.get("DetailType")
    detail = line.get(str(kind)) or {}
    if kind in (None, "SubTotalLineDetail"):
        return None
    code = (detail.get("TaxCodeRef") or {}).get("value", "")
    found = realm.record("TaxCode", code) if code else None
    label = "Discount" if kind == "DiscountLineDetail" else (detail.get("AccountRef") or {}).get("name", "")
    return {
        "item": detail.get("ItemRef"),
        "label": label,
        "text": line.get("Description", ""),
        "quantity": detail.get("Qty", ""),
        "price": detail.get("UnitPrice", ""),
        "code": found["entity"]["Name"] if found else code,
        "amount": line.get("Amount"),
    }


def _list_record(realm: Realm, record: dict[str, Any]) -> str:
    entity = realm.present(record)
    names = (
        "Balance",
        "CompanyName",
        "CurrencyRef",
        "PrimaryEmailAddr",
        "PrimaryPhone",
        "BillAddr",
        "SalesTermRef",
        "Taxable",
        "Type",
        "Sku",
        "Description",
        "UnitPrice",
        "IncomeAccountRef",
        "ExpenseAccountRef",
        "ParentRef",
    )
    facts = [(name.removesuffix("Ref"), _words(entity[name])) for name in names if entity.get(name) not in (None, "")]
    heading = entity.get("FullyQualifiedName") or entity.get("DisplayName") or entity.get("Name")
    records = [found for found in _all_documents(realm) if _concerns(found, record["kind"], record["id"])]
    rows = [_row(found) for found in records[:SHOWN]]
    facts = [("Kind, id", f"{record['kind']}, {record['id']}"), *facts]
    ended = "Inactive" if entity.get("Active") is False else ""
    return _page(
        realm, "books_party.html", heading=heading, ended=ended, facts=facts, rows=rows
    )


def _words(value: Any) -> str:
    if isinstance(value, dict):
        if "value" in value:
            return str(value.get("name") or value["value"])
        return ", ".join(str(part) for name, part in value.items() if name != "Id")
    return str(value)


def _concerns(record: Mapping[str, Any], kind: str, ident: str) -> bool:
    entity = record["entity"]
    if kind in ("Customer", "Vendor"):
        return bool((entity.get(f"{kind}Ref") or {}).get("value") == ident)
    return any(
        ((line.get(str(line.get("DetailType"))) or {}).get("ItemRef") or {}).get("value") == ident
        for line in entity.get("Line", [])
    )


def _account(realm: Realm, ident: str) -> str:
    record = _found(realm, "Account", ident)
    entries = ledger.account_entries(realm, ident)
    rows = [{**entry, **_row(entry["document"])} for entry in entries[-SHOWN:]]
    entity = record["entity"]
    kind = f"{entity['AccountType']}, {entity['AccountSubType']}"
    heading = entity["FullyQualifiedName"]
    return _page(realm, "books_account.html", heading=heading, kind=kind, entries=rows, total=len(entries))


def _trial_balance(realm: Realm) -> str:
    rows = ledger.trial_balance(realm)
    sums = {side: sum((row[side] for row in rows), Decimal(0)) for side in ("debit", "credit")}
    return _page(realm, "books_trial_balance.html", rows=rows, **sums)


def _receivables(realm: Realm) -> str:
    rows = [{**_row({**found, "state": "live"}), "open": found["open"]} for found in ledger.receivables(realm)]
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        totals[row["currency"]] += row["open"]
    return _page(realm, "books_receivables.html", rows=rows, totals=totals)


def _lists(realm: Realm) -> str:
    lists = [(kind, [_list_row(record, page) for record in realm.records(kind)]) for kind, page in LISTS]
    return _page(realm, "books_lists.html", lists=lists, shown=SHOWN)


def _list_row(record: Mapping[str, Any], page: str) -> dict[str, Any]:
    entity = record["entity"]
    detail = entity.get("AccountType") or entity.get("Description") or entity.get("Sku") or ""
    name = entity.get("FullyQualifiedName") or entity.get("DisplayName") or entity.get("Name")
    return {"id": record["id"], "name": name, "detail": detail, "page": page}
