"""The official client library talks to the simulated Xero: reading, bulk writes, refusals, pages, times, files."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import urllib3
from xero_python.accounting import AccountingApi, models
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.api_client.oauth2 import OAuth2Token
from xero_python.exceptions import AccountingBadRequestException, NotFoundException, RateLimitException
from xero_python.identity import IdentityApi

from sandbox.xero_identity import tokens
from tests.sandbox.xero_client import Xero, organisation

TIMES = (5, 30)


@pytest.fixture
def it() -> Iterator[Xero]:
    with organisation() as made:
        yield made


def client(it: Xero) -> ApiClient:
    """One client with a token of its own; no retries behind our back."""
    known = {
        "access_token": tokens.access_token(it.world, it.tenant),
        "expires_in": 1800,
        "scope": ["accounting.invoices"],
        "token_type": "Bearer",
    }
    settings = Configuration()
    settings.oauth2_token = OAuth2Token("SANDBOX-CLIENT-ID", "SANDBOX-CLIENT-SECRET-NOT-REAL")
    made = ApiClient(settings, oauth2_token_getter=lambda: known, oauth2_token_saver=lambda token: None)
    made.rest_client.pool_manager.connection_pool_kw["retries"] = urllib3.Retry(0)
    made.rest_client.pool_manager.clear()
    return made


def accounting(it: Xero) -> Any:
    return AccountingApi(client(it), base_url=f"{it.base}/xero/api/api.xro/2.0")


def invoice(contact: str, number: str) -> Any:
    line = models.LineItem(description="Work", quantity=2, unit_amount=Decimal("10.1234"), account_code="200")
    return models.Invoice(
        type="ACCREC", contact=models.Contact(contact_id=contact), invoice_number=number, date=date(2026, 11, 2),
        due_date=date(2026, 11, 30), line_items=[line], status="AUTHORISED",
    )  # fmt: skip


def test_the_library_reads_every_list(it: Xero) -> None:
    api = accounting(it)
    [found] = api.get_organisations(it.tenant, _request_timeout=TIMES).organisations
    assert (found.name, found.base_currency.value, found.country_code.value) == ("Test Company", "GBP", "GB")
    assert {each.code for each in api.get_accounts(it.tenant).accounts} >= {"200", "610", "820"}
    assert {each.tax_type for each in api.get_tax_rates(it.tenant).tax_rates} >= {"OUTPUT2", "NONE"}
    assert [each.name for each in api.get_tracking_categories(it.tenant).tracking_categories] == ["Department"]
    assert [each.code.value for each in api.get_currencies(it.tenant).currencies] == ["GBP", "EUR", "USD"]
    assert len(api.get_branding_themes(it.tenant).branding_themes) == 2
    assert [each.code for each in api.get_items(it.tenant).items] == ["COUNTER"]
    assert api.get_organisation_actions(it.tenant).actions[0].status == "ALLOWED"
    [connection] = IdentityApi(client(it), base_url=f"{it.base}/xero/api").get_connections()
    assert connection.tenant_id == it.tenant


def test_the_library_writes_invoices_in_bulk_and_hears_what_was_refused(it: Xero) -> None:
    api, contact = accounting(it), it.contact()
    sent = models.Invoices(invoices=[invoice(contact, number) for number in ("L-1", "L-1", "L-2")])
    told = api.create_invoices(
        it.tenant, sent, summarize_errors=False, unitdp=4, idempotency_key="batch-1", _request_timeout=TIMES
    )
    assert [each.status_attribute_string for each in told.invoices] == ["OK", "ERROR", "OK"]
    assert told.invoices[1].validation_errors[0].message == "Invoice # must be unique."
    assert (told.invoices[0].total, told.invoices[0].date) == (Decimal("24.30"), date(2026, 11, 2))
    again = api.create_invoices(it.tenant, sent, summarize_errors=False, unitdp=4, idempotency_key="batch-1")
    assert again.invoices[0].invoice_id == told.invoices[0].invoice_id
    with pytest.raises(AccountingBadRequestException) as refused:
        api.create_invoices(it.tenant, models.Invoices(invoices=[invoice(contact, "L-1")]))
    assert refused.value.reason == "Invoice # must be unique."


def test_the_library_pages_and_asks_for_changes(it: Xero) -> None:
    api, contact = accounting(it), it.contact()
    made = [invoice(contact, f"P-{place}") for place in range(5)]
    api.create_invoices(it.tenant, models.Invoices(invoices=made), unitdp=4)
    page = api.get_invoices(it.tenant, where='Type=="ACCREC"', page=1, page_size=3, statuses=["AUTHORISED"])
    assert (len(page.invoices), page.pagination.item_count) == (3, 7) and page.invoices[0].line_items
    since = it.world.clock.now().astimezone(UTC) + timedelta(hours=1)
    assert api.get_invoices(it.tenant, if_modified_since=since).invoices == []
    assert len(api.get_contacts(it.tenant, page=1).contacts) == 3


def test_the_library_pays_attaches_and_deletes(it: Xero) -> None:
    api = accounting(it)
    [made] = api.create_invoices(it.tenant, models.Invoices(invoices=[invoice(it.contact(), "A-1")])).invoices
    ident = made.invoice_id
    file = api.create_invoice_attachment_by_file_name(it.tenant, ident, "copy.pdf", b"%PDF-1.4", include_online=True)
    assert file.attachments[0].mime_type == "application/pdf"
    paid = models.Payment(
        invoice=models.Invoice(invoice_id=ident), account=models.Account(code="090"), amount=5, date=date(2026, 11, 3)
    )
    [payment] = api.create_payments(it.tenant, models.Payments(payments=[paid])).payments
    assert payment.invoice.amount_paid == 5
    api.delete_payment(it.tenant, payment.payment_id, models.PaymentDelete(status="DELETED"))
    change = models.Invoices(invoices=[models.Invoice(status="VOIDED")])
    assert api.update_invoice(it.tenant, ident, change).invoices[0].status == "VOIDED"


def test_the_library_tells_a_missing_contact_and_a_limit_apart(it: Xero) -> None:
    api = accounting(it)
    lost = invoice("11111111-1111-4111-8111-111111111111", "N-1")
    with pytest.raises(NotFoundException):
        api.create_invoices(it.tenant, models.Invoices(invoices=[lost]), summarize_errors=False)
    it.world.faults.plan("status_429", "xero", "organisation GET", retry_after=26)
    with pytest.raises(RateLimitException) as limited:
        api.get_organisations(it.tenant)
    assert limited.value.headers["Retry-After"] == "26"
