"""Autotask's rows read into our values, and the filters we ask with. Pure.

Tolerant: unknown fields are ignored, `null` and `""` are both blank, amounts may be numbers or texts. Field names
and meanings: Autotask developer help, entity pages of Invoices, BillingItems, Companies, Contacts, Taxes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from connectors.jsonvalues import decimal as decimal
from connectors.sources.autotask_http import PAGE, since_text
from connectors.sources.base import Mark, Voided
from domain.documents import Address, Party, SourceHeader, SourceLine, TaxRule, Window

Json = Mapping[str, Any]
T = TypeVar("T")
INVOICE = "invoice"

HEADER_FIELDS = (
    "companyID",
    "createDateTime",
    "invoiceDateTime",
    "dueDate",
    "invoiceNumber",
    "invoiceTotal",
    "totalTaxValue",
    "isVoided",
    "orderNumber",
    "comments",
    "paymentTerm",
    "taxGroup",
    "taxRegionName",
    "webServiceDate",
    "invoiceEditorTemplateID",
)
VOID_FIELDS = ("invoiceNumber", "voidedDate")
MARK_FIELDS = ("invoiceNumber", "webServiceDate")
_LINE_FIELDS = (
    "id",
    "invoiceID",
    "billingItemType",
    "itemName",
    "description",
    "lineItemFullDescription",
    "lineItemGroupDescription",
    "lineItemID",
    "quantity",
    "rate",
    "extendedPrice",
    "internalCurrencyExtendedPrice",
    "taxDollars",
    "billingCodeID",
    "companyID",
    "taxCategoryID",
    "itemDate",
    "organizationalLevelAssociationID",
    "serviceBundleID",
    "serviceID",
    "sortOrderID",
)
_LAST = 1 << 62
FAILED = "ERROR"
"""Written into the number when posting failed, by us (a setting) or by another integration; it never is a number."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """An `in` filter takes at most 500 values."""
    for start in range(0, len(items), PAGE):
        yield items[start : start + PAGE]


# ---- asking -----------------------------------------------------------------------------------------------


def unsynced(window: Window) -> list[Json]:
    """Created in the window, not voided, and blank in the field that means "synced" in this numbering."""
    field = "invoiceNumber" if window.number_blank else "webServiceDate"
    blank: list[Json] = [{"op": "notExist", "field": field}]
    if window.number_blank:
        blank += [{"op": "eq", "field": field, "value": value} for value in ("", FAILED)]
    return [
        {"op": "gte", "field": "createDateTime", "value": since_text(window.since)},
        {"op": "eq", "field": "isVoided", "value": False},
        blank[0] if len(blank) == 1 else {"op": "or", "items": blank},
    ]


def voided_since(since: datetime) -> list[Json]:
    return [
        {"op": "eq", "field": "isVoided", "value": True},
        {"op": "gte", "field": "voidedDate", "value": since_text(since)},
    ]


def one_of(field: str, ids: Sequence[str]) -> Json:
    """Ids travel as numbers: a text against a number field silently matches nothing."""
    return {"op": "in", "field": field, "value": [int(one) for one in ids]}


def numbered(number: str) -> Json:
    return {"op": "eq", "field": "invoiceNumber", "value": number}


# ---- reading ----------------------------------------------------------------------------------------------


def header(row: Json, zone: ZoneInfo) -> SourceHeader | None:
    """None while id, total or every date is missing: such a row is not an invoice yet and is seen at a later poll."""
    created, dated = moment(row.get("createDateTime")), moment(row.get("invoiceDateTime"))
    total = decimal(row.get("invoiceTotal"))
    first = created or dated
    if first is None or total is None or row.get("id") is None:
        return None
    due = moment(row.get("dueDate"))
    return SourceHeader(
        kind=INVOICE,
        id=str(row["id"]),
        number=number(row.get("invoiceNumber")),
        party_id=key(row.get("companyID")),
        document_date=calendar_date(dated or first, zone),
        created_at=first,
        due_date=None if due is None else calendar_date(due, zone),
        total=total,
        tax_total=decimal(row.get("totalTaxValue")) or Decimal(0),
        tax_region=text(row.get("taxRegionName")),
        tax_region_id=key(row.get("taxGroup")),
        term_id=key(row.get("paymentTerm")),
        order_number=text(row.get("orderNumber")),
        comments=text(row.get("comments")),
        voided=row.get("isVoided") is True,
        marked_at=moment(row.get("webServiceDate")),
        template_id=key(row.get("invoiceEditorTemplateID")),
    )


def slim(row: Json) -> Json:
    """A billing item without the fields we never read: ten thousand of them are in hand at a time.

    They are not left out of the question, because naming a field that an older database lacks is an error there.
    """
    return {name: row[name] for name in _LINE_FIELDS if name in row}


def line(
    row: Json, zone: ZoneInfo, types: Mapping[str, str], category: str | None, months: int | None = None
) -> SourceLine:
    """One billing item. An amount that cannot be read counts as zero: the header's total then shows the difference."""
    worked = moment(row.get("itemDate"))
    return SourceLine(
        id=str(row["id"]),
        line_type=types.get(str(row.get("billingItemType")), str(row.get("billingItemType") or "")),
        name=text(row.get("itemName")) or "",
        text=text(row.get("lineItemFullDescription")) or text(row.get("description")) or "",
        quantity=decimal(row.get("quantity")) or Decimal(0),
        rate=decimal(row.get("rate")) or Decimal(0),
        extended_price=decimal(row.get("extendedPrice")) or Decimal(0),
        tax=decimal(row.get("taxDollars")) or Decimal(0),
        code_id=key(row.get("billingCodeID")),
        party_id=key(row.get("companyID")),
        tax_category=category,
        service_date=None if worked is None else calendar_date(worked, zone),
        group_id=key(row.get("lineItemID")),
        group_text=text(row.get("lineItemGroupDescription")) or "",
        business_id=key(row.get("organizationalLevelAssociationID")),
        home_price=decimal(row.get("internalCurrencyExtendedPrice")),
        months=months,
    )


def printed_order(row: Json) -> tuple[int, int]:
    place = row.get("sortOrderID")
    return (place if isinstance(place, int) else _LAST, int(row["id"]))


def party(row: Json, email: str | None, countries: Mapping[str, str], currency: str | None) -> Party:
    return Party(
        id=str(row["id"]),
        name=str(row.get("companyName") or ""),
        email=email,
        phone=text(row.get("phone")),
        address=_address(row, countries),
        currency=currency,
        tax_exempt=row.get("isTaxExempt") is True,
        parent_id=key(row.get("parentCompanyID")),
        territory_id=key(row.get("territoryID")),
        active=row.get("isActive") is not False,
    )


def mailed(row: Json, methods: Mapping[str, str]) -> bool | None:
    """Whether Autotask mails the company its invoices: by the label of its invoice method (Email, PrintAndEmail)."""
    label = methods.get(str(row.get("invoiceMethod")))
    return None if label is None else "email" in label.replace("-", "").casefold()


def _address(row: Json, countries: Mapping[str, str]) -> Address:
    """The bill-to address where Autotask has one, else the company's own."""
    billing = _fields(row, "billToAddress1", "billToAddress2", "billToCity", "billToState", "billToZipCode")
    own = _fields(row, "address1", "address2", "city", "state", "postalCode")
    used, country = (billing, row.get("billToCountryID")) if any(billing) else (own, row.get("countryID"))
    line1, line2, city, region, postal_code = used
    return Address(line1, line2, city, region, postal_code, countries.get(str(country), ""))


def _fields(row: Json, *names: str) -> tuple[str, ...]:
    return tuple(text(row.get(name)) or "" for name in names)


def voided(row: Json) -> Voided:
    return Voided(str(row["id"]), text(row.get("invoiceNumber")), moment(row.get("voidedDate")))


def mark(row: Json) -> Mark:
    held = row.get("invoiceNumber")
    return Mark(str(row["id"]), number(held), moment(row.get("webServiceDate")), failed=failed(held))


def tax_rules(taxes: Sequence[Json], regions: Mapping[str, str], categories: Mapping[str, str]) -> tuple[TaxRule, ...]:
    """Rates as fractions. Whether Autotask holds 0.0825 or 8.25 is not published: a rate above 1 tells for all."""
    rates = [decimal(row.get("taxRate")) or Decimal(0) for row in taxes]
    divisor = Decimal(100) if any(rate > 1 for rate in rates) else Decimal(1)
    return tuple(
        TaxRule(
            region=regions.get(str(row.get("taxRegionID")), ""),
            category=categories.get(str(row.get("taxCategoryID"))),
            name=text(row.get("taxName")) or "",
            rate=rate / divisor,
            compounded=row.get("isCompounded") is True,
            region_id=key(row.get("taxRegionID")),
        )
        for row, rate in zip(taxes, rates, strict=True)
    )


def pdf(body: Json) -> bytes | None:
    """The file out of any of the known envelopes: at the top or under `item`, as base64 text or a list of bytes."""
    inner = body.get("item")
    holder = inner if isinstance(inner, Mapping) else body
    data = holder.get("data")
    try:
        if isinstance(data, list):
            return bytes(data)
        return base64.b64decode(str(data), validate=True) if data else None
    except (ValueError, TypeError, binascii.Error):
        return None


# ---- single values ----------------------------------------------------------------------------------------


def text(value: object) -> str | None:
    """Without outer blanks; None when nothing is left."""
    return None if value is None else str(value).strip() or None


def key(value: object) -> str | None:
    """An id as text. Zero is an id: it is the customer's own company."""
    return None if value is None or isinstance(value, bool) else text(value)


def number(value: object) -> str | None:
    return None if failed(value) else text(value)


def failed(value: object) -> bool:
    """The word that stands for a number that could not be given."""
    return (text(value) or "").upper() == FAILED


def moment(value: object) -> datetime | None:
    """Aware UTC, with or without milliseconds or `Z` in the text; None when blank or unreadable."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        return None


def calendar_date(at: datetime, zone: ZoneInfo) -> date:
    """Midnight UTC is the date as it stands; any other time is first taken into Autotask's time zone."""
    utc = at.astimezone(UTC)
    return utc.date() if utc.time() == time(0) else utc.astimezone(zone).date()
