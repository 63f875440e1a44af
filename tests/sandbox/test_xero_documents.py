"""What the simulated Xero makes of documents: money, numbers, states, payments, lock dates, and their entries."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from sandbox import jsonio
from sandbox.xero_identity import tokens, users
from tests.sandbox.xero_client import Xero, line, messages, organisation

ALLOCATED = "This document cannot be edited as it has a payment or credit note allocated to it."
NOT_MODIFIABLE = "Invoice not of valid status for modification"
BEFORE = {"200": Decimal("-59.70"), "610": Decimal("59.70")}  # the two counter sales every organisation starts with


@pytest.fixture
def it() -> Iterator[Xero]:
    with organisation() as made:
        yield made


def books(it: Xero) -> dict[str, Decimal]:
    """What the books hold beyond what every organisation starts with."""
    now = it.balances()
    return {code: left for code in now if (left := now[code] - BEFORE.get(code, Decimal(0)))}


def post(it: Xero, *lines: dict[str, Any], envelope: str = "Invoices", **more: Any) -> dict[str, Any]:
    """One document that must be accepted, with unit prices of four decimals."""
    contact = {"ContactID": it.org.find("Contact", "name", "acme ltd")[0]["id"] if _acme(it) else it.contact()}
    body = it.invoice(Contact=contact, LineItems=list(lines) or [line()]) | more
    return it.put(envelope, body, unitdp="4")[0]


def _acme(it: Xero) -> bool:
    return bool(it.org.find("Contact", "name", "acme ltd"))


def refused(it: Xero, *lines: dict[str, Any], **more: Any) -> list[str]:
    contact = {"ContactID": it.org.find("Contact", "name", "acme ltd")[0]["id"] if _acme(it) else it.contact()}
    body = it.invoice(Contact=contact, LineItems=list(lines) or [line()]) | more
    return it.refused(it.call("PUT", "Invoices", {"Invoices": [body]}))


def change(it: Xero, made: dict[str, Any], **fields: Any) -> Any:
    return it.call("POST", f"Invoices/{made['InvoiceID']}", fields)


def changed(it: Xero, made: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = change(it, made, **fields)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = jsonio.loads(answer.content)["Invoices"][0]
    return found


def pay(it: Xero, made: dict[str, Any], amount: str) -> dict[str, Any]:
    body = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": Decimal(amount)}
    return it.put("Payments", body | {"Date": "2026-11-20", "Reference": "PSA pay 9"})[0]


# Money.


def test_an_approved_invoice_stands_in_the_books_and_a_draft_does_not(it: Xero) -> None:
    post(it, Status="DRAFT")
    post(it, Status="SUBMITTED")
    assert books(it) == {}
    made = post(it)
    assert (made["SubTotal"], made["TotalTax"], made["Total"], made["AmountDue"]) == tuple(
        Decimal(each) for each in ("21.0", "4.2", "25.2", "25.2")
    )
    assert books(it) == {"610": Decimal("25.20"), "200": Decimal("-21.00"), "820": Decimal("-4.20")}


def test_tax_is_rounded_per_line_and_then_summed(it: Xero) -> None:
    made = post(it, *(line("0.33", 1) for _ in range(3)))
    assert (made["TotalTax"], made["Total"]) == (Decimal("0.21"), Decimal("1.2"))  # 20 % of 0.99 would be 0.20


def test_an_inclusive_invoice_takes_the_tax_out_of_the_line(it: Xero) -> None:
    made = post(it, line("12.00", 1), LineAmountTypes="Inclusive")
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (Decimal("10.0"), Decimal("2.0"), Decimal("12.0"))
    assert books(it) == {"610": Decimal("12.00"), "200": Decimal("-10.00"), "820": Decimal("-2.00")}


def test_no_tax_is_no_tax(it: Xero) -> None:
    made = post(it, LineAmountTypes="NoTax")
    assert (made["TotalTax"], made["LineItems"][0]["TaxType"]) == (Decimal("0.0"), "NONE")


def test_unit_prices_have_two_decimals_unless_four_are_asked_for(it: Xero) -> None:
    assert post(it, line("1.2345", 100))["SubTotal"] == Decimal("123.45")
    body = it.invoice(Contact={"Name": "Acme Ltd"}, LineItems=[line("1.2345", 100)])
    assert it.put("Invoices", body)[0]["SubTotal"] == Decimal("123.0")


def test_a_line_total_that_disagrees_is_refused_in_words(it: Xero) -> None:
    wrong = line("1.2345678", 120) | {"LineAmount": Decimal("148.15")}
    assert refused(it, wrong) == ["The line total 148.15 does not match the expected line total 147.60"]
    assert post(it, line("148.15", 1) | {"LineAmount": Decimal("148.15")})["SubTotal"] == Decimal("148.15")


def test_quantity_or_price_may_be_left_out(it: Xero) -> None:
    alone = {"Description": "x", "LineAmount": 10, "AccountCode": "200"}
    made = post(it, alone, alone | {"Quantity": 4}, {"Description": "Only a text"})
    assert [each.get("UnitAmount") for each in made["LineItems"]] == [Decimal("10.0"), Decimal("2.5"), None]
    assert made["Total"] == Decimal("24.0")


def test_negative_quantities_are_refused_and_negative_prices_are_not(it: Xero) -> None:
    assert refused(it, line("5", -1))[0] == "Quantity must not be less than zero"
    assert refused(it, line("-5", 1)) == ["The document total must be zero or greater."]
    assert post(it, line("10", 1), line("-4", 1))["Total"] == Decimal("7.2")


def test_a_rounding_amount_goes_with_totals_that_agree(it: Xero) -> None:
    totals = {"SubTotal": 21, "TotalTax": Decimal("4.20"), "Total": Decimal("25.21")}
    made = post(it, RoundingAmount=Decimal("0.01"), **totals)
    assert (made["Total"], made["RoundingAmount"]) == (Decimal("25.21"), Decimal("0.01"))
    assert books(it)["860"] == Decimal("-0.01") and books(it)["610"] == Decimal("25.21")
    assert "must agree" in refused(it, RoundingAmount=Decimal("0.01"))[0]
    much, off = {"RoundingAmount": Decimal("0.11")}, {"Total": Decimal("25.30")}
    for wrong in (off, {"SubTotal": 20}, much, {"Status": "DRAFT"}):
        assert len(refused(it, **({"RoundingAmount": Decimal("0.01"), **totals} | wrong))) == 1


def test_a_foreign_invoice_posts_in_the_base_currency(it: Xero) -> None:
    made = post(it, line("100", 1, TaxType="ZERORATEDOUTPUT"), CurrencyCode="EUR")
    assert (made["CurrencyRate"], made["Total"]) == (Decimal("1.15"), Decimal("100.0"))
    assert books(it) == {"610": Decimal("86.96"), "200": Decimal("-86.96")}
    assert refused(it, CurrencyCode="JPY") == ["Organisation is not subscribed to currency JPY"]
    odd = post(it, CurrencyCode="EUR", CurrencyRate=9)
    assert odd["Warnings"] and odd["CurrencyRate"] == Decimal("9.0")


def test_a_bill_and_the_credit_notes_turn_the_entries_round(it: Xero) -> None:
    cost = line("100", 1, AccountCode="310", TaxType="INPUT2")
    post(it, cost, Type="ACCPAY")
    assert books(it) == {"800": Decimal("-120.00"), "310": Decimal("100.00"), "820": Decimal("20.00")}
    post(it, cost, Type="ACCPAYCREDIT", envelope="CreditNotes")
    assert books(it) == {}
    post(it, line("50", 1), Type="ACCRECCREDIT", envelope="CreditNotes", CreditNoteNumber="CN-X")
    assert books(it) == {"610": Decimal("-60.00"), "200": Decimal("50.00"), "820": Decimal("10.00")}


# What a line may say.


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"AccountCode": "999"}, "Account code '999' is not a valid code for this document."),
        ({"AccountCode": "299"}, "Account code '299' has been archived, or is not a valid code for this document."),
        ({"AccountCode": "610", "TaxType": "NONE"}, "Account code '610' is not a valid code for this document."),
        ({"AccountCode": "090", "TaxType": "NONE"}, "Account code '090' is not a valid code for this document."),
        ({"TaxType": "INPUT2"}, "The TaxType code 'INPUT2' cannot be used with account code '200'"),
        ({"TaxType": "TAX001"}, "Tax Rate must be active"),
        ({"ItemCode": "NOPE"}, "Item code 'NOPE' is not valid"),
    ],
)
def test_what_a_line_may_not_say(it: Xero, fields: dict[str, str], words: str) -> None:
    assert refused(it, line(**fields)) == [words]


def test_an_item_gives_what_the_line_leaves_out_and_its_code_has_no_case(it: Xero) -> None:
    sales = {"UnitPrice": 12, "AccountCode": "202", "TaxType": "OUTPUT2"}
    it.put("Items", {"Code": "LAB-1", "Name": "Labour", "Description": "An hour", "SalesDetails": sales})
    made = post(it, {"ItemCode": "lab-1", "Quantity": 2})["LineItems"][0]
    assert (made["ItemCode"], made["Description"], made["AccountCode"]) == ("LAB-1", "An hour", "202")
    assert made["LineAmount"] == Decimal("24.0")
    twice = it.refused(it.call("PUT", "Items", {"Code": "lab-1"}))
    assert twice == ["Price List Item with Code 'lab-1' already exists"]
    assert it.call("POST", "Items", {"Code": "LAB-1", "Name": "Renamed"}).json()["Items"][0]["Name"] == "Renamed"


def test_tracking_by_name_or_id(it: Xero) -> None:
    [category] = it.get("TrackingCategories")["TrackingCategories"]
    option = category["Options"][1]
    for sent in (
        {"Name": "department", "Option": "Sales"},
        {"TrackingCategoryID": category["TrackingCategoryID"], "TrackingOptionID": option["TrackingOptionID"]},
    ):
        [told] = post(it, line(Tracking=[sent]))["LineItems"][0]["Tracking"]
        assert (told["Name"], told["Option"]) == ("Department", "Sales")
    assert "could not be found" in refused(it, line(Tracking=[{"Name": "Department", "Option": "Nowhere"}]))[0]
    made = it.call("PUT", f"TrackingCategories/{category['TrackingCategoryID']}/Options", {"Name": "Projects"})
    assert made.json()["Options"][0]["Name"] == "Projects"


def test_a_draft_may_be_incomplete_and_an_approved_invoice_may_not(it: Xero) -> None:
    bare = {"Description": "Later", "Quantity": 1, "UnitAmount": 5}
    draft = post(it, bare, Status="DRAFT", DueDate="")
    assert it.refused(change(it, draft, Status="AUTHORISED")) == [
        "Account code must be specified",
        "Invoice Due Date must be specified",
    ]


# Numbers.


def test_sales_numbers_are_unique_and_a_deleted_one_is_free_again(it: Xero) -> None:
    draft = post(it, InvoiceNumber="AT-1", Status="DRAFT")
    assert refused(it, InvoiceNumber="at-1") == ["Invoice # must be unique."]
    changed(it, draft, Status="DELETED")
    voided = post(it, InvoiceNumber="AT-1")
    changed(it, voided, Status="VOIDED")
    assert refused(it, InvoiceNumber="AT-1") == ["Invoice # must be unique."]
    assert post(it)["InvoiceNumber"] == "INV-0001" and post(it)["InvoiceNumber"] == "INV-0002"


def test_bills_may_bear_one_number_twice_and_have_no_reference(it: Xero) -> None:
    cost = line("100", 1, AccountCode="310", TaxType="INPUT2")
    bills = [post(it, cost, Type="ACCPAY", InvoiceNumber="V-1", Reference="lost") for _ in range(2)]
    assert bills[0]["InvoiceID"] != bills[1]["InvoiceID"]
    assert bills[0]["Reference"] == "" and "SentToContact" not in bills[0]


@pytest.mark.parametrize("checked", [False, True])
def test_whether_credit_note_numbers_are_checked_is_a_switch(checked: bool) -> None:
    with organisation(credit_note_numbers_checked=checked) as it:
        note = it.invoice(Type="ACCRECCREDIT", Contact={"Name": "Acme Ltd"}, CreditNoteNumber="C-1")
        it.put("CreditNotes", note)
        assert it.call("PUT", "CreditNotes", {"CreditNotes": [note]}).status_code == (400 if checked else 200)


@pytest.mark.parametrize("mode", ["edit", "error"])
def test_what_post_does_with_a_number_it_knows_is_a_switch(mode: str) -> None:
    with organisation(post_by_number=mode) as it:
        made = post(it, InvoiceNumber="AT-1")
        body = it.invoice(Contact={"Name": "Acme Ltd"}, InvoiceNumber="AT-1", Reference="again")
        answer = it.call("POST", "Invoices", {"Invoices": [body]})
        if mode == "error":
            assert it.refused(answer) == ["Invoice # must be unique."]
        else:
            assert answer.json()["Invoices"][0]["InvoiceID"] == made["InvoiceID"]


def test_a_purchase_order_number_in_use_edits_that_order(it: Xero) -> None:
    body = {
        "Contact": {"ContactID": it.contact("Supplier")}, "PurchaseOrderNumber": "P-1", "Date": "2026-11-02",
        "LineItems": [line(AccountCode="310", TaxType="INPUT2")],
    }  # fmt: skip
    first = it.put("PurchaseOrders", body)[0]
    again = it.put("PurchaseOrders", body | {"Reference": "second"}, summarizeErrors="false")[0]
    assert again["PurchaseOrderID"] == first["PurchaseOrderID"] and again["StatusAttributeString"] == "OK"
    assert books(it) == {} and len(it.get("PurchaseOrders")["PurchaseOrders"]) == 1
    it.call("POST", f"PurchaseOrders/{first['PurchaseOrderID']}", {"Status": "DELETED"})
    dead = it.put("PurchaseOrders", body, summarizeErrors="false")[0]
    assert messages([dead]) == ["PurchaseOrder status change is invalid", "Deleted PurchaseOrders cannot be updated"]
    unknown = it.call("PUT", "PurchaseOrders", body | {"Contact": {"Name": "Nobody"}, "PurchaseOrderNumber": "P-2"})
    assert it.refused(unknown) == ["The Contact could not be found"]


# States, changes, payments.


def test_states(it: Xero) -> None:
    draft = post(it, Status="DRAFT")
    assert it.refused(change(it, draft, Status="VOIDED")) == [NOT_MODIFIABLE]
    approved = changed(it, draft, Status="AUTHORISED")
    assert it.refused(change(it, approved, Status="DELETED")) == [NOT_MODIFIABLE]
    voided = changed(it, approved, Status="VOIDED")
    assert (voided["Status"], voided["AmountDue"], books(it)) == ("VOIDED", Decimal("0.0"), {})
    assert it.refused(change(it, voided, Reference="x")) == [NOT_MODIFIABLE]
    assert refused(it, Status="PAID") == [NOT_MODIFIABLE]


def test_drafts_are_promoted_in_bulk_by_id(it: Xero) -> None:
    drafts = [post(it, line("1.2345", 100), Status="DRAFT") for _ in range(3)]
    body = {"Invoices": [{"InvoiceID": each["InvoiceID"], "Status": "AUTHORISED"} for each in drafts]}
    answer = it.call("POST", "Invoices", body, summarizeErrors="false")
    rows = jsonio.loads(answer.content)["Invoices"]
    assert {row["Status"] for row in rows} == {"AUTHORISED"}
    assert [row["SubTotal"] for row in rows] == [Decimal("123.45")] * 3  # lines that were not sent keep their price
    assert books(it)["610"] == Decimal("444.42")


def test_lines_of_an_update(it: Xero) -> None:
    made = post(it, line("10", 1), line("20", 1), Status="DRAFT")
    kept = {"LineItemID": made["LineItems"][1]["LineItemID"], "Quantity": 3}
    after = changed(it, made, LineItems=[kept, line("5", 1)])
    assert [row["LineAmount"] for row in after["LineItems"]] == [Decimal("60.0"), Decimal("5.0")]
    assert after["LineItems"][0]["LineItemID"] == kept["LineItemID"]
    assert after["LineItems"][0]["Description"] == "Managed service"
    assert changed(it, made, Reference="R")["Total"] == after["Total"]


def test_a_contact_with_more_than_an_id_is_edited_by_the_invoice(it: Xero) -> None:
    ident = it.contact("Plain")
    it.put("Invoices", it.invoice(Contact={"ContactID": ident, "EmailAddress": "new@customers.sandbox.invalid"}))
    assert it.get(f"Contacts/{ident}")["Contacts"][0]["EmailAddress"] == "new@customers.sandbox.invalid"
    it.put("Invoices", it.invoice(Contact={"Name": "Made by the invoice"}))
    assert it.get("Contacts", where='Name=="made by the invoice"')["Contacts"][0]["IsCustomer"] is True


def test_payments_settle_and_guard_a_document(it: Xero) -> None:
    made = post(it, InvoiceNumber="AT-9")
    first = pay(it, made, "10.00")
    assert (first["PaymentType"], first["Invoice"]["AmountDue"]) == ("ACCRECPAYMENT", Decimal("15.2"))
    assert it.refused(change(it, made, Status="VOIDED"))[0].startswith("The status VOIDED cannot be applied")
    assert it.refused(change(it, made, LineItems=[line("11", 2)])) == [ALLOCATED]
    assert it.refused(change(it, made, Date="2026-11-03")) == [ALLOCATED]
    text = {"LineItemID": made["LineItems"][0]["LineItemID"], "Description": "Reworded", "AccountCode": "201"}
    free = changed(it, made, LineItems=[text], Reference="R", DueDate="2026-12-24")
    assert (free["LineItems"][0]["Description"], free["AmountPaid"]) == ("Reworded", Decimal("10.0"))
    pay(it, made, "15.20")
    assert it.get("Invoices/AT-9")["Invoices"][0]["Status"] == "PAID"
    over = {"Invoice": {"InvoiceNumber": "AT-9"}, "Account": {"Code": "090"}, "Amount": 1}
    assert "exceeds the amount outstanding" in it.refused(it.call("PUT", "Payments", over))[0]
    gone = it.call("POST", f"Payments/{first['PaymentID']}", {"Status": "DELETED"})
    assert gone.json()["Payments"][0]["Status"] == "DELETED"
    assert it.get("Invoices/AT-9")["Invoices"][0]["Status"] == "AUTHORISED"
    assert books(it)["090"] == Decimal("15.20") and books(it)["610"] == Decimal("10.00")
    assert len(it.get("Payments", where=f'Invoice.InvoiceID==guid("{made["InvoiceID"]}")')["Payments"]) == 2
    draft = {"Invoice": {"InvoiceID": post(it, Status="DRAFT")["InvoiceID"]}, "Account": {"Code": "090"}, "Amount": 1}
    assert it.refused(it.call("PUT", "Payments", draft)) == ["Payments can only be made against Authorised documents"]


def test_a_credit_note_is_allocated_in_a_second_call_and_books_nothing(it: Xero) -> None:
    made = post(it)
    note = post(it, line("5", 1), Type="ACCRECCREDIT", envelope="CreditNotes")
    before = books(it)
    body = {"Allocations": [{"Invoice": {"InvoiceID": made["InvoiceID"]}, "Amount": 6}]}
    assert it.call("PUT", f"CreditNotes/{note['CreditNoteID']}/Allocations", body).status_code == 200
    after = it.get(f"Invoices/{made['InvoiceID']}")["Invoices"][0]
    amounts = tuple(str(after[name]) for name in ("AmountCredited", "AmountPaid", "AmountDue"))
    assert amounts == ("6.0", "0.0", "19.2")
    spent = it.get(f"CreditNotes/{note['CreditNoteID']}")["CreditNotes"][0]
    assert (spent["Status"], spent["RemainingCredit"]) == ("PAID", Decimal("0.0"))
    assert books(it) == before


# Lock dates, contacts, papers.


@pytest.mark.parametrize(("lock", "words"), [("period_lock", "period"), ("year_lock", "end of year")])
def test_lock_dates(it: Xero, lock: str, words: str) -> None:
    open_one = post(it, Date="2026-10-31")
    it.org.keep(it.org.settings | {lock: "2026-10-31"})
    expected = [f"The document date cannot be before the {words} lock date, currently set at 31 October 2026"]
    assert refused(it, Date="2026-10-31") == expected
    assert it.refused(change(it, open_one, Reference="x")) == expected
    assert it.refused(change(it, open_one, Status="VOIDED")) == expected
    assert post(it, Date="2026-11-01")["Status"] == "AUTHORISED"
    assert refused(it, Date="2026-10-31", Status="DRAFT") == expected
    it.org.set_switches({"lock_covers_drafts": False, "advisers_past_period_lock": True})
    assert post(it, Date="2026-10-31", Status="DRAFT")["Status"] == "DRAFT"
    adviser = tokens.access_token(it.world, it.tenant, user=users.USERS[1])
    it.http.headers["Authorization"] = f"Bearer {adviser}"
    answer = it.call("PUT", "Invoices", {"Invoices": [it.invoice(Contact={"Name": "Acme Ltd"}, Date="2026-10-30")]})
    assert answer.status_code == (200 if lock == "period_lock" else 400)


def test_contacts_by_number_name_and_state(it: Xero) -> None:
    acme = it.contact(ContactNumber="AT-1042")
    assert it.get("Contacts/AT-1042")["Contacts"][0]["ContactID"] == acme
    assert it.refused(it.call("PUT", "Contacts", {"Name": "Other", "ContactNumber": "AT-1042"})) == [
        "The contact number AT-1042 is already assigned to another contact."
    ]
    assert it.call("POST", "Contacts", {"Name": "ACME LTD"}).json()["Contacts"][0]["ContactID"] == acme
    it.call("POST", f"Contacts/{acme}", {"ContactStatus": "ARCHIVED"})
    assert "matched an archived contact" in it.refused(it.call("POST", f"Contacts/{acme}", {"Name": "New"}))[0]
    assert "archived" in it.refused(it.call("PUT", "Invoices", it.invoice(Contact={"ContactID": acme})))[0]
    assert not [row for row in it.get("Contacts")["Contacts"] if row["ContactID"] == acme]
    assert [row for row in it.get("Contacts", includeArchived="true")["Contacts"] if row["ContactID"] == acme]
    assert it.contact() != acme  # the name of an archived contact is free
    for name in ("", "a<b", " x", "a  b"):
        assert len(it.refused(it.call("PUT", "Contacts", {"Name": name}))) == 1


def test_attachments_history_mail_and_pdf(it: Xero) -> None:
    ident = it.contact(EmailAddress="payable@customers.sandbox.invalid")
    made = it.put("Invoices", it.invoice(Contact={"ContactID": ident}, InvoiceNumber="AT-7"))[0]
    path = f"Invoices/{made['InvoiceID']}"
    for content in (b"%PDF-1", b"%PDF-2"):
        sent = it.http.put(f"{it.url}/{path}/Attachments/AT-7.pdf?IncludeOnline=true", data=content, timeout=5)
        assert sent.json()["Attachments"][0]["MimeType"] == "application/pdf"
    [row] = it.get(f"{path}/Attachments")["Attachments"]
    assert it.call("GET", f"{path}/Attachments/{row['FileName']}").content == b"%PDF-2"
    assert it.http.put(f"{it.url}/{path}/Attachments/a:b", data=b"x", timeout=5).status_code == 400
    note = {"HistoryRecords": [{"Details": "From Autotask invoice 7"}]}
    assert it.call("PUT", f"{path}/History", note).status_code == 200
    assert it.get(f"{path}/History")["HistoryRecords"][-1]["Details"] == "From Autotask invoice 7"
    assert it.call("POST", f"{path}/Email").status_code == 204
    assert it.get(path)["Invoices"][0]["SentToContact"] is True
    pdf = it.http.get(f"{it.url}/{path}", headers={"Accept": "application/pdf"}, timeout=5)
    assert pdf.headers["Content-Type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    assert it.get(f"{path}/OnlineInvoice")["OnlineInvoices"][0]["OnlineInvoiceUrl"].endswith(made["InvoiceID"])
    silent = it.put("Invoices", it.invoice(Contact={"Name": "No address"}))[0]
    assert it.call("POST", f"Invoices/{silent['InvoiceID']}/Email").status_code == 400


def test_set_as_sent_sends_nothing(it: Xero) -> None:
    assert post(it, SentToContact=True)["SentToContact"] is True
    assert post(it, SentToContact=True, Status="DRAFT")["SentToContact"] is False


def test_the_link_back_must_be_absolute_and_not_name_xero(it: Xero) -> None:
    made = post(it, Url="https://app.example/psa/invoices/42")
    assert made["Url"] == "https://app.example/psa/invoices/42"
    for url in ("/psa/42", "https://xero.example/42"):
        assert len(refused(it, Url=url)) == 1
    it.org.set_switches({"url_echoed": False})
    assert "Url" not in it.get(f"Invoices/{made['InvoiceID']}")["Invoices"][0]


def test_the_plan_may_limit_approvals(it: Xero) -> None:
    it.org.set_switches({"approve_cap": 3})  # two are there already
    post(it)
    assert refused(it) == ["You have reached the limit of invoices you can approve"]
    assert post(it, Status="DRAFT")["Status"] == "DRAFT"
