"""QuickBooks over real HTTP: every fault of the wire ends in the right one of yes, no and unknown."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest

from connectors.errors import NeedsReconnect, NotAllowed, NotSent, RetryLater, Unavailable
from connectors.http import LostAnswer, Timeouts
from connectors.ledgers.base import Batch, Done, Kind, Member, Refusal, Refused, Sought, Unknown
from connectors.ledgers.quickbooks import limits_for
from connectors.limits import LocalLimiter
from domain.documents import PartyDraft
from domain.taxes import TaxModel
from sandbox.server import World
from tests.connectors.autotask_bench import utc_now
from tests.connectors.quickbooks_bench import QuickBooksCompany


@pytest.fixture
def at(sandbox_world: World, sandbox: str) -> QuickBooksCompany:
    return QuickBooksCompany(sandbox_world, sandbox)


def customers(at: QuickBooksCompany, *names: str) -> Batch:
    members = tuple(
        Member(str(place), Kind.CUSTOMER, "create", at.ledger.payload(PartyDraft(name, name), {}))
        for place, name in enumerate(names)
    )
    return Batch(str(uuid.uuid4()), at.realm, members, at.ledger.compose(members))


def in_the_books(at: QuickBooksCompany) -> list[str]:
    return [one.name for one in at.ledger.lists([Kind.CUSTOMER]).records]


def batches(at: QuickBooksCompany) -> int:
    return sum(1 for row in at.world.journal.rows(platform="qbo") if row["operation"] == "batch")


@pytest.mark.parametrize("fault", ["response_lost", "error_500_after", "cut_json", "html_200", "empty_200"])
def test_an_answer_that_is_lost_after_the_fact_is_unknown_and_the_record_exists(
    at: QuickBooksCompany, fault: str
) -> None:
    at.world.faults.plan(fault, "qbo", "batch")
    answer = at.ledger.send(customers(at, "Acme", "Beta"))
    assert {key: type(one) for key, one in answer.outcomes.items()} == {"0": Unknown, "1": Unknown}
    assert sorted(in_the_books(at)) == ["Acme", "Beta"]


@pytest.mark.parametrize("fault", ["request_lost", "error_500_before", "status_503"])
def test_a_request_that_may_not_have_arrived_is_unknown_as_well(at: QuickBooksCompany, fault: str) -> None:
    at.world.faults.plan(fault, "qbo", "batch")
    batch = customers(at, "Acme")
    assert isinstance(at.ledger.send(batch).outcomes["0"], Unknown)
    assert in_the_books(at) == []
    assert isinstance(at.ledger.send(batch).outcomes["0"], Done)


def test_an_answer_that_takes_too_long_is_unknown(at: QuickBooksCompany) -> None:
    at.world.faults.plan("slow_after", "qbo", "batch", seconds=3)
    ledger = at.connect(timeouts=Timeouts(2, 1, 1), profile=at.profile)
    assert isinstance(ledger.send(customers(at, "Acme")).outcomes["0"], Unknown)


def test_a_throttled_call_is_a_definite_no_and_everybody_pauses(at: QuickBooksCompany) -> None:
    limiter = LocalLimiter(utc_now)
    ledger = at.connect(limiter, profile=at.profile)
    at.world.faults.plan("status_429", "qbo", "batch", retry_after=7)
    with pytest.raises(RetryLater) as told:
        ledger.send(customers(at, "Acme"))
    assert timedelta(seconds=5) < told.value.until - utc_now() <= timedelta(seconds=61)
    assert limiter.take(limits_for(at.realm, "read")) > 5
    assert in_the_books(at) == []


def test_an_expired_token_is_renewed_once_and_the_same_request_goes_again(at: QuickBooksCompany) -> None:
    at.world.faults.plan("status_401", "qbo", "batch")
    answer = at.ledger.send(customers(at, "Acme"))
    assert isinstance(answer.outcomes["0"], Done)
    assert at.tokens.renewals == 1
    rows = [row for row in at.world.journal.rows(platform="qbo") if row["operation"] == "batch"]
    assert len({row["request_id"] for row in rows}) == 1 and len(rows) == 2


def test_a_second_refusal_means_connect_again(at: QuickBooksCompany) -> None:
    at.world.faults.plan("status_401", "qbo", "batch", times=2)
    with pytest.raises(NeedsReconnect):
        at.ledger.send(customers(at, "Acme"))
    assert at.tokens.renewals == 1 and in_the_books(at) == []


def test_a_revoked_grant_means_connect_again(at: QuickBooksCompany) -> None:
    from sandbox.intuit import tokens

    tokens.revoke_company(at.world, at.realm)
    at.tokens.dead = True
    with pytest.raises(NeedsReconnect):
        at.ledger.check()


def test_a_token_of_another_company_is_not_allowed_in(at: QuickBooksCompany) -> None:
    from sandbox.intuit import tokens
    from sandbox.qbo import profiles

    other = profiles.create_company(at.world, "other", "us-none", "Other Inc")
    at.tokens.current = tokens.access_token(at.world, other)
    with pytest.raises(NotAllowed, match="another company"):
        at.ledger.send(customers(at, "Acme"))


def test_an_unreachable_service_was_never_sent_anything(at: QuickBooksCompany) -> None:
    at.base = "http://127.0.0.1:1"
    with pytest.raises(NotSent):
        at.connect(profile=at.profile).send(customers(at, "Acme"))


def test_one_failed_member_of_a_batch_is_its_own_outcome(at: QuickBooksCompany) -> None:
    at.world.faults.plan("batch_item_fault", "qbo", "batch")
    outcomes = at.ledger.send(customers(at, "Acme", "Beta")).outcomes.values()
    assert sorted(type(one).__name__ for one in outcomes) == ["Done", "Refused"]
    [refused] = [one for one in outcomes if isinstance(one, Refused)]
    assert refused.faults[0].refusal is Refusal.TRANSIENT


def test_a_batch_that_is_refused_whole_is_a_no_for_every_member(at: QuickBooksCompany) -> None:
    answer = at.ledger.send(customers(at, *(f"C{n}" for n in range(31))))
    assert len(answer.outcomes) == 31
    assert all(isinstance(one, Refused) and one.whole for one in answer.outcomes.values())
    assert in_the_books(at) == []


def test_the_evidence_of_an_answer_names_the_services_own_request(at: QuickBooksCompany) -> None:
    answer = at.ledger.send(customers(at, "Acme"))
    assert answer.http_status == 200 and answer.request_id


def test_a_read_that_failed_in_passing_is_repeated_once(at: QuickBooksCompany) -> None:
    at.world.faults.plan("status_503", "qbo", "query")
    assert at.ledger.lists([Kind.TERM]).complete
    at.world.faults.plan("status_503", "qbo", "query", times=2)
    with pytest.raises(Unavailable):
        at.ledger.lists([Kind.TERM])


def test_a_read_waits_for_a_short_limit_and_tells_a_long_one(at: QuickBooksCompany) -> None:
    limiter = LocalLimiter(utc_now)
    ledger = at.connect(limiter, profile=at.profile)
    limiter.penalise(f"quickbooks:{at.realm}:minute", 40)
    with pytest.raises(RetryLater):
        ledger.lists([Kind.TERM])
    assert at.pauses == []


def test_a_slot_takes_a_batch_from_all_three_limits(at: QuickBooksCompany) -> None:
    limiter = LocalLimiter(utc_now)
    ledger = at.connect(limiter, profile=at.profile)
    assert ledger.slot("batch") == 0
    assert [one.used for one in ledger.usage()] == [1, 1, 1]
    assert ledger.slot("mark") == 0
    assert [one.used for one in ledger.usage()] == [2, 2, 1]


def test_a_whole_list_comes_in_pages(at: QuickBooksCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.ledgers import quickbooks

    monkeypatch.setattr(quickbooks, "PAGE", 2)
    at.ledger.send(customers(at, "A", "B", "C", "D"))
    assert sorted(in_the_books(at)) == ["A", "B", "C", "D"]


def test_inactive_entries_are_listed_and_found(at: QuickBooksCompany) -> None:
    done = at.ledger.send(customers(at, "Acme")).outcomes["0"]
    assert isinstance(done, Done)
    payload = f'{{"Id":"{done.ledger_id}","SyncToken":"0","sparse":true,"Active":false}}'.encode()
    member = Member("0", Kind.CUSTOMER, "update", payload)
    at.ledger.send(Batch(str(uuid.uuid4()), at.realm, (member,), at.ledger.compose([member])))
    [listed] = at.ledger.lists([Kind.CUSTOMER]).records
    assert not listed.active and listed.version == "1"
    found = at.ledger.find([Sought("a", Kind.CUSTOMER, ledger_id=done.ledger_id)])
    assert len(found["a"]) == 1


def test_an_old_watermark_asks_for_whole_lists_without_a_call(at: QuickBooksCompany) -> None:
    before = len(at.calls)
    assert not at.ledger.changes([Kind.CUSTOMER], utc_now() - timedelta(days=31)).complete
    assert len(at.calls) == before


def test_every_call_is_counted_for_the_company(at: QuickBooksCompany) -> None:
    limiter = LocalLimiter(utc_now)
    ledger = at.connect(limiter, profile=at.profile)
    ledger.check()
    ledger.send(customers(at, "Acme"))
    counted = limiter.tallies(f"quickbooks:{at.realm}", utc_now().date().isoformat())
    assert counted == {"companyinfo": 1, "preferences": 1, "batch": 1}


@pytest.mark.parametrize(
    ("profile", "country", "model", "own_numbers"),
    [
        ("us-ast", "US", TaxModel.EXPLICIT_TOTAL, True),
        ("us-ast-not-set-up", "US", TaxModel.NOT_SET_UP, True),
        ("us-none", "US", TaxModel.NONE, False),
        ("uk", "GB", TaxModel.CODE_PER_LINE, True),
        ("au", "AU", TaxModel.CODE_PER_LINE, True),
    ],
)
def test_the_company_is_read_as_it_is_set_up(
    sandbox_world: World, sandbox: str, profile: str, country: str, model: TaxModel, own_numbers: bool
) -> None:
    at = QuickBooksCompany(sandbox_world, sandbox, profile, custom_numbers=own_numbers)
    assert (at.profile.country, at.profile.tax_model, at.profile.own_numbers) == (country, model, own_numbers)
    assert (Kind.INVOICE in at.ledger.capabilities.refuses_second_copy) is own_numbers


def test_tax_codes_come_with_the_percent_of_a_sale(sandbox_world: World, sandbox: str) -> None:
    at = QuickBooksCompany(sandbox_world, sandbox, "uk")
    rates = {one.name: one.details["rate"] for one in at.ledger.lists([Kind.TAX_CODE]).records}
    assert Decimal(str(rates["20.0% S"])) == 20 and Decimal(str(rates["0.0% Z"])) == 0


def test_links_lead_to_the_sandbox_or_to_quickbooks(at: QuickBooksCompany) -> None:
    assert at.ledger.link(Kind.INVOICE, "7") == f"{at.base}/books/{at.realm}/invoice/7"


def test_a_token_service_that_is_away_is_a_definite_no_for_the_batch(at: QuickBooksCompany) -> None:
    class Away:
        def __init__(self, token: str | None) -> None:
            self.given = token

        def token(self) -> str:
            if self.given is None:
                raise LostAnswer("Intuit did not answer completely.", platform="Intuit")
            return self.given

        def renew(self, rejected: str) -> str:
            raise LostAnswer("Intuit did not answer completely.", platform="Intuit")

    for access in (Away(None), Away("expired")):
        with pytest.raises(NotSent):
            at.connect(profile=at.profile, access=access).send(customers(at, "Acme"))
    assert in_the_books(at) == []


def test_redis_going_away_before_a_send_is_a_definite_no(at: QuickBooksCompany) -> None:
    from redis import Redis

    from connectors.limits_redis import RedisLimiter

    away = RedisLimiter(Redis(host="127.0.0.1", port=1, socket_connect_timeout=1))
    ledger = at.connect(away, profile=at.profile)
    with pytest.raises(Unavailable):
        ledger.slot("batch")
    with pytest.raises(NotSent):
        ledger.send(customers(at, "Acme"))
    assert in_the_books(at) == []
