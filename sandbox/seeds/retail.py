"""Real invoices from CSV files in the format of *Online Retail* (Chen 2015, UCI, doi:10.24432/C5BW33, CC BY 4.0).

The set is moved in time so that its last day is yesterday; numbers, order and time of day stay. The mess in it
stays too: lines without a text, invoices without a customer, negative quantities, one number in two files.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.autotask.actions import cents
from sandbox.autotask.tenants import Tenant, find_tenant
from sandbox.autotask.views import moment_text
from sandbox.seeds import ledger
from sandbox.seeds.basics import Laid, lay_out
from sandbox.world import World

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


class RetailError(ValueError):
    """A file that cannot be read: names the file, the line and the column."""


@dataclass
class Line:
    """One row of a file; `customer` is None where the file has none."""

    code: str
    text: str
    quantity: int
    price: Decimal


@dataclass
class Document:
    """One invoice of one file, at its local time."""

    number: str
    at: datetime
    customer: str | None
    country: str
    lines: list[Line] = field(default_factory=list)


def files_in(folder: str | Path) -> list[Path]:
    """The `.csv` and `.csv.gz` files of a folder by name, or the one file given. Raises RetailError when none."""
    path = Path(folder)
    files = (
        [path]
        if path.is_file()
        else sorted(file for file in path.glob("*") if file.name.endswith((".csv", ".csv.gz")))
        if path.is_dir()
        else []
    )
    if not files:
        raise RetailError(f"{path}: there is no .csv or .csv.gz file")
    return files


def read(file: Path) -> list[Document]:
    """The invoices of one file in order of appearance; lines of one number belong together. Raises RetailError."""
    found: dict[str, Document] = {}
    for line_number, row in _rows(file):

        def wrong(column: str, why: str, at: int = line_number) -> RetailError:
            return RetailError(f"{file.name}, line {at}, column {column}: {why}")

        number = row["InvoiceNo"].strip()
        if not number:
            raise wrong("InvoiceNo", "there is no number")
        line = Line(row["StockCode"].strip(), row["Description"].strip(), _quantity(row, wrong), _price(row, wrong))
        at, customer = _moment(row, wrong), _customer(row, wrong)
        document = found.setdefault(number, Document(number, at, None, row["Country"].strip()))
        document.customer = document.customer or customer
        document.lines.append(line)
    return list(found.values())


def _rows(file: Path) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        raw = file.read_bytes()
        text = (gzip.decompress(raw) if file.name.endswith(".gz") else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RetailError(f"{file.name}: the file cannot be read ({error})") from error
    except UnicodeDecodeError as error:
        line = (gzip.decompress(raw) if file.name.endswith(".gz") else raw)[: error.start].count(b"\n") + 1
        raise RetailError(f"{file.name}, line {line}: the text is not UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            raise RetailError(f"{file.name}, line 1, column {missing[0]}: the header lacks it")
        for row in reader:
            if len(row) != len(header):
                raise RetailError(
                    f"{file.name}, line {reader.line_num}, column {header[min(len(row), 7)]}: "
                    f"{len(row)} values where the header has {len(header)}"
                )
            yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise RetailError(f"{file.name}, line {reader.line_num}, column {COLUMNS[0]}: {error}") from error


def _quantity(row: dict[str, str], wrong: Any) -> int:
    try:
        return int(row["Quantity"])
    except ValueError as error:
        raise wrong("Quantity", f"{row['Quantity']!r} is not a whole number") from error


def _price(row: dict[str, str], wrong: Any) -> Decimal:
    try:
        price = Decimal(row["UnitPrice"].strip())
    except InvalidOperation as error:
        raise wrong("UnitPrice", f"{row['UnitPrice']!r} is not a number") from error
    if not price.is_finite():
        raise wrong("UnitPrice", f"{row['UnitPrice']!r} is not a number")
    return price


def _moment(row: dict[str, str], wrong: Any) -> datetime:
    try:
        return _local_time(row["InvoiceDate"].strip())
    except ValueError as error:
        raise wrong("InvoiceDate", f"{row['InvoiceDate']!r} is not YYYY-MM-DD HH:MM:SS") from error


@lru_cache(maxsize=1000)
def _local_time(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - local time of the tenant


def _customer(row: dict[str, str], wrong: Any) -> str | None:
    text = row["CustomerID"].strip().removesuffix(".0")
    if text and not text.isdigit():
        raise wrong("CustomerID", f"{row['CustomerID']!r} is not a customer number")
    return text or None


def load(
    world: World,
    data: str | Path | Sequence[Path],
    *,
    slug: str = "retail",
    days_ago_last: int = 1,
    switches: dict[str, object] | None = None,
    profile: str = "uk",
) -> dict[str, Any]:
    """Seed a UK company in GBP with the invoices of a folder or of files. Raises RetailError, ValueError.

    `profile`: the ledger company, such as `uk` or `xero-uk`.

    All or nothing: a file that cannot be read leaves the world as it was. Gives addresses, fake credentials,
    counts, and the first day of the moved set.
    """
    files = files_in(data) if isinstance(data, str | Path) else list(data)
    documents = [document for file in files for document in read(file)]
    if not documents:
        raise RetailError(f"{files[0].name}: there are no invoices")
    with world.store.transaction():
        laid = lay_out(
            world, slug, "Example Giftware Wholesale Ltd", "uk", {"invoice_dates": "time_of_day", **(switches or {})}
        )
        loader = _Loader(laid, _shift(world, laid.tenant, documents, days_ago_last))
        for document in documents:
            loader.add(document)
        realm = ledger.create_company(world, slug, profile, "Example Giftware Wholesale Ltd", "GBP")
    counts = {
        "invoices": len(documents),
        "lines": loader.lines,
        "companies": len(loader.companies),
        "billing_codes": len(loader.codes),
    }
    first = min(document.at for document in documents) + loader.shift
    return {
        **ledger.access(world, laid.tenant, realm, counts),
        "first_day": first.date().isoformat(),
        "currency": "GBP",
        "time_zone": laid.tenant.zone_name,
    }


def again(
    world: World, data: str | Path | Sequence[Path], *, slug: str = "retail", prefix: str = "R-"
) -> dict[str, Any]:
    """Issue the same invoices once more under new numbers, to the same customers, on the same days.

    Gives the counts of what came. Raises RetailError, and ValueError where nothing was loaded under the slug.
    """
    files = files_in(data) if isinstance(data, str | Path) else list(data)
    documents = [document for file in files for document in read(file)]
    tenant = find_tenant(world, slug)
    if tenant is None:
        raise ValueError(f"there is no Autotask tenant {slug!r}")
    with world.store.transaction():
        loader = _Loader(_laid(tenant), _shift(world, tenant, documents, 1))
        for document in documents:
            loader.add(replace(document, number=f"{prefix}{document.number}"))
    return {"counts": {"invoices": len(documents), "lines": loader.lines}}


def _laid(tenant: Tenant) -> Laid:
    """The lists of a tenant that is there, as far as invoices need them."""

    def ids(entity: str, name: str) -> dict[str, int]:
        return {row[name]: row["id"] for row in tenant.rows(entity) if row.get(name)}

    lists = {"countries": ids("Countries", "displayName"), "tax_regions": ids("TaxRegions", "name")}
    return Laid(tenant, currencies=ids("Currencies", "name"), owner=int(tenant.body["billing_resource"]), **lists)


def _shift(world: World, tenant: Tenant, documents: list[Document], days_ago_last: int) -> timedelta:
    """Whole days between the last day of the set and `days_ago_last` days before today, tenant's time."""
    today = world.clock.now().astimezone(ZoneInfo(tenant.zone_name)).date()
    last = max(document.at for document in documents).date()
    return timedelta(days=(today - timedelta(days=days_ago_last) - last).days)


class _Loader:
    """Turns documents into rows of one tenant; companies and billing codes are made when first met."""

    def __init__(self, laid: Laid, shift: timedelta) -> None:
        self.laid, self.tenant, self.shift = laid, laid.tenant, shift
        self.zone = ZoneInfo(self.tenant.zone_name)
        numbered = (row for row in self.tenant.rows("Companies") if "companyNumber" in row)
        self.companies: dict[str, int] = {row["companyNumber"]: row["id"] for row in numbered}
        self.codes: dict[str, int] = {row["externalNumber"]: row["id"] for row in self.tenant.rows("BillingCodes")}
        self.lines = 0
        self.region = laid.tax_regions["No tax"]
        self.types = {
            "billingItemType": self.tenant.pick("billingItemType", "Ticket Cost"),
            "subType": self.tenant.pick("subType", "Ticket Cost"),
        }

    def add(self, document: Document) -> None:
        """Write one invoice and its lines."""
        company = self._company(document) if document.customer else None
        amounts = [cents(line.quantity * line.price) for line in document.lines]
        stamp = moment_text((document.at + self.shift).replace(tzinfo=self.zone))
        total = sum(amounts, Decimal(0))
        invoice = self.tenant.add(
            "Invoices",
            {
                "companyID": company,
                "invoiceNumber": document.number,
                "createDateTime": stamp,
                "isVoided": False,
                "invoiceDateTime": stamp,
                "dueDate": stamp,
                "fromDate": stamp,
                "toDate": stamp,
                "invoiceTotal": total,
                "totalTaxValue": Decimal(0),
                "taxGroup": self.region,
                "taxRegionName": "No tax",
                "creatorResourceID": self.laid.owner,
                "invoiceEditorTemplateID": 102,
            },
        )
        for place, (line, amount) in enumerate(zip(document.lines, amounts, strict=True), start=1):
            self._line(invoice, company, place, line, amount, stamp)

    def _line(self, invoice: int, company: int | None, place: int, line: Line, amount: Decimal, stamp: str) -> None:
        zero = Decimal(0)
        self.tenant.add(
            "BillingItems",
            {
                **self.types,
                "invoiceID": invoice,
                "companyID": company,
                "sortOrderID": place,
                "itemDate": stamp,
                "postedDate": stamp,
                "billingCodeID": self._code(line),
                "itemName": (line.text or line.code)[:255],
                "description": line.text or None,
                "lineItemFullDescription": line.text or None,
                "nonBillable": 0,
                "quantity": Decimal(line.quantity),
                "rate": line.price,
                "extendedPrice": amount,
                "taxDollars": zero,
                "totalAmount": amount,
                "internalCurrencyExtendedPrice": amount,
                "internalCurrencyRate": line.price,
                "internalCurrencyTaxDollars": zero,
                "internalCurrencyTotalAmount": amount,
            },
        )
        self.lines += 1

    def _company(self, document: Document) -> int:
        number = str(document.customer)
        if number not in self.companies:
            self.companies[number] = self.tenant.add(
                "Companies",
                {
                    "companyName": f"Customer {number}",
                    "companyNumber": number,
                    "isActive": True,
                    "phone": "000",
                    "companyType": self.tenant.pick("companyType", "Customer"),
                    "ownerResourceID": self.laid.owner,
                    "countryID": self.laid.country(document.country or "United Kingdom"),
                    "isTaxExempt": False,
                    "currencyID": self.laid.currencies["GBP"],
                    "taxRegionID": self.region,
                },
            )
        return self.companies[number]

    def _code(self, line: Line) -> int:
        """One billing code per stock code, case kept; named after the first text that is not blank."""
        id = self.codes.get(line.code)
        if id is None:
            id = self.codes[line.code] = self.tenant.add(
                "BillingCodes",
                {
                    "name": (line.text or line.code)[:200],
                    "externalNumber": line.code,
                    "isActive": True,
                    "useType": self.tenant.pick("useType", "Material Cost"),
                    "unitCost": Decimal(0),
                    "billingCodeType": self.tenant.pick("billingCodeType", "Normal"),
                    "unitPrice": line.price,
                    "generalLedgerAccount": self.tenant.pick("generalLedgerAccount", "4200 Hardware"),
                },
            )
        elif line.text:
            row = self.tenant.row("BillingCodes", id) or {}
            if row.get("name") == line.code:
                self.tenant.save("BillingCodes", {**row, "name": line.text[:200]})
        return id
