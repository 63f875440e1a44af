"""Tenants of the simulated Autotask: one database (`ci`) with its users, switches and rows.

Rows are kept sparse (fields without a value are left out) under the space `ci:<n>`; tenants and users under
`autotask`. A switch is a behaviour that public sources leave open, or a state a customer's database may be in.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.autotask import picklists
from sandbox.autotask.entities import ENTITIES
from sandbox.world import World

SPACE = "autotask"
INTEGRATION_CODE = "SANDBOXINTEGRATIONCODE00001"

# name: (default, allowed values or None for free, meaning)
SWITCHES: dict[str, tuple[Any, tuple[Any, ...] | None, str]] = {
    "four_decimals": (False, (True, False), "extendedPrice of labour keeps four decimals instead of two"),
    "blank_strings": ("null", ("null", "empty"), "a text without a value is null or an empty string"),
    "blank_by": ("both", ("both", "empty", "null"), "what blanks a text; the other one is taken and changes nothing"),
    "invoice_dates": (
        "utc_midnight",
        ("utc_midnight", "local_midnight", "time_of_day"),
        "time part of invoiceDateTime, dueDate, fromDate, toDate",
    ),
    "tax_rate_unit": ("fraction", ("fraction", "percent"), "8.25 % is 0.0825 or 8.25"),
    "zone": (1, None, "number of the zone that holds the database; another zone answers 401"),
    "invoices_patch": (True, (True, False), "the API user may update Invoices"),
    "permission_status": (500, (500, 403), "status of an answer to a user without permission"),
    "picklist_seed": (1, None, "start of the picklist numbers"),
    "multi_currency": (False, (True, False), "the multi-currency module is on"),
    "extra_field": (True, (True, False), "answers carry a field no documentation names"),
    "web_service_date": ("time", ("time", "date"), "whether webServiceDate keeps its time of day"),
    "reissue_item_ids": ("same", ("same", "new"), "ids of the billing items on a re-issued invoice"),
    "hourly_threshold": (10000, None, "requests an hour for the whole database"),
    "restricted": (False, (True, False), "the API user does not see every third company's invoices"),
    "todos": (True, (True, False), "the API user may read and write to-dos"),
    "todo_views": ("any", ("any", "to_do"), "action types a to-do may bear: any, or those shown among to-dos"),
    "todo_line_breaks": ("kept", ("kept", "spaces"), "whether a to-do's description keeps its line breaks"),
    "staff_visible": (True, (True, False), "the API user may read Resources and ActionTypes"),
    "services_visible": (True, (True, False), "the API user may read Services and ServiceBundles"),
    "inventory": (False, (True, False), "the tenant owns the inventory module: purchase orders can be read"),
    "orders_patch": (True, (True, False), "the API user may write purchase orders"),
    "received_orders_patch": (True, (True, False), "an order that is Received Full may still be changed"),
    "receipt_invoice_numbers": (True, (True, False), "receipts have the newer field vendorInvoiceNumber"),
    "costs_visible": (True, (True, False), "the API user's security level may read costs"),
    "lock_after": (10, None, "wrong secrets in a row until the user is locked"),
}


class SwitchError(ValueError):
    """A switch of that name or value does not exist."""


@dataclass(frozen=True)
class Tenant:
    """A view of one database; reads the store each time, keeps nothing."""

    world: World
    ci: int

    @property
    def space(self) -> str:
        """Where its rows are."""
        return f"ci:{self.ci}"

    @property
    def body(self) -> dict[str, Any]:
        """Its own record: slug, name, time zone, currency, region."""
        return self.world.store.get(SPACE, "tenant", self.ci) or {}

    @property
    def slug(self) -> str:
        """Short name in addresses and user names."""
        return str(self.body["slug"])

    @property
    def zone_name(self) -> str:
        """IANA name of the tenant's own time zone."""
        return str(self.body.get("time_zone", "UTC"))

    def switch(self, name: str) -> Any:
        """The value of a switch."""
        return self.body.get("switches", {}).get(name, SWITCHES[name][0])

    def pick(self, picklist: str, label: str) -> int:
        """The number behind a label."""
        return picklists.numbers(int(self.switch("picklist_seed")), picklist)[label]

    def label(self, picklist: str, number: Any) -> str:
        """The label behind a number, or an empty string."""
        table = picklists.numbers(int(self.switch("picklist_seed")), picklist)
        return next((label for label, value in table.items() if value == number), "")

    def add(self, entity: str, row: Mapping[str, Any]) -> int:
        """Write one row (a new id when it brings none) and give its id."""
        id = row.get("id")
        if id is None:
            id = self.world.store.next_id(self.space, entity, start=_first_id(entity, self.ci))
        self.save(entity, {**row, "id": int(id)})
        return int(id)

    def save(self, entity: str, row: Mapping[str, Any]) -> None:
        """Write a row whole; fields without a value are left out."""
        sparse = {name: value for name, value in row.items() if value is not None}
        keys = {name: sparse.get(name) for name in ENTITIES[entity].indexed}
        self.world.store.put(self.space, entity, sparse["id"], sparse, keys)

    def row(self, entity: str, id: Any) -> dict[str, Any] | None:
        """One row, sparse."""
        return self.world.store.get(self.space, entity, id)

    def rows(self, entity: str, **match: Any) -> list[dict[str, Any]]:
        """All rows, or those whose one indexed field has a value."""
        if not match:
            return list(self.world.store.all(self.space, entity))
        ((name, value),) = match.items()
        return self.world.store.find(self.space, entity, name, value)


def _first_id(entity: str, ci: int) -> int:
    """Ids of each entity start elsewhere, so that mixing two up is noticed."""
    return 1000 + zlib.crc32(f"{entity}/{ci}".encode()) % 90000


def create_tenant(
    world: World,
    slug: str,
    name: str,
    time_zone: str,
    currency: str,
    region: str,
    switches: Mapping[str, Any] | None = None,
) -> Tenant:
    """Make a database with its API user. Raises ValueError when the slug is taken."""
    if find_tenant(world, slug) is not None:
        raise ValueError(f"there is already an Autotask tenant called {slug!r}")
    ci = 500000 + zlib.crc32(slug.encode()) % 400000
    while world.store.get(SPACE, "tenant", ci) is not None:
        ci += 1
    world.store.put(
        SPACE,
        "tenant",
        ci,
        {
            "ci": ci,
            "slug": slug,
            "name": name,
            "time_zone": time_zone,
            "currency": currency,
            "region": region,
            "switches": {},
        },
        {"slug": slug},
    )
    tenant = Tenant(world, ci)
    set_switches(tenant, switches or {})
    add_user(tenant, f"api@{slug}.sandbox.invalid", f"SANDBOX-SECRET-{slug}")
    return tenant


def add_user(tenant: Tenant, user_name: str, secret: str) -> None:
    """An API-only user: it can sign in to the API and is never assigned anything."""
    resource = tenant.add(
        "Resources",
        {
            "firstName": "API",
            "lastName": "User",
            "email": user_name,
            "userName": user_name[:32],
            "isActive": True,
            "resourceType": "Employee",
            "licenseType": tenant.pick("licenseType", "API User (system) (API-only)"),
            "userType": tenant.pick("userType", "API User (system)"),
        },
    )
    tenant.world.store.put(
        SPACE,
        "user",
        user_name.lower(),
        {
            "name": user_name,
            "secret": secret,
            "ci": tenant.ci,
            "code": INTEGRATION_CODE,
            "resource": resource,
            "failures": 0,
        },
    )


def set_switches(tenant: Tenant, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change switches and give all values. Raises SwitchError for a name or value that does not exist."""
    for name, value in changes.items():
        if name not in SWITCHES:
            raise SwitchError(f"no switch is called {name!r}; there are {', '.join(SWITCHES)}")
        allowed = SWITCHES[name][1]
        if allowed is not None and value not in allowed:
            raise SwitchError(f"{name} may be {', '.join(map(str, allowed))}, not {value!r}")
    body = tenant.body
    body["switches"] = {**body.get("switches", {}), **changes}
    tenant.world.store.put(SPACE, "tenant", tenant.ci, body, {"slug": body["slug"]})
    return {name: tenant.switch(name) for name in SWITCHES}


def all_tenants(world: World) -> list[Tenant]:
    """Every database, oldest first."""
    return [Tenant(world, int(body["ci"])) for body in world.store.all(SPACE, "tenant")]


def find_tenant(world: World, slug_or_ci: str | int) -> Tenant | None:
    """By `ci` or by slug."""
    if world.store.get(SPACE, "tenant", slug_or_ci) is not None:
        return Tenant(world, int(slug_or_ci))
    found = world.store.find(SPACE, "tenant", "slug", slug_or_ci)
    return Tenant(world, int(found[0]["ci"])) if found else None


def find_user(world: World, name: str) -> dict[str, Any] | None:
    """An API user by name, case aside."""
    return world.store.get(SPACE, "user", name.strip().lower())
