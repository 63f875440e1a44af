"""The lists every simulated Autotask database has: terms, taxes, currencies, countries, staff, action types."""

from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.autotask.tenants import Tenant, create_tenant
from sandbox.world import World

COUNTRIES = {
    "United Kingdom": "GB",
    "United States": "US",
    "Australia": "AU",
    "France": "FR",
    "Germany": "DE",
    "EIRE": "IE",
    "Netherlands": "NL",
    "Norway": "NO",
    "Switzerland": "CH",
    "Spain": "ES",
    "Poland": "PL",
    "Portugal": "PT",
    "Italy": "IT",
    "Belgium": "BE",
    "Lithuania": "LT",
    "Japan": "JP",
    "Iceland": "IS",
    "Channel Islands": "JE",
    "Denmark": "DK",
    "Cyprus": "CY",
    "Sweden": "SE",
    "Austria": "AT",
    "Israel": "IL",
    "Finland": "FI",
    "Bahrain": "BH",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Singapore": "SG",
    "Lebanon": "LB",
    "Canada": "CA",
    "United Arab Emirates": "AE",
    "Saudi Arabia": "SA",
    "Czech Republic": "CZ",
    "Brazil": "BR",
    "USA": "US",
    "Malta": "MT",
    "RSA": "ZA",
}


@dataclass(frozen=True)
class Region:
    """Where a tenant does business: currency, time zone and tax tables.

    `taxes`: region name -> category name -> [(tax name, rate as a fraction, compounded)].
    """

    currency: str
    time_zone: str
    country: str
    categories: tuple[str, ...]
    taxes: dict[str, dict[str, list[tuple[str, str, bool]]]]
    default_region: str
    regions: tuple[str, ...] = field(default=())


REGIONS: dict[str, Region] = {
    "us": Region(
        "USD",
        "America/New_York",
        "United States",
        ("Taxable Goods", "Services"),
        {
            "NY Albany": {"Taxable Goods": [("New York State", "0.04", False), ("Albany County", "0.04", False)]},
            "CA Los Angeles": {"Taxable Goods": [("California", "0.0725", False), ("Los Angeles", "0.0225", False)]},
            "Province with compound tax": {"Taxable Goods": [("Federal", "0.05", False), ("Local", "0.0798", True)]},
        },
        "NY Albany",
        ("No Tax",),
    ),
    "uk": Region(
        "GBP",
        "Europe/London",
        "United Kingdom",
        ("Standard", "Reduced", "Zero"),
        {
            "UK VAT": {
                "Standard": [("20.0% S", "0.20", False)],
                "Reduced": [("5.0% R", "0.05", False)],
                "Zero": [("0.0% Z", "0", False)],
            },
            "20.0% S": {"Standard": [("VAT standard", "0.20", False)]},
        },
        "UK VAT",
        ("No tax",),
    ),
    "au": Region(
        "AUD",
        "Australia/Sydney",
        "Australia",
        ("GST applies", "GST free"),
        {
            "Australia": {"GST applies": [("GST", "0.10", False)], "GST free": [("GST free", "0", False)]},
        },
        "Australia",
        ("No tax",),
    ),
    "ca": Region(
        "CAD",
        "America/Toronto",
        "Canada",
        ("Taxable", "Zero-rated"),
        {
            "HST ON": {"Taxable": [("HST ON", "0.13", False)], "Zero-rated": [("Zero-rated", "0", False)]},
            "GST": {"Taxable": [("GST", "0.05", False)], "Zero-rated": [("Zero-rated", "0", False)]},
            "GST/PST BC": {
                "Taxable": [("GST/PST BC", "0.05", False), ("PST BC", "0.07", False)],
                "Zero-rated": [("Zero-rated", "0", False)],
            },
            "GST/QST QC - 9.975": {
                "Taxable": [("GST/QST QC - 9.975", "0.05", False), ("QST", "0.09975", False)],
                "Zero-rated": [("Zero-rated", "0", False)],
            },
        },
        "HST ON",
        ("No tax",),
    ),
    "none": Region("USD", "America/New_York", "United States", ("Services",), {}, "No Tax", ("No Tax",)),
}
TERMS = (("Due on receipt", 0), ("Net 15", 15), ("Net 30", 30), ("Net 60", 60))
ACTION_TYPES = (
    ("To-Do: Phone Call", "To Do", True),
    ("Note: General", "None", True),
    ("Note: Billing", "Both", True),
    ("To-Do: Meeting", "Calendar", True),
)


@dataclass
class Laid:
    """A tenant with its lists, and their ids by name."""

    tenant: Tenant
    countries: dict[str, int] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    tax_regions: dict[str, int] = field(default_factory=dict)
    tax_categories: dict[str, int] = field(default_factory=dict)
    currencies: dict[str, int] = field(default_factory=dict)
    owner: int = 0

    def country(self, name: str) -> int:
        """The id of a country; one that is not in the list yet is added without a code."""
        if name not in self.countries:
            code = COUNTRIES.get(name)
            self.countries[name] = self.tenant.add(
                "Countries",
                {
                    "name": name[:50],
                    "displayName": name[:100],
                    "countryCode": code,
                    "isActive": True,
                    "isDefaultCountry": False,
                },
            )
        return self.countries[name]


def lay_out(world: World, slug: str, name: str, region: str, switches: dict[str, object]) -> Laid:
    """Create a tenant and fill its lists. Company 0 is the provider itself, as in the real service."""
    facts = REGIONS[region]
    tenant = create_tenant(world, slug, name, facts.time_zone, facts.currency, region, switches)
    laid = Laid(tenant)
    for country in (facts.country, *COUNTRIES):
        laid.country(country)
    for term, days in TERMS:
        laid.terms[term] = tenant.add("PaymentTerms", {"name": term, "paymentDueInDays": days, "isActive": True})
    _currencies(laid, facts)
    _taxes(laid, facts)
    _staff_and_places(laid, facts)
    for type_name, view, system in ACTION_TYPES:
        tenant.add(
            "ActionTypes",
            {
                "name": type_name,
                "view": tenant.pick("actionTypeView", view),
                "isActive": True,
                "isSystemActionType": system,
            },
        )
    tenant.add(
        "Companies",
        {
            "id": 0,
            "companyName": name,
            "companyType": tenant.pick("companyType", "Customer"),
            "isActive": True,
            "phone": "000",
            "ownerResourceID": laid.owner,
            "countryID": laid.country(facts.country),
            "currencyID": laid.currencies[facts.currency],
        },
    )
    return laid


def _currencies(laid: Laid, facts: Region) -> None:
    many = laid.tenant.switch("multi_currency")
    rates = {"USD": "1.3", "GBP": "1", "EUR": "1.15", "AUD": "1.9", "CAD": "1.8"}
    symbols = {"USD": "$", "GBP": "£", "EUR": "€", "AUD": "A$", "CAD": "C$"}
    for code in [facts.currency, *(code for code in rates if many and code != facts.currency)]:
        laid.currencies[code] = laid.tenant.add(
            "Currencies",
            {
                "name": code,
                "description": code,
                "isActive": True,
                "isInternalCurrency": code == facts.currency,
                "exchangeRate": Decimal(1) if code == facts.currency else Decimal(rates[code]),
                "displaySymbol": laid.tenant.pick("displaySymbol", symbols[code]),
            },
        )


def _taxes(laid: Laid, facts: Region) -> None:
    for category in facts.categories:
        laid.tax_categories[category] = laid.tenant.add("TaxCategories", {"name": category, "isActive": True})
    for region in (*facts.taxes, *facts.regions):
        laid.tax_regions[region] = laid.tenant.add("TaxRegions", {"name": region, "isActive": True})
    for region, categories in facts.taxes.items():
        for category, taxes in categories.items():
            for name, rate, compounded in taxes:
                laid.tenant.add(
                    "Taxes",
                    {
                        "taxRegionID": laid.tax_regions[region],
                        "taxCategoryID": laid.tax_categories[category],
                        "taxName": name,
                        "taxRate": Decimal(rate),
                        "isCompounded": compounded,
                    },
                )


def _staff_and_places(laid: Laid, facts: Region) -> None:
    tenant = laid.tenant
    for first, last in (("Service", "Desk"), ("Billing", "Desk")):
        laid.owner = tenant.add(
            "Resources",
            {
                "firstName": first,
                "lastName": last,
                "userName": f"{first}.{last}".lower(),
                "isActive": True,
                "email": f"{first.lower()}.desk@{tenant.slug}.sandbox.invalid",
                "resourceType": "Employee",
                "licenseType": tenant.pick("licenseType", "Professional"),
                "userType": tenant.pick("userType", "Manager"),
            },
        )
    body = {**tenant.body, "billing_resource": laid.owner}
    tenant.world.store.put("autotask", "tenant", tenant.ci, body, {"slug": tenant.slug})
    zones = {
        "Europe/London": "(GMT) London",
        "America/New_York": "(GMT-05:00) Eastern Time",
        "America/Toronto": "(GMT-05:00) Eastern Time",
        "Australia/Sydney": "(GMT+10:00) Sydney",
    }
    place = {"name": "Head office", "address1": "1 Example Street", "city": "Exampleton", "isDefault": True}
    location = tenant.add("InternalLocations", {**place, "country": facts.country, "timeZone": zones[facts.time_zone]})
    tenant.add(
        "InternalLocationWithBusinessHours",
        {
            **place,
            "id": location,
            "countryID": laid.country(facts.country),
            "timeZoneID": tenant.pick("timeZoneID", zones[facts.time_zone]),
            "dateFormat": "dd/MM/yyyy",
            "numberFormat": "X,XXX.XX",
            "weekdayBusinessHoursStartTime": "08:00",
            "weekdayBusinessHoursEndTime": "18:00",
        },
    )
    tenant.add("Departments", {"name": "Service", "primaryLocationID": location})
    tenant.add("InvoiceTemplates", {"id": 102, "name": "Detailed invoice"})
