"""Autotask PSA as a Source of invoices and purchase orders: what is asked, in which order, with how few calls.

The wire, limits and errors are in autotask_http, row shapes in autotask_payloads, the connection test in
autotask_check, orders in autotask_orders. Autotask has no change feed for either: polling by creation date is the only
way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.errors import NotAllowed, Unavailable
from connectors.limits import Used
from connectors.sources import autotask_check, autotask_places, autotask_todos
from connectors.sources import autotask_payloads as rows
from connectors.sources.autotask_http import PLATFORM, AutotaskClient, since_text
from connectors.sources.autotask_orders import AutotaskOrders
from connectors.sources.autotask_services import ServicePeriods
from connectors.sources.base import Mark, SourceCheck, Todo, Voided
from domain.documents import Catalog, Code, Party, SourceDocument, SourceHeader, Term, Window
from domain.order_documents import ORDER
from domain.todos import TodoDraft, TodoLists

Json = Mapping[str, Any]


class AutotaskSource:
    """Implements `Source` for the kinds `invoice` and `purchase_order`.

    `time_zone` is the connection's Autotask time zone (IANA), used to reduce instants to calendar dates. Small lists
    (picklists, countries, categories) are read at most once per instance: build one per job.
    """

    def __init__(self, client: AutotaskClient, *, time_zone: str = "UTC") -> None:
        self._client = client
        self._zone = ZoneInfo(time_zone)
        self._names: dict[str, dict[str, str]] = {}
        self._code_categories: dict[str, str | None] = {}
        self._currencies: dict[str, str] | None = None
        self._orders = AutotaskOrders(client, self._zone)
        self._services = ServicePeriods(client)

    @property
    def tenant(self) -> str:
        return self._client.tenant

    def check(self) -> SourceCheck:
        return autotask_check.check(self._client)

    # ---- documents ----------------------------------------------------------------------------------------

    def headers(self, kind: str, window: Window) -> Iterator[list[SourceHeader]]:
        if _is_order(kind):
            yield from self._orders.headers(window)
            return
        for page in self._client.pages("Invoices", rows.unsynced(window), rows.HEADER_FIELDS):
            yield self._headers(page)

    def headers_by_id(self, kind: str, ids: Sequence[str]) -> list[SourceHeader]:
        if _is_order(kind):
            return self._orders.headers_by_id(ids)
        return self._headers(self._by_id("Invoices", ids, rows.HEADER_FIELDS))

    def voided(self, kind: str, since: datetime) -> list[Voided]:
        if _is_order(kind):
            return self._orders.cancelled(since)
        return [rows.voided(row) for row in self._client.rows("Invoices", rows.voided_since(since), rows.VOID_FIELDS)]

    def headers_by_number(self, kind: str, number: str) -> list[SourceHeader]:
        if _is_order(kind):
            return self._orders.headers_by_number(number)
        return self._headers(self._client.rows("Invoices", [rows.numbered(number)], rows.HEADER_FIELDS))

    def documents(self, headers: Sequence[SourceHeader]) -> Iterator[list[SourceDocument]]:
        if headers and _is_order(headers[0].kind):
            yield from self._orders.documents(headers)
            return
        for chunk in rows.chunks(headers):
            of_these = rows.one_of("invoiceID", [one.id for one in chunk])
            items = [rows.slim(row) for page in self._client.pages("BillingItems", [of_these]) for row in page]
            categories, periods = self._categories(items), self._services.months(items)
            types = self._client.labels("BillingItems", "billingItemType") if items else {}
            by_invoice: dict[str, list[Json]] = {one.id: [] for one in chunk}
            for item in items:
                by_invoice.setdefault(str(item.get("invoiceID")), []).append(item)
            yield [
                SourceDocument(
                    one,
                    tuple(
                        rows.line(
                            item, self._zone, types, categories.get(str(item["id"])), periods.get(str(item["id"]))
                        )
                        for item in sorted(by_invoice[one.id], key=rows.printed_order)
                    ),
                )
                for one in chunk
            ]

    def original(self, kind: str, id: str) -> bytes:
        if _is_order(kind):
            raise Unavailable("Autotask gives no printed copy of a purchase order.", platform=PLATFORM)
        body = rows.pdf(self._client.get(f"Invoices/{int(id)}/InvoicePDF", entity="Invoices"))
        if not body:
            raise Unavailable("Autotask did not send a PDF of this invoice.", platform=PLATFORM)
        return body

    # ---- parties and lists --------------------------------------------------------------------------------

    def parties(self, ids: Sequence[str]) -> list[Party]:
        """Billing e-mail: the address of the company's active primary contact, else None."""
        found = self._by_id("Companies", ids, ())
        if not found:
            return []
        emails = self._emails([str(row["id"]) for row in found])
        countries = self._list("Countries", "displayName", "name") if any(map(_has_country, found)) else {}
        currencies = self._foreign_currencies(found)
        told = any(row.get("invoiceMethod") is not None for row in found)
        methods = self._client.labels("Companies", "invoiceMethod") if told else {}
        return [
            replace(
                rows.party(row, emails.get(str(row["id"])), countries, currencies.get(str(row.get("currencyID")))),
                mailed=rows.mailed(row, methods),
            )
            for row in found
        ]

    def vendors(self) -> list[Party]:
        """Companies of the type that bears the label Vendor: the number behind it differs from database to database."""
        types = [value for value, label in self._client.labels("Companies", "companyType").items() if label == "Vendor"]
        if not types:
            return []
        wanted = [rows.one_of("companyType", types), {"op": "eq", "field": "isActive", "value": True}]
        found = self._client.rows("Companies", wanted, ("companyName",))
        return [Party(str(row["id"]), rows.text(row.get("companyName")) or "") for row in found]

    def catalog(self) -> Catalog:
        accounts = self._client.labels("BillingCodes", "generalLedgerAccount")
        codes = [_code(row, accounts) for row in self._client.rows("BillingCodes")]
        terms = [_term(row) for row in self._client.rows("PaymentTerms")]
        regions, categories = self._list("TaxRegions", "name"), self._list("TaxCategories", "name")
        taxes = rows.tax_rules(self._client.rows("Taxes"), regions, categories)
        home, several = self._own_currency()
        return Catalog(
            {one.id: one for one in codes}, {one.id: one for one in terms}, taxes, regions,
            home_currency=home, multi_currency=several, unreadable=self._services.unreadable(),
            **autotask_places.read(self._client),
        )

    def _own_currency(self) -> tuple[str | None, bool]:
        """The database's own currency and whether it has others; None where this user may not see them."""
        try:
            listed = self._client.rows("Currencies")
        except NotAllowed:
            return None, False
        active = [row for row in listed if row.get("isActive") is not False]
        own = next((rows.text(row.get("name")) for row in listed if row.get("isInternalCurrency") is True), None)
        return own, len(active) > 1

    # ---- marks --------------------------------------------------------------------------------------------

    def slot(self, operation: str) -> float:
        return self._client.slot(operation)

    def mark_synced(self, kind: str, id: str, *, number: str | None, at: datetime) -> None:
        if _is_order(kind):
            self._orders.mark(id, number)
            return
        body: dict[str, Any] = {"id": int(id), "webServiceDate": since_text(at)}
        if number is not None:
            body["invoiceNumber"] = number
        self._client.patch("Invoices", body)

    def clear_mark(self, kind: str, id: str) -> None:
        if _is_order(kind):
            self._orders.clear(id)
            return
        self._client.patch("Invoices", {"id": int(id), "webServiceDate": None})

    def marks(self, kind: str, ids: Sequence[str]) -> list[Mark]:
        if _is_order(kind):
            return self._orders.marks(ids)
        return [rows.mark(row) for row in self._by_id("Invoices", ids, rows.MARK_FIELDS)]

    def set_error(self, kind: str, id: str) -> None:
        """The word that Autotask's users know from its older apps (Autotask help, KB360028687871)."""
        if _is_order(kind):
            self._orders.mark(id, rows.FAILED)
            return
        self._client.patch("Invoices", {"id": int(id), "invoiceNumber": rows.FAILED})

    def clear_error(self, kind: str, id: str, *, number: str | None) -> None:
        """Whether Autotask blanks a text by "" or by null is not published: the other is tried where one changed
        nothing."""
        if _is_order(kind):
            self._orders.mark(id, number) if number else self._orders.clear(id)
            return
        self._client.patch("Invoices", {"id": int(id), "invoiceNumber": number or ""})
        if number is None and any(mark.failed for mark in self.marks(kind, [id])):
            self._client.patch("Invoices", {"id": int(id), "invoiceNumber": None})

    # ---- to-dos -------------------------------------------------------------------------------------------

    def todo_lists(self) -> TodoLists:
        return autotask_todos.lists(self._client)

    def find_todos(self, marker: str) -> list[Todo]:
        return autotask_todos.find(self._client, marker)

    def create_todo(self, draft: TodoDraft) -> str:
        return autotask_todos.create(self._client, draft)

    def change_todo(self, id: str, text: str) -> None:
        autotask_todos.change(self._client, id, {"activityDescription": text})

    def complete_todo(self, id: str, text: str, at: datetime) -> None:
        autotask_todos.change(self._client, id, {"activityDescription": text, "completedDate": since_text(at)})

    # ---- limits -------------------------------------------------------------------------------------------

    def usage(self) -> list[Used]:
        """Calls of the last hour against our share of the database's allowance."""
        return self._client.usage()

    # ---- inside -------------------------------------------------------------------------------------------

    def _headers(self, page: Sequence[Json]) -> list[SourceHeader]:
        return [found for row in page if (found := rows.header(row, self._zone)) is not None]

    def _by_id(self, entity: str, ids: Sequence[str], fields: Sequence[str]) -> list[Json]:
        return [
            row
            for chunk in rows.chunks(list(dict.fromkeys(ids)))
            for row in self._client.rows(entity, [rows.one_of("id", chunk)], fields)
        ]

    def _categories(self, items: Sequence[Json]) -> dict[str, str | None]:
        """Tax category name by line id. Older databases keep it on the billing code instead of the line."""
        # In older databases lines have no such field; in newer ones a line without a value is looked up if taxed.
        asked = [item for item in items if rows.decimal(item.get("taxDollars")) or "taxCategoryID" not in item]
        bare = {rows.key(item.get("billingCodeID")) for item in asked if item.get("taxCategoryID") is None}
        self._learn_codes(sorted(code for code in bare if code is not None and code not in self._code_categories))
        wanted = {str(item["id"]): self._category_of(item) for item in items}
        names = self._list("TaxCategories", "name") if any(wanted.values()) else {}
        return {line: names.get(category or "") for line, category in wanted.items()}

    def _category_of(self, item: Json) -> str | None:
        own = rows.key(item.get("taxCategoryID"))
        return own if own is not None else self._code_categories.get(rows.key(item.get("billingCodeID")) or "")

    def _learn_codes(self, ids: Sequence[str]) -> None:
        for row in self._by_id("BillingCodes", ids, ("taxCategoryID",)):
            self._code_categories[str(row["id"])] = rows.key(row.get("taxCategoryID"))
        for missing in set(ids) - set(self._code_categories):
            self._code_categories[missing] = None

    def _emails(self, ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for chunk in rows.chunks(ids):
            primary = [rows.one_of("companyID", chunk), {"op": "eq", "field": "primaryContact", "value": True}]
            for row in self._client.rows("Contacts", primary, ("companyID", "emailAddress", "isActive")):
                email = rows.text(row.get("emailAddress"))
                if email and row.get("isActive") not in (0, False):
                    found.setdefault(str(row.get("companyID")), email)
        return found

    def _foreign_currencies(self, companies: Sequence[Json]) -> dict[str, str]:
        """Currency code by id; empty without multi-currency, where companies carry none that matters."""
        if self._currencies is None:
            if all(row.get("currencyID") is None for row in companies):
                return {}
            listed = self._client.rows("Currencies")
            active = [row for row in listed if row.get("isActive") is not False]
            names = {str(row["id"]): rows.text(row.get("name")) or "" for row in listed}
            self._currencies = names if len(active) > 1 else {}
        return self._currencies

    def _list(self, entity: str, *fields: str) -> dict[str, str]:
        """Names of a small list by id: the first field that is not blank."""
        if entity not in self._names:
            found = {}
            for row in self._client.rows(entity):
                named = (rows.text(row.get(field)) for field in fields)
                found[str(row["id"])] = next((name for name in named if name), "")
            self._names[entity] = found
        return self._names[entity]


def _is_order(kind: str) -> bool:
    """Raises ValueError for a kind that is neither an invoice nor an order."""
    if kind not in (rows.INVOICE, ORDER):
        raise ValueError(f"Autotask has no documents of kind {kind!r} here")
    return kind == ORDER


def _has_country(row: Json) -> bool:
    return row.get("countryID") is not None or row.get("billToCountryID") is not None


def _code(row: Json, accounts: Mapping[str, str]) -> Code:
    return Code(
        id=str(row["id"]),
        name=rows.text(row.get("name")) or "",
        number=rows.text(row.get("externalNumber")),
        gl_account=accounts.get(str(row.get("generalLedgerAccount"))),
        description=rows.text(row.get("description")),
        active=row.get("isActive") is not False,
        department_id=rows.key(row.get("department")),
    )


def _term(row: Json) -> Term:
    days = row.get("paymentDueInDays")
    return Term(str(row["id"]), rows.text(row.get("name")) or "", days if isinstance(days, int) else None)
