"""Problems put into real invoices, cause by cause, and what a person does on either platform to mend each.

Each planted invoice gets one problem that touches no other: a company, a billing code or a region of its own where the
cause lies there. The causes are codes of the catalogue of reasons. Not here: syncing and pressing (problems.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

from domain.line_kinds import PREPAID
from domain.settings import BillTo, InvoiceSettings, LineRule
from domain.taxmap import TaxEntry, TaxMap
from sandbox.autotask.actions import cents
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import moment_text
from sandbox.qbo import lists, preferences
from sandbox.qbo.realm import Realm
from sandbox.qbo.writes import entity_named, perform
from sandbox.seeds.ledger import Ledger
from sandbox.world import World

Row = dict[str, Any]
NOBODY = 987_654
"""A company that the API user cannot see."""
CLOSED_DAYS = 60


@dataclass
class Ground:
    """Both platforms of the company while problems are planted and mended; remembers how each invoice was."""

    world: World
    tenant: Tenant
    realm: Realm
    anchor: int = 0
    before: dict[int, tuple[Row, list[Row]]] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    regions: dict[str, int] = field(default_factory=dict)
    records: dict[tuple[str, int], str] = field(default_factory=dict)
    """What was put into the ledger for an invoice: (cause, invoice id) → id."""

    @property
    def books(self) -> Ledger:
        return Ledger(self.world, self.realm.id)

    # ---- Autotask -------------------------------------------------------------------------------------------

    def invoice(self, id: int) -> Row:
        return dict(self.tenant.row("Invoices", id) or {})

    def lines(self, id: int) -> list[Row]:
        return sorted((dict(row) for row in self.tenant.rows("BillingItems", invoiceID=id)), key=lambda row: row["id"])

    def largest(self, id: int) -> Row:
        return max(self.lines(id), key=lambda row: row["extendedPrice"])

    def remember(self, id: int) -> None:
        self.before[id] = (self.invoice(id), self.lines(id))

    def change(self, id: int, /, **header: Any) -> None:
        self.tenant.save("Invoices", {**self.invoice(id), **header})

    def change_line(self, row: Row, **values: Any) -> None:
        self.tenant.save("BillingItems", {**row, **values})

    def restore(self, id: int) -> None:
        """Corrected in Autotask: as it was, but for its mark."""
        header, lines = self.before[id]
        self.change(id, **{name: value for name, value in header.items() if name not in ("id", "webServiceDate")})
        for row in lines:
            self.tenant.save("BillingItems", row)

    def company(self, id: int, name: str, **more: Any) -> int:
        """The invoice is billed to a company of its own."""
        like = self.tenant.row("Companies", self.invoice(id)["companyID"]) or {}
        made = self.tenant.add("Companies", {**like, "id": None, "companyName": name, "companyNumber": None, **more})
        self.change(id, companyID=made)
        for row in self.lines(id):
            self.change_line(row, companyID=made)
        return made

    def code(self, id: int, cause: str) -> None:
        """Its largest line is of a billing code that only this cause has."""
        row = self.largest(id)
        if cause not in self.codes:
            like = self.tenant.row("BillingCodes", row["billingCodeID"]) or {}
            name = f"Planted {cause}"
            made = {**like, "id": None, "name": name, "externalNumber": name}
            self.codes[cause] = self.tenant.add("BillingCodes", made)
        self.change_line(row, billingCodeID=self.codes[cause])

    def tax(self, id: int, cause: str, percent: int) -> None:
        """Its largest line bears tax of a region that only this cause has."""
        name = f"Region {cause}"
        if cause not in self.regions:
            self.regions[cause] = self.tenant.add("TaxRegions", {"name": name, "isActive": True})
        row, header = self.largest(id), self.invoice(id)
        tax = cents(row["extendedPrice"] * percent / 100)
        self.change_line(row, taxDollars=tax, totalAmount=row["extendedPrice"] + tax)
        self.change(
            id, taxGroup=self.regions[cause], taxRegionName=name, totalTaxValue=tax,
            invoiceTotal=self.before[id][0]["invoiceTotal"] + tax,
        )
        assert header["invoiceTotal"] > 0

    # ---- the ledger -----------------------------------------------------------------------------------------

    def named(self, kind: str, name: str) -> Row:
        field = "DisplayName" if kind in ("Customer", "Vendor") else "Name"
        return next(row for row in self.realm.records(kind) if row["entity"][field].removesuffix(" (deleted)") == name)

    def account(self, name: str, type: str = "Income") -> str:
        found = [row["id"] for row in self.realm.records("Account") if row["entity"]["Name"] == name]
        return str(found[0]) if found else lists.seed(self.realm, "Account", Name=name, AccountType=type)

    def tax_code(self, name: str) -> str:
        return str(self.named("TaxCode", name)["id"])

    def edit(self, kind: str, id: str, **changes: Any) -> None:
        """A person edits a record of the ledger."""
        record = self.realm.record(kind, id) or {}
        body = {"Id": id, "SyncToken": record["entity"]["SyncToken"], "sparse": True, **changes}
        perform(self.realm, entity_named(kind), "update", body)

    def active(self, kind: str, id: str, *, wanted: bool) -> None:
        self.edit(kind, id, Active=wanted)

    def tax_code_active(self, name: str, *, wanted: bool) -> None:
        record = self.named("TaxCode", name)
        self.realm.replace(record, {**record["entity"], "Active": wanted}, {})


@dataclass(frozen=True)
class Cause:
    """`plant` brings the problem into one invoice. `each` mends it there, `once` for all invoices of the cause, and
    `choose` are the settings that mend it (`given`: those under which it is a problem)."""

    plant: Callable[[Ground, int], object]
    each: Callable[[Ground, int], object] | None = None
    once: Callable[[Ground], object] | None = None
    choose: Callable[[Ground, InvoiceSettings], Mapping[str, Any]] | None = None
    link: bool = False
    """Mended by *Link This* on the document's page."""


def _restore(ground: Ground, id: int) -> None:
    ground.restore(id)


def _name(id: int) -> str:
    return f"Planted customer {id}"


# ---- number and lines ---------------------------------------------------------------------------------------


def _same_number(ground: Ground, id: int) -> None:
    """As the anchor's, which is older and is never planted."""
    ground.change(id, invoiceNumber=ground.invoice(ground.anchor)["invoiceNumber"])


def _typed_by_hand(ground: Ground, id: int) -> None:
    books = ground.books
    known = ground.records.get(("by hand", 0)) or books.customer("Walk-in trade by hand")
    item = ground.records.get(("by hand", 1)) or books.item("Counter trade by hand", "CTR", "Sales")
    ground.records |= {("by hand", 0): known, ("by hand", 1): item}
    books.invoice(known, item, str(ground.invoice(id)["invoiceNumber"]), Decimal("12.00"), "No VAT")


def _renumbered(ground: Ground, id: int) -> None:
    """Somebody gives the one typed by hand another number."""
    number = str(ground.invoice(id)["invoiceNumber"])
    record = next(row for row in ground.realm.records("Invoice") if row["entity"].get("DocNumber") == number)
    ground.edit("Invoice", record["id"], DocNumber=f"H-{number}")


def _no_lines(ground: Ground, id: int) -> None:
    for row in ground.lines(id):
        ground.change_line(row, invoiceID=None)


def _half_a_cent(ground: Ground, id: int) -> None:
    """Autotask rounded the total only: one line has half a cent more."""
    row = ground.largest(id)
    ground.change_line(row, extendedPrice=row["extendedPrice"] + Decimal("0.005"))


def _items_named(ground: Ground, id: int) -> None:
    ground.code(id, "own_item_taken")
    if not any(row["entity"]["Name"] == "Services (Bookbridge)" for row in ground.realm.records("Item")):
        for name in ("Services", "Services (Services)", "Services (Bookbridge)"):
            ground.books.item(name, name, "Labour")


def _inactive_item(ground: Ground, id: int) -> None:
    fresh = "item_inactive" not in ground.codes
    ground.code(id, "item_inactive")
    if fresh:
        ground.records["item_inactive", 0] = ground.books.item("Planted item_inactive", "x", Active=False)


def _category(ground: Ground, id: int) -> None:
    fresh = "item_unusable" not in ground.codes
    ground.code(id, "item_unusable")
    if fresh:
        ground.records["item_unusable", 0] = ground.books.category("Planted item_unusable")


def _prepaid(ground: Ground, id: int) -> None:
    kinds = {"billingItemType": "Contract Block", "subType": "Block Purchase"}
    ground.change_line(ground.largest(id), **{name: ground.tenant.pick(name, label) for name, label in kinds.items()})


def _closed(ground: Ground, id: int) -> None:
    day = moment_text(ground.world.clock.now() - timedelta(days=CLOSED_DAYS + 40))
    ground.change(id, invoiceDateTime=day, dueDate=day)


# ---- customers ----------------------------------------------------------------------------------------------


def _billed_to_nobody(ground: Ground, id: int) -> None:
    ground.change(id, companyID=NOBODY)


def _branch_of_nobody(ground: Ground, id: int) -> None:
    ground.change_line(ground.largest(id), companyID=NOBODY)


def _there(name: str, *, active: bool = True) -> Callable[[Ground, int], None]:
    """The ledger has a customer of this name before; the brackets take the name of the invoice's company."""

    def plant(ground: Ground, id: int) -> None:
        ground.company(id, _name(id))
        ground.records["customer", id] = ground.books.customer(name.format(_name(id)))
        if not active:
            ground.active("Customer", ground.records["customer", id], wanted=False)

    return plant


def _twice_there(ground: Ground, id: int) -> None:
    ground.company(id, _name(id))
    ground.books.customer(_name(id).replace(" ", "  "))
    ground.records["customer", id] = ground.books.customer(_name(id))


def _vendor(ground: Ground, id: int) -> None:
    ground.company(id, _name(id))
    ground.records["vendor", id] = ground.books.vendor(_name(id))


def _twins(ground: Ground, id: int) -> None:
    """A line is for a second company of the same name."""
    made = ground.company(id, _name(id))
    like = ground.tenant.row("Companies", made) or {}
    ground.records["twin", id] = str(ground.tenant.add(
        "Companies", {**like, "id": None, "companyName": _name(id).upper()}))
    ground.change_line(ground.largest(id), companyID=int(ground.records["twin", id]))


def _twin_renamed(ground: Ground, id: int) -> None:
    twin = ground.tenant.row("Companies", int(ground.records["twin", id])) or {}
    ground.tenant.save("Companies", {**twin, "companyName": f"A branch, {id}"})


def _euros(ground: Ground, id: int) -> None:
    euro = next(row["id"] for row in ground.tenant.rows("Currencies") if row["name"] == "EUR")
    ground.company(id, _name(id), currencyID=euro)


def _pounds(ground: Ground, id: int) -> None:
    pound = next(row["id"] for row in ground.tenant.rows("Currencies") if row["name"] == "GBP")
    company = ground.tenant.row("Companies", ground.invoice(id)["companyID"]) or {}
    ground.tenant.save("Companies", {**company, "currencyID": pound})


# ---- settings under which some of it is a problem -----------------------------------------------------------


def _rules(ground: Ground) -> tuple[LineRule, ...]:
    """A row of the line map per planted billing code, each pointing at something that is wrong."""
    targets: dict[str, dict[str, str]] = {
        "own_item_taken": {"account": ground.account("Services")},
        "account_inactive": {"account": ground.account("Planted old income")},
        "account_gone": {"account": "99999"}, "mapped_item_gone": {"item": "99999"},
        "account_unfit": {"account": ground.account("Planted bank", "Bank")},
    }  # fmt: skip
    return tuple(LineRule(str(ground.codes[cause]), "", **to) for cause, to in targets.items() if cause in ground.codes)


def _entries(ground: Ground) -> dict[str, TaxEntry]:
    """The tax map's entry of each planted region, wrong as it is."""
    twenty, five = ground.tax_code("20.0% S"), ground.tax_code("5.0% R")
    wrong = {
        "tax_region_renamed": ("Region of old", twenty), "tax_code_inactive": ("", five),
        "tax_code_gone": ("", "99999"), "tax_differs": ("", twenty),
    }  # fmt: skip
    return {
        cause: TaxEntry(region or f"Region {cause}", "", code, code, str(ground.regions[cause]))
        for cause, (region, code) in wrong.items() if cause in ground.regions
    }


def given(ground: Ground) -> dict[str, Any]:
    """The settings of the first sync, before anything is mended."""
    return {"bill_to": BillTo.CHECK, "line_map": _rules(ground)}


def given_tax_map(ground: Ground, proposed: TaxMap) -> TaxMap:
    return TaxMap((*proposed.entries, *_entries(ground).values()), proposed.zero_rated, proposed.exempt,
                  proposed.out_of_scope)


def _without_rule(cause: str) -> Callable[[Ground, InvoiceSettings], Mapping[str, Any]]:
    """The row of the line map is removed in Settings, Lines."""
    return lambda ground, now: {
        "line_map": tuple(rule for rule in now.line_map if rule.code_id != str(ground.codes[cause]))
    }


def _confirmed(cause: str) -> Callable[[Ground, InvoiceSettings], Mapping[str, Any]]:
    """The region's code is confirmed in the tax map."""

    def choose(ground: Ground, now: InvoiceSettings) -> Mapping[str, Any]:
        mine = str(ground.regions[cause])
        code = ground.tax_code("20.0% S")
        kept = tuple(entry for entry in now.tax_map.entries if entry.region_id != mine)
        fresh = TaxEntry(f"Region {cause}", "", code, "20.0% S", mine)
        return {"tax_map": TaxMap((*kept, fresh), now.tax_map.zero_rated, now.tax_map.exempt, now.tax_map.out_of_scope)}

    return choose


def _owed(ground: Ground, now: InvoiceSettings) -> Mapping[str, Any]:
    owed = ground.account("Unearned Revenue")
    return {"line_map": (*now.line_map, *(LineRule("", str(kind), account=owed) for kind in sorted(PREPAID)))}


def _fits_again(ground: Ground, id: int) -> None:
    """The rate is corrected in Autotask."""
    ground.tax(id, "tax_differs", 20)


CAUSES: dict[str, Cause] = {
    "number_too_long": Cause(lambda g, id: g.change(id, invoiceNumber=f"{id:0>40}"), _restore),
    "number_repeats": Cause(_same_number, _restore),
    "number_taken": Cause(_typed_by_hand, _renumbered),
    "no_billing_code": Cause(lambda g, id: g.change_line(g.largest(id), billingCodeID=None), _restore),
    "item_inactive": Cause(
        _inactive_item, once=lambda g: g.active("Item", g.records["item_inactive", 0], wanted=True)),
    "item_unusable": Cause(
        _category, once=lambda g: g.edit("Item", g.records["item_unusable", 0], Name="Only a category")),
    "own_item_taken": Cause(
        _items_named, once=lambda g: g.edit("Item", g.named("Item", "Services")["id"], Name="Services of labour")),
    "account_inactive": Cause(
        lambda g, id: g.code(id, "account_inactive"),
        once=lambda g: g.active("Account", g.account("Planted old income (deleted)"), wanted=True)),
    "account_gone": Cause(lambda g, id: g.code(id, "account_gone"), choose=_without_rule("account_gone")),
    "account_unfit": Cause(lambda g, id: g.code(id, "account_unfit"), choose=_without_rule("account_unfit")),
    "mapped_item_gone": Cause(lambda g, id: g.code(id, "mapped_item_gone"), choose=_without_rule("mapped_item_gone")),
    "prepaid_account": Cause(_prepaid, choose=_owed),
    "rounding_account_missing": Cause(
        _half_a_cent, choose=lambda g, now: {"rounding_account": g.account("Rounding")}),
    "source_mismatch": Cause(
        lambda g, id: g.change(id, invoiceTotal=g.invoice(id)["invoiceTotal"] + Decimal("5.00")), _restore),
    "no_lines": Cause(_no_lines, _restore),
    "closed_period": Cause(
        _closed, once=lambda g: preferences.change(g.realm, "AccountingInfoPrefs", BookCloseDate=None)),
    "no_customer": Cause(lambda g, id: g.change(id, companyID=None), _restore),
    "customer_unreadable": Cause(_billed_to_nobody, _restore),
    "bill_to_unknown": Cause(_branch_of_nobody, _restore),
    "customer_similar": Cause(_there("{} Limited"), link=True),
    "customer_inactive": Cause(
        _there("{}", active=False), lambda g, id: g.active("Customer", g.records["customer", id], wanted=True)),
    "customer_is_vendor": Cause(
        _vendor, lambda g, id: g.edit("Vendor", g.records["vendor", id], DisplayName=f"{_name(id)} (V)")),
    "customer_twice_in_ledger": Cause(_twice_there, link=True),
    "customer_twice_in_source": Cause(_twins, _twin_renamed),
    "foreign_currency": Cause(_euros, _pounds),
    "tax_unmapped": Cause(lambda g, id: g.tax(id, "tax_unmapped", 20), choose=_confirmed("tax_unmapped")),
    "tax_region_renamed": Cause(
        lambda g, id: g.tax(id, "tax_region_renamed", 20), choose=_confirmed("tax_region_renamed")),
    "tax_code_gone": Cause(lambda g, id: g.tax(id, "tax_code_gone", 20), choose=_confirmed("tax_code_gone")),
    "tax_code_inactive": Cause(
        lambda g, id: g.tax(id, "tax_code_inactive", 5), once=lambda g: g.tax_code_active("5.0% R", wanted=True)),
    "tax_differs": Cause(lambda g, id: g.tax(id, "tax_differs", 15), _fits_again),
}


def suitable(tenant: Tenant) -> list[int]:
    """Invoices that would be posted, by id: a company, a positive total, at least three lines."""
    found = []
    for row in sorted(tenant.rows("Invoices"), key=lambda row: int(row["id"])):
        lines = tenant.rows("BillingItems", invoiceID=row["id"])
        if row.get("companyID") and row["invoiceTotal"] > 20 and len(lines) >= 3:
            found.append(int(row["id"]))
    return found


def plant(ground: Ground, count: int, causes: Sequence[str] = ()) -> dict[int, str]:
    """Put `count` problems into suitable invoices, cause after cause (of these, else of all); gives invoice id → cause.

    ValueError: there are too few suitable invoices.
    """
    ground.anchor, *ids = suitable(ground.tenant)
    if len(ids) < count:
        raise ValueError(f"there are {len(ids)} suitable invoices, fewer than {count}")
    chosen = ids[:: len(ids) // count][:count]
    planted = dict(zip(chosen, cycle(causes or CAUSES), strict=False))
    with ground.world.store.transaction():
        for id, cause in planted.items():
            ground.remember(id)
            CAUSES[cause].plant(ground, id)
        closed = (ground.world.clock.now() - timedelta(days=CLOSED_DAYS)).date().isoformat()
        preferences.change(ground.realm, "AccountingInfoPrefs", BookCloseDate=closed)
        ground.tax_code_active("5.0% R", wanted=False)
    return planted


def after_rules(ground: Ground) -> None:
    """What goes wrong with accounts after they were chosen."""
    with ground.world.store.transaction():
        if "account_inactive" in ground.codes:
            ground.active("Account", ground.account("Planted old income"), wanted=False)

