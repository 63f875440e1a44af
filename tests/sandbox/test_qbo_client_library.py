"""A public client library, python-quickbooks, works against the simulator with its own objects, end to end."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import ObjectNotFoundException, QuickbooksException, ValidationException
from quickbooks.objects import (
    Account,
    Attachable,
    Bill,
    CompanyInfo,
    CreditMemo,
    Customer,
    Department,
    Employee,
    Invoice,
    Item,
    Payment,
    PaymentMethod,
    Preferences,
    TaxAgency,
    TaxCode,
    TaxRate,
    TaxService,
    Term,
    Vendor,
)
from quickbooks.objects.base import Address, AttachableRef, EmailAddress, PhoneNumber
from quickbooks.objects.detailline import (
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    SalesItemLine,
    SalesItemLineDetail,
)
from quickbooks.objects.payment import PaymentLine
from quickbooks.objects.taxservice import TaxRateDetails

from sandbox.intuit import tokens
from tests.sandbox.qbo_client import company


class _Session(requests.Session):
    access_token = ""


@pytest.fixture
def qb() -> Iterator[Any]:
    with company("us-ast") as it, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = QuickBooks(company_id=it.realm, minorversion=75)
        client.sandbox_api_url_v3 = client.api_url_v3 = f"{it.base}/qbo/v3"
        client.session = _Session()
        client.session.access_token = tokens.access_token(it.world, it.realm)
        yield client


def make_item(qb: Any) -> Any:
    item = Item()
    item.Name, item.Type, item.Sku = "Remote support", "Service", "SUP"
    item.IncomeAccountRef = Account.filter(Name="Services", qb=qb)[0].to_ref()
    return item.save(qb=qb)


def make_customer(qb: Any, name: str = "Northwind IT") -> Any:
    customer = Customer()
    customer.DisplayName = customer.CompanyName = name
    customer.BillAddr = Address()
    customer.BillAddr.Line1, customer.BillAddr.City = "1 Main St", "Albany"
    customer.PrimaryEmailAddr = EmailAddress()
    customer.PrimaryEmailAddr.Address = "ap@northwind.invalid"
    customer.PrimaryPhone = PhoneNumber()
    customer.PrimaryPhone.FreeFormNumber = "555-0100"
    return customer.save(qb=qb)


def sales_line(item: Any, amount: float) -> Any:
    line = SalesItemLine()
    line.Amount, line.Description = amount, "work"
    line.SalesItemLineDetail = SalesItemLineDetail()
    line.SalesItemLineDetail.ItemRef = item.to_ref()
    return line


def make_invoice(qb: Any, customer: Any, item: Any, amount: float = 100.0) -> Any:
    invoice = Invoice()
    invoice.CustomerRef = customer.to_ref()
    invoice.Line.append(sales_line(item, amount))
    return invoice.save(qb=qb)


def test_company_lists_and_queries(qb: Any) -> None:
    assert CompanyInfo.get(1, qb=qb).CompanyName == "Test Company"
    assert Preferences.get(qb=qb).SalesFormsPrefs.CustomTxnNumbers is True
    assert {term.Name for term in Term.all(qb=qb)} == {"Due on receipt", "Net 15", "Net 30", "Net 60"}
    assert Item.all(qb=qb)[0].Name == "Counter sale"
    assert Customer.count(qb=qb) == 1
    for number in range(3):
        make_customer(qb, f"O'Neil {number}")
    found = Customer.where("DisplayName LIKE 'O\\'Neil%'", order_by="DisplayName DESC", qb=qb)
    assert [one.DisplayName for one in found] == ["O'Neil 2", "O'Neil 1", "O'Neil 0"]
    chosen = Customer.choose(["O'Neil 0", "O'Neil 2"], field="DisplayName", qb=qb)
    assert len(chosen) == 2
    assert TaxCode.all(qb=qb) and TaxRate.all(qb=qb)


def test_invoice_life(qb: Any) -> None:
    customer, item = make_customer(qb), make_item(qb)
    invoice = make_invoice(qb, customer, item)
    assert (invoice.TotalAmt, invoice.BillEmail.Address) == (100, "ap@northwind.invalid")
    invoice.PrivateNote = "seen"
    changed = invoice.save(qb=qb)
    assert (changed.PrivateNote, changed.SyncToken, changed.TotalAmt) == ("seen", "1", 100)
    with pytest.raises(QuickbooksException) as stale:
        invoice.save(qb=qb)
    assert stale.value.error_code == 5010
    assert changed.download_pdf(qb=qb).startswith(b"%PDF")
    changed.send(qb=qb, send_to="other@northwind.invalid")
    sent = Invoice.get(invoice.Id, qb=qb)
    assert (sent.EmailStatus, sent.BillEmail.Address) == ("EmailSent", "other@northwind.invalid")
    sent.void(qb=qb)
    voided = Invoice.get(invoice.Id, qb=qb)
    assert voided.TotalAmt == 0 and "Voided" in voided.PrivateNote
    voided.delete(qb=qb)
    with pytest.raises(ObjectNotFoundException):
        Invoice.get(invoice.Id, qb=qb)


def test_request_id_makes_saving_twice_harmless(qb: Any) -> None:
    customer, item = make_customer(qb), make_item(qb)
    saved = []
    for _ in range(2):
        invoice = Invoice()
        invoice.CustomerRef = customer.to_ref()
        invoice.Line.append(sales_line(item, 5))
        saved.append(invoice.save(qb=qb, request_id="one-and-the-same").Id)
    assert saved[0] == saved[1]


def test_credit_memo_payment_and_bill(qb: Any) -> None:
    customer, item = make_customer(qb), make_item(qb)
    memo = CreditMemo()
    memo.CustomerRef = customer.to_ref()
    memo.Line.append(sales_line(item, 20))
    assert memo.save(qb=qb).RemainingCredit == 20
    invoice = make_invoice(qb, customer, item)
    payment = Payment()
    payment.CustomerRef, payment.TotalAmt = customer.to_ref(), 100
    line = PaymentLine()
    line.Amount = 100
    line.LinkedTxn.append(invoice.to_linked_txn())
    payment.Line.append(line)
    made = payment.save(qb=qb)
    assert Invoice.get(invoice.Id, qb=qb).Balance == 0
    made.void(qb=qb)
    assert Invoice.get(invoice.Id, qb=qb).Balance == 100
    vendor = Vendor()
    vendor.DisplayName = "Supplier"
    vendor = vendor.save(qb=qb)
    bill = Bill()
    bill.VendorRef = vendor.to_ref()
    expense = AccountBasedExpenseLine()
    expense.Amount, expense.DetailType = 30, "AccountBasedExpenseLineDetail"
    expense.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    expense.AccountBasedExpenseLineDetail.AccountRef = Account.filter(Name="Freight", qb=qb)[0].to_ref()
    bill.Line.append(expense)
    assert bill.save(qb=qb).TotalAmt == 30


def test_batch_and_change_data_capture(qb: Any) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    customers = []
    for number in range(35):
        customer = Customer()
        customer.DisplayName = f"Batch {number}"
        customers.append(customer)
    made = batch_create(customers, qb=qb)
    assert len(made.successes) == 35 and not made.faults
    again = batch_create(customers[:1], qb=qb)
    assert again.faults[0].Error[0].code == "6240"
    for customer in made.successes:
        customer.CompanyName = "Changed"
    assert len(batch_update(made.successes[:3], qb=qb).successes) == 3
    item = make_item(qb)
    invoices = [make_invoice(qb, made.successes[0], item) for _ in range(2)]
    assert len(batch_delete(invoices, qb=qb).successes) == 2
    changes = change_data_capture([Customer, Invoice], since.isoformat(timespec="seconds"), qb=qb)
    assert len(changes.Customer) == 36  # with the bakery that was there before
    assert [row.Id for row in changes.Invoice if getattr(row, "status", "") == "Deleted"] == [
        invoice.Id for invoice in invoices
    ]


def test_small_lists_tax_service_and_attachments(qb: Any) -> None:
    department = Department()
    department.Name = "North"
    assert department.save(qb=qb).FullyQualifiedName == "North"
    method = PaymentMethod()
    method.Name, method.Type = "Standing order", "NON_CREDIT_CARD"
    assert method.save(qb=qb).Id
    employee = Employee()
    employee.GivenName, employee.FamilyName = "Night", "Shift"
    assert employee.save(qb=qb).DisplayName == "Night Shift"
    agency = TaxAgency()
    agency.DisplayName = "County"
    agency = agency.save(qb=qb)
    service, rate = TaxService(), TaxRateDetails()
    service.TaxCode = "County 4"
    rate.TaxRateName, rate.RateValue, rate.TaxAgencyId = "County 4", 4, agency.Id
    service.TaxRateDetails.append(rate)
    assert service.save(qb=qb).TaxCode == "County 4"
    customer = make_customer(qb)
    attachable, link = Attachable(), AttachableRef()
    link.EntityRef = customer.to_ref()
    attachable.AttachableRef.append(link)
    attachable.FileName, attachable.ContentType, attachable._FileBytes = "note.txt", "text/plain", b"hello"
    saved = attachable.save(qb=qb)
    assert (saved.FileName, saved.Size) == ("note.txt", 5)


def test_faults_arrive_as_the_library_expects(qb: Any) -> None:
    with pytest.raises(ValidationException) as refused:
        Customer.query("SELECT * FROM Customer WHERE Nonsense = '1'", qb=qb)
    assert refused.value.error_code == 4001
    make_customer(qb)
    with pytest.raises(QuickbooksException) as duplicate:
        make_customer(qb)
    assert duplicate.value.error_code == 6240
