"""One or two invoices for each problem of the error catalogue that concerns invoices.

Each is recorded as `Planted` with the outcome a careful product should reach: `post`, `fault`, `skip`, `ask`
(depends on a setting, on time or on a person's answer) or `out` (must not be looked at). The audit reads them.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.audit import PLANTED
from sandbox.autotask import actions
from sandbox.seeds.ledger import Books, Ledger

if TYPE_CHECKING:
    from sandbox.seeds.msp import Provider

Ids = int | list[int]
Builder = Callable[["Planter"], Ids]


class Planter:
    """Helps a problem into the world: short ways to make a company, a code and an invoice."""

    def __init__(self, provider: "Provider", books: Books) -> None:
        self.provider, self.books, self.tenant = provider, books, provider.tenant
        self.customer = provider.companies[0]

    def company(self, name: str, **more: Any) -> int:
        """A further customer with this very name."""
        from sandbox.seeds.msp import company  # the generator imports this module

        return company(self.provider, name, place=500 + len(name), **more)

    def code(self, name: str, number: str) -> int:
        """A further billing code."""
        like = self.tenant.row("BillingCodes", self.provider.codes["MS-WKS"]) or {}
        return self.tenant.add("BillingCodes", {**like, "id": None, "name": name, "externalNumber": number})

    def line(self, number: str = "MS-WKS", quantity: str = "2", **more: Any) -> dict[str, Any]:
        """A plain line; `more` overrides its fields."""
        return self.provider.line(number, quantity, **more)

    def invoice(self, *lines: dict[str, Any], company: int | None = -1, days_ago: int = 2, **header: Any) -> int:
        """An invoice of these lines (one plain line when none are given), for the first customer."""
        company = self.customer if company == -1 else company
        return actions.issue(self.tenant, company, lines or (self.line(),), at=self.provider.moment(days_ago), **header)


def _zero_total(p: Planter) -> Ids:
    return p.invoice(p.line("LAB-REM", "3", rate="0", nonBillable=1))


def _no_company(p: Planter) -> Ids:
    return p.invoice(company=None)


def _long_number(p: Planter) -> Ids:
    return p.invoice(number="INVOICE-NUMBER-LONGER-THAN-ANY-LEDGER-00")


def _same_number(p: Planter) -> Ids:
    return [p.invoice(number="AT-SAME-1"), p.invoice(number="AT-SAME-1", company=p.provider.companies[1])]


def _similar_customer(p: Planter) -> Ids:
    p.books.customer("Willowbank Optical Limited")
    return p.invoice(company=p.company("Willowbank Optical Ltd"))


def _customer_is_vendor(p: Planter) -> Ids:
    p.books.vendor("Mossgate Couriers")
    return p.invoice(company=p.company("Mossgate Couriers"))


def _folding_names(p: Planter) -> Ids:
    return [p.invoice(company=p.company(name)) for name in ("Beechwood Foods", "BEECHWOOD  FOODS.")]


def _inactive_item(p: Planter) -> Ids:
    p.books.item("Retired Backup Service", "OLD-BAK", Active=False)
    return p.invoice(p.line(billingCodeID=p.code("Retired Backup Service", "OLD-BAK")))


def _category_item(p: Planter) -> Ids:
    if isinstance(p.books, Ledger):
        p.books.category("Projects and Cabling")
    return p.invoice(p.line(billingCodeID=p.code("Projects and Cabling", "Projects and Cabling")))


def _missing_item(p: Planter) -> Ids:
    return p.invoice(p.line(billingCodeID=p.code("Door Access Installation", "DOOR-1")))


def _case_of_codes(p: Planter) -> Ids:
    return p.invoice(
        p.line(billingCodeID=p.code("Patch cable", "pc-1a")), p.line(billingCodeID=p.code("Patch Cable", "PC-1A"))
    )


def _no_billing_code(p: Planter) -> Ids:
    return p.invoice(p.line("LAB-REM", "1", billingCodeID=None))


def _blank_text(p: Planter) -> Ids:
    return p.invoice(p.line(description=None, lineItemFullDescription=None))


def _long_texts(p: Planter) -> Ids:
    text = ("Work on the network, described at length. " * 200)[:8000]
    return p.invoice(p.line(lineItemFullDescription=text, description=text[:2000]), comments=("Remark. " * 260)[:2000])


def _seven_decimals(p: Planter) -> Ids:
    return p.invoice(
        p.line("LAB-REM", "1.2345678", extendedPrice=Decimal("148.15")),
        p.line("LAB-REM", "0.3333333", extendedPrice=Decimal("40.00")),
    )


def _uneven_product(p: Planter) -> Ids:
    return p.invoice(
        p.line("LAB-REM", "1.005", rate="33.33", extendedPrice=Decimal("33.50")),
        p.line("LAB-REM", "1.005", rate="33.33", extendedPrice=Decimal("33.45")),
    )


def _strange_names(p: Planter) -> Ids:
    names = (
        "Rowan: Plumbing",
        "O'Hazel & Sons",
        'Yew "Express" Parcels',
        "Back\\slash Software",
        "Poplar Party 🎈",
        "Trailing Blank   ",
    )
    return [p.invoice(company=p.company(name)) for name in names]


def _no_lines(p: Planter) -> Ids:
    id = p.invoice()
    for item in p.tenant.rows("BillingItems", invoiceID=id):
        p.tenant.world.store.delete(p.tenant.space, "BillingItems", item["id"])
    return id


def _sum_differs(p: Planter) -> Ids:
    id = p.invoice()
    row = p.tenant.row("Invoices", id) or {}
    p.tenant.save("Invoices", {**row, "invoiceTotal": row["invoiceTotal"] + Decimal("0.06")})
    return id


def _unknown_tax_region(p: Planter) -> Ids:
    region = p.tenant.add("TaxRegions", {"name": "Isle of Nowhere", "isActive": True})
    return p.invoice(p.line(taxDollars=Decimal("7.00")), taxGroup=region)


def _tax_differs(p: Planter) -> Ids:
    return p.invoice(p.line(taxDollars=Decimal("1.23")))


def _compound_tax(p: Planter) -> Ids:
    region = p.provider.laid.tax_regions.get("Province with compound tax")
    return [] if region is None else p.invoice(p.line("HW-LAP", "1"), taxGroup=region)


def _error_number(p: Planter) -> Ids:
    return p.invoice(number="ERROR")


def _blank_number(p: Planter) -> Ids:
    return p.invoice(number=None)


def _number_in_use(p: Planter) -> Ids:
    code = {"uk": "No VAT", "au": "Out of Scope"}.get(p.provider.region)
    customer, item = p.books.customer("Walk-in Trade"), p.books.item("Counter Trade", "CTR-1", "Sales")
    p.books.invoice(customer, item, "AT-TAKEN-1", Decimal("12.00"), code)
    return p.invoice(number="AT-TAKEN-1")


def _unknown_terms(p: Planter) -> Ids:
    term = p.tenant.add("PaymentTerms", {"name": "Net 45", "paymentDueInDays": 45, "isActive": True})
    return p.invoice(paymentTerm=term)


def _sub_company(p: Planter) -> Ids:
    child = p.company("Willow Branch Office", parent=p.customer)
    return p.invoice(p.line(), p.line("LAB-ONS", "1", companyID=child))


def _mixed_credit(p: Planter) -> Ids:
    return p.invoice(p.line("HW-FWL", "-1"), p.line("SET-UP", "1"))


def _zero_beside_goods(p: Planter) -> Ids:
    return p.invoice(p.line("LAB-REM", "2", rate="0", nonBillable=1), p.line("HW-FWL", "1"))


def _grouped(p: Planter) -> Ids:
    return p.invoice(
        *(p.line("LAB-REM", "0.5", lineItemID=71, lineItemGroupDescription="Support in the month") for _ in range(3))
    )


def _many_lines(p: Planter) -> Ids:
    return p.invoice(*(p.line("SUB-MAIL", "1") for _ in range(675)))


def _still_building(p: Planter) -> Ids:
    return p.invoice(p.line(), p.line("LAB-REM", "1"), still_building=1)


def _voided(p: Planter) -> Ids:
    id = p.invoice()
    actions.void(p.tenant, id)
    return id


def _reissued(p: Planter) -> Ids:
    return actions.reissue(p.tenant, p.invoice())


def _marked_by_another(p: Planter) -> Ids:
    return p.invoice(webServiceDate=p.tenant.body.get("marked_at") or "2020-01-01T00:00:00Z")


def _old(p: Planter) -> Ids:
    return p.invoice(days_ago=45)


PROBLEMS: tuple[tuple[str, str, Builder], ...] = (
    ("zero total", "skip", _zero_total),
    ("no company", "fault", _no_company),
    ("number over the ledger's limit", "fault", _long_number),
    ("one number on two invoices", "ask", _same_number),
    ("similar customer name", "fault", _similar_customer),
    ("customer that is a vendor", "fault", _customer_is_vendor),
    ("names that fold to one", "fault", _folding_names),
    ("inactive item", "fault", _inactive_item),
    ("item that is a category", "fault", _category_item),
    ("missing item", "ask", _missing_item),
    ("codes that differ in case only", "ask", _case_of_codes),
    ("no billing code", "ask", _no_billing_code),
    ("blank description", "ask", _blank_text),
    ("very long texts", "post", _long_texts),
    ("quantities with seven decimals", "post", _seven_decimals),
    ("amount unlike quantity x rate", "post", _uneven_product),
    ("strange names", "ask", _strange_names),
    ("no lines", "ask", _no_lines),
    ("sum differs", "ask", _sum_differs),
    ("unknown tax region", "ask", _unknown_tax_region),
    ("tax unlike the rate", "ask", _tax_differs),
    ("compound tax", "post", _compound_tax),
    ("number ERROR", "ask", _error_number),
    ("blank number", "post", _blank_number),
    ("number in use in the ledger", "fault", _number_in_use),
    ("terms the ledger lacks", "ask", _unknown_terms),
    ("line of a sub-company", "post", _sub_company),
    ("credit with a positive line", "post", _mixed_credit),
    ("zero line beside goods", "post", _zero_beside_goods),
    ("grouped lines", "post", _grouped),
    ("675 lines", "post", _many_lines),
    ("still being built", "ask", _still_building),
    ("voided", "out", _voided),
    ("re-issued", "post", _reissued),
    ("marked by another tool", "out", _marked_by_another),
    ("older than the window", "out", _old),
)


def plant(provider: "Provider", books: Books) -> list[dict[str, Any]]:
    """Put every problem the ledger can have into the world; gives id, problem and outcome of each invoice."""
    planted = []
    for problem, usual, builder in PROBLEMS:
        outcome = books.outcomes.get(problem, usual)
        if outcome is None:
            continue
        ids = builder(Planter(provider, books))
        for id in [ids] if isinstance(ids, int) else ids:
            body = {"id": id, "problem": problem, "outcome": outcome}
            provider.tenant.world.store.put(provider.tenant.space, PLANTED, id, body)
            planted.append(body)
    return planted
