"""What people do inside Autotask: approve and post items to an invoice, void it, issue it again, edit it.

The API cannot do any of this; the plain pages, the control API and the seeds call these functions.
Money is Decimal in the tenant's currency; moments are UTC texts as stored.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.autotask.entities import BILLING_ITEMS
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import CENT, Row, moment_text, parse_moment

WAITING = "ItemsNotVisibleYet"


class ActionError(ValueError):
    """The action makes no sense for this record; the text says why."""


def cents(amount: Decimal) -> Decimal:
    """Half-up to the cent."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def tax_on(tenant: Tenant, region: int | None, category: int | None, amount: Decimal) -> Decimal:
    """Tax of one line: plain taxes of the pair on the amount, compounded ones on top; half-up to the cent."""
    rows = [row for row in tenant.rows("Taxes") if row["taxRegionID"] == region and row["taxCategoryID"] == category]
    plain = sum((amount * row["taxRate"] for row in rows if not row.get("isCompounded")), Decimal(0))
    on_top = sum(((amount + plain) * row["taxRate"] for row in rows if row.get("isCompounded")), Decimal(0))
    return cents(plain + on_top)


def post_item(tenant: Tenant, company: int | None, region: int | None, line: Mapping[str, Any]) -> Row:
    """A billing item ready to be stored, from a short line: code, quantity, rate, texts, type.

    `extendedPrice` and `taxDollars` are computed unless the line brings them.
    """
    kinds = {name: field.kind for name, field in BILLING_ITEMS.fields.items()}
    item: Row = {
        name: Decimal(str(value)) if kinds.get(name) == "d" and value is not None else value
        for name, value in line.items()
    }
    item.setdefault("companyID", company)
    item.setdefault("nonBillable", 0)
    item.setdefault("billingItemType", tenant.pick("billingItemType", "Labor"))
    item.setdefault("subType", tenant.pick("subType", "Labor"))
    if "extendedPrice" not in item:
        item["extendedPrice"] = cents(item["quantity"] * item["rate"])
    if "taxDollars" not in item:
        item["taxDollars"] = tax_on(tenant, region, item.get("taxCategoryID"), item["extendedPrice"])
    item.setdefault("totalAmount", item["extendedPrice"] + item["taxDollars"])
    rate = internal_rate(tenant, item["companyID"])
    item.setdefault("internalCurrencyExtendedPrice", cents(item["extendedPrice"] * rate))
    item.setdefault("internalCurrencyTaxDollars", cents(item["taxDollars"] * rate))
    item.setdefault("internalCurrencyTotalAmount", cents(item["totalAmount"] * rate))
    if item.get("rate") is not None:
        item.setdefault("internalCurrencyRate", (item["rate"] * rate).quantize(Decimal("0.000001")))
    return item


def internal_rate(tenant: Tenant, company: int | None) -> Decimal:
    """What one unit of the company's currency is in the tenant's own: one over the listed rate.

    The direction of `Currencies.exchangeRate` is not confirmed; here it is foreign units for one of the own.
    """
    row = tenant.row("Companies", company) if company is not None else None
    currency = tenant.row("Currencies", row.get("currencyID")) if row else None
    return Decimal(1) / currency["exchangeRate"] if currency else Decimal(1)


def issue(
    tenant: Tenant,
    company: int | None,
    lines: Sequence[Mapping[str, Any]],
    *,
    number: str | None = "",
    at: datetime | None = None,
    still_building: int = 0,
    **header: Any,
) -> int:
    """Put new items on a new invoice and give its id.

    `number` empty takes the next of the tenant's own sequence, None leaves it blank. The last `still_building`
    lines stay out of sight until `finish`, as when the header is there before its lines. `header` overrides
    any field, totals included.
    """
    region = header.get("taxGroup", _region_of(tenant, company))
    items = [post_item(tenant, company, region, line) for line in lines]
    invoice = _header(tenant, company, region, items, number, at, header)
    id = tenant.add("Invoices", invoice)
    for place, item in enumerate(items, start=1):
        item |= {"invoiceID": id, "sortOrderID": place}
        item.setdefault("itemDate", invoice["invoiceDateTime"])
        item.setdefault("postedDate", invoice["createDateTime"])
        if place > len(items) - still_building:
            waiting = tenant.world.store.next_id(tenant.space, WAITING)
            tenant.world.store.put(tenant.space, WAITING, waiting, {"place": waiting, "item": item}, {"invoiceID": id})
        else:
            tenant.add("BillingItems", item)
    return id


def _region_of(tenant: Tenant, company: int | None) -> int | None:
    row = tenant.row("Companies", company) if company is not None else None
    return row.get("taxRegionID") if row else None


def _header(
    tenant: Tenant,
    company: int | None,
    region: int | None,
    items: list[Row],
    number: str | None,
    at: datetime | None,
    given: Mapping[str, Any],
) -> Row:
    at = at or tenant.world.clock.now()
    stamp = moment_text(at)
    net = sum((item["extendedPrice"] for item in items), Decimal(0))
    tax = sum((item["taxDollars"] for item in items), Decimal(0))
    region_row = tenant.row("TaxRegions", region) if region is not None else None
    term = tenant.row("PaymentTerms", given.get("paymentTerm")) if given.get("paymentTerm") else None
    header: Row = {
        "companyID": company,
        "createDateTime": stamp,
        "invoiceDateTime": stamp,
        "isVoided": False,
        "invoiceNumber": next_number(tenant) if number == "" else number,
        "invoiceTotal": cents(net + tax),
        "totalTaxValue": tax,
        "taxGroup": region,
        "taxRegionName": region_row["name"] if region_row else None,
        "batchID": tenant.world.store.next_id(tenant.space, "batch", 800),
        "dueDate": moment_text(at + timedelta(days=int(term["paymentDueInDays"]))) if term else stamp,
        "fromDate": moment_text(at - timedelta(days=30)),
        "toDate": stamp,
        "invoiceEditorTemplateID": 102,
        "creatorResourceID": tenant.body.get("billing_resource"),
    }
    return {**header, **given}


def next_number(tenant: Tenant) -> str:
    """The next invoice number of the tenant's own sequence."""
    return f"{tenant.body.get('number_prefix', 'AT-')}{tenant.world.store.next_id(tenant.space, 'number', 10001)}"


def finish(tenant: Tenant, invoice: int) -> int:
    """Let the remaining lines of an invoice appear; gives how many."""
    store = tenant.world.store
    waiting = store.find(tenant.space, WAITING, "invoiceID", invoice)
    for row in waiting:
        tenant.add("BillingItems", row["item"])
        store.delete(tenant.space, WAITING, row["place"])
    return len(waiting)


def approve(tenant: Tenant, company: int, **header: Any) -> int:
    """Put a company's items that are approved but on no invoice onto a new one."""
    items = [row for row in tenant.rows("BillingItems", companyID=company) if row.get("invoiceID") is None]
    if not items:
        raise ActionError(f"company {company} has no approved items that wait for an invoice")
    return _invoice_existing(tenant, company, items, header)


def _invoice_existing(tenant: Tenant, company: int | None, items: list[Row], header: Mapping[str, Any]) -> int:
    number = header.get("invoiceNumber", "")
    given = {name: value for name, value in header.items() if name != "invoiceNumber"}
    region = given.get("taxGroup", _region_of(tenant, company))
    id = tenant.add("Invoices", _header(tenant, company, region, items, number, None, given))
    for item in items:
        tenant.save("BillingItems", {**item, "invoiceID": id, "webServiceDate": None})
    return id


def void(tenant: Tenant, invoice: int) -> None:
    """Void an invoice; its items go back to those that wait for an invoice."""
    row = _existing(tenant, invoice)
    if row.get("isVoided"):
        raise ActionError(f"invoice {invoice} is already void")
    tenant.save(
        "Invoices",
        {
            **row,
            "isVoided": True,
            "voidedDate": moment_text(tenant.world.clock.now()),
            "voidedByResourceID": tenant.body.get("billing_resource"),
        },
    )
    for item in tenant.rows("BillingItems", invoiceID=invoice):
        tenant.save("BillingItems", {**item, "invoiceID": None, "voidedFrom": invoice})


def reissue(tenant: Tenant, invoice: int) -> int:
    """Void an invoice and put its items on a new one, with the same or new item ids by switch."""
    row = _existing(tenant, invoice)
    if not row.get("isVoided"):
        void(tenant, invoice)
    items = [
        item
        for item in tenant.rows("BillingItems", companyID=row.get("companyID"))
        if item.get("voidedFrom") == invoice and item.get("invoiceID") is None
    ]
    if row.get("companyID") is None:
        items = [
            item
            for item in tenant.rows("BillingItems")
            if item.get("voidedFrom") == invoice and item.get("invoiceID") is None
        ]
    if not items:
        raise ActionError(f"the items of invoice {invoice} are on another invoice already")
    if tenant.switch("reissue_item_ids") == "new":
        items = [_copied(tenant, item) for item in items]
    kept = ("taxGroup", "paymentTerm", "orderNumber", "comments", "invoiceEditorTemplateID")
    return _invoice_existing(tenant, row.get("companyID"), items, {name: row[name] for name in kept if name in row})


def more(tenant: Tenant, count: int) -> list[Row]:
    """So many new invoices, each like one that bears a sync mark: same company, lines and tax. Gives id and number."""
    kinds = [row for row in tenant.rows("Invoices") if row.get("webServiceDate") and not row.get("isVoided")]
    if not kinds:
        raise ActionError("there is no synced invoice yet that a new one could be like")
    own = ("id", "invoiceID", "sortOrderID", "itemDate", "postedDate")
    made = []
    for place in range(count):
        like = kinds[place % len(kinds)]
        items = tenant.rows("BillingItems", invoiceID=like["id"])
        lines = [{name: value for name, value in item.items() if name not in own} for item in items]
        kept = {name: like[name] for name in ("taxGroup", "paymentTerm") if name in like}
        id = issue(tenant, like.get("companyID"), lines, **kept)
        made.append({"id": id, "number": _existing(tenant, id)["invoiceNumber"]})
    return made


def _copied(tenant: Tenant, item: Row) -> Row:
    tenant.world.store.delete(tenant.space, "BillingItems", item["id"])
    fresh = {name: value for name, value in item.items() if name != "id"}
    return {**fresh, "id": tenant.add("BillingItems", fresh)}


def clear_mark(tenant: Tenant, invoice: int) -> None:
    """Empty the Web Service Date, as an administrator can."""
    tenant.save("Invoices", {**_existing(tenant, invoice), "webServiceDate": None})


def edit(tenant: Tenant, invoice: int, changes: Mapping[str, Any]) -> None:
    """Change header fields; `extendedPrice` {item id: amount} changes lines and the total with them."""
    row = {**_existing(tenant, invoice)}
    prices = changes.get("extendedPrice", {})
    for id, price in prices.items():
        item = tenant.row("BillingItems", id)
        if item is None or item.get("invoiceID") != invoice:
            raise ActionError(f"billing item {id} is not on invoice {invoice}")
        price = Decimal(str(price))
        row["invoiceTotal"] = row["invoiceTotal"] + cents(price) - cents(item["extendedPrice"])
        tenant.save("BillingItems", {**item, "extendedPrice": price, "totalAmount": price + item["taxDollars"]})
    row |= {name: value for name, value in changes.items() if name != "extendedPrice"}
    for name in ("invoiceDateTime", "createDateTime", "dueDate"):
        if name in changes:
            row[name] = moment_text(parse_moment(str(changes[name])))
    tenant.save("Invoices", row)


def _existing(tenant: Tenant, invoice: int) -> Row:
    row = tenant.row("Invoices", invoice)
    if row is None:
        raise ActionError(f"there is no invoice {invoice}")
    return row
