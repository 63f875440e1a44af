"""Tax of the simulated QuickBooks beyond one rate: agencies, rate groups, taxes on taxes, inactive codes and rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.qbo import books
from sandbox.qbo.realm import Realm
from tests.sandbox.qbo_client import Company, company, line

AMOUNT = Decimal("100.00")


def invoice(it: Company, *codes: str, **more: Any) -> dict[str, Any]:
    """A body with a line of 100.00 per code."""
    customer = it.make("Customer", DisplayName=f"Northwind {len(it.query('select * from Customer')['Customer'])}")
    item = it.make("Item", Name=customer["DisplayName"], Type="Service", IncomeAccountRef=it.account("Services"))
    return {"CustomerRef": {"value": customer["Id"]}, "Line": [line(item, AMOUNT, code) for code in codes], **more}


def owed(it: Company) -> dict[str, Decimal]:
    """Liability account → credit balance."""
    rows = books.trial_balance(it.world, it.realm)
    return {row["name"]: row["credit"] - row["debit"] for row in rows if "Liability" in row["type"]}


def inactive(it: Company, kind: str, ident: str) -> None:
    realm = Realm(it.world, it.realm)
    with it.world.store.transaction():
        found = realm.record(kind, ident)
        assert found is not None
        realm.replace(found, {**found["entity"], "Active": False}, {})


@pytest.mark.parametrize(
    ("code", "total", "agencies"),
    [
        ("HST ON", "113.00", {"GST/HST Payable": "13.00"}),
        ("GST/QST QC - 9.975", "114.98", {"GST/HST Payable": "5.00", "Revenu Québec Payable": "9.98"}),
        ("GST/QST compounded", "114.98", {"GST/HST Payable": "5.00", "Revenu Québec Payable": "9.98"}),
        ("GST/PST BC", "112.00", {"GST/HST Payable": "5.00", "BC Ministry of Finance Payable": "7.00"}),
        ("Exempt", "100.00", {}),
    ],
)
def test_canadian_taxes_are_owed_to_their_agencies(code: str, total: str, agencies: dict[str, str]) -> None:
    with company("ca") as it:
        made = it.make("Invoice", **invoice(it, it.code(code)["value"], GlobalTaxCalculation="TaxExcluded"))
        assert made["TotalAmt"] == Decimal(total)
        assert owed(it) == {name: Decimal(amount) for name, amount in agencies.items()}


@pytest.mark.parametrize(
    ("sent", "state", "county"), [(None, "4.00", "4.00"), ("8.25", "4.13", "4.12"), ("0", "0", "0")]
)
def test_an_older_us_company_taxes_by_group_or_spreads_the_amount(sent: str | None, state: str, county: str) -> None:
    with company("us-groups") as it:
        detail: dict[str, Any] = {"TxnTaxCodeRef": it.code("NY Albany")}
        if sent is not None:
            detail["TotalTax"] = Decimal(sent)
        made = it.make("Invoice", **invoice(it, "TAX", "NON", TxnTaxDetail=detail))
        assert made["TotalAmt"] == 200 + Decimal(state) + Decimal(county)
        wanted = {"Sales Tax Payable": Decimal(state), "County sales tax agency Payable": Decimal(county)}
        assert owed(it) == {name: amount for name, amount in wanted.items() if amount}
        bare = it.make("Invoice", **invoice(it, "TAX", TxnTaxDetail={"TotalTax": 8}))
        assert bare["TotalAmt"] == 100, "without a group there is nothing to book the amount under"


@pytest.mark.parametrize(("kind", "refused"), [("TaxCode", True), ("TaxRate", True), ("TaxRate", False)])
def test_inactive_codes_and_rates_are_refused_where_the_switch_says_so(kind: str, refused: bool) -> None:
    with company("uk", inactive_tax_refused=refused) as it:
        code = it.code("20.0% S")["value"]
        rate = Realm(it.world, it.realm).record("TaxCode", code)
        assert rate is not None
        of = rate["entity"]["SalesTaxRateList"]["TaxRateDetail"][0]["TaxRateRef"]["value"]
        body = invoice(it, code, GlobalTaxCalculation="TaxExcluded")
        inactive(it, kind, code if kind == "TaxCode" else of)
        answer = it.post("invoice", body)
        assert (answer.status_code == 400) is refused
        if refused:
            assert it.fault(answer) == (400, "2500")


@pytest.mark.parametrize(("needs", "with_code", "tax"), [(False, False, 5), (True, False, 8), (True, True, 5)])
def test_automated_tax_may_want_a_code_beside_the_amount(needs: bool, with_code: bool, tax: int) -> None:
    with company("us-ast", total_tax_needs_code=needs) as it:
        detail: dict[str, Any] = {"TotalTax": 5}
        if with_code:
            detail["TxnTaxCodeRef"] = it.code("Automated sales tax")
        assert it.make("Invoice", **invoice(it, "TAX", TxnTaxDetail=detail))["TotalAmt"] == 100 + tax
