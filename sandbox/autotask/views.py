"""How a stored row looks from outside: switches applied, nulls filled in, camelCase names.

Rows are stored sparse and canonical (moments as `YYYY-MM-DDTHH:MM:SS.mmmZ`, tax rates as fractions, prices at
four decimals). Filters compare what a reader would see, so they go through here as well.
"""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.autotask.entities import Entity
from sandbox.autotask.tenants import Tenant

CENT = Decimal("0.01")
Row = dict[str, Any]
_UNKNOWN = {"PurchaseOrderItemReceiving": "vendorInvoiceNumber"}  # a field that older databases do not have
_COSTS = {
    "PurchaseOrderItems": ("unitCost", "internalCurrencyUnitCost"),
    "Products": ("unitCost",),
    "ProductVendors": ("vendorCost",),
    "BillingItems": ("ourCost",),
}
_DAY_FIELDS = {"Invoices": ("invoiceDateTime", "dueDate", "fromDate", "toDate")}


def moment_text(moment: datetime) -> str:
    """A moment as the service writes it: UTC, milliseconds only when there are some."""
    moment = moment.astimezone(UTC)
    fraction = f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def parse_moment(text: str) -> datetime:
    """Read `yyyy-MM-dd[THH:mm:ss[.fff]]` with or without an offset (none: UTC). Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def midnight_text(day: date) -> str:
    """A calendar day as a moment at 00:00 UTC."""
    return moment_text(datetime.combine(day, time(), UTC))


class View:
    """The outside look of one entity for one tenant. Make one per request: it reads the switches once."""

    def __init__(self, tenant: Tenant, entity: Entity) -> None:
        self.entity = entity
        self.blank = "" if tenant.switch("blank_strings") == "empty" else None
        self.zone = ZoneInfo(tenant.zone_name)
        self.extra = _extra_name(tenant) if tenant.switch("extra_field") else None
        self.unknown = _UNKNOWN.get(entity.name, "") if not tenant.switch("receipt_invoice_numbers") else ""
        self._shown: dict[str, Callable[[Row, Any], Any]] = {}
        if not tenant.switch("costs_visible"):
            self._shown |= dict.fromkeys(_COSTS.get(entity.name, ()), lambda row, value: None)
        if entity.name == "BillingItems" and not tenant.switch("four_decimals"):
            self._shown["extendedPrice"] = lambda row, value: value.quantize(CENT, ROUND_HALF_UP)
            self._shown["internalCurrencyExtendedPrice"] = self._shown["extendedPrice"]
        if entity.name == "Taxes" and tenant.switch("tax_rate_unit") == "percent":
            self._shown["taxRate"] = lambda row, value: value * 100
        if tenant.switch("invoice_dates") != "time_of_day":
            local = tenant.switch("invoice_dates") == "local_midnight"
            for name in _DAY_FIELDS.get(entity.name, ()):
                self._shown[name] = lambda row, value: self._midnight(value, local)

    def _midnight(self, value: str, local: bool) -> str:
        day = parse_moment(value).astimezone(self.zone).date()
        return moment_text(datetime.combine(day, time(), self.zone)) if local else midnight_text(day)

    def value(self, row: Row, name: str) -> Any:
        """One field as a reader sees it."""
        value = row.get(name)
        if value is None or value == "":
            return self.blank if self.entity.fields[name].kind == "s" else None
        shown = self._shown.get(name)
        return shown(row, value) if shown else value

    def item(self, row: Row, include: list[str] | None = None) -> Row:
        """A whole record, or only the fields asked for; every field stands there, null or not."""
        names = [name for name in (self.entity.fields if include is None else include) if name != self.unknown]
        shown = {name: self.value(row, name) for name in names}
        if include is None:
            shown["userDefinedFields"] = row.get("userDefinedFields", [])
        if self.extra:
            shown[self.extra] = "a field of a later version"
        return shown


def _extra_name(tenant: Tenant) -> str:
    """A field name no client can know: answers grow fields without notice."""
    return f"futureField{random.Random(tenant.ci).randrange(100, 999)}"
