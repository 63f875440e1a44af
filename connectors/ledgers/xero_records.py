"""What Xero's JSON says, read into our records: echoes, list entries, the organisation's profile. Pure.

Lenient on purpose: absent members are normal (Xero never sends null), unknown words are kept as they stand, and nothing
here raises on odd values. An account's id is its id, an item's its code and a tax rate's its type, because lines name
them so. Sources: Xero's API reference; recorded answers of a demo company (docketworks).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.jsonvalues import decimal as decimal
from connectors.jsonvalues import text as text
from connectors.ledgers import xero_faults as faults
from connectors.ledgers import xero_payloads as payloads
from connectors.ledgers import xero_purchases as purchases
from connectors.ledgers.base import CLOSED, Done, Echo, Kind, LedgerProfile, Record
from connectors.ledgers.xero_spelling import TYPE
from domain.taxes import TaxModel

Json = Mapping[str, Any]
ZERO_ID = "00000000-0000-0000-0000-000000000000"
PARTIES = (Kind.CUSTOMER, Kind.VENDOR)
_MS = re.compile(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEAD = ("VOIDED", "DELETED")
_INCOME = ("REVENUE", "SALES", "OTHERINCOME")
_OWED = ("CURRLIAB", "LIABILITY", "TERMLIAB")
_COSTS = ("EXPENSE", "OVERHEADS")
_TYPES = {
    **dict.fromkeys(_INCOME, "Income"), **dict.fromkeys(_OWED, "Other Current Liability"),
    **dict.fromkeys(_COSTS, "Expense"), "DIRECTCOSTS": "Cost of Goods Sold",
}  # fmt: skip
"""Xero's account types in the words rules compare (`domain.accounts`); any other type stands as it is."""


def done(body: Json, kind: Kind, tenant: str) -> Done | None:
    """A record as found or created; None when it has no id and so is no record."""
    if kind in payloads.DOCUMENTS:
        ledger_id = ident(body.get(payloads.ID[kind]))
        if ledger_id is None:
            return None
        echo = document_echo(body, kind, tenant)
        return Done(ledger_id, echo.number, echo)
    entry = record(body, kind)
    if entry is None:
        return None
    return Done(entry.id, None, _list_echo(body, entry, tenant))


def document_echo(body: Json, kind: Kind, tenant: str) -> Echo:
    total, status = decimal(body.get("Total")), str(body.get("Status") or "")
    told = booked_lines(body, kind)
    rate = decimal(body.get("CurrencyRate"))
    nets, taxes = _sums(told)
    return Echo(
        tenant=tenant, kind=kind, party_id=ident(section(body, "Contact").get("ContactID")),
        number=text(body.get(payloads.NUMBER[kind])), currency=text(body.get("CurrencyCode")),
        rate=(1 / rate) if rate else None, total=total,
        lines=len(told) if told else None, marker=marks(body),
        live=status not in _DEAD, version=payloads.version(_stamp(body), status), balance=balance(body, kind),
        date=day(body.get("Date"), body.get("DateString")), mailed=body.get("SentToContact") is True,
        tax=decimal(body.get("TotalTax")) or Decimal(0), nets=nets, taxes=taxes, status=_WORDS.get(status, ""),
        line_ids=_line_ids(told) if kind is Kind.PURCHASE_ORDER else (), warnings=faults.warnings(body),
    )  # fmt: skip


_WORDS = {
    "DRAFT": "draft", "SUBMITTED": "submitted", "AUTHORISED": "approved", "PAID": "approved", "BILLED": CLOSED,
}  # fmt: skip


def is_of(body: Json, kind: Kind) -> bool:
    """Whether a record of the kind's endpoint is of the kind: sales invoices and bills stand side by side."""
    wanted, there = TYPE.get(kind), text(body.get("Type"))
    return wanted is None or there is None or there == wanted


def booked_lines(body: Json, kind: Kind) -> list[Json]:
    """The lines, without those of a bill that only hold a note."""
    lines = rows_of(body, "LineItems")
    return [line for line in lines if not purchases.is_note(line)] if kind is Kind.BILL else lines


def _line_ids(lines: Sequence[Json]) -> tuple[str, ...]:
    found = tuple(ident(line.get("LineItemID")) for line in lines)
    return tuple(each for each in found if each is not None) if all(found) else ()


def marks(body: Json) -> str | None:
    """Where our marker may stand. Whether Xero shows the link again is not confirmed; references and texts are."""
    there = (text(body.get("Reference")), text(body.get("Url")), purchases.note(body))
    return " ".join(filter(None, there)) or None


def balance(body: Json, kind: Kind) -> Decimal | None:
    named = "RemainingCredit" if kind is Kind.CREDIT_MEMO else "AmountDue"
    if str(body.get("Status")) in ("DRAFT", "SUBMITTED"):
        return decimal(body.get("Total"))
    return decimal(body.get(named))


def _sums(lines: Sequence[Json]) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Net amounts and tax of the lines by tax type. One rate makes a code, so both have one key."""
    nets: dict[str, Decimal] = {}
    taxes: dict[str, Decimal] = {}
    for line in lines:
        code = text(line.get("TaxType")) or ""
        nets[code] = nets.get(code, Decimal(0)) + (decimal(line.get("LineAmount")) or Decimal(0))
        rate = f"code:{code}"
        taxes[rate] = taxes.get(rate, Decimal(0)) + (decimal(line.get("TaxAmount")) or Decimal(0))
    return nets, taxes


def _list_echo(body: Json, entry: Record, tenant: str) -> Echo:
    return Echo(
        tenant=tenant, kind=entry.kind, party_id=None, number=None, currency=None, total=None, lines=None, marker=None,
        name=entry.name, live=entry.active, record=entry, version=_stamp(body),
    )


def record(body: Json, kind: Kind) -> Record | None:
    read = {Kind.ITEM: _item, Kind.ACCOUNT: _account}.get(kind, _contact)
    return read(body, kind)


def _contact(body: Json, kind: Kind) -> Record | None:
    ledger_id = ident(body.get("ContactID"))
    if ledger_id is None:
        return None
    details: dict[str, str | bool | None] = {
        "currency": None, "email": text(body.get("EmailAddress")), "number": text(body.get("ContactNumber")),
    }  # fmt: skip
    active = str(body.get("ContactStatus") or "ACTIVE") == "ACTIVE"
    return Record(kind, ledger_id, text(body.get("Name")) or "", _stamp(body), active, details)


def _item(body: Json, kind: Kind) -> Record | None:
    code = text(body.get("Code"))
    if code is None:
        return None
    sold, bought = body.get("IsSold") is not False, body.get("IsPurchased") is not False
    kept = "Inventory" if body.get("IsTrackedAsInventory") is True else "Service" if sold else "Bought only"
    details: dict[str, str | bool | None] = {
        "type": kept, "title": text(body.get("Name")), "income_account_id": None,
        "income_account_code": text(section(body, "SalesDetails").get("AccountCode")), "sku": code, "taxable": True,
        "bought": bought, "expense_account_id": None,
        "expense_account_code": text(section(body, "PurchaseDetails").get("AccountCode")),
    }  # fmt: skip
    return Record(kind, code, code, _stamp(body), True, details)


def _account(body: Json, kind: Kind) -> Record | None:
    """A system account, a bank account and one without a code can stand on no line: they are of no type that fits."""
    ledger_id, code = ident(body.get("AccountID")), text(body.get("Code"))
    if ledger_id is None:
        return None
    named, xero_type = text(body.get("Name")) or "", str(body.get("Type") or "")
    usable = code is not None and not text(body.get("SystemAccount"))
    details: dict[str, str | bool | None] = {
        "type": _TYPES.get(xero_type, xero_type) if usable else "System account" if code else "Without a code",
        "subtype": xero_type, "number": code, "currency": text(body.get("CurrencyCode")),
        "tax_type": text(body.get("TaxType")),
    }  # fmt: skip
    name = f"{code} · {named}" if code else named
    return Record(kind, ledger_id, name, _stamp(body), str(body.get("Status") or "ACTIVE") == "ACTIVE", details)


def tax_rates(rows: Sequence[Json]) -> list[Record]:
    """Tax rates under their type. A rate is one figure: Xero adds up its parts."""
    found = []
    for row in rows:
        code = text(row.get("TaxType"))
        if code is None:
            continue
        rate = decimal(row.get("EffectiveRate"))
        active = str(row.get("Status") or "ACTIVE") == "ACTIVE"
        details: dict[str, str | bool | None] = {
            "rate": None if rate is None else f"{rate:f}", "components": None, "taxable": bool(rate),
            "rate_active": active, "sales": row.get("CanApplyToRevenue") is not False,
            "purchases": row.get("CanApplyToExpenses") is not False,
        }  # fmt: skip
        found.append(Record(Kind.TAX_CODE, code, text(row.get("Name")) or code, "0", active, details))
    return found


def tracking(rows: Sequence[Json], kind: Kind) -> list[Record]:
    """The options of the first category (classes) or of the second (locations)."""
    categories = categories_of(rows)
    place = 0 if kind is Kind.CLASS else 1
    if place >= len(categories):
        return []
    options = categories[place].get("Options")
    return [
        Record(kind, str(option["TrackingOptionID"]), text(option.get("Name")) or "", "0",
               str(option.get("Status") or "ACTIVE") == "ACTIVE", {})
        for option in (options if isinstance(options, list) else [])
        if isinstance(option, Mapping) and ident(option.get("TrackingOptionID"))
    ]  # fmt: skip


def themes(rows: Sequence[Json]) -> list[Record]:
    """Branding themes. What is listed can be used; which is the default Xero knows by itself."""
    return [
        Record(Kind.THEME, ledger_id, text(row.get("Name")) or ledger_id, "0", True, {})
        for row in rows if (ledger_id := ident(row.get("BrandingThemeID"))) is not None
    ]


def categories_of(rows: Sequence[Json]) -> list[Json]:
    """Active tracking categories, in an order of their own that does not change: two at most."""
    active = [row for row in rows if str(row.get("Status") or "ACTIVE") == "ACTIVE"]
    return sorted(active, key=lambda row: str(row.get("TrackingCategoryID")))[:2]


def profile(organisation: Json, currencies: Sequence[Json], categories: Sequence[Json], tenant: str) -> LedgerProfile:
    """`closed_through` is the later of the two lock dates: advisers may pass the earlier of them, others none."""
    locks = [day(organisation.get(name)) for name in ("PeriodLockDate", "EndOfYearLockDate")]
    closed = max((lock for lock in locks if lock is not None), default=None)
    names = tuple(text(row.get("Name")) or "" for row in categories_of(categories))
    ends = decimal(organisation.get("FinancialYearEndMonth"))
    return LedgerProfile(
        tenant=tenant, company_name=text(organisation.get("Name")) or "",
        country=text(organisation.get("CountryCode")) or "", currency=text(organisation.get("BaseCurrency")) or "",
        multi_currency=len(currencies) > 1, tax_model=TaxModel.CODE_PER_LINE, own_numbers=None,
        closed_through=closed.isoformat() if closed else None, edition=text(organisation.get("Class")) or "",
        classes=bool(names), locations=len(names) > 1, fiscal_month=int(ends) % 12 + 1 if ends else 1,
        tracking=names, short_code=text(organisation.get("ShortCode")) or "", own_order_numbers=None,
        purchase_tax=text(organisation.get("CountryCode")) != "US",
    )  # fmt: skip


def mailed(ledger_id: str, kind: Kind, tenant: str) -> Done:
    """What is known after Xero took a mail: that it will go."""
    echo = Echo(tenant=tenant, kind=kind, party_id=None, number=None, currency=None, total=None, lines=None,
                marker=None, mailed=True)  # fmt: skip
    return Done(ledger_id, None, echo)


def is_refused(element: Json) -> bool:
    """Xero says so in up to three ways, not all of them always."""
    flagged = element.get("HasErrors") is True or element.get("HasValidationErrors") is True
    told = str(element.get("StatusAttributeString") or "") == "ERROR"
    return flagged or told or bool(element.get("ValidationErrors"))


def is_answer(element: Json, sent: Json, kind: Kind) -> bool:
    """Whether an element of an answer is about what was sent: by its id where it had one, else by number, code or
    name, else by our marker. The number of a bill is its vendor's, so a bill is known by its note."""
    if not is_of(element, kind):
        return False
    if kind is Kind.BILL and sent.get(payloads.ID[kind]) is None and (note := purchases.note(sent)):
        there = purchases.note(element)
        return _folded(there) == _folded(note) if there else _same_paper(element, sent)
    for name in (payloads.ID[kind], payloads.NUMBER.get(kind, ""), "Code", "Name", "Reference"):
        wanted = text(sent.get(name)) if name else None
        if wanted is not None:
            return _folded(text(element.get(name)) or "") == _folded(wanted)
    return False


def _same_paper(element: Json, sent: Json) -> bool:
    """A bill whose lines the answer leaves out: the vendor and its number."""
    numbers = [text(each.get("InvoiceNumber")) for each in (element, sent)]
    vendors = [ident(section(each, "Contact").get("ContactID")) for each in (element, sent)]
    return numbers[0] is not None and numbers[0] == numbers[1] and vendors[0] == vendors[1]


def _folded(value: str) -> str:
    """Xero tidies blanks in names."""
    return " ".join(value.split()).casefold()


def rows_of(answer: Json, name: str) -> list[Json]:
    """The elements of an answer's envelope."""
    rows = answer.get(name)
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def ident(value: object) -> str | None:
    """A record's id; the zero id of a refused new element is none."""
    found = text(value)
    return None if found in (None, ZERO_ID) else found


def section(body: Json, name: str) -> Json:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def instant(value: object) -> datetime | None:
    """`/Date(1789378199160+0000)/`, with or without an offset, as aware UTC. The number counts from 1970 in UTC."""
    found = _MS.match(str(value or ""))
    return _EPOCH + timedelta(milliseconds=int(found.group(1))) if found else None


def changed_at(version: str) -> datetime | None:
    """The instant of the change that made this version."""
    milliseconds = version.partition("/")[0]
    return _EPOCH + timedelta(milliseconds=int(milliseconds)) if milliseconds.isdigit() and int(milliseconds) else None


def day(value: object, twin: object = None) -> date | None:
    """A document's calendar date: midnight UTC, whatever the organisation's zone; else its twin as text."""
    moment = instant(value)
    if moment is not None:
        return moment.date()
    try:
        return date.fromisoformat(str(twin or value or "")[:10])
    except ValueError:
        return None


def _stamp(body: Json) -> str:
    """The instant of the last change in milliseconds, as text; "0" where none is told."""
    found = _MS.match(str(body.get("UpdatedDateUTC") or ""))
    return found.group(1) if found else "0"
