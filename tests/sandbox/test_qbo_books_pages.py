"""The plain pages of the simulated books show what stands in them."""

from __future__ import annotations

from decimal import Decimal

import requests

from tests.sandbox.qbo_client import company, line


def test_pages_of_the_books() -> None:
    with company("us-ast") as it:
        customer = it.make("Customer", DisplayName="Northwind <IT>")
        item = it.make("Item", Name="Support", Type="Service", IncomeAccountRef=it.account("Services"))
        ref = {"value": customer["Id"]}
        invoice = it.make(
            "Invoice",
            CustomerRef=ref,
            DocNumber="AT-1",
            TxnTaxDetail={"TotalTax": Decimal("8.25")},
            PrivateNote="from <Autotask>",
            Line=[line(item, Decimal("1100.00"), "TAX")],
        )
        memo = it.make("CreditMemo", CustomerRef=ref, DocNumber="AT-2", Line=[line(item, 100)])

        def page(path: str) -> str:
            answer = requests.get(f"{it.base}/books/{it.realm}{path}")
            assert answer.status_code == 200, answer.text
            return answer.text

        assert "AT-1" in page("") and "AT-2" in page("?q=at-2") and "AT-1" not in page("?q=at-2")
        shown = page(f"/invoice/{invoice['Id']}")
        assert "1,108.25" in shown and "Sales Tax Payable" in shown and "from &lt;Autotask&gt;" in shown
        assert "100.00" in page(f"/creditmemo/{memo['Id']}")
        assert "1008.25" in page(f"/customer/{customer['Id']}")
        assert "AT-1" in page(f"/item/{item['Id']}")
        assert "1,100.00" in page(f"/account/{it.account('Services')['value']}")
        balance = page("/trial-balance")
        assert balance.count("1,167.95") == 0 and balance.count("1,067.95") >= 2  # debit and credit total
        assert "1,067.95" in page("/receivables") and "-100.00" in page("/receivables")
        assert "Net 30" in page("/lists")
        assert requests.get(f"{it.base}/books/{it.realm}/invoice/999").status_code == 404
        assert requests.get(f"{it.base}/books/123").status_code == 404
