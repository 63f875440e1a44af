"""QuickBooks' shapes without a wire: how drafts are spelled and how refusals are read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors import jsonbytes
from connectors.endpoints import endpoints
from connectors.ledgers import quickbooks_faults as faults
from connectors.ledgers import quickbooks_records as records
from connectors.ledgers.base import Kind, Member, Refusal, Refused, Unknown
from connectors.ledgers.quickbooks_lookup import quote
from connectors.ledgers.quickbooks_payloads import compose, payload
from connectors.ledgers.quickbooks_spelling import MEMO_MAX, Spelling
from domain.documents import Address, Draft, DraftLine, ItemDraft, PartyDraft, Reference
from domain.taxes import TaxModel

US = Spelling(TaxModel.EXPLICIT_TOTAL, "US", False)
UK = Spelling(TaxModel.CODE_PER_LINE, "GB", False)


def ref(id: str) -> Reference:
    return Reference("x", "x", "x", id)


def line(amount: str, *, taxed: bool = False, code: Reference | None = None) -> DraftLine:
    return DraftLine(ref("19"), "Work", Decimal(1), Decimal(amount), Decimal(amount), taxed, code)


def draft(**changes: Any) -> Draft:
    base = Draft(
        kind="invoice",
        party=ref("73"),
        number="AT-1",
        date=date(2026, 11, 20),
        due_date=date(2026, 12, 20),
        term=ref("3"),
        currency="USD",
        lines=(line("150.5", taxed=True), line("10")),
        tax_total=Decimal("8.25"),
        send_tax=True,
        total=Decimal("168.75"),
        memo="Autotask invoice 1",
        marker="ref:k3jd82ma",
        email="ap@acme.invalid",
    )
    return replace(base, **changes)


def spelled(one: Any, spelling: Spelling = US) -> dict[str, Any]:
    body: dict[str, Any] = jsonbytes.load(payload(one, {}, spelling))
    return body


def test_a_us_invoice_carries_the_tax_as_a_total_and_says_which_lines_are_taxed() -> None:
    body = spelled(draft())
    assert body["TxnTaxDetail"] == {"TotalTax": Decimal("8.25")}
    codes = [one["SalesItemLineDetail"]["TaxCodeRef"]["value"] for one in body["Line"]]
    assert codes == ["TAX", "NON"]
    assert "GlobalTaxCalculation" not in body


def test_elsewhere_each_line_carries_its_code_and_amounts_are_net() -> None:
    body = spelled(draft(lines=(line("10", code=ref("7")),), send_tax=False), UK)
    assert body["GlobalTaxCalculation"] == "TaxExcluded"
    assert body["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "7"}
    assert "TxnTaxDetail" not in body


def test_amounts_show_the_currencys_decimals_and_no_float_passes() -> None:
    assert b'"Amount":150.50' in payload(draft(), {}, US)
    yen = draft(currency="JPY", lines=(line("1500"),), tax_total=Decimal(0))
    assert b'"Amount":1500,' in payload(yen, {}, US)


def test_no_exchange_rate_is_ever_sent_and_currency_only_where_it_matters() -> None:
    assert "CurrencyRef" not in spelled(draft())
    body = spelled(draft(), replace(US, multi_currency=True))
    assert body["CurrencyRef"] == {"value": "USD"}
    assert "ExchangeRate" not in body


def test_a_document_the_ledger_numbers_carries_no_number() -> None:
    assert "DocNumber" not in spelled(draft(number=None))


def test_a_credit_memo_has_no_due_date_and_no_terms() -> None:
    body = spelled(draft(kind="credit_memo"))
    assert "DueDate" not in body and "SalesTermRef" not in body and body["DocNumber"] == "AT-1"


def test_a_long_memo_is_cut_but_never_its_marker() -> None:
    note = spelled(draft(memo="x" * 5000))["PrivateNote"]
    assert len(note) <= MEMO_MAX and note.endswith(" ref:k3jd82ma")
    assert spelled(draft(memo=""))["PrivateNote"] == "ref:k3jd82ma"


@pytest.mark.parametrize("email", ["a@b.invalid; c@d.invalid", "nobody", "", "x" * 100 + "@a.invalid"])
def test_an_address_that_would_be_refused_is_left_out(email: str) -> None:
    assert "BillEmail" not in spelled(draft(email=email))


def test_a_customer_is_created_with_address_terms_and_exemption() -> None:
    address = Address("1 Main St", "", "Albany", "NY", "12207", "United States")
    one = PartyDraft("7", "N" * 120, "ap@acme.invalid", "555-0100", address, ref("3"), "EUR", tax_exempt=True)
    body = spelled(one)
    assert body["DisplayName"] == "N" * 120 and body["CompanyName"] == "N" * 100
    assert body["BillAddr"] == {
        "Line1": "1 Main St",
        "City": "Albany",
        "CountrySubDivisionCode": "NY",
        "PostalCode": "12207",
        "Country": "United States",
    }
    assert (body["SalesTermRef"], body["Taxable"]) == ({"value": "3"}, False)
    assert "CurrencyRef" not in body
    assert spelled(one, replace(UK, multi_currency=True))["CurrencyRef"] == {"value": "EUR"}


def test_an_item_is_a_service_on_the_account_chosen() -> None:
    body = spelled(ItemDraft("i", "85123A", "Lantern", ref("13"), sku="85123A"))
    assert body == {
        "Name": "85123A",
        "Type": "Service",
        "Description": "Lantern",
        "IncomeAccountRef": {"value": "13"},
        "Sku": "85123A",
    }


def test_a_batch_body_is_json_with_the_members_in_order() -> None:
    members = [Member("0", Kind.INVOICE, "create", b'{"a":1.50}'), Member("1", Kind.ITEM, "update", b"{}")]
    assert json.loads(compose(members)) == {
        "BatchItemRequest": [
            {"bId": "0", "operation": "create", "Invoice": {"a": 1.5}},
            {"bId": "1", "operation": "update", "Item": {}},
        ]
    }
    with pytest.raises(ValueError, match="no operation"):
        compose([Member("0", Kind.INVOICE, "promote", b"{}")])


def fault(code: str, detail: str = "text", kind: str = "ValidationFault") -> dict[str, Any]:
    return {"Error": [{"Message": "Message", "Detail": detail, "code": code}], "type": kind}


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("6140", Refusal.DUPLICATE_NUMBER),
        ("6240", Refusal.DUPLICATE_NAME),
        ("2500", Refusal.BAD_REFERENCE),
        ("610", Refusal.BAD_REFERENCE),
        ("6200", Refusal.CLOSED_PERIOD),
        ("6210", Refusal.CLOSED_PERIOD),
        ("2050", Refusal.TOO_LONG),
        ("6100", Refusal.TAX),
        ("6070", Refusal.AMOUNT),
        ("5030", Refusal.FEATURE_OFF),
        ("6190", Refusal.SUBSCRIPTION),
        ("424242", Refusal.OTHER),
    ],
)
def test_codes_become_neutral_words(code: str, refusal: Refusal) -> None:
    outcome = faults.outcome_of(fault(code))
    assert isinstance(outcome, Refused) and outcome.faults[0].refusal is refusal


def test_a_system_failure_decides_nothing() -> None:
    assert isinstance(faults.outcome_of(fault("10000")), Unknown)
    assert isinstance(faults.outcome_of(fault("1", kind="SystemFault")), Unknown)
    assert isinstance(faults.outcome_of(fault("600")), Unknown)


def test_all_errors_of_a_fault_are_kept() -> None:
    two = {"Error": [*fault("2050")["Error"], *fault("6100")["Error"]]}
    assert [one.code for one in faults.faults_of(two)] == ["2050", "6100"]


def test_a_refusal_names_the_record_that_holds_the_number_or_name() -> None:
    detail = "This number has already been used. DocNumber=AT-1 is assigned to TxnType=Invoice with TxnId=145"
    assert faults.faults_of(fault("6140", detail))[0].ledger_id == "145"
    assert faults.faults_of(fault("6240", "The name supplied already exists. : Id=123"))[0].ledger_id == "123"
    assert faults.faults_of(fault("6240", "The name supplied already exists."))[0].ledger_id is None


def test_all_three_shapes_of_a_refusal_are_read() -> None:
    """Shapes as recorded in the public issues of python-quickbooks, numbers 43, 83 and 118."""
    upper = json.dumps({"Fault": fault("6140")}).encode()
    lower = b'{"fault":{"error":[{"message":"m","detail":"d","code":"3200"}],"type":"AUTHENTICATION"}}'
    xml = (
        b'<?xml version="1.0"?><IntuitResponse xmlns="http://schema.intuit.com/finance/v3"><Fault type="SERVICE">'
        b'<Error code="3001"><Message>m</Message><Detail>The request limit was reached.</Detail></Error></Fault>'
        b"</IntuitResponse>"
    )
    read = [faults.top_level(one) for one in (upper, lower, xml)]
    assert [one[0].code for one in read if one] == ["6140", "3200", "3001"]


@pytest.mark.parametrize("body", [b"", b"<html>Service Unavailable</html>", b"{", b"[]", b"\xff\xfe", b'"Fault"'])
def test_what_is_no_refusal_is_none(body: bytes) -> None:
    assert faults.top_level(body) is None


@pytest.mark.parametrize("odd", [{}, {"Error": None}, {"Error": "x"}, {"Error": [1, {"code": None}]}])
def test_an_odd_fault_still_says_something(odd: dict[str, Any]) -> None:
    assert faults.faults_of(odd)[0].message


def test_a_void_is_not_live_and_a_zero_document_is() -> None:
    body = {"Id": "1", "TotalAmt": 0, "PrivateNote": "Voided - memo", "Line": []}
    assert not records.document_echo(body, Kind.INVOICE, "r").live
    assert records.document_echo({**body, "PrivateNote": "memo"}, Kind.INVOICE, "r").live


def test_an_echo_counts_the_lines_that_were_sent() -> None:
    lines = [{"DetailType": "SalesItemLineDetail"}, {"DetailType": "SubTotalLineDetail"}]
    assert records.document_echo({"Id": "1", "Line": lines}, Kind.INVOICE, "r").lines == 1


def test_times_of_any_offset_are_utc() -> None:
    assert records.instant("2026-11-22T02:03:04.123-08:00") == datetime(2026, 11, 22, 10, 3, 4, 123000, UTC)
    assert records.instant("2026-11-22") is None and records.instant(None) is None


def test_compound_tax_applies_on_top_of_what_comes_before_it() -> None:
    parts = [
        {"TaxRateRef": {"value": "2"}, "TaxTypeApplicable": "TaxOnTax", "TaxOrder": 1},
        {"TaxRateRef": {"value": "1"}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0},
    ]
    code = {"Id": "9", "Name": "Both", "SalesTaxRateList": {"TaxRateDetail": parts}}
    rates = [{"Id": "1", "RateValue": 5}, {"Id": "2", "RateValue": 10}]
    [found] = records.tax_codes([code], rates)
    assert Decimal(str(found.details["rate"])) == Decimal("5.5")


def test_query_texts_are_escaped_with_a_backslash() -> None:
    assert quote("O'Neil \\ Co") == "'O\\'Neil \\\\ Co'"


def test_real_addresses_are_the_default_and_only_they_are_allowed() -> None:
    real = endpoints()
    assert real.is_intuit("https://quickbooks.api.intuit.com/v3") and real.is_autotask(
        "https://webservices15.autotask.net/"
    )
    for url in (
        "http://quickbooks.api.intuit.com/",
        "https://intuit.com.evil.example/",
        "https://evilintuit.com/",
        "https://webservices15.autotask.net.evil.example/",
        "https://webservices15.autotask.net:8443/",
        "https://user@evil.example/autotask.net",
        "http://127.0.0.1:8400/",
    ):
        assert not real.is_intuit(url) and not real.is_autotask(url), url
    test = endpoints("http://127.0.0.1:8400/")
    assert test.is_intuit("http://127.0.0.1:8400/intuit") and not test.is_intuit("https://quickbooks.api.intuit.com/")
    assert not test.is_autotask("http://127.0.0.1:84000/")


def test_the_customer_reads_the_message_and_nothing_when_there_is_none() -> None:
    text = "Order number: 7\nThank you"
    assert spelled(draft(message=text))["CustomerMemo"] == {"value": text}
    assert "CustomerMemo" not in spelled(draft())
