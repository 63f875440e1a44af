"""Purchase orders of a generated provider: vendors, products, and orders of the kinds such a firm writes.

The same arguments give the same orders apart from their dates, which follow the clock. All names are invented. The
problems an order can have are in order_problems.py.
"""

import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant, set_switches
from sandbox.seeds.ledger import Books

if TYPE_CHECKING:
    from sandbox.seeds.msp import Provider

VENDORS = (
    "Alder Components", "Birchwood Distribution", "Cedarline Wholesale", "Dogwood Cables", "Elmtree Optics",
    "Firside Power Systems", "Gorsefield Storage", "Hawthorn Licences", "Ironbark Displays", "Juniper Row Logistics",
    "Larchmount Telephony", "Maplehurst Batteries",
)  # fmt: skip
PRODUCTS = (
    ("Switch 24 port", "SW-24", "210.00"),
    ("Switch 48 port", "SW-48", "385.50"),
    ("Access point indoor", "AP-IN", "142.25"),
    ("Access point outdoor", "AP-OUT", "218.40"),
    ("Firewall desktop", "FW-D", "498.00"),
    ("Patch cable 2 m", "PC-2", "3.75"),
    ("Patch cable 5 m", "PC-5", "5.15"),
    ("Rack shelf", "RK-S", "41.80"),
    ("UPS 1500 VA", "UPS-15", "322.90"),
    ("Notebook 14 inch", "LT-14", "1040.00"),
    ("Notebook 16 inch", "LT-16", "1385.00"),
    ("Docking station", "DK-1", "164.99"),
    ("Monitor 27 inch", "MN-27", "232.00"),
    ("Headset", "HS-1", "78.60"),
    ("Solid state drive 1 TB", "SSD-1", "84.30"),
    ("Memory 16 GB", "MEM-16", "47.95"),
    ("Desk telephone", "TEL-1", "92.00"),
    ("Camera dome", "CAM-D", "118.75"),
)


@dataclass
class Buyer:
    """The provider as a buyer: its vendors and products by id, and short ways to write an order."""

    provider: "Provider"
    books: Books
    dice: random.Random
    days: int
    vendors: list[int] = field(default_factory=list)
    products: list[int] = field(default_factory=list)
    costs: dict[int, Decimal] = field(default_factory=dict)
    papers: int = 0

    @property
    def tenant(self) -> Tenant:
        return self.provider.tenant

    def vendor(self, name: str, currency: str | None = None, **more: Any) -> int:
        """A company of the vendor type; in the tenant's own currency unless another is named."""
        tenant, laid = self.tenant, self.provider.laid
        return tenant.add(
            "Companies",
            {
                "companyName": name,
                "companyType": tenant.pick("companyType", "Vendor"),
                "isActive": True,
                "phone": "0100 700000",
                "ownerResourceID": laid.owner,
                "address1": "7 Trade Park",
                "city": "Exampleton",
                "postalCode": "70000",
                "currencyID": laid.currencies[currency or tenant.body["currency"]],
                **more,
            },
        )

    def product(self, name: str, sku: str | None, cost: str, **more: Any) -> int:
        """A product of the catalogue, with or without a code of its own."""
        id = self.tenant.add(
            "Products",
            {
                "name": name,
                "description": f"{name}, boxed",
                "sku": sku,
                "productBillingCodeID": self.provider.codes["HW-LAP"],
                "isActive": True,
                "isSerialized": False,
                "unitCost": Decimal(cost),
                **more,
            },
        )
        self.costs[id] = Decimal(cost)
        return id

    def line(self, product: int | None = None, quantity: int | None = None, **more: Any) -> dict[str, Any]:
        """One item at the product's usual cost."""
        product = self.dice.choice(self.products) if product is None else product
        quantity = self.dice.randrange(1, 21) if quantity is None else quantity
        return {"productID": product, "quantity": quantity, "unitCost": self.costs[product], **more}

    def order(self, *lines: dict[str, Any], vendor: int | None = None, days_ago: int = 2, **header: Any) -> int:
        """A submitted order of these items (one when none are given), with the vendor's invoice number."""
        self.papers += 1
        header.setdefault("vendorInvoiceNumber", f"V-{30000 + self.papers}")
        at = self.provider.moment(days_ago)
        vendor = self.dice.choice(self.vendors) if vendor is None else vendor
        return purchasing.order(self.tenant, vendor, lines or (self.line(),), at=at, **header)


def add(
    provider: "Provider", books: Books, orders: int, problems: int, further: bool = False, days: int = 8
) -> list[dict[str, Any]]:
    """Put `orders` sound orders and `problems` faulty ones into the provider; gives what was planted.

    `further`: and one of each kind that only a setting or a person decides, or that must be left alone.
    Turns the inventory module on. Two of three vendors and products are known to the ledger already.
    """
    from sandbox.seeds import order_problems

    set_switches(provider.tenant, {"inventory": True})
    buyer = Buyer(provider, books, random.Random(f"orders/{provider.dice.random()}"), days)
    provider.tenant.add("InventoryLocations", {"locationName": "Main store", "isActive": True, "isDefault": True})
    _vendors(buyer)
    _products(buyer)
    for place in range(orders):
        _sound(buyer, place)
    return order_problems.plant(buyer, problems, further=further)


def _vendors(buyer: Buyer) -> None:
    home, laid = buyer.tenant.body["currency"], buyer.provider.laid
    foreign = [code for code in ("EUR", "GBP", "USD") if code in laid.currencies and code != home]
    for place, name in enumerate(VENDORS):
        currency = foreign[place // 4 % len(foreign)] if foreign and place % 4 == 3 else home
        buyer.vendors.append(buyer.vendor(name, currency))
        if place % 3 != 2:
            buyer.books.vendor(name, currency)


def _products(buyer: Buyer) -> None:
    for place, (name, sku, cost) in enumerate(PRODUCTS):
        buyer.products.append(buyer.product(name, None if place % 6 == 5 else sku, cost))
        if place % 3 != 2:
            buyer.books.purchasable(name, sku)


def _sound(buyer: Buyer, place: int) -> None:
    dice, provider = buyer.dice, buyer.provider
    lines = [buyer.line() for _ in range(dice.randrange(1, 7))]
    lines[0]["memo"] = f"For ticket T{dice.randrange(1000, 9999)}"
    header: dict[str, Any] = {"paymentTerm": dice.choice(list(provider.laid.terms.values()))}
    if place % 2:
        header["freight"] = Decimal(dice.randrange(500, 9000)) / 100
    if place % 3 == 0:
        header["purchaseForCompanyID"] = dice.choice(provider.companies)
    if place % 5 == 4:
        header["vendorInvoiceNumber"] = None
    buyer.order(*lines, vendor=buyer.vendors[place % len(buyer.vendors)], days_ago=1 + place % buyer.days, **header)
