"""Xero over real HTTP: every fault of the wire ends in the right one of yes, no and unknown; nothing is sent twice."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.errors import NeedsReconnect, NotAllowed, RetryLater
from connectors.http import Timeouts
from connectors.ledgers.base import Batch, Done, Kind, Member, Refusal, Refused, Sought, Unknown
from connectors.ledgers.xero import limits_for
from connectors.limits import LocalLimiter
from domain.accounts import INCOME_TYPES, OWED_TYPES, usable_account
from domain.documents import PartyDraft, Reference
from domain.goods import EXPENSE_TYPES
from domain.known import Entry, Lists
from sandbox.server import World
from sandbox.xero_identity import connections, users
from tests.connectors.autotask_bench import utc_now
from tests.connectors.xero_bench import Tokens, XeroOrganisation


@pytest.fixture
def at(sandbox_world: World, sandbox: str) -> XeroOrganisation:
    return XeroOrganisation(sandbox_world, sandbox)


def contacts(at: XeroOrganisation, *names: str) -> Batch:
    members = tuple(
        Member(str(place), Kind.CUSTOMER, "create", at.ledger.payload(PartyDraft(name, name), {}))
        for place, name in enumerate(names)
    )
    return Batch(str(uuid.uuid4()), at.tenant, members, at.ledger.compose(members))


def in_the_books(at: XeroOrganisation) -> list[str]:
    return sorted(row["entity"]["Name"] for row in at.org.records("Contact"))


def writes(at: XeroOrganisation) -> int:
    return sum(1 for call in at.calls if call.method == "PUT")


def raw(at: XeroOrganisation, *elements: bytes) -> dict[str, Any]:
    members = tuple(Member(str(place), Kind.INVOICE, "create", one) for place, one in enumerate(elements))
    batch = Batch(str(uuid.uuid4()), at.tenant, members, at.ledger.compose(members))
    return dict(at.ledger.send(batch).outcomes)


@pytest.mark.parametrize("fault", ["response_lost", "error_500_after", "cut_json", "html_200"])
def test_an_answer_that_is_lost_after_the_fact_is_unknown_and_was_sent_once(at: XeroOrganisation, fault: str) -> None:
    at.world.faults.plan(fault, "xero", "contacts PUT")
    answer = at.ledger.send(contacts(at, "Acme", "Beta"))
    assert {key: type(one) for key, one in answer.outcomes.items()} == {"0": Unknown, "1": Unknown}
    assert (in_the_books(at), writes(at)) == (["Acme", "Beta"], 1)


@pytest.mark.parametrize("fault", ["request_lost", "error_500_before", "status_503"])
def test_a_request_that_may_not_have_arrived_is_unknown_and_was_sent_once(at: XeroOrganisation, fault: str) -> None:
    """The library alone would have sent it four times."""
    at.world.faults.plan(fault, "xero", "contacts PUT")
    batch = contacts(at, "Acme")
    assert isinstance(at.ledger.send(batch).outcomes["0"], Unknown)
    assert (in_the_books(at), writes(at)) == ([], 1)
    assert isinstance(at.ledger.send(batch).outcomes["0"], Done)


def test_a_failure_kept_under_the_key_stays_unknown_under_it_and_ends_under_another(at: XeroOrganisation) -> None:
    at.world.faults.plan("error_500_kept", "xero", "contacts PUT")
    batch = contacts(at, "Acme")
    assert [type(at.ledger.send(batch).outcomes["0"]) for _ in range(2)] == [Unknown, Unknown]
    assert isinstance(at.ledger.send(contacts(at, "Acme")).outcomes["0"], Done)


def test_an_answer_that_takes_too_long_is_unknown(at: XeroOrganisation) -> None:
    at.world.faults.plan("slow_after", "xero", "contacts PUT", seconds=3)
    ledger = at.connect(timeouts=Timeouts(2, 1, 1), profile=at.profile)
    assert isinstance(ledger.send(contacts(at, "Acme")).outcomes["0"], Unknown)


def test_the_day_s_end_is_told_at_once_and_nobody_sleeps(at: XeroOrganisation) -> None:
    limiter = LocalLimiter(utc_now)
    ledger = at.connect(limiter, profile=at.profile)
    at.world.faults.plan("status_429", "xero", "contacts PUT", retry_after=40_000, problem="day")
    with pytest.raises(RetryLater, match="for today") as told:
        ledger.send(contacts(at, "Acme"))
    assert timedelta(seconds=39_000) < told.value.until - utc_now() <= timedelta(seconds=40_001)
    assert limiter.take(limits_for(at.tenant)) > 39_000
    assert (in_the_books(at), writes(at), at.pauses) == ([], 1, [])


def test_too_many_calls_at_once_is_a_short_wait(at: XeroOrganisation) -> None:
    at.world.faults.plan("status_429", "xero", "contacts PUT", problem="concurrent")
    with pytest.raises(RetryLater) as told:
        at.ledger.send(contacts(at, "Acme"))
    assert told.value.until - utc_now() < timedelta(seconds=3)


def test_an_expired_token_is_renewed_once_and_the_same_request_goes_again(at: XeroOrganisation) -> None:
    at.world.faults.plan("status_401", "xero", "contacts PUT")
    assert isinstance(at.ledger.send(contacts(at, "Acme")).outcomes["0"], Done)
    assert at.tokens.renewals == 1


def test_an_organisation_that_was_disconnected_in_xero_is_told_as_such(at: XeroOrganisation) -> None:
    connections.end_of_tenant(at.world, at.tenant)
    with pytest.raises(NotAllowed, match="disconnected there"):
        at.ledger.send(contacts(at, "Acme"))
    with pytest.raises(NotAllowed):
        at.ledger.check()


def test_scopes_that_are_too_narrow_ask_for_a_new_consent_and_renew_nothing(at: XeroOrganisation) -> None:
    user = next(one for one in users.USERS if one.xero_userid != users.USERS[0].xero_userid)  # scopes of one add up
    narrow = Tokens(at.world, at.tenant, ("openid", "offline_access", "accounting.settings.read"), user)
    ledger = at.connect(access=narrow, profile=at.profile)
    with pytest.raises(NeedsReconnect, match="allows too little"):
        ledger.send(contacts(at, "Acme"))
    assert narrow.renewals == 0


def test_two_organisations_at_the_same_time_never_use_each_other_s_token(at: XeroOrganisation) -> None:
    """The library's configuration shares one token among all clients of a process."""
    other = XeroOrganisation(at.world, at.base)
    other.tokens.current = "not-real"
    assert isinstance(at.ledger.send(contacts(at, "Acme")).outcomes["0"], Done)
    assert other.tokens.renewals == 0


def test_an_unknown_contact_refuses_the_whole_call_and_names_nobody(at: XeroOrganisation) -> None:
    good = at.ledger.send(contacts(at, "Acme")).outcomes["0"]
    assert isinstance(good, Done)
    line = b'"LineItems":[{"Description":"Work","Quantity":1,"UnitAmount":10,"AccountCode":"200"}]'
    spelled = b'{"Type":"ACCREC","InvoiceNumber":"%s","Contact":{"ContactID":"%s"},' + line + b"}"
    elements = [
        spelled % (b"N1", good.ledger_id.encode()), spelled % (b"N2", b"00000000-0000-4000-8000-000000000999"),
    ]  # fmt: skip
    outcomes = raw(at, *elements)
    assert all(isinstance(one, Refused) and one.whole for one in outcomes.values())
    assert outcomes["0"].faults[0].refusal is Refusal.BAD_REFERENCE and at.documents() == []
    [alone] = raw(at, elements[1]).values()
    assert isinstance(alone, Refused) and not alone.whole


def test_elements_in_any_order_belong_to_who_sent_them(at: XeroOrganisation) -> None:
    at.org.set_switches({"shuffle_elements": True, "status_attribute_shown": False})
    names = [f"Customer {number}" for number in range(12)]
    outcomes = at.ledger.send(contacts(at, *names)).outcomes
    made = {key: one.echo.name for key, one in outcomes.items() if isinstance(one, Done)}
    assert made == {str(place): name for place, name in enumerate(names)}


def test_a_price_of_four_decimals_keeps_them(at: XeroOrganisation) -> None:
    good = at.ledger.send(contacts(at, "Acme")).outcomes["0"]
    assert isinstance(good, Done)
    element = (
        b'{"Type":"ACCREC","InvoiceNumber":"N1","Contact":{"ContactID":"%s"},"LineItems":[{"Description":"Work",'
        b'"Quantity":3,"UnitAmount":33.3333,"AccountCode":"200"}]}' % good.ledger_id.encode()
    )
    assert all(isinstance(one, Done) for one in raw(at, element).values())
    assert at.documents() == [("N1", Decimal("100.00"))]
    [held] = at.ledger.read(Kind.INVOICE, [at.ledger.find([Sought("a", Kind.INVOICE, number="N1")])["a"][0].ledger_id]
                            ).values()  # fmt: skip
    assert held.lines[0].unit_price == Decimal("33.3333")


def test_no_system_account_no_bank_and_no_archived_account_can_be_chosen(at: XeroOrganisation) -> None:
    """Xero refuses lines on them, so that no list offers them and no setting that names one is taken."""
    told = {one.id: one for one in at.ledger.lists([Kind.ACCOUNT]).records}
    entities = {row["id"]: row["entity"] for row in at.org.records("Account")}
    wrong = {
        id for id, entity in entities.items()
        if entity.get("SystemAccount") or entity["Type"] == "BANK" or entity["Status"] == "ARCHIVED"
    }  # fmt: skip
    lists = Lists(accounts={id: Entry(id, one.name, one.active, one.details) for id, one in told.items()})
    every = (*INCOME_TYPES, *OWED_TYPES, *EXPENSE_TYPES)
    fit = {id for id in told if isinstance(usable_account(id, "lines", lists, every), Reference)}
    assert set(told) == set(entities) and len(wrong) > 3 and fit and not fit & wrong


@pytest.mark.parametrize("strict", [False, True])
def test_nothing_changed_is_an_empty_list_in_either_spelling(at: XeroOrganisation, strict: bool) -> None:
    at.org.set_switches({"not_modified_304": strict})
    changes = at.ledger.changes([Kind.CUSTOMER], utc_now() + timedelta(days=1))
    assert changes.complete and changes.records == ()


def test_the_days_calls_are_those_that_xero_tells(at: XeroOrganisation) -> None:
    """1,000 for an app on the smallest tier; 5,000 until something is told."""
    at.org.set_switches({"day_calls": 1000})
    at.world.limits.switch(on=True)
    ledger = at.connect(LocalLimiter(utc_now), profile=at.profile)
    most = [{used.name.rsplit(":", 1)[1]: used.most for used in ledger.usage()}["day"]]
    ledger.send(contacts(at, "Acme"))
    most.append({used.name.rsplit(":", 1)[1]: used.most for used in ledger.usage()}["day"])
    assert most[0] == 4990 and 980 <= most[1] <= 990


def test_the_last_calls_of_a_day_are_not_asked_for_in_vain(at: XeroOrganisation) -> None:
    at.org.set_switches({"day_calls": 12})
    at.world.limits.switch(on=True)
    ledger = at.connect(LocalLimiter(utc_now), profile=at.profile)
    before = len(at.calls)
    with pytest.raises(RetryLater, match="limit of calls"):
        for _ in range(12):
            ledger.lists([Kind.ITEM])
    assert all(call.status == 200 for call in at.calls[before:])
