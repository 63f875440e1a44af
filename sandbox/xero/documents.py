"""Writing invoices, bills, credit notes and purchase orders: everything the server works out, and the entries.

Source: Xero, api/accounting/invoices, creditnotes, purchaseorders; fact sheet sections 2.4 to 2.8 and 3.2 to 3.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from sandbox.double_entry import Entry, gather
from sandbox.xero import contacts, forms, wire
from sandbox.xero.elements import Call, Element
from sandbox.xero.errors import Problems, bad_value, not_found
from sandbox.xero.forms import INVOICE, ORDER, Form
from sandbox.xero.ledger import CREDITS, SALES
from sandbox.xero.lines import Frame, Lines, build
from sandbox.xero.organisation import Organisation, r2

Body = dict[str, Any]
MODES = ("Exclusive", "Inclusive", "NoTax")
ROUNDING_MOST = Decimal("0.10")
ALLOCATED = "This document cannot be edited as it has a payment or credit note allocated to it."
VOID_PAID = (
    "The status VOIDED cannot be applied to the invoice because it has payments or credit notes allocated to it."
)
# What of a line may still change once something was paid.
_FREE_LINES = ("Description", "AccountCode", "AccountID", "Tracking")
_TEXTS = ("Reference", "Url", "DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions")
_DAYS = ("DueDate", "ExpectedPaymentDate", "PlannedPaymentDate", "DeliveryDate", "ExpectedArrivalDate")


def store(call: Call, form: Form, element: Element, ident: str | None = None) -> Body:
    """Create or update one document; the stored record. Raises ``Invalid``, or 404 for an unknown id."""
    org, problems = call.org, Problems()
    old = _existing(call, form, element, ident, problems)
    before: Body = dict(old["entity"]) if old else {}
    echo = {form.id: old["id"], "Status": before["Status"]} if old else None
    draft = _draft(org, form, element, before, old is None)
    contact = _contact(org, form, draft, element, old, problems)
    was = str(before.get("Status", ""))
    forms.settle_status(form, draft, was, str(element.get("Status") or was or "DRAFT"), problems)
    problems.check(echo)
    _check_lock(org, form, draft, before, problems)
    _currency(org, draft, before, contact, element, problems)
    forms.settle_number(org, form, draft, old, problems)
    if draft["Status"] not in ("VOIDED", "DELETED"):  # those keep what they have, archived accounts and all
        final = draft["Status"] != "DRAFT"
        decimals = 4 if form is ORDER else call.decimals  # their prices have four places whatever is asked
        frame = Frame(draft.get("Type", ""), draft["LineAmountTypes"], decimals, final, f"{form.envelope}[0]")
        sent_lines = element.get("LineItems", before.get("LineItems"))
        _totals(form, draft, build(org, sent_lines, before.get("LineItems", []), frame, problems), element, problems)
        _final(org, form, draft, was, problems)
    if old is not None and old.get("applied"):
        _check_applied(draft, before, problems)
    call.warnings += problems.warnings
    problems.check(echo)
    return _save(org, form, draft, old, contact, was)


def _existing(call: Call, form: Form, element: Element, ident: str | None, problems: Problems) -> dict[str, Any] | None:
    """The document a write means: by the id of the address or of the element, else by its number."""
    org = call.org
    ident = ident or (None if call.creating else element.get(form.id))
    if ident and ident != wire.ZERO_GUID:
        found = org.record(form.kind, str(ident)) or by_number(org, form, str(ident))
        if found is None:
            raise not_found()
        return found
    number, type_ = str(element.get(form.number) or ""), str(element.get("Type") or "")
    if not number or (form is not ORDER and call.creating):
        return None
    held = forms.holders(org, form, type_, number)
    if held and form is not ORDER and org.switch("post_by_number") == "error":
        problems.add(forms.UNIQUE)
    return held[0] if held else None  # a purchase order number in use: that order is edited, by PUT as well


def by_number(org: Organisation, form: Form, number: str) -> dict[str, Any] | None:
    """The document of a number, whatever its type."""
    for type_ in form.types or ("",):
        held = forms.holders(org, form, type_, number)
        if held:
            return held[0]
    return None


def _draft(org: Organisation, form: Form, element: Element, before: Mapping[str, Any], new: bool) -> Body:
    path = f"{form.envelope}[0]"
    draft: Body = dict(before)
    if form.types:
        type_ = element.get("Type", before.get("Type"))
        if type_ not in form.types or (before and type_ != before["Type"]):
            raise bad_value(type_, f"{path}.Type")
        draft["Type"] = type_
    status = element.get("Status")
    if status is not None and status not in forms.STATUSES:
        raise bad_value(status, f"{path}.Status")
    mode = element.get("LineAmountTypes", before.get("LineAmountTypes", "Exclusive"))
    if mode not in MODES:
        raise bad_value(mode, f"{path}.LineAmountTypes")
    draft["LineAmountTypes"] = mode
    draft["Date"] = wire.read_day(element["Date"], f"{path}.Date") if element.get("Date") else before.get("Date")
    draft["Date"] = draft["Date"] or org.today()
    for name in _DAYS:
        if element.get(name):
            draft[name] = wire.read_day(element[name], f"{path}.{name}")
    for name in (*_TEXTS, form.number, "BrandingThemeID"):
        if name in element:
            draft[name] = str(element[name])
    if draft.get("Type") == "ACCPAY":
        draft["Reference"] = ""
    if new:
        draft["SentToContact"] = False
    if "SentToContact" in element:
        draft["SentToContact"] = bool(element["SentToContact"])
    if not new and "CurrencyCode" not in element:
        draft["CurrencyCode"] = before["CurrencyCode"]
    return draft


def _contact(
    org: Organisation,
    form: Form,
    draft: Body,
    element: Element,
    old: Mapping[str, Any] | None,
    problems: Problems,
) -> Body:
    """The contact of a document. An invoice that names an unknown one makes it; a purchase order does not.

    More than an id edits the contact, as on the real service.
    """
    sent = element.get("Contact")
    if not isinstance(sent, dict) or not sent:
        if old is None:
            problems.add("A Contact must be specified for this type of transaction")
            problems.check()
        known: Body | None = org.record("Contact", draft["ContactID"])
        if known is None:
            raise not_found()
        return known
    found = contacts.matching(org, sent)
    if found is None:
        if form is ORDER:
            problems.add("The Contact could not be found")  # inferred
            problems.check()
        found = contacts.store(org, sent, creating=True)
    elif found["entity"]["ContactStatus"] != "ACTIVE":
        if old is None or old["entity"]["ContactID"] != found["id"]:
            problems.add("The specified contact has been archived and cannot be used on a new document.")  # inferred
    elif set(sent) - {"ContactID", "ContactStatus"}:
        found = contacts.store(org, {"ContactID": found["id"], **sent}, creating=False)
    draft["ContactID"] = found["id"]
    return found


def _check_lock(org: Organisation, form: Form, draft: Body, before: Mapping[str, Any], problems: Problems) -> None:
    """Neither a document of a locked period may change, nor one be dated into it."""
    if not form.posts:
        return
    drafts = draft["Status"] in ("DRAFT", "SUBMITTED", "DELETED") and not org.switch("lock_covers_drafts")
    for day in (before.get("Date"), draft["Date"]):
        words = org.locked(day) if day and not drafts else None
        if words:
            problems.add(words)


def _currency(
    org: Organisation, draft: Body, before: Mapping[str, Any], contact: Body, element: Element, problems: Problems
) -> None:
    code = element.get("CurrencyCode") or draft.get("CurrencyCode") or contact["entity"].get("DefaultCurrency")
    code = str(code or org.currency).upper()
    draft["CurrencyCode"] = code
    if code not in org.settings["currencies"]:
        problems.add(f"Organisation is not subscribed to currency {code}")
        return
    if code == org.currency:
        draft["CurrencyRate"] = Decimal(1)
        return
    usual = org.rate(code)
    if "CurrencyRate" in element:
        draft["CurrencyRate"] = wire.read_number(element["CurrencyRate"], "CurrencyRate")
        if draft["CurrencyRate"] <= 0:
            problems.add("CurrencyRate must be greater than zero")  # inferred
            draft["CurrencyRate"] = usual
        if not usual / 2 <= draft["CurrencyRate"] <= usual * 2:
            problems.warn("The currency rate is very different from the rate of the day.")  # inferred
    elif before.get("CurrencyCode") != code:
        draft["CurrencyRate"] = usual


def _totals(form: Form, draft: Body, lines: Lines, element: Element, problems: Problems) -> None:
    """SubTotal, TotalTax and Total; a RoundingAmount counts only together with totals that agree with it."""
    inclusive = draft["LineAmountTypes"] == "Inclusive"
    draft["LineItems"] = lines.lines
    draft["TotalTax"] = lines.tax
    draft["SubTotal"] = lines.amounts - lines.tax if inclusive else lines.amounts
    total = draft["SubTotal"] + lines.tax
    rounding = Decimal(0)
    if form is INVOICE:
        rounding = _rounding(draft, total, element, problems)
        if rounding:
            draft["RoundingAmount"] = rounding
        else:
            draft.pop("RoundingAmount", None)
    draft["Total"] = total + rounding
    if draft["Total"] < 0:
        problems.add("The document total must be zero or greater.")  # inferred


def _rounding(draft: Body, total: Decimal, element: Element, problems: Problems) -> Decimal:
    if "RoundingAmount" not in element:
        kept = Decimal(str(draft.get("RoundingAmount", 0)))
        return kept if "LineItems" not in element else Decimal(0)
    rounding = wire.read_number(element["RoundingAmount"], "Invoices[0].RoundingAmount")
    if not rounding:
        return Decimal(0)
    names = ("SubTotal", "TotalTax", "Total")
    sent = {name: wire.read_number(element[name], f"Invoices[0].{name}") for name in names if name in element}
    if draft["Status"] not in ("SUBMITTED", "AUTHORISED"):
        problems.add("RoundingAmount can only be set on submitted or authorised invoices")  # inferred
    elif abs(rounding) > ROUNDING_MOST:
        problems.add("RoundingAmount must be between -0.10 and 0.10")  # inferred
    elif len(sent) < 3 or sent["SubTotal"] + sent["TotalTax"] + rounding != sent["Total"]:
        problems.add("RoundingAmount must agree with SubTotal, TotalTax and Total")  # inferred
    elif sent["SubTotal"] + sent["TotalTax"] != total:
        problems.add("The SubTotal and TotalTax do not match the line items")  # inferred
    else:
        return r2(rounding)
    return Decimal(0)


def _final(org: Organisation, form: Form, draft: Body, was: str, problems: Problems) -> None:
    """What approval asks for, and rules of single members."""
    if len(str(draft.get("Reference", ""))) > 255:
        problems.add("Reference cannot exceed 255 characters.")  # inferred
    url = draft.get("Url")
    if url and (not urlsplit(url).scheme.startswith("http") or "xero" in url.lower()):
        problems.add("Url must be a valid absolute URL that does not contain 'xero'")  # inferred
    theme = draft.get("BrandingThemeID")
    if theme and org.record("BrandingTheme", theme) is None:
        problems.add("The branding theme could not be found")  # inferred
    if draft["Status"] != "AUTHORISED" or was == "AUTHORISED" or not form.posts:
        return
    if form is INVOICE and not draft.get("DueDate") and org.switch("due_date_required"):
        problems.add("Invoice Due Date must be specified")  # inferred
    cap = org.switch("approve_cap")
    approved = sum(1 for each in org.records(form.kind) if each["entity"]["Status"] in forms.POSTED)
    if cap is not None and approved >= int(cap):
        problems.add("You have reached the limit of invoices you can approve")


def _check_applied(draft: Body, before: Mapping[str, Any], problems: Problems) -> None:
    """A document with payments keeps its amounts, dates and currency, and cannot be voided."""
    if draft["Status"] == "VOIDED":
        problems.add(VOID_PAID)
        return
    fixed = ("Date", "CurrencyCode", "CurrencyRate", "LineAmountTypes", "Total", "Type")
    changed = any(draft.get(name) != before.get(name) for name in fixed)
    if changed or _bound(draft["LineItems"]) != _bound(before["LineItems"]):
        problems.add(ALLOCATED)


def _bound(lines: list[Body]) -> list[Body]:
    return [{name: value for name, value in line.items() if name not in _FREE_LINES} for line in lines]


def _save(org: Organisation, form: Form, draft: Body, old: Body | None, contact: Body, was: str) -> Body:
    sales = draft.get("Type") in SALES
    if draft["Status"] != "AUTHORISED" or not sales:
        draft["SentToContact"] = bool(old and old["entity"].get("SentToContact"))
    draft.setdefault("BrandingThemeID", org.settings["theme"])
    journal = entries(org, draft) if form.posts and draft["Status"] in forms.POSTED else []
    contacts.mark(org, contact, "IsCustomer" if sales else "IsSupplier")
    keys = forms.keys(form, draft, contact["id"])
    if old is None:
        record = org.insert(form.kind, draft, keys, journal=journal, app=True)
        org.history(form.kind, record["id"], "Created", f"{draft.get(form.number) or 'Document'} created")
        return record
    action = {"VOIDED": "void", "DELETED": "delete"}.get(draft["Status"], "update")
    if was != draft["Status"]:
        org.history(form.kind, old["id"], draft["Status"].capitalize(), f"Status changed from {was}")
    return org.replace(old, draft, keys, action, journal=journal)


def keys_of(record: Mapping[str, Any]) -> dict[str, str | None]:
    """The look-up values of a stored document."""
    return forms.keys(forms.FORMS[record["kind"]], record["entity"], record["entity"]["ContactID"])


def entries(org: Organisation, draft: Mapping[str, Any]) -> list[Entry]:
    """The double entry of an approved document, base currency; the receivable or payable takes the rounding."""
    rate = Decimal(str(draft["CurrencyRate"]))
    sales, credit = draft["Type"] in SALES, draft["Type"] in CREDITS
    sign = Decimal(-1 if sales != credit else 1)  # income is a credit, cost a debit; a credit note turns both round
    inclusive = draft["LineAmountTypes"] == "Inclusive"
    parts: list[tuple[str, Decimal, str | None]] = []
    for line in draft["LineItems"]:
        if "AccountID" in line:
            net = line["LineAmount"] - line["TaxAmount"] if inclusive else line["LineAmount"]
            parts.append((line["AccountID"], sign * r2(net / rate), None))
    if draft["TotalTax"]:
        parts.append((org.system_account("GST"), sign * r2(draft["TotalTax"] / rate), None))
    if draft.get("RoundingAmount"):
        parts.append((org.system_account("ROUNDING"), sign * r2(draft["RoundingAmount"] / rate), None))
    counter = -sum((amount for _, amount, _ in parts), Decimal(0))
    control = org.system_account("DEBTORS" if sales else "CREDITORS")
    return gather([*parts, (control, counter, draft["ContactID"])])
