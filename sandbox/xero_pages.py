"""Plain pages of the simulated Xero books: what a person sees after following "Open in Xero".

Reading only. The figures come from ``xero.ledger``; nothing is computed here beyond sums of what is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.xero import ledger, papers, wire
from sandbox.xero.forms import FORMS
from sandbox.xero.organisation import Organisation

PAGE, SHOWN = 50, 500
TITLES = {
    "ACCREC": "Invoice",
    "ACCPAY": "Bill",
    "ACCRECCREDIT": "Credit note",
    "ACCPAYCREDIT": "Supplier credit note",
    "": "Purchase order",
    "Payment": "Payment",
}
KINDS = {kind.lower(): kind for kind in FORMS}
LISTS = (
    ("Contact", lambda entity: entity.get("ContactNumber") or entity.get("EmailAddress") or ""),
    ("Item", lambda entity: entity["Code"]),
    ("Account", lambda entity: f"{entity.get('Code', '')} {entity['Type']} {entity['Status']}"),
    ("TaxRate", lambda entity: f"{entity['TaxType']} {entity['EffectiveRate']} % {entity['Status']}"),
    ("TrackingCategory", lambda entity: entity["Status"]),
    ("BrandingTheme", lambda entity: ""),
)


def blueprint(world: Any) -> Blueprint:
    """All pages under ``/xero-books/<tenant>``."""
    routes = Blueprint("xero_books", __name__, url_prefix="/xero-books/<tenant>")

    def opened(tenant: str) -> Organisation:
        org = Organisation(world, tenant.lower())
        if not org.exists:
            abort(404, "There is no such organisation in the sandbox.")
        return org

    routes.add_url_rule("", "home", lambda tenant: _home(opened(tenant)))
    routes.add_url_rule("/lists", "lists", lambda tenant: _lists(opened(tenant)))
    routes.add_url_rule("/trial-balance", "trial_balance", lambda tenant: _trial_balance(opened(tenant)))
    routes.add_url_rule("/receivables", "receivables", lambda tenant: _receivables(opened(tenant)))
    routes.add_url_rule("/account/<ident>", "account", lambda tenant, ident: _account(opened(tenant), ident))
    routes.add_url_rule("/contact/<ident>", "contact", lambda tenant, ident: _contact(opened(tenant), ident))
    routes.add_url_rule("/<kind>/<ident>", "record", lambda tenant, kind, ident: _record(world, tenant, kind, ident))
    return routes


def _page(org: Organisation, template: str, **values: Any) -> str:
    locks = [org.settings.get(name) or "none" for name in ("period_lock", "year_lock")]
    company = {
        "name": org.settings["name"],
        "currency": org.currency,
        "facts": (
            ("Tenant id", org.id),
            ("Country, currency", f"{org.settings['country']}, {org.currency}"),
            ("Profile", org.settings["profile"]),
            ("Lock dates (period, year)", ", ".join(locks)),
        ),
        "product": "Xero",
        "apps": "/xero-go",
        "apps_title": "Connected apps",
    }
    return render_template(template, company=company, base=f"/xero-books/{org.id}", **values)


def _rows(org: Organisation) -> list[dict[str, Any]]:
    """Every document, newest first, as the tables show it."""
    names = {found["id"]: found["entity"]["Name"] for found in org.records("Contact")}
    found = [record for kind in FORMS for record in org.records(kind)]
    found.sort(key=lambda record: (float(record["born"]), record["id"]), reverse=True)
    return [_row(record, names) for record in found]


def _row(record: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    entity = record["entity"]
    dead = entity["Status"] in ("VOIDED", "DELETED")
    return {
        "page": f"{record['kind'].lower()}/{record['id']}",
        "title": TITLES[entity.get("Type", "")],
        "number": entity.get(FORMS[record["kind"]].number) or "no number",
        "party": f"contact/{entity['ContactID']}",
        "name": names.get(entity["ContactID"], ""),
        "date": entity["Date"],
        "due": entity.get("DueDate", ""),
        "total": entity["Total"],
        "open": Decimal(0) if dead or record["kind"] == "PurchaseOrder" else ledger.remaining(dict(record)),
        "currency": entity["CurrencyCode"],
        "state": entity["Status"],
        "tone": "bad" if dead else "good" if entity["Status"] == "PAID" else "",
    }


def _home(org: Organisation) -> str:
    wanted = request.args.get("q", "").strip()
    rows = [row for row in _rows(org) if wanted.casefold() in f"{row['number']} {row['name']}".casefold()]
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = rows[(page - 1) * PAGE : page * PAGE]
    return _page(org, "books_home.html", rows=shown, total=len(rows), page=page, pages=pages, q=wanted)


def _record(world: Any, tenant: str, kind: str, ident: str) -> ResponseReturnValue:
    """A document of any kind."""
    org = Organisation(world, tenant.lower())
    record = org.record(KINDS[kind], ident) if org.exists and kind in KINDS else None
    if record is None:
        return abort(404, f"There is no {kind} {ident} in this organisation.")
    entity = record["entity"]
    contact = org.record("Contact", entity["ContactID"])
    return _page(
        org,
        "xero_books_document.html",
        record=record,
        entity=entity,
        row=_row(record, {entity["ContactID"]: contact["entity"]["Name"] if contact else ""}),
        created=f"{wire.moment(record['born']):%Y-%m-%d %H:%M:%S} UTC",
        journal=record["journal"],
        accounts={
            each["id"]: f"{each['entity'].get('Code', '')} {each['entity']['Name']}" for each in org.records("Account")
        },
        history=papers.history(org, record["kind"], record["id"]),
        files=record.get("attachments", []),
    )


def _contact(org: Organisation, ident: str) -> str:
    found = org.record("Contact", ident)
    if found is None:
        abort(404, "There is no such contact in this organisation.")
    entity = found["entity"]
    names = ("ContactNumber", "AccountNumber", "EmailAddress", "TaxNumber", "DefaultCurrency")
    facts = [("Contact id", found["id"]), *((name, entity[name]) for name in names if entity.get(name))]
    for address in entity.get("Addresses", []):
        parts = [text for name, text in address.items() if name != "AddressType" and text]
        facts.append((address["AddressType"], ", ".join(parts)))
    rows = [row for row in _rows(org) if row["party"] == f"contact/{found['id']}"]
    ended = "" if entity["ContactStatus"] == "ACTIVE" else entity["ContactStatus"]
    return _page(org, "books_party.html", heading=entity["Name"], ended=ended, facts=facts, rows=rows[:SHOWN])


def _account(org: Organisation, ident: str) -> str:
    found = org.account(ident=ident)
    if found is None:
        abort(404, "There is no such account in this organisation.")
    names = {each["id"]: each["entity"]["Name"] for each in org.records("Contact")}
    entries = ledger.account_entries(org, found["id"])
    rows = [
        {**entry, **_entry_words(entry["document"], names), "date": entry["document"]["entity"]["Date"]}
        for entry in entries[-SHOWN:]
    ]
    entity = found["entity"]
    kind = ", ".join(filter(None, (entity["Type"], entity["Status"], entity.get("SystemAccount"))))
    heading = f"{entity.get('Code', '')} {entity['Name']}"
    return _page(org, "books_account.html", heading=heading, kind=kind, entries=rows, total=len(entries))


def _entry_words(document: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    if document["kind"] != "Payment":
        return _row(document, names)
    target = document["entity"]["Target"]
    return {"page": f"{target['kind'].lower()}/{target['id']}", "title": "Payment", "number": "", "name": ""}


def _trial_balance(org: Organisation) -> str:
    rows = ledger.trial_balance(org)
    sums = {side: sum((row[side] for row in rows), Decimal(0)) for side in ("debit", "credit")}
    return _page(org, "books_trial_balance.html", rows=rows, **sums)


def _receivables(org: Organisation) -> str:
    names = {found["id"]: found["entity"]["Name"] for found in org.records("Contact")}
    rows, totals = [], defaultdict[str, Decimal](Decimal)
    for each in ledger.receivables(org):
        rows.append({**_row(each, names), "open": each["open"]})
        totals[each["entity"]["CurrencyCode"]] += each["open"]
    return _page(org, "books_receivables.html", rows=rows, totals=totals)


def _lists(org: Organisation) -> str:
    lists = []
    for kind, detail in LISTS:
        page = {"Contact": "contact", "Account": "account"}.get(kind, "")
        records = [
            {"id": each["id"], "name": each["entity"]["Name"], "detail": detail(each["entity"]), "page": page}
            for each in org.records(kind)
        ]
        lists.append((kind, records))
    return _page(org, "books_lists.html", lists=lists, shown=SHOWN)
