"""What a generated service provider sells, and the words its customers' names are made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A billing code with the kind of line it makes. Prices are multiples of 4, so that quarter hours and taxes
    of 5, 10 and 20 % come out in whole cents; the US tax is sent as an amount and needs no such care."""

    number: str
    name: str
    use: str
    account: str
    item_type: str
    sub_type: str
    price: str
    goods: bool = False
    special: bool = False
    single: bool = False

    @property
    def ledger_account(self) -> str:
        """The account of the same thing in the generated books; what is paid in advance is owed, not earned."""
        known = {"4100 Labour": "Labour", "4200 Hardware": "Hardware", "4400 Prepaid Blocks": "Unearned Revenue"}
        return known.get(self.account, "Services")


_RECURRING, _MATERIAL = "Recurring Contract Service", "Material Cost"
CODES: tuple[Code, ...] = (
    Code("LAB-REM", "Remote Support", "General", "4100 Labour", "Labor", "Labor", "120"),
    Code("LAB-ONS", "On-site Support", "General", "4100 Labour", "Labor", "Labor", "160"),
    Code(
        "MS-WKS",
        "Managed Workstation",
        _RECURRING,
        "4000 Managed Services",
        "Recurring Services",
        "Recurring Services",
        "44",
    ),
    Code(
        "MS-SRV",
        "Managed Server",
        _RECURRING,
        "4000 Managed Services",
        "Recurring Services",
        "Recurring Services",
        "180",
    ),
    Code(
        "MS-ADJ",
        "Managed Services Adjustment",
        _RECURRING,
        "4000 Managed Services",
        "Recurring Services Adjustment",
        "Recurring Services Adjustment",
        "24",
    ),
    Code(
        "MS-OFF",
        "Office Bundle",
        _RECURRING,
        "4000 Managed Services",
        "Recurring Service Bundle",
        "Recurring Service Bundle",
        "96",
    ),
    Code("SUB-MAIL", "Mail Subscription", _RECURRING, "4000 Managed Services", "Subscription", "Subscription", "12"),
    Code("SET-UP", "Setup Fee", _RECURRING, "4000 Managed Services", "Setup Fee", "Setup Fee", "200", single=True),
    Code("HW-FWL", "Firewall Appliance", _MATERIAL, "4200 Hardware", "Ticket Cost", "Ticket Cost", "648", True),
    Code("HW-LAP", "Laptop 14 inch", _MATERIAL, "4200 Hardware", "Contract Cost", "Ticket Cost", "984", True),
    Code("PRJ-CAB", "Network Cabling", _MATERIAL, "4300 Projects", "Project Cost", "Project Cost", "72", True),
    Code("EXP-TRV", "Travel", "Expense", "4900 Other Income", "Expense", "Expense", "36"),
    Code(
        "PRJ-MIL", "Migration Milestone", "Milestone", "4300 Projects", "Milestone", "Milestones", "2400", special=True
    ),
    Code(
        "BLK-10",
        "Block of 10 Hours",
        _RECURRING,
        "4400 Prepaid Blocks",
        "Contract Block",
        "Block Purchase",
        "1500",
        special=True,
    ),
    Code(
        "RET-1",
        "Retainer",
        _RECURRING,
        "4400 Prepaid Blocks",
        "Contract Retainer",
        "Retainer Purchase",
        "2000",
        special=True,
    ),
)

FIRST_WORDS = (
    "Alder",
    "Birch",
    "Cedar",
    "Dunmore",
    "Elmfield",
    "Fernhill",
    "Granite",
    "Harbour",
    "Ivybridge",
    "Juniper",
    "Kestrel",
    "Larch",
    "Meadow",
    "Northgate",
    "Oakwell",
    "Pinecrest",
    "Quarry",
    "Riverside",
    "Stonebrook",
    "Thistle",
)
SECOND_WORDS = (
    "Dental",
    "Logistics",
    "Bakery",
    "Engineering",
    "Legal",
    "Clinic",
    "Foods",
    "Motors",
    "Textiles",
    "Design",
    "Academy",
    "Garden Centre",
)
SUFFIXES = {
    "us": ("LLC", "Inc"), "uk": ("Ltd", "Limited"), "au": ("Pty Ltd", "Pty Limited"), "ca": ("Inc", "Ltd"),
    "none": ("LLC", "Inc"),
}  # fmt: skip
