"""A generated managed service provider: companies, billing codes, and invoices of the kinds such a firm writes.

The same arguments give the same world apart from its dates, which follow the clock. All names are invented.
The problems of the error catalogue are in problems.py.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.autotask import actions
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import moment_text
from sandbox.seeds import ledger
from sandbox.seeds import orders as purchase_orders
from sandbox.seeds import problems as catalogue_of_problems
from sandbox.seeds.basics import REGIONS, Laid, lay_out
from sandbox.seeds.catalogue import CODES, FIRST_WORDS, SECOND_WORDS, SUFFIXES, Code
from sandbox.world import World

PROFILES = {"us": "us-ast", "uk": "uk", "au": "au", "ca": "ca", "none": "us-none"}
NAMES = {
    "us": "Example Managed IT LLC",
    "uk": "Example Managed IT Ltd",
    "au": "Example Managed IT Pty Ltd",
    "ca": "Example Managed IT Inc",
    "none": "Example Managed IT LLC",
}
KINDS = ("services", "services", "services", "mixed", "mixed", "hardware", "block", "milestone", "services", "credit")


@dataclass
class Provider:
    """A tenant in the making: its lists, its customers and billing codes by name, its dice."""

    laid: Laid
    dice: random.Random
    region: str
    now: datetime
    companies: list[int] = field(default_factory=list)
    children: dict[int, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    @property
    def tenant(self) -> Tenant:
        """The Autotask database."""
        return self.laid.tenant

    def line(
        self, number: str, quantity: str | Decimal, rate: str | Decimal | None = None, **more: Any
    ) -> dict[str, Any]:
        """A billing item on the billing code of this number; quantity and rate in the tenant's currency."""
        code = next(code for code in CODES if code.number == number)
        rate = Decimal(code.price) if rate is None else Decimal(rate)
        line = {
            "billingItemType": self.tenant.pick("billingItemType", code.item_type),
            "subType": self.tenant.pick("subType", code.sub_type),
            "billingCodeID": self.codes[number],
            "itemName": code.name,
            "description": code.name,
            "lineItemFullDescription": code.name,
            "taxCategoryID": self.category(code),
            "quantity": Decimal(quantity),
            "rate": rate,
        }
        return {**line, **more}

    def category(self, code: Code) -> int:
        """The tax category of a code in this region: services are untaxed in the US, taxed elsewhere."""
        names = REGIONS[self.region].categories
        if self.region == "us":
            return self.laid.tax_categories[names[0 if code.goods else 1]]
        return self.laid.tax_categories[names[0]]

    def moment(self, days_ago: int) -> datetime:
        """A moment in working hours, so many days ago."""
        base = (self.now - timedelta(days=days_ago)).replace(hour=14, minute=0, second=0, microsecond=0)
        return base + timedelta(seconds=self.dice.randrange(0, 4 * 3600))


def generate(
    world: World,
    seed: int = 1,
    invoices: int = 50,
    region: str = "us",
    lines: int = 5,
    known_customers: bool = False,
    problems: bool = False,
    slug: str | None = None,
    days: int = 10,
    profile: str | None = None,
    switches: dict[str, Any] | None = None,
    orders: int = 0,
    order_problems: int = 0,
    further_order_problems: bool = False,
    books: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Make a provider with `invoices` sound invoices of `lines` lines over the last `days` days.

    `known_customers`: the ledger already has its customers and items. `problems`: one more invoice or two for each
    problem of the error catalogue, listed under `planted`. `orders`: so many sound purchase orders, and
    `order_problems` faulty ones that can be mended, listed under `planted_orders` (`further_order_problems`: and one of
    each other kind). `books`: how the ledger company is made
    (`multicurrency`, `sku`, its switches). Raises ValueError for an unknown region or a taken slug.
    """
    if region not in REGIONS:
        raise ValueError(f"region may be {', '.join(REGIONS)}, not {region!r}")
    slug = slug or f"msp-{region}-{seed}"
    with world.store.transaction():
        laid = lay_out(world, slug, NAMES[region], region, dict(switches or {}))
        provider = Provider(laid, random.Random(seed), region, world.clock.now())
        _billing_codes(provider)
        _companies(provider, max(6, invoices // 6))
        for place in range(invoices):
            _invoice(provider, KINDS[place % len(KINDS)], lines, 1 + place % days)
        _ready_to_approve(provider)
        realm = ledger.create_company(
            world, slug, profile or PROFILES[region], NAMES[region], REGIONS[region].currency, **(books or {})
        )
        seeded = ledger.opened(world, realm)
        if known_customers:
            _known_to(seeded, provider)
        planted = catalogue_of_problems.plant(provider, seeded) if problems else []
        wanted = (orders, order_problems, further_order_problems)
        bought = purchase_orders.add(provider, seeded, *wanted) if any(wanted) else []
    made = {"planted": planted, "planted_orders": bought}
    return {**_told(world, laid.tenant, realm), **made, "region": region, "currency": REGIONS[region].currency}


def _told(world: World, tenant: Tenant, realm: str) -> dict[str, Any]:
    """What there is now: access, counts, the first day of an invoice."""
    counts = {
        "invoices": world.store.count(tenant.space, "Invoices"),
        "lines": world.store.count(tenant.space, "BillingItems"),
        "companies": world.store.count(tenant.space, "Companies") - 1,
        "billing_codes": len(CODES),
        "orders": world.store.count(tenant.space, "PurchaseOrders"),
    }
    first = min(row["invoiceDateTime"] for row in tenant.rows("Invoices")) if counts["invoices"] else None
    access = ledger.access(world, tenant, realm, counts)
    return {**access, "first_day": first[:10] if first else None, "time_zone": tenant.zone_name}


def _billing_codes(provider: Provider) -> None:
    tenant = provider.tenant
    for code in CODES:
        provider.codes[code.number] = tenant.add(
            "BillingCodes",
            {
                "name": code.name,
                "description": code.name,
                "externalNumber": code.number,
                "isActive": True,
                "useType": tenant.pick("useType", code.use),
                "unitPrice": Decimal(code.price),
                "unitCost": Decimal(0),
                "billingCodeType": tenant.pick("billingCodeType", "Normal"),
                "generalLedgerAccount": tenant.pick("generalLedgerAccount", code.account),
                "taxCategoryID": provider.category(code),
            },
        )


def _companies(provider: Provider, wanted: int) -> None:
    words = [(first, second) for second in SECOND_WORDS for first in FIRST_WORDS]
    provider.dice.shuffle(words)
    for place in range(wanted):
        first, second = words[place % len(words)]
        again = f" {place // len(words) + 1}" if place >= len(words) else ""
        suffix = SUFFIXES[provider.region][place % 2]
        parent = provider.companies[-1] if place % 7 == 6 else None
        id = company(provider, f"{first} {second}{again} {suffix}", place, parent)
        if parent is not None:
            provider.children[parent] = id
        else:
            provider.companies.append(id)


def company(provider: Provider, name: str, place: int = 0, parent: int | None = None, **more: Any) -> int:
    """A customer with its billing contact. A child is billed to its parent."""
    tenant, laid, facts = provider.tenant, provider.laid, REGIONS[provider.region]
    regions = [facts.default_region, *(name for name in facts.taxes if name.startswith("CA "))]
    exempt = place % 9 == 8 and provider.region == "us"
    tax_region = facts.regions[0] if exempt or not facts.taxes else regions[place % len(regions)]
    foreign = tenant.switch("multi_currency") and place % 4 == 3 and parent is None
    currency = "EUR" if foreign else facts.currency
    to_use = "PARENTBILLING" if parent is not None else "ACCOUNT"
    id = tenant.add(
        "Companies",
        {
            "companyName": name[:100],
            "companyNumber": f"C{1000 + place}",
            "isActive": True,
            "phone": f"0100 {place:06d}",
            "companyType": tenant.pick("companyType", "Customer"),
            "ownerResourceID": laid.owner,
            "address1": f"{place + 1} Example Street",
            "city": "Exampleton",
            "postalCode": f"{10000 + place % 90000}",
            "countryID": laid.country(facts.country),
            "currencyID": laid.currencies[currency],
            "isTaxExempt": exempt,
            "taxRegionID": laid.tax_regions[tax_region],
            "parentCompanyID": parent,
            "billToAddressToUse": tenant.pick("billToAddressToUse", to_use),
            "billToAttention": "Accounts Payable",
            "billToAddress1": f"{place + 1} Example Street",
            "billToCity": "Exampleton",
            "billToState": "NY",
            "billToZipCode": f"{10000 + place % 90000}",
            "billToCountryID": laid.country(facts.country),
            "invoiceMethod": tenant.pick("invoiceMethod", "Email"),
            "lastTrackedModifiedDateTime": moment_text(provider.now - timedelta(days=60)),
            **more,
        },
    )
    tenant.add(
        "Contacts",
        {
            "companyID": id,
            "firstName": "Accounts",
            "lastName": "Payable",
            "isActive": 1,
            "primaryContact": True,
            "emailAddress": f"payable-{id}@customers.sandbox.invalid",
            "title": "Accounts Payable",
        },
    )
    return id


def _invoice(provider: Provider, kind: str, lines: int, days_ago: int) -> None:
    customer = provider.dice.choice(provider.companies)
    builder = {"credit": _credit, "block": _block, "milestone": _milestone}.get(kind)
    body = builder(provider, lines) if builder else _plain(provider, kind, lines)
    child = provider.children.get(customer)
    if child is not None and len(body) > 1:
        body[-1] = {**body[-1], "companyID": child}
    actions.issue(provider.tenant, customer, body, at=provider.moment(days_ago), **_terms(provider))


def _terms(provider: Provider) -> dict[str, Any]:
    return {
        "paymentTerm": provider.dice.choice(list(provider.laid.terms.values())),
        "orderNumber": f"PO-{provider.dice.randrange(100, 999)}",
        "comments": "Thank you for your business.",
    }


def _plain(provider: Provider, kind: str, lines: int) -> list[dict[str, Any]]:
    wanted = {
        "services": ("Recurring Services", "Recurring Service Bundle", "Subscription", "Setup Fee", "Labor"),
        "hardware": ("Ticket Cost", "Project Cost", "Contract Cost", "Labor"),
        "mixed": tuple(code.item_type for code in CODES if "Block" not in code.item_type),
    }[kind]
    codes = [code for code in CODES if code.item_type in wanted and not code.special]
    return [_random_line(provider, provider.dice.choice(codes)) for _ in range(lines)]


def _random_line(provider: Provider, code: Code) -> dict[str, Any]:
    """A line whose tax is exact to the cent outside the US, where the ledger computes it again by itself."""
    if code.item_type == "Labor":
        return _labour(provider, code)
    quantity = 1 if code.single else provider.dice.randrange(1, 13)
    return provider.line(code.number, str(quantity), lineItemFullDescription=_text(provider, code))


def _text(provider: Provider, code: Code) -> str:
    """What the customer reads on the line; the same for the same seed."""
    if code.item_type == "Labor":
        return f"Ticket T{provider.dice.randrange(1000, 9999)}: {code.name.lower()}"
    if code.goods or code.single:
        return code.name
    return f"{code.name}, one month in advance"


def _labour(provider: Provider, code: Code) -> dict[str, Any]:
    quarters = provider.dice.randrange(1, 20)
    if not provider.tenant.switch("four_decimals"):
        return provider.line(code.number, Decimal(quarters) / 4, lineItemFullDescription=_text(provider, code))
    hours = (Decimal(quarters * 15 + provider.dice.randrange(1, 14)) / 60).quantize(Decimal("0.0001"))
    rate = Decimal(code.price)
    return provider.line(code.number, hours, extendedPrice=(hours * rate).quantize(Decimal("0.0001")))


def _credit(provider: Provider, lines: int) -> list[dict[str, Any]]:
    """A negative invoice: returned goods and services taken back."""
    taken_back = []
    for line in _plain(provider, "hardware", lines):
        line["quantity"] = -line["quantity"]
        if "extendedPrice" in line:
            line["extendedPrice"] = -line["extendedPrice"]
        taken_back.append(line)
    return taken_back


def _block(provider: Provider, lines: int) -> list[dict[str, Any]]:
    """A purchase of hours in advance, and labour it covers at nothing."""
    covered = [provider.line("LAB-REM", "1.5", "0", nonBillable=1) for _ in range(max(lines - 1, 0))]
    return [provider.line("BLK-10", "1"), *covered]


def _milestone(provider: Provider, lines: int) -> list[dict[str, Any]]:
    """A project milestone with its material."""
    material = [provider.line("PRJ-CAB", str(provider.dice.randrange(1, 6))) for _ in range(max(lines - 1, 0))]
    return [provider.line("PRJ-MIL", "1"), *material]


def _ready_to_approve(provider: Provider) -> None:
    """Items that are posted and wait for somebody to make an invoice of them in the pages."""
    for customer in provider.companies[:4]:
        region = (provider.tenant.row("Companies", customer) or {}).get("taxRegionID")
        for number, quantity in (("LAB-REM", "2.5"), ("MS-WKS", "10"), ("HW-LAP", "1")):
            item = actions.post_item(provider.tenant, customer, region, provider.line(number, quantity))
            stamp = moment_text(provider.moment(1))
            provider.tenant.add("BillingItems", {**item, "itemDate": stamp, "postedDate": stamp})


def _known_to(books: ledger.Books, provider: Provider) -> None:
    for row in provider.tenant.rows("Companies"):
        if row["id"] != 0:
            books.customer(row["companyName"], exempt=bool(row.get("isTaxExempt")))
    for code in CODES:
        books.item(code.name, code.number, code.ledger_account)
