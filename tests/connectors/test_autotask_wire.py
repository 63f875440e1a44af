"""Autotask over real HTTP: sign-in errors in words, zones, paging, limits, and few calls."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.endpoints import endpoints
from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, NotSent, PlatformError, RetryLater, Unavailable
from connectors.limits import LocalLimiter
from connectors.sources.autotask_budget import Budget, hour
from connectors.sources.autotask_http import Zone
from domain.documents import SourceDocument, Window
from sandbox.autotask.tenants import set_switches
from sandbox.server import World
from tests.connectors.autotask_bench import USER, AutotaskTenant, utc_now

NOW = utc_now()
WINDOW = Window(since=NOW - timedelta(days=14))


@pytest.fixture
def at(sandbox_world: World, sandbox: str) -> AutotaskTenant:
    return AutotaskTenant(sandbox_world, sandbox)


def documents(at: AutotaskTenant, **options: Any) -> list[SourceDocument]:
    source = at.source(**options)
    headers = [header for page in source.headers("invoice", WINDOW) for header in page]
    return [one for page in source.documents(headers) for one in page]


def operations(at: AutotaskTenant) -> list[str]:
    return [row["operation"] for row in at.world.journal.rows(platform="autotask")]


# ---- signing in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"user": "nobody@bench.invalid"}, "user name nobody@bench.invalid"),
        ({"secret": "wrong"}, "secret"),
        ({"code": "WRONGINTEGRATIONCODE0000001"}, "integration code"),
        ({"secret": ""}, "secret is empty"),
        ({"code": "naïve"}, "integration code is empty or has characters"),
        ({"secret": "line\r\nHost: x"}, "secret is empty or has characters"),
    ],
)
def test_the_error_names_the_field_that_is_wrong(at: AutotaskTenant, wrong: dict[str, str], words: str) -> None:
    with pytest.raises(NeedsReconnect, match=words):
        at.source(**wrong).check()


def test_wrong_credentials_are_not_tried_again_and_again(at: AutotaskTenant) -> None:
    with pytest.raises(NeedsReconnect):
        at.source(secret="wrong").check()
    assert operations(at).count("Invoices/entityinformation") == 1


@pytest.mark.parametrize("status", [500, 403])
def test_a_user_who_may_not_mark_invoices_is_told_before_the_first_posting(at: AutotaskTenant, status: int) -> None:
    set_switches(at.tenant, {"invoices_patch": False, "permission_status": status})
    seen = at.source().check()
    assert seen.can_read_invoices and not seen.can_mark_invoices
    assert any("Edit on invoices" in note for note in seen.notes)
    id = at.invoice(at.company("Acme"), [("1", "10")], number="N1", at=NOW)
    with pytest.raises(NotAllowed):
        at.source().mark_synced("invoice", id, number=None, at=NOW)


def test_the_check_tells_what_was_found(at: AutotaskTenant) -> None:
    at.company("Acme")
    seen = at.source().check()
    assert (seen.parties, seen.has_purchase_orders, seen.currency) == (2, False, "USD")
    assert seen.time_zone == "America/New_York"
    assert any("API-only" in note for note in seen.notes)


# ---- zones ------------------------------------------------------------------------------------------------


def test_a_moved_database_is_found_again(at: AutotaskTenant) -> None:
    found: list[Zone] = []
    source = at.source(zone_found=found.append)
    source.check()
    set_switches(at.tenant, {"zone": 7})
    assert list(source.headers("invoice", WINDOW)) == []
    assert len(found) == 2 and found[0].url != found[1].url and found[0].tenant == found[1].tenant


def test_a_stored_zone_that_answers_no_more_is_looked_up_again(at: AutotaskTenant) -> None:
    stored = Zone(f"{at.base}/autotask/zone99/ATServicesRest/", "", str(at.tenant.ci))
    try:
        at.source(zone=stored).check()
    except (BadAnswer, Unavailable) as problem:
        pytest.fail(f"the stored zone was kept: {problem}")


def test_a_user_of_another_database_is_not_served(at: AutotaskTenant) -> None:
    stored = Zone("http://127.0.0.1:1/autotask/ATServicesRest/", "", "1")
    with pytest.raises(PlatformError):
        at.source(zone=stored).check()


def test_a_zone_outside_autotask_gets_no_credentials(at: AutotaskTenant) -> None:
    evil = Zone("http://evil.example/ATServicesRest/", "", str(at.tenant.ci))
    with pytest.raises(NotAllowed, match="not an address"):
        at.source(zone=evil).check()


def test_nothing_reachable_is_never_sent() -> None:
    from connectors.http import Http
    from connectors.registry import Platforms
    from connectors.sources.autotask_http import Credentials

    platforms = Platforms(
        Http(lambda: 0.0), endpoints("http://127.0.0.1:1"), LocalLimiter(utc_now), utc_now, lambda seconds: None
    )
    with pytest.raises(NotSent):
        platforms.autotask(Credentials("a@b.invalid", "x", "y")).check()


# ---- few calls --------------------------------------------------------------------------------------------


def test_an_idle_poll_is_one_call(at: AutotaskTenant) -> None:
    source = at.source()
    source.check()
    before = len(operations(at))
    assert list(source.headers("invoice", WINDOW)) == []
    assert operations(at)[before:] == ["Invoices/query"]


def test_lines_of_many_documents_come_in_one_query(at: AutotaskTenant) -> None:
    acme = at.company("Acme")
    for place in range(20):
        at.invoice(acme, [("1", "10"), ("2", "5")], number=f"N{place}", at=NOW)
    before = len(operations(at))
    assert sum(len(one.lines) for one in documents(at)) == 40
    assert operations(at)[before:].count("BillingItems/query") == 1


def test_more_than_a_page_of_headers_and_lines_comes_whole(at: AutotaskTenant) -> None:
    acme = at.company("Acme")
    for place in range(501):
        at.invoice(acme, [("1", "1")], number=f"N{place}", at=NOW)
    big = at.invoice(acme, [("1", "1")] * 675, number="BIG", at=NOW)
    found = documents(at)
    assert len(found) == 502 and len({one.header.id for one in found}) == 502
    assert len(next(one for one in found if one.header.id == big).lines) == 675
    assert all(one.lines for one in found)


# ---- odd contents -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["null", "empty"])
def test_blank_texts_may_be_null_or_empty(sandbox_world: World, sandbox: str, blank: str) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, blank_strings=blank)
    at.invoice(at.company("Acme"), [("1", "10")], number=None, at=NOW, line={"itemName": "Work", "description": ""})
    [document] = documents(at)
    assert (document.header.number, document.header.comments, document.lines[0].text) == (None, None, "")
    window = Window(since=WINDOW.since, number_blank=True)
    assert len([one for page in at.source().headers("invoice", window) for one in page]) == 1


def test_the_word_error_is_no_number(at: AutotaskTenant) -> None:
    at.invoice(at.company("Acme"), [("1", "10")], number="ERROR", at=NOW)
    assert documents(at)[0].header.number is None
    window = Window(since=WINDOW.since, number_blank=True)
    assert len([one for page in at.source().headers("invoice", window) for one in page]) == 1


@pytest.mark.parametrize("by", ["both", "empty", "null"])
def test_our_word_error_is_cleared_whatever_blanks_a_text(sandbox_world: World, sandbox: str, by: str) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, blank_by=by)
    id, source = at.invoice(at.company("Acme"), [("1", "10")], number=None, at=NOW), at.source()
    source.set_error("invoice", id)
    assert [(mark.failed, mark.number) for mark in source.marks("invoice", [id])] == [(True, None)]
    source.clear_error("invoice", id, number=None)
    assert [(mark.failed, mark.number) for mark in source.marks("invoice", [id])] == [(False, None)]


@pytest.mark.parametrize(
    ("dates", "zone", "expected"),
    [
        ("utc_midnight", "America/New_York", date(2026, 11, 20)),
        ("time_of_day", "America/New_York", date(2026, 11, 20)),
        ("time_of_day", "UTC", date(2026, 11, 21)),
        ("local_midnight", "America/New_York", date(2026, 11, 20)),
    ],
)
def test_a_document_date_is_the_date_people_see_in_autotask(
    sandbox_world: World, sandbox: str, dates: str, zone: str, expected: date
) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, invoice_dates=dates)
    late = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)  # 22:30 on the 20th in New York
    at.invoice(at.company("Acme"), [("1", "10")], number="N1", at=late)
    assert [one.header.document_date for one in documents(at, time_zone=zone)] == [expected]


def test_four_decimals_and_long_quantities_arrive_exactly(sandbox_world: World, sandbox: str) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, four_decimals=True)
    exact = {"extendedPrice": "481.8375"}
    at.invoice(at.company("Acme"), [("3.2122500", "150")], number="N1", at=NOW, line=exact)
    [document] = documents(at)
    assert document.lines[0].quantity == Decimal("3.21225")
    assert document.lines[0].extended_price == Decimal("481.8375")


def test_the_tax_category_of_a_line_may_stand_on_its_billing_code(at: AutotaskTenant) -> None:
    goods = at.laid.tax_categories["Taxable Goods"]
    region = at.laid.tax_regions["NY Albany"]
    code = at.tenant.add("BillingCodes", {"name": "Hardware", "taxCategoryID": goods, "isActive": True})
    on_line = {"taxCategoryID": goods, "billingCodeID": code}
    on_code = {"taxDollars": "0.80", "billingCodeID": code}
    acme = at.company("Acme")
    at.invoice(acme, [("1", "10")], number="N1", at=NOW, line=on_line, taxGroup=region)
    at.invoice(acme, [("1", "10")], number="N2", at=NOW, line=on_code, taxGroup=region)
    found = documents(at)
    assert [one.lines[0].tax_category for one in found] == ["Taxable Goods", "Taxable Goods"]
    assert found[0].header.tax_region == "NY Albany"
    assert [one.lines[0].code_id for one in found] == [str(code), str(code)]


def test_picklist_numbers_are_never_assumed(sandbox_world: World, sandbox: str) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, picklist_seed=99)
    block = at.tenant.pick("billingItemType", "Contract Block")
    at.invoice(at.company("Acme"), [("1", "10")], number="N1", at=NOW, line={"billingItemType": block})
    assert documents(at)[0].lines[0].line_type == "Contract Block"


@pytest.mark.parametrize("unit", ["fraction", "percent"])
def test_tax_rates_are_fractions_whatever_autotask_keeps(sandbox_world: World, sandbox: str, unit: str) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, tax_rate_unit=unit)
    rules = {(one.region, one.name): one for one in at.source().catalog().taxes}
    assert rules["NY Albany", "Albany County"].rate == Decimal("0.04")
    assert rules["Province with compound tax", "Local"].compounded


def test_billing_codes_come_with_their_ledger_account_and_terms_with_days(at: AutotaskTenant) -> None:
    account = at.tenant.pick("generalLedgerAccount", "4200 Hardware")
    row = {"name": "Switches", "externalNumber": "SW-1", "generalLedgerAccount": account, "isActive": False}
    id = str(at.tenant.add("BillingCodes", row))
    catalog = at.source().catalog()
    code = catalog.codes[id]
    assert (code.name, code.number, code.gl_account, code.active) == ("Switches", "SW-1", "4200 Hardware", False)
    assert {one.name: one.days for one in catalog.terms.values()}["Net 30"] == 30


@pytest.mark.parametrize("status", [500, 403])
def test_services_that_the_user_may_not_see_are_named_and_stop_nothing(at: AutotaskTenant, status: int) -> None:
    assert at.source().catalog().unreadable == ()
    set_switches(at.tenant, {"services_visible": False, "permission_status": status})
    assert at.source().catalog().unreadable == ("Services", "ServiceBundles")
    at.invoice(at.company("Acme"), [("1", "10")], number="N1", at=NOW, line={"serviceID": 5})
    assert [one.lines[0].extended_price for one in documents(at)] == [Decimal(10)]


def test_the_billing_address_wins_and_company_zero_is_a_company(at: AutotaskTenant) -> None:
    country = at.laid.country("United States")
    own = {"address1": "1 Main St", "city": "Albany", "countryID": country}
    billed = {**own, "billToAddress1": "PO Box 7", "billToCity": "Troy", "billToCountryID": country}
    plain, boxed = at.company("Plain", **own), at.company("Boxed", parentCompanyID=0, isTaxExempt=True, **billed)
    found = {one.id: one for one in at.source().parties([plain, boxed, "0"])}
    assert found[plain].address.line1 == "1 Main St" and found[plain].address.country == "United States"
    assert (found[boxed].address.line1, found[boxed].address.city) == ("PO Box 7", "Troy")
    assert (found[boxed].parent_id, found[boxed].tax_exempt) == ("0", True)
    assert found["0"].name == "Bench Ltd"


def test_a_currency_is_told_only_with_multi_currency(sandbox_world: World, sandbox: str) -> None:
    at = AutotaskTenant(sandbox_world, sandbox, multi_currency=True)
    company = at.company("Acme", currencyID=at.laid.currencies["EUR"])
    assert [one.currency for one in at.source().parties([company])] == ["EUR"]


def test_without_multi_currency_no_currency_is_told(at: AutotaskTenant) -> None:
    company = at.company("Acme", currencyID=at.laid.currencies["USD"])
    assert [one.currency for one in at.source().parties([company])] == [None]


# ---- limits and outages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["status_503", "cut_json", "html_200", "empty_200", "response_lost"])
def test_a_read_that_failed_in_passing_is_repeated_once(at: AutotaskTenant, fault: str) -> None:
    source = at.source()
    source.check()
    at.world.faults.plan(fault, "autotask", "Invoices/query")
    assert list(source.headers("invoice", WINDOW)) == []
    at.world.faults.plan(fault, "autotask", "Invoices/query", times=2)
    with pytest.raises(Unavailable):
        list(source.headers("invoice", WINDOW))


def test_a_lost_answer_to_a_mark_is_told_and_repeating_it_is_safe(at: AutotaskTenant) -> None:
    id = at.invoice(at.company("Acme"), [("1", "10")], number="N1", at=NOW)
    source = at.source()
    at.world.faults.plan("response_lost", "autotask", "Invoices PATCH")
    with pytest.raises(Unavailable):
        source.mark_synced("invoice", id, number=None, at=NOW)
    source.mark_synced("invoice", id, number=None, at=NOW)
    assert source.marks("invoice", [id])[0].marked_at is not None


def test_the_hourly_limit_is_told_with_a_time(at: AutotaskTenant) -> None:
    at.world.faults.plan("status_429", "autotask", "Invoices/query", times=None)
    with pytest.raises(RetryLater) as told:
        list(at.source().headers("invoice", WINDOW))
    assert told.value.until > utc_now()


def test_other_integrations_calls_in_flight_are_waited_for(at: AutotaskTenant) -> None:
    source = at.source()
    source.check()
    at.world.limits.switch(on=True)
    key = f"autotask/SANDBOXINTEGRATIONCODE00001/{at.tenant.ci}/invoices"
    for _ in range(3):
        at.world.limits.enter(key, 3)
    with pytest.raises(RetryLater):
        list(source.headers("invoice", WINDOW))
    assert len(at.pauses) >= 3
    at.world.limits.leave(key)
    assert list(source.headers("invoice", WINDOW)) == []


def test_write_backs_stop_first_then_reads_and_a_person_last() -> None:
    limiter = LocalLimiter(utc_now)
    background, person = Budget(limiter, interactive=False), Budget(limiter, interactive=True)
    most = [
        background.limits("1", "mark")[0].most,
        background.limits("1", "read")[0].most,
        person.limits("1", "mark")[0].most,
    ]
    assert most == [4500, 5000, 9500]


def test_what_others_used_of_the_allowance_is_not_used_again() -> None:
    limiter = LocalLimiter(utc_now)
    budget = Budget(limiter, interactive=False)
    asked: list[int] = []

    def told() -> tuple[int, int]:
        asked.append(1)
        return 10_000, 8_200

    budget.correct("1", told)
    assert asked == []
    for _ in range(200):
        limiter.take(budget.limits("1", "read"))
    for _ in range(2):
        budget.correct("1", told)
    assert asked == [1]
    assert budget.limits("1", "read")[0].most == 9_500 - 8_000
    assert budget.limits("2", "read")[0].name == hour("2")


def test_calls_in_flight_are_given_back_after_each_call(at: AutotaskTenant) -> None:
    source = at.source()
    for _ in range(5):
        list(source.headers("invoice", WINDOW))
    assert at.pauses == []


def test_no_secret_is_in_any_error_or_record(at: AutotaskTenant) -> None:
    secret = "SANDBOX-SECRET-that-is-wrong"
    with pytest.raises(NeedsReconnect) as told:
        at.source(secret=secret).check()
    assert secret not in str(told.value) and secret not in repr(at.calls)
    assert USER in str(told.value)
