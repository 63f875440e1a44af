"""The endpoints of the Accounting API the sandbox has, and what each does with a method.

Source: Xero's entity pages; which lists are paged, which filters they take: fact sheet section 2.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Request, Response, g

from sandbox.xero import contacts, documents, forms, items, lists, papers, payments, reading, shown, taxes, wire
from sandbox.xero.elements import Call, Element, Plural, read, write
from sandbox.xero.errors import Invalid, bad_data, method_not_allowed, not_found, validation
from sandbox.xero.forms import Form
from sandbox.xero.organisation import Organisation

Body = dict[str, Any]
Record = dict[str, Any]


@dataclass
class Asked:
    """One call: ``rest`` is the path below the endpoint, ``query`` the parameters by lower-case name."""

    org: Organisation
    method: str
    rest: list[str]
    query: dict[str, str]
    body: Callable[[], Any]
    request: Request

    @property
    def call(self) -> Call:
        return Call(self.org, self.method, self.query)

    @property
    def since(self) -> str | None:
        return self.request.headers.get("If-Modified-Since")


Endpoint = Callable[[Asked], Body | Response]


def answer(endpoint: Endpoint, asked: Asked) -> Response:
    """What the endpoint says, in its envelope."""
    try:
        told = endpoint(asked)
    except Invalid as problem:
        raise validation(
            [{**problem.echo, "ValidationErrors": [{"Message": text} for text in problem.messages]}]
        ) from None
    if isinstance(told, Response):
        return told
    g.entry.items = sum(len(value) for value in told.values() if isinstance(value, list))
    return wire.answer(wire.envelope(asked.org.now(), told))


def _nothing_changed(asked: Asked, records: list[Record]) -> Response | None:
    if asked.since and not records and asked.org.switch("not_modified_304"):
        return Response(b"", 304)
    return None


# Documents.

_FILTERS = (
    "Status", "Type", "Date", "DueDate", "Reference", "InvoiceNumber", "InvoiceID", "CreditNoteNumber", "CreditNoteID",
    "Contact.ContactID", "Contact.Name", "Contact.ContactNumber", "AmountDue", "AmountPaid", "Total", "CurrencyCode",
)  # fmt: skip


def _documents(form: Form, *, filters: bool = True) -> Endpoint:
    plural = Plural(form.envelope, form.id, lambda call, element: _write_document(call, form, element))

    def endpoint(asked: Asked) -> Body | Response:
        if len(asked.rest) > 1:
            return _below_document(asked, form)
        if asked.method == "GET":
            return _read_one(asked, form) if asked.rest else _list_documents(asked, form, filters)
        if asked.method == "DELETE" or (asked.method == "PUT" and asked.rest):
            raise method_not_allowed()
        sent = read(asked.body(), form.envelope)
        if asked.rest:
            record = documents.store(asked.call, form, sent[0], asked.rest[0])
            return {form.envelope: [shown.document(asked.org, record)]}
        return write(asked.call, plural, sent)

    return endpoint


def _write_document(call: Call, form: Form, element: Element) -> Body:
    return shown.document(call.org, documents.store(call, form, element))


def _found_document(asked: Asked, form: Form) -> Record:
    """By id, or by number. Raises 404."""
    found = asked.org.record(form.kind, asked.rest[0]) or documents.by_number(asked.org, form, asked.rest[0])
    if found is None or not reading.visible(asked.org, [found]):
        raise not_found()
    return found


def _read_one(asked: Asked, form: Form) -> Body | Response:
    found = _found_document(asked, form)
    if "application/pdf" in asked.request.headers.get("Accept", ""):
        return Response(shown.pdf(asked.org, found), 200, content_type="application/pdf")
    return {form.envelope: [shown.document(asked.org, found)]}


def _list_documents(asked: Asked, form: Form, filters: bool) -> Body | Response:
    org, query = asked.org, asked.query
    records = reading.modified_since(org, reading.visible(org, org.records(form.kind)), asked.since)
    records = [_filterable(org, found) for found in records]
    if filters:
        records = reading.filtered(records, query.get("where"), _FILTERS)
    records = _chosen(form, records, query)
    records = reading.searched(records, query.get("searchterm"), (form.number, "Reference"))
    records = reading.ordered(records, query.get("order"), (*_FILTERS, form.id))
    unchanged = _nothing_changed(asked, records)
    if unchanged is not None:
        return unchanged
    summary = reading.truth(query.get("summaryonly"))
    forced = summary or "page" in query or "statuses" in query or form is forms.ORDER
    if not forced:
        return {form.envelope: [shown.document(org, found, whole=False) for found in records]}
    page, block = reading.paged(records, query)
    return {"pagination": block, form.envelope: [shown.document(org, found, whole=not summary) for found in page]}


def _filterable(org: Organisation, record: Record) -> Record:
    """The record with the members a filter may name beside its own."""
    found = org.record("Contact", record["entity"]["ContactID"])
    contact = found["entity"] if found else {}
    due = shown.document(org, record, whole=False).get("AmountDue", 0) if record.get("applied") else None
    entity = {**record["entity"], "Contact": contact}
    entity["AmountDue"] = entity["Total"] if due is None else due
    entity["AmountPaid"] = entity["Total"] - entity["AmountDue"]
    return {**record, "entity": entity}


def _chosen(form: Form, records: list[Record], query: dict[str, str]) -> list[Record]:
    """The list parameters: ids, numbers, contacts, states, dates of purchase orders, the app's own."""
    wanted = {
        "ids": lambda found: found["id"],
        "invoicenumbers": lambda found: str(found["entity"].get(form.number, "")).casefold(),
        "contactids": lambda found: found["entity"]["ContactID"],
        "statuses": lambda found: found["entity"]["Status"],
        "status": lambda found: found["entity"]["Status"],
    }
    for name, value_of in wanted.items():
        if name in query:
            fold = name != "statuses" and name != "status"
            values = {each.casefold() if fold else each for each in reading.listed(query[name])}
            records = [found for found in records if value_of(found) in values]
    for name, keeps in (("datefrom", lambda day, limit: day >= limit), ("dateto", lambda day, limit: day <= limit)):
        if name in query:
            limit = wire.read_day(query[name], name)
            records = [found for found in records if keeps(found["entity"]["Date"], limit)]
    if reading.truth(query.get("createdbymyapp")):
        records = [found for found in records if found.get("app")]
    return records


def _below_document(asked: Asked, form: Form) -> Body | Response:
    sub = asked.rest[1].lower()
    if sub == "email" and form is forms.INVOICE and asked.method == "POST":
        papers.send(asked.org, _found_document(asked, form))
        return Response(b"", 204)
    if sub == "onlineinvoice" and form is forms.INVOICE and asked.method == "GET":
        found = _found_document(asked, form)
        if found["entity"]["Status"] == "DRAFT" or found["entity"]["Type"] != "ACCREC":
            raise not_found()
        url = f"{asked.org.world.public_url}/xero-books/{asked.org.id}/invoice/{found['id']}"
        return {"OnlineInvoices": [{"OnlineInvoiceUrl": url}]}
    if sub == "allocations" and form is forms.CREDIT_NOTE and asked.method == "PUT":
        ident = _found_document(asked, form)["id"]
        sent = read(asked.body(), "Allocations")
        return {"Allocations": [payments.allocate(asked.call, ident, element) for element in sent]}
    return _hanging(asked, _found_document(asked, form))


def _hanging(asked: Asked, record: Record) -> Body | Response:
    """Attachments and history of a record."""
    sub, org = asked.rest[1].lower(), asked.org
    if sub == "history":
        if asked.method == "GET":
            return {"HistoryRecords": papers.history(org, record["kind"], record["id"])}
        if asked.method == "PUT":
            rows = read(asked.body(), "HistoryRecords")
            return {"HistoryRecords": [papers.note(org, record, row) for row in rows]}
    if sub == "attachments":
        if asked.method == "GET" and len(asked.rest) == 2:
            return {"Attachments": [papers.present_file(org, record, row) for row in record.get("attachments", [])]}
        if asked.method == "GET":
            data, kind = papers.content(org, record, asked.rest[2])
            return Response(data, 200, content_type=kind)
        if asked.method in ("PUT", "POST") and len(asked.rest) == 3:
            online = reading.truth(asked.query.get("includeonline"))
            row = papers.attach(org, record, asked.rest[2], asked.request.get_data(), online=online)
            return {"Attachments": [papers.present_file(org, record, row)]}
    raise method_not_allowed()


# Contacts, items, payments.

_CONTACTS = Plural("Contacts", "ContactID", contacts.write, "HasValidationErrors")
_CONTACT_FILTERS = ("Name", "EmailAddress", "AccountNumber", "ContactStatus", "ContactNumber", "ContactID")


def _contacts(asked: Asked) -> Body | Response:
    org = asked.org
    if asked.rest:
        numbered = org.find("Contact", "number", asked.rest[0])
        found = org.record("Contact", asked.rest[0]) or next(iter(numbered), None)
        if found is None:
            raise not_found()
        if len(asked.rest) > 1:
            return _hanging(asked, found)
        if asked.method == "GET":
            return {"Contacts": [contacts.present(org, found)]}
        sent = read(asked.body(), "Contacts")[0]
        return {"Contacts": [contacts.write(Call(org, "POST", asked.query), {**sent, "ContactID": found["id"]})]}
    if asked.method != "GET":
        return write(asked.call, _CONTACTS, read(asked.body(), "Contacts"))
    records = reading.modified_since(org, reading.visible(org, org.records("Contact")), asked.since)
    if not reading.truth(asked.query.get("includearchived")) and "ids" not in asked.query:
        records = [found for found in records if found["entity"]["ContactStatus"] == "ACTIVE"]
    if "ids" in asked.query:
        wanted = {each.lower() for each in reading.listed(asked.query["ids"])}
        records = [found for found in records if found["id"] in wanted]
    records = reading.filtered(records, asked.query.get("where"), _CONTACT_FILTERS)
    names = ("Name", "FirstName", "LastName", "ContactNumber", "CompanyNumber", "EmailAddress")
    records = reading.searched(records, asked.query.get("searchterm"), names)
    records = reading.ordered(records, asked.query.get("order"), _CONTACT_FILTERS)
    unchanged = _nothing_changed(asked, records)
    if unchanged is not None:
        return unchanged
    if "page" not in asked.query:
        return {"Contacts": [contacts.present(org, found, whole=False) for found in records]}
    page, block = reading.paged(records, asked.query)
    rows = [contacts.present(org, found) for found in page]
    if reading.truth(asked.query.get("summaryonly")):
        dropped = (*contacts.SUMMARY_DROPS, "Balances")
        rows = [{name: value for name, value in row.items() if name not in dropped} for row in rows]
    return {"pagination": block, "Contacts": rows}


_ITEMS = Plural("Items", "ItemID", items.write, "HasErrors")


def _items(asked: Asked) -> Body | Response:
    org = asked.org
    if asked.rest:
        found = org.record("Item", asked.rest[0]) or next(iter(items.by_code(org, asked.rest[0])), None)
        if found is None:
            raise not_found()
        if asked.method == "DELETE":
            items.delete(org, found["id"])
            return Response(b"", 204)
        if len(asked.rest) > 1:
            return _hanging(asked, found)
        if asked.method == "GET":
            return {"Items": [items.present(found)]}
        sent = {**read(asked.body(), "Items")[0], "ItemID": found["id"]}
        return {"Items": [items.write(Call(org, "POST", asked.query, items=1), sent)]}
    if asked.method == "DELETE":
        raise method_not_allowed()
    if asked.method != "GET":
        return write(asked.call, _ITEMS, read(asked.body(), "Items"))
    records = reading.modified_since(org, reading.visible(org, org.records("Item")), asked.since)
    records = reading.filtered(records, asked.query.get("where"), ("Code", "Name", "ItemID", "IsSold", "IsPurchased"))
    return _nothing_changed(asked, records) or {"Items": [items.present(found) for found in records]}


_PAYMENTS = Plural("Payments", "PaymentID", payments.write, "HasValidationErrors")
_PAYMENT_FILTERS = ("PaymentType", "Status", "Date", "Reference", "PaymentID", "Invoice.InvoiceID")


def _payments(asked: Asked) -> Body | Response:
    org = asked.org
    if asked.rest:
        if asked.method == "POST":
            return {"Payments": [payments.delete(org, asked.rest[0], asked.body())]}
        found = org.record("Payment", asked.rest[0])
        if found is None:
            raise not_found()
        return _hanging(asked, found) if len(asked.rest) > 1 else {"Payments": [payments.present(org, found)]}
    if asked.method == "PUT":
        return write(asked.call, _PAYMENTS, read(asked.body(), "Payments"))
    if asked.method != "GET":
        raise method_not_allowed()
    records = reading.modified_since(org, org.records("Payment"), asked.since)
    if not org.switch("deleted_payments_listed"):
        records = [found for found in records if found["entity"]["Status"] != "DELETED"]
    records = [{**found, "entity": {**found["entity"], "Invoice": _target(found)}} for found in records]
    records = reading.filtered(records, asked.query.get("where"), _PAYMENT_FILTERS)
    records = reading.ordered(records, asked.query.get("order"), _PAYMENT_FILTERS)
    if "page" not in asked.query:
        return {"Payments": [payments.present(org, found) for found in records]}
    page, block = reading.paged(records, asked.query)
    return {"pagination": block, "Payments": [payments.present(org, found) for found in page]}


def _target(record: Record) -> Body:
    target = record["entity"]["Target"]
    return {"InvoiceID": target["id"]} if target["kind"] == "Invoice" else {}


# Lists.


def _accounts(asked: Asked) -> Body | Response:
    org = asked.org
    if asked.method in ("PUT", "POST"):
        sent = read(asked.body(), "Accounts")
        if len(sent) > 1:
            raise bad_data("Only one account can be written at a time")
        element = {**sent[0], "AccountID": asked.rest[0]} if asked.rest else sent[0]
        return {"Accounts": [lists.write_account(asked.call, element)]}
    if asked.method != "GET":
        raise method_not_allowed()
    if asked.rest:
        found = org.account(ident=asked.rest[0])
        if found is None:
            raise not_found()
        return {"Accounts": [lists.present_account(found)]}
    records = reading.modified_since(org, org.records("Account"), asked.since)
    members = ("Code", "Name", "Type", "Status", "Class", "SystemAccount", "TaxType", "AccountID")
    records = reading.filtered(records, asked.query.get("where"), members)
    return _nothing_changed(asked, records) or {"Accounts": [lists.present_account(found) for found in records]}


def _tax_rates(asked: Asked) -> Body:
    _only_read(asked)
    records = list(asked.org.records("TaxRate"))
    records = reading.filtered(records, asked.query.get("where"), ("Name", "TaxType", "Status"))
    if asked.rest:
        records = [found for found in records if found["entity"]["TaxType"].lower() == asked.rest[0].lower()]
    return {"TaxRates": [taxes.present(found) for found in records]}


def _tracking(asked: Asked) -> Body:
    org = asked.org
    if len(asked.rest) > 1 and asked.rest[1].lower() == "options" and asked.method == "PUT":
        sent = read(asked.body(), "Options")
        return {"Options": [lists.write_option(asked.call, asked.rest[0], element) for element in sent]}
    if asked.method in ("PUT", "POST"):
        element = read(asked.body(), "TrackingCategories")[0]
        element = {**element, "TrackingCategoryID": asked.rest[0]} if asked.rest else element
        return {"TrackingCategories": [lists.write_tracking(asked.call, element)]}
    _only_read(asked)
    if asked.rest:
        found = org.record("TrackingCategory", asked.rest[0])
        if found is None:
            raise not_found()
        return {"TrackingCategories": [lists.present_tracking(org, found)]}
    archived = reading.truth(asked.query.get("includearchived"))
    return {"TrackingCategories": lists.tracking_categories(org, archived=archived)}


def _currencies(asked: Asked) -> Body:
    if asked.method == "PUT":
        return {"Currencies": [lists.add_currency(asked.call, each) for each in read(asked.body(), "Currencies")]}
    _only_read(asked)
    return {"Currencies": lists.currencies(asked.org)}


def _themes(asked: Asked) -> Body:
    _only_read(asked)
    return {"BrandingThemes": [lists.present_theme(found) for found in asked.org.records("BrandingTheme")]}


def _organisation(asked: Asked) -> Body:
    _only_read(asked)
    if asked.rest and asked.rest[0].lower() == "actions":
        return {"Actions": lists.actions(asked.org)}
    return {"Organisations": [lists.organisation(asked.org)]}


def _only_read(asked: Asked) -> None:
    if asked.method != "GET":
        raise method_not_allowed()


ENDPOINTS: dict[str, Endpoint] = {
    "invoices": _documents(forms.INVOICE),
    "creditnotes": _documents(forms.CREDIT_NOTE),
    "purchaseorders": _documents(forms.ORDER, filters=False),
    "contacts": _contacts,
    "items": _items,
    "payments": _payments,
    "accounts": _accounts,
    "taxrates": _tax_rates,
    "trackingcategories": _tracking,
    "currencies": _currencies,
    "brandingthemes": _themes,
    "organisation": _organisation,
}
