"""What QuickBooks' JSON says, read into our records: echoes, list entries, the company's profile. Pure.

Lenient on purpose: unknown fields are ignored, missing ones become None, and nothing here raises on odd values.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from connectors.jsonvalues import decimal as decimal
from connectors.jsonvalues import text as text
from connectors.ledgers.base import Done, Echo, Kind, LedgerProfile, Record
from domain.taxes import TaxModel
from domain.taxsums import TAXED, UNTAXED

Json = Mapping[str, Any]
# Recorded answers of real companies, e.g. the fixtures of ruckus/quickbooks-ruby; a number may stand behind it.
_DELETED = re.compile(r" \(deleted\)(-\d+)?$")
_BASIS = {"TaxOnAmountPlusTax": "+", "TaxOnTax": "*"}
"""What a rate applies on besides the net amount, as components are written (see the port's `Record`)."""
_MARKS = {"TAX": TAXED, "NON": UNTAXED}
_MONTHS = tuple(calendar.month_name)[1:]
_PARTIES = (Kind.CUSTOMER, Kind.VENDOR)
_PURCHASES = (Kind.BILL, Kind.PURCHASE_ORDER)
_DOCUMENTS = (Kind.INVOICE, Kind.CREDIT_MEMO, *_PURCHASES)
_DETAILS = ("SalesItemLineDetail", "ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail")
"""The lines that are sent; QuickBooks appends a subtotal line by itself."""
_SMALLER = {Kind.BILL: ("Simple Start",), Kind.PURCHASE_ORDER: ("Simple Start", "Essentials")}
"""Plans without the kind. Second-hand; a plan of another name is taken to have it, and its refusal (5020) tells."""


def done(body: Json, kind: Kind, tenant: str) -> Done | None:
    """A record as found or created; None when it has no id and so is no record."""
    ledger_id = text(body.get("Id"))
    if ledger_id is None:
        return None
    echo = document_echo(body, kind, tenant) if kind in _DOCUMENTS else list_echo(body, kind, tenant)
    return Done(ledger_id, echo.number, echo)


def document_echo(body: Json, kind: Kind, tenant: str) -> Echo:
    total = decimal(body.get("TotalAmt"))
    memo = text(body.get("PrivateNote"))
    lines = body.get("Line")
    return Echo(
        tenant=tenant,
        kind=kind,
        party_id=ref(body.get("VendorRef" if kind in _PURCHASES else "CustomerRef")),
        number=text(body.get("DocNumber")),
        currency=ref(body.get("CurrencyRef")),
        rate=decimal(body.get("ExchangeRate")),
        total=total,
        lines=_count_lines(lines) if isinstance(lines, list) else None,
        marker=memo,
        created_at=instant(_meta(body).get("CreateTime")),
        live=not _gone(body, total, memo),
        version=text(body.get("SyncToken")),
        balance=decimal(body.get("Balance")),
        date=_day(body.get("TxnDate")),
        mailed=body.get("EmailStatus") == "EmailSent",
        mailed_at=instant(_section(body, "DeliveryInfo").get("DeliveryTime")),
        email=text(_section(body, "BillEmail").get("Address")),
        tax=decimal(_section(body, "TxnTaxDetail").get("TotalTax")) or Decimal(0),
        nets=_nets(lines),
        taxes=_taxes(_section(body, "TxnTaxDetail").get("TaxLine")),
        line_ids=_line_ids(lines) if kind is Kind.PURCHASE_ORDER else (),
    )


def hangs_on(body: Json, entity: str, ledger_id: str) -> bool:
    """Whether an Attachable belongs to this record."""
    links = body.get("AttachableRef")
    for link in links if isinstance(links, list) else []:
        target = link.get("EntityRef") if isinstance(link, Mapping) else None
        if isinstance(target, Mapping) and target.get("type") == entity and text(target.get("value")) == ledger_id:
            return True
    return False


def _nets(lines: object) -> dict[str, Decimal]:
    """Net amounts of the lines by their tax code."""
    found: dict[str, Decimal] = {}
    for line in lines if isinstance(lines, list) else []:
        detail = detail_of(line)
        if detail is not None:
            sent = ref(detail.get("TaxCodeRef")) or ""
            code = _MARKS.get(sent, sent)
            found[code] = found.get(code, Decimal(0)) + (decimal(line.get("Amount")) or Decimal(0))
    return found


def detail_of(line: object) -> Json | None:
    """What stands on a line that was sent; None for one of QuickBooks' own."""
    if not isinstance(line, Mapping) or line.get("DetailType") not in _DETAILS:
        return None
    found = line.get(str(line["DetailType"]))
    return found if isinstance(found, Mapping) else {}


def _line_ids(lines: object) -> tuple[str, ...]:
    """In their order on the document, which is the order they were sent in."""
    sent = [line for line in lines if detail_of(line) is not None] if isinstance(lines, list) else []
    return tuple(text(line.get("Id")) or "" for line in sorted(sent, key=lambda one: one.get("LineNum") or 0))


def _taxes(lines: object) -> dict[str, Decimal]:
    """Amounts of the tax lines by their rate."""
    found: dict[str, Decimal] = {}
    for line in lines if isinstance(lines, list) else []:
        rate = ref(_section(line, "TaxLineDetail").get("TaxRateRef")) if isinstance(line, Mapping) else None
        if rate is not None:
            found[rate] = found.get(rate, Decimal(0)) + (decimal(line.get("Amount")) or Decimal(0))
    return found


def list_echo(body: Json, kind: Kind, tenant: str) -> Echo:
    entry = record(body, kind)
    return Echo(
        tenant=tenant,
        kind=kind,
        party_id=None,
        number=None,
        currency=ref(body.get("CurrencyRef")),
        total=None,
        lines=None,
        marker=None,
        name=_name(body, kind),
        created_at=instant(_meta(body).get("CreateTime")),
        live=body.get("status") != "Deleted",
        record=entry,
    )


def record(body: Json, kind: Kind) -> Record | None:
    ledger_id = text(body.get("Id"))
    if ledger_id is None:
        return None
    return Record(
        kind=kind,
        id=ledger_id,
        name=_given_name(body, kind),
        version=text(body.get("SyncToken")) or "0",
        active=body.get("Active") is not False,
        details=_details(body, kind),
    )


def _details(body: Json, kind: Kind) -> dict[str, str | bool | None]:
    if kind in _PARTIES:
        email = body.get("PrimaryEmailAddr")
        return {
            "currency": ref(body.get("CurrencyRef")),
            "email": text(email.get("Address")) if isinstance(email, Mapping) else None,
            "taxable": body.get("Taxable") is not False,
            "term_id": ref(body.get("SalesTermRef") or body.get("TermRef")),
            "parent_id": ref(body.get("ParentRef")),
        }
    if kind is Kind.ITEM:
        return {
            "type": text(body.get("Type")),
            "income_account_id": ref(body.get("IncomeAccountRef")),
            "expense_account_id": ref(body.get("ExpenseAccountRef")),
            "sku": text(body.get("Sku")),
            "taxable": body.get("Taxable") is True,
        }
    if kind is Kind.ACCOUNT:
        return {
            "type": text(body.get("AccountType")),
            "subtype": text(body.get("AccountSubType")),
            "number": text(body.get("AcctNum")),
            "currency": ref(body.get("CurrencyRef")),
        }
    if kind is Kind.TERM:
        return {"days": text(body.get("DueDays"))}
    if kind in (Kind.CLASS, Kind.LOCATION):
        return {}
    return {"taxable": body.get("Taxable") is not False}


def tax_codes(codes: Sequence[Json], rates: Sequence[Json]) -> list[Record]:
    """Tax codes with the percent a sale under them bears; None where the code has no sales rate of its own."""
    known = {str(rate.get("Id")): rate for rate in rates}
    found = []
    for code in codes:
        entry = record(code, Kind.TAX_CODE)
        if entry is not None:
            # A code without a list for purchases, beside one for sales, cannot stand on a purchase.
            purchases = "PurchaseTaxRateList" in code or "SalesTaxRateList" not in code
            details = {**entry.details, **_sales_rates(code, known), "purchases": purchases}
            found.append(Record(entry.kind, entry.id, entry.name, entry.version, entry.active, details))
    return found


def _sales_rates(code: Json, rates: Mapping[str, Json]) -> dict[str, str | bool | None]:
    """Components add up in Intuit's TaxOrder; what each applies on says TaxTypeApplicable."""
    details = _section(code, "SalesTaxRateList").get("TaxRateDetail")
    parts = [part for part in details if isinstance(part, Mapping)] if isinstance(details, list) else []
    total: Decimal | None = None
    written: list[str] = []
    active = True
    for part in sorted(parts, key=lambda item: decimal(item.get("TaxOrder")) or Decimal(0)):
        ident = ref(part.get("TaxRateRef")) or ""
        percent = decimal(rates[ident].get("RateValue")) if ident in rates else None
        if percent is None:
            return {"rate": None, "components": None, "rate_active": False}
        active = active and rates[ident].get("Active") is not False
        mark = _BASIS.get(str(part.get("TaxTypeApplicable")), "")
        so_far = total or Decimal(0)
        share = {"": Decimal(1), "+": 1 + so_far / 100, "*": so_far / 100}[mark]
        total = so_far + percent * share
        written.append(f"{ident}={percent:f}{mark}")
    rate = None if total is None else format(total, "f")
    return {"rate": rate, "components": " ".join(written) or None, "rate_active": active}


def profile(company: Json, preferences: Json, tenant: str) -> LedgerProfile:
    sales = _section(preferences, "SalesFormsPrefs")
    currency = _section(preferences, "CurrencyPrefs")
    country = text(company.get("Country")) or "US"
    edition = _named(company.get("NameValue"), "OfferingSku") or ""
    bought = _section(preferences, "VendorAndPurchasesPrefs")
    own_order_numbers = _named(
        _section(preferences, "OtherPrefs").get("NameValue"), "VendorAndPurchasesPrefs.UseCustomTxnNumbers"
    )
    tax_model = _tax_model(country, _section(preferences, "TaxPrefs"))
    return LedgerProfile(
        tenant=tenant,
        company_name=text(company.get("CompanyName")) or "",
        country=country,
        currency=ref(currency.get("HomeCurrency")) or "USD",
        multi_currency=currency.get("MultiCurrencyEnabled") is True,
        tax_model=tax_model,
        own_numbers=sales.get("CustomTxnNumbers") is True,
        closed_through=text(_section(preferences, "AccountingInfoPrefs").get("BookCloseDate")),
        latin1_only=country == "US",
        classes=_section(preferences, "AccountingInfoPrefs").get("ClassTrackingPerTxnLine") is True,
        locations=_section(preferences, "AccountingInfoPrefs").get("TrackDepartments") is True,
        edition=edition,
        fiscal_month=_month(_section(preferences, "AccountingInfoPrefs").get("FirstMonthOfFiscalYear")),
        applies_credits=sales.get("AutoApplyCredit") is True,
        bills=not edition.endswith(_SMALLER[Kind.BILL]),
        purchase_orders=not edition.endswith(_SMALLER[Kind.PURCHASE_ORDER]),
        own_order_numbers=(own_order_numbers or "").lower() == "true",
        purchases_by_customer=bought.get("TrackingByCustomer") is True
        and bought.get("BillableExpenseTracking") is True,
        purchase_tax=tax_model is TaxModel.CODE_PER_LINE,
    )


def _month(name: Any) -> int:
    """`April` → 4; January where QuickBooks says nothing."""
    return _MONTHS.index(str(name)) + 1 if name in _MONTHS else 1


def _tax_model(country: str, taxes: Json) -> TaxModel:
    """Source: Intuit, "Manage sales tax" for US and non-US locales."""
    if country != "US":
        return TaxModel.CODE_PER_LINE if taxes.get("UsingSalesTax") is True else TaxModel.NONE
    if taxes.get("PartnerTaxEnabled") is False:
        return TaxModel.NOT_SET_UP
    if taxes.get("UsingSalesTax") is not True:
        return TaxModel.NONE
    # The attribute is absent in companies without automated tax: the older model with a rate group per document.
    return TaxModel.EXPLICIT_TOTAL if taxes.get("PartnerTaxEnabled") is True else TaxModel.GROUP_AND_TOTAL


def ref(value: object) -> str | None:
    return text(value.get("value")) if isinstance(value, Mapping) else None


def instant(value: object) -> datetime | None:
    """An ISO instant with any offset as aware UTC; None when unreadable or without an offset."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _gone(body: Json, total: Decimal | None, memo: str | None) -> bool:
    """A void leaves the record at zero with "Voided" before its note; a delete leaves only a status."""
    return body.get("status") == "Deleted" or (not total and (memo or "").startswith("Voided"))


def _count_lines(lines: Sequence[object]) -> int:
    return sum(1 for line in lines if detail_of(line) is not None)


def _given_name(body: Json, kind: Kind) -> str:
    """The name without the mark QuickBooks puts behind that of an inactive record ("Acme (deleted)")."""
    name = _name(body, kind) or ""
    return name if body.get("Active", True) else _DELETED.sub("", name)


def _name(body: Json, kind: Kind) -> str | None:
    if kind in _PARTIES:
        return text(body.get("DisplayName"))
    if kind in (Kind.ITEM, Kind.CLASS, Kind.LOCATION):
        return text(body.get("FullyQualifiedName")) or text(body.get("Name"))
    return text(body.get("Name"))


def _meta(body: Json) -> Json:
    return _section(body, "MetaData")


def _section(body: Json, name: str) -> Json:
    part = body.get(name)
    return part if isinstance(part, Mapping) else {}


def _named(values: object, name: str) -> str | None:
    for item in values if isinstance(values, list) else []:
        if isinstance(item, Mapping) and item.get("Name") == name:
            return text(item.get("Value"))
    return None
