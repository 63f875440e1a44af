"""What every ledger must keep. Subclasses say how the books are looked at; the cases are the same for all."""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.errors import BadAnswer
from connectors.ledgers.base import (
    Answer,
    Batch,
    Change,
    Done,
    Kind,
    Ledger,
    Member,
    Outcome,
    Refusal,
    Refused,
    Sought,
    Unknown,
)
from domain.documents import Draft, DraftLine, ItemDraft, PartyDraft, Reference
from domain.held import equals

DAY = date(2026, 11, 20)


class LedgerBench(ABC):
    """A ledger company with one income account, and a look into its books past the connector."""

    ledger: Ledger
    account: str
    unknown_id: str = "999999"
    """An id of a document that the ledger does not have."""

    @abstractmethod
    def documents(self) -> list[tuple[str | None, Decimal]]:
        """(number, total) of every live document that the tests created."""
        ...

    @abstractmethod
    def mails(self) -> list[str]:
        """The addresses that the ledger mailed to, as the mailbox has them."""
        ...

    @abstractmethod
    def files(self) -> list[tuple[str, str, bool]]:
        """(record, name, shown to the customer) of every file in the books."""
        ...

    @abstractmethod
    def send_and_lose_the_answer(self, batch: Batch) -> Answer:
        """The ledger carries the batch out; what the connector says when the answer does not arrive."""
        ...

    def send(self, batch: Batch) -> Answer:
        return self.ledger.send(batch)

    def batch(self, *members: Member, key: str | None = None) -> Batch:
        return Batch(key or str(uuid.uuid4()), self.ledger.tenant, members, self.ledger.compose(members))

    def create(self, kind: Kind, draft: PartyDraft | ItemDraft | Draft) -> Outcome:
        payload = self.ledger.payload(draft, {})
        return self.send(self.batch(Member("0", kind, "create", payload))).outcomes["0"]

    def change(self, operation: str, kind: Kind, record: Done, draft: Draft | None = None) -> Outcome:
        """A change of the version that `record` shows."""
        change = Change(kind, operation, record.ledger_id, record.echo.version or "", draft)
        return self.send(self.batch(Member("0", kind, operation, self.ledger.change(change)))).outcomes["0"]

    def now(self, kind: Kind, ledger_id: str) -> list[Done]:
        return list(self.ledger.find([Sought("a", kind, ledger_id=ledger_id)])["a"])

    def customer(self, name: str, email: str | None = None) -> str:
        return made(self.create(Kind.CUSTOMER, PartyDraft("1", name, email))).ledger_id

    def item(self, name: str) -> str:
        account = Reference("account", "a", "Sales", self.account)
        return made(self.create(Kind.ITEM, ItemDraft("1", name, "Work", account))).ledger_id

    def invoice(
        self, customer: str | None, item: str | None, number: str | None = "AT-1", amount: str = "150.00"
    ) -> Draft:
        line = DraftLine(
            Reference("item", "remote support", "Remote support", item),
            "Remote support, \"quoted\" \\ and 'quoted' é",
            Decimal("1.5"),
            Decimal(amount) / Decimal("1.5"),
            Decimal(amount),
            taxed=False,
            account=Reference("account", self.account, "Sales", self.account),
        )
        return Draft(
            kind="invoice",
            party=Reference("customer", "7", "Acme", customer),
            number=number,
            date=DAY,
            due_date=DAY + timedelta(days=30),
            term=None,
            currency="USD",
            lines=(line,),
            tax_total=Decimal(0),
            send_tax=True,
            total=Decimal(amount),
            memo="Autotask invoice 1",
            marker="ref:k3jd82ma",
        )

    def refusable(self, customer: str, item: str, number: str) -> Draft:
        """A draft that points at something the ledger does not know, so that this one alone is refused."""
        return self.invoice("999999", item, number)


def made(outcome: Outcome) -> Done:
    assert isinstance(outcome, Done), outcome
    return outcome


class LedgerContract:
    """Subclasses provide the fixture `bench`."""

    # ---- composing ----------------------------------------------------------------------------------------

    def test_equal_drafts_give_equal_bytes(self, bench: LedgerBench) -> None:
        assert bench.ledger.payload(bench.invoice("1", "2"), {}) == bench.ledger.payload(bench.invoice("1", "2"), {})

    def test_a_named_reference_becomes_the_id_that_was_found_for_it(self, bench: LedgerBench) -> None:
        ids = {("customer", "7"): "1", ("item", "remote support"): "2"}
        assert bench.ledger.payload(bench.invoice(None, None), ids) == bench.ledger.payload(bench.invoice("1", "2"), {})

    def test_a_reference_without_an_id_is_a_mistake(self, bench: LedgerBench) -> None:
        with pytest.raises(KeyError):
            bench.ledger.payload(bench.invoice(None, "2"), {})

    def test_frozen_payloads_stand_in_the_body_byte_for_byte(self, bench: LedgerBench) -> None:
        payloads = [bench.ledger.payload(bench.invoice("1", "2", number=f"N{place}"), {}) for place in range(3)]
        body = bench.batch(*(Member(str(n), Kind.INVOICE, "create", one) for n, one in enumerate(payloads))).body
        assert [body.count(one) for one in payloads] == [1, 1, 1]

    # ---- sending ------------------------------------------------------------------------------------------

    def test_an_invoice_is_created_and_its_echo_says_what_was_sent(self, bench: LedgerBench) -> None:
        customer, item = bench.customer("Acme"), bench.item("Remote support")
        done = made(bench.create(Kind.INVOICE, bench.invoice(customer, item)))
        echo = done.echo
        assert (done.number, echo.tenant, echo.party_id) == ("AT-1", bench.ledger.tenant, customer)
        assert (echo.total, echo.currency, echo.lines, echo.live) == (Decimal("150.00"), "USD", 1, True)
        assert echo.marker is not None and echo.marker.endswith("ref:k3jd82ma")
        assert bench.documents() == [("AT-1", Decimal("150.00"))]

    def test_a_credit_memo_is_a_kind_of_its_own(self, bench: LedgerBench) -> None:
        draft = replace(bench.invoice(bench.customer("Acme"), bench.item("Work")), kind="credit_memo", due_date=None)
        done = made(bench.create(Kind.CREDIT_MEMO, draft))
        assert (done.echo.kind, done.echo.total) == (Kind.CREDIT_MEMO, Decimal("150.00"))

    def test_the_same_batch_again_gives_the_same_answer_and_no_second_document(self, bench: LedgerBench) -> None:
        draft = bench.invoice(bench.customer("Acme"), bench.item("Work"))
        batch = bench.batch(Member("0", Kind.INVOICE, "create", bench.ledger.payload(draft, {})))
        first = made(bench.send(batch).outcomes["0"])
        second = made(bench.send(batch).outcomes["0"])
        assert (first.ledger_id, len(bench.documents())) == (second.ledger_id, 1)

    def test_a_part_of_a_batch_goes_again_under_its_key_or_is_looked_up(self, bench: LedgerBench) -> None:
        customer, item = bench.customer("Acme"), bench.item("Work")
        members = [
            Member(str(n), Kind.INVOICE, "create", bench.ledger.payload(bench.invoice(customer, item, f"N{n}"), {}))
            for n in range(3)
        ]
        whole = bench.batch(*members)
        first = bench.send(whole).outcomes
        if bench.ledger.capabilities.key_lasts_s is not None:
            part = bench.send(bench.batch(members[1], key=whole.key)).outcomes
            assert isinstance(part["1"], Unknown) and len(bench.documents()) == 3
            return
        again = bench.send(bench.batch(members[1], key=whole.key)).outcomes
        assert made(again["1"]).ledger_id == made(first["1"]).ledger_id
        assert len(bench.documents()) == 3

    def test_a_lost_answer_leaves_every_member_unknown_until_it_is_looked_up(self, bench: LedgerBench) -> None:
        customer, item = bench.customer("Acme"), bench.item("Work")
        members = [
            Member(str(n), Kind.INVOICE, "create", bench.ledger.payload(bench.invoice(customer, item, f"N{n}"), {}))
            for n in range(2)
        ]
        outcomes = bench.send_and_lose_the_answer(bench.batch(*members)).outcomes
        assert [type(outcomes[key]) for key in ("0", "1")] == [Unknown, Unknown]
        sought = [Sought(f"k{n}", Kind.INVOICE, number=f"N{n}") for n in range(3)]
        found = bench.ledger.find(sought)
        assert [len(found[f"k{n}"]) for n in range(3)] == [1, 1, 0]

    def test_a_refused_member_does_not_stop_the_others(self, bench: LedgerBench) -> None:
        customer, item = bench.customer("Acme"), bench.item("Work")
        good = [bench.invoice(customer, item, number) for number in ("N0", "N2")]
        drafts = [good[0], bench.refusable(customer, item, "N1"), good[1]]
        members = [
            Member(str(n), Kind.INVOICE, "create", bench.ledger.payload(one, {})) for n, one in enumerate(drafts)
        ]
        outcomes = bench.send(bench.batch(*members)).outcomes
        assert [type(outcomes[str(n)]) for n in range(3)] == [Done, Refused, Done]
        assert sorted(str(number) for number, _ in bench.documents()) == ["N0", "N2"]
        refused = outcomes["1"]
        assert isinstance(refused, Refused) and refused.faults[0].refusal is Refusal.BAD_REFERENCE

    def test_a_number_in_use_is_refused_and_names_the_record(self, bench: LedgerBench) -> None:
        assert Kind.INVOICE in bench.ledger.capabilities.refuses_second_copy
        draft = bench.invoice(bench.customer("Acme"), bench.item("Work"))
        first = made(bench.create(Kind.INVOICE, draft))
        second = bench.create(Kind.INVOICE, draft)
        assert isinstance(second, Refused)
        assert second.faults[0].refusal is Refusal.DUPLICATE_NUMBER
        assert second.faults[0].ledger_id in (None, first.ledger_id)
        assert len(bench.documents()) == 1

    def test_a_name_in_use_is_refused_whatever_its_letter_case(self, bench: LedgerBench) -> None:
        bench.customer("Acme")
        second = bench.create(Kind.CUSTOMER, PartyDraft("2", "ACME"))
        assert isinstance(second, Refused) and second.faults[0].refusal is Refusal.DUPLICATE_NAME

    def test_a_batch_of_another_company_never_leaves(self, bench: LedgerBench) -> None:
        member = Member("0", Kind.CUSTOMER, "create", bench.ledger.payload(PartyDraft("1", "Acme"), {}))
        with pytest.raises(ValueError, match="another company"):
            bench.ledger.send(replace(bench.batch(member), tenant="1"))

    # ---- changing -----------------------------------------------------------------------------------------

    def test_a_void_leaves_the_record_at_nothing_and_frees_its_number(self, bench: LedgerBench) -> None:
        assert Kind.INVOICE in bench.ledger.capabilities.can_void
        draft = bench.invoice(bench.customer("Acme"), bench.item("Work"))
        record = made(bench.create(Kind.INVOICE, draft))
        assert (record.echo.balance, record.echo.date) == (Decimal("150.00"), DAY)
        voided = made(bench.change("void", Kind.INVOICE, record))
        assert (voided.ledger_id, voided.echo.live) == (record.ledger_id, False)
        assert bench.documents() == []
        [shown] = bench.now(Kind.INVOICE, record.ledger_id)
        assert not shown.echo.live and shown.echo.version != record.echo.version

    def test_a_deleted_record_is_gone_and_its_number_free(self, bench: LedgerBench) -> None:
        if Kind.INVOICE not in bench.ledger.capabilities.can_delete:
            pytest.skip("this ledger deletes no invoice")
        draft = bench.invoice(bench.customer("Acme"), bench.item("Work"))
        record = made(bench.create(Kind.INVOICE, draft))
        gone = made(bench.change("delete", Kind.INVOICE, record))
        assert (gone.ledger_id, gone.echo.live) == (record.ledger_id, False)
        assert (bench.documents(), bench.now(Kind.INVOICE, record.ledger_id)) == ([], [])
        again = made(bench.create(Kind.INVOICE, draft))
        assert again.ledger_id != record.ledger_id and len(bench.documents()) == 1

    def test_a_credit_memo_is_void_or_deleted_where_it_cannot_be(self, bench: LedgerBench) -> None:
        capabilities = bench.ledger.capabilities
        assert Kind.CREDIT_MEMO in capabilities.can_delete | capabilities.can_void
        draft = replace(bench.invoice(bench.customer("Acme"), bench.item("Work")), kind="credit_memo", due_date=None)
        record = made(bench.create(Kind.CREDIT_MEMO, draft))
        gone = made(bench.change("void", Kind.CREDIT_MEMO, record))
        assert (gone.ledger_id, gone.echo.live) == (record.ledger_id, False)
        assert bench.documents() == []
        left = [one.echo.live for one in bench.now(Kind.CREDIT_MEMO, record.ledger_id)]
        assert left == ([False] if Kind.CREDIT_MEMO in capabilities.can_void else [])

    def test_an_update_replaces_the_content_under_the_same_id(self, bench: LedgerBench) -> None:
        customer, item = bench.customer("Acme"), bench.item("Work")
        record = made(bench.create(Kind.INVOICE, bench.invoice(customer, item)))
        other = bench.invoice(customer, item, amount="75.00")
        replaced = made(bench.change("update", Kind.INVOICE, record, replace(other, lines=other.lines * 2,
                                                                             total=Decimal("150.00"))))  # fmt: skip
        assert (replaced.ledger_id, replaced.echo.lines) == (record.ledger_id, 2)
        assert replaced.echo.version != record.echo.version
        assert bench.documents() == [("AT-1", Decimal("150.00"))]

    def test_a_draft_is_approved_under_its_id_and_can_be_taken_back_before(self, bench: LedgerBench) -> None:
        if Kind.INVOICE not in bench.ledger.capabilities.can_promote:
            return
        wanted = bench.invoice(bench.customer("Acme"), bench.item("Work"))
        draft = replace(wanted, status="draft", promote_to="approved")
        record = made(bench.create(Kind.INVOICE, draft))
        assert (record.echo.status, record.echo.total, record.echo.balance) == ("draft", draft.total, draft.total)
        approved = made(bench.change("promote", Kind.INVOICE, record, draft))
        assert (approved.ledger_id, approved.echo.status) == (record.ledger_id, "approved")
        again = made(bench.change("promote", Kind.INVOICE, approved, draft))
        assert (again.ledger_id, len(bench.documents())) == (record.ledger_id, 1)
        other = made(bench.create(Kind.INVOICE, replace(draft, number="AT-2")))
        assert not made(bench.change("void", Kind.INVOICE, other)).echo.live

    @pytest.mark.parametrize("operation", ["void", "update"])
    def test_a_change_of_an_older_version_changes_nothing(self, bench: LedgerBench, operation: str) -> None:
        draft = bench.invoice(bench.customer("Acme"), bench.item("Work"))
        first = made(bench.create(Kind.INVOICE, draft))
        second = made(bench.change("update", Kind.INVOICE, first, draft))
        if not bench.ledger.capabilities.versions:
            return  # the engine reads the record a moment before it changes it
        late = bench.change(operation, Kind.INVOICE, first, draft if operation == "update" else None)
        assert isinstance(late, Refused) and late.faults[0].refusal is Refusal.STALE
        assert [one.echo.version for one in bench.now(Kind.INVOICE, first.ledger_id)] == [second.echo.version]
        assert len(bench.documents()) == 1

    def test_a_void_again_under_its_key_is_answered_as_before_and_under_another_refused(
        self, bench: LedgerBench
    ) -> None:
        record = made(bench.create(Kind.INVOICE, bench.invoice(bench.customer("Acme"), bench.item("Work"))))
        change = bench.ledger.change(Change(Kind.INVOICE, "void", record.ledger_id, record.echo.version or ""))
        batch = bench.batch(Member("0", Kind.INVOICE, "void", change))
        assert isinstance(bench.send_and_lose_the_answer(batch).outcomes["0"], Unknown)
        assert not made(bench.send(batch).outcomes["0"]).echo.live
        other = bench.send(bench.batch(Member("0", Kind.INVOICE, "void", change))).outcomes["0"]
        assert isinstance(other, Refused)

    def test_a_document_is_mailed_in_a_call_of_its_own_and_shows_it(self, bench: LedgerBench) -> None:
        to = bench.customer("Acme", "ap@acme.example")
        record = made(bench.create(Kind.INVOICE, bench.invoice(to, bench.item("Work"))))
        assert not record.echo.mailed
        change = Change(Kind.INVOICE, "send", record.ledger_id, record.echo.version or "", address="ap@acme.example")
        member = Member("0", Kind.INVOICE, "send", bench.ledger.change(change))
        assert made(bench.send(bench.batch(member)).outcomes["0"]).ledger_id == record.ledger_id
        [held] = bench.now(Kind.INVOICE, record.ledger_id)
        assert held.echo.mailed and bench.mails() == ["ap@acme.example"]
        assert held.echo.mailed_at is not None or not bench.ledger.capabilities.mails_to_any

    def test_a_document_without_an_address_is_not_mailed(self, bench: LedgerBench) -> None:
        record = made(bench.create(Kind.INVOICE, bench.invoice(bench.customer("Acme"), bench.item("Work"))))
        assert isinstance(bench.change("send", Kind.INVOICE, record), Refused)
        assert bench.mails() == []

    def test_a_file_hangs_on_its_record_and_is_found_by_its_name(self, bench: LedgerBench) -> None:
        customer, item = bench.customer("Acme"), bench.item("Work")
        record = made(bench.create(Kind.INVOICE, bench.invoice(customer, item)))
        other = made(bench.create(Kind.INVOICE, bench.invoice(customer, item, number="AT-2")))
        name = "Autotask-invoice-7.pdf"
        assert not bench.ledger.attached(Kind.INVOICE, record.ledger_id, name)
        bench.ledger.attach(Kind.INVOICE, record.ledger_id, name, b"%PDF-1.4\n\xff\x00 7", shown=True)
        assert bench.ledger.attached(Kind.INVOICE, record.ledger_id, name)
        assert not bench.ledger.attached(Kind.INVOICE, other.ledger_id, name)
        assert bench.files() == [(record.ledger_id, name, True)]
        with pytest.raises(BadAnswer):
            bench.ledger.attach(Kind.INVOICE, bench.unknown_id, name, b"%PDF-1.4", shown=False)

    def test_what_a_kind_cannot_have_is_a_mistake_of_the_caller(self, bench: LedgerBench) -> None:
        with pytest.raises(ValueError, match="cannot"):
            bench.ledger.change(Change(Kind.CUSTOMER, "void", "1", "0"))

    # ---- looking up ---------------------------------------------------------------------------------------

    def test_names_with_quotes_are_found_by_name_in_any_letter_case(self, bench: LedgerBench) -> None:
        name = 'Söhne & "O\'Neil" \\ Co'
        id = bench.customer(name)
        found = bench.ledger.find([Sought("a", Kind.CUSTOMER, name=name.upper()), Sought("b", Kind.ITEM, name=name)])
        [done] = found["a"]
        assert (done.ledger_id, done.echo.name) == (id, name)
        assert done.echo.record is not None and done.echo.record.name == name
        assert not found["b"]

    def test_by_creation_time_everything_made_since_is_found_for_the_caller_to_compare(
        self, bench: LedgerBench
    ) -> None:
        done = made(bench.create(Kind.INVOICE, bench.invoice(bench.customer("Acme"), bench.item("Work"), number=None)))
        now = datetime.now(UTC)
        found = bench.ledger.find(
            [
                Sought("since", Kind.INVOICE, since=now - timedelta(minutes=10)),
                Sought("later", Kind.INVOICE, since=now + timedelta(days=1)),
            ]
        )
        ours = [one for one in found["since"] if one.echo.marker and one.echo.marker.endswith("ref:k3jd82ma")]
        assert [one.ledger_id for one in ours] == [done.ledger_id]
        assert not found["later"]

    def test_a_record_is_found_by_its_id(self, bench: LedgerBench) -> None:
        done = made(bench.create(Kind.INVOICE, bench.invoice(bench.customer("Acme"), bench.item("Work"))))
        found = bench.ledger.find([Sought("a", Kind.INVOICE, ledger_id=done.ledger_id, number="other")])
        assert [one.ledger_id for one in found["a"]] == [done.ledger_id]

    def test_a_document_is_read_whole_and_equals_what_was_sent(self, bench: LedgerBench) -> None:
        draft = bench.invoice(bench.customer("Acme"), bench.item("Remote support"))
        sent = made(bench.create(Kind.INVOICE, draft))
        [(ledger_id, held)] = bench.ledger.read(Kind.INVOICE, [sent.ledger_id, bench.unknown_id]).items()
        assert (ledger_id, held.ledger_id, held.live) == (sent.ledger_id, sent.ledger_id, True)
        assert equals(draft, held) == []
        assert held.untouched_by_money and not held.mailed
        told = ["Memo"] if bench.ledger.capabilities.keeps_memos else []
        assert equals(replace(draft, memo="another"), held) == told
        assert equals(replace(draft, date=DAY - timedelta(days=1)), held) == ["Date"]

    def test_nothing_sought_is_nothing_found(self, bench: LedgerBench) -> None:
        assert dict(bench.ledger.find([])) == {}

    # ---- mirroring ----------------------------------------------------------------------------------------

    def test_the_feed_shows_what_was_created_and_where_to_go_on(self, bench: LedgerBench) -> None:
        start = datetime.now(UTC) - timedelta(hours=1)
        id = bench.customer("Acme")
        changes = bench.ledger.changes([Kind.CUSTOMER, Kind.ITEM], start)
        assert changes.complete
        assert (Kind.CUSTOMER, id, "Acme") in [(one.kind, one.id, one.name) for one in changes.records]
        assert start < changes.watermark <= datetime.now(UTC)

    def test_lists_hold_what_was_there_before_us(self, bench: LedgerBench) -> None:
        id = bench.item("Work")
        listed = bench.ledger.lists([Kind.ITEM, Kind.ACCOUNT])
        by_key = {(one.kind, one.id): one for one in listed.records}
        assert by_key[(Kind.ITEM, id)].name == "Work"
        books_on = None if bench.ledger.capabilities.lines_on_accounts else bench.account
        assert by_key[(Kind.ITEM, id)].details["income_account_id"] == books_on
        assert (Kind.ACCOUNT, bench.account) in by_key

    def test_the_check_says_which_company_this_is(self, bench: LedgerBench) -> None:
        profile = bench.ledger.check()
        assert (profile.tenant, profile.currency) == (bench.ledger.tenant, "USD")
        assert profile.own_numbers is not False
