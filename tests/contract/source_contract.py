"""What every source must keep. Subclasses say how the world is made; the cases are the same for all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connectors.errors import BadAnswer
from connectors.sources.base import Source
from domain.documents import SourceHeader, Window
from domain.todos import TodoDraft, due, marker

NOW = datetime.now(UTC).replace(microsecond=0)


class SourceBench(ABC):
    """A source and the hands of the people who use it."""

    source: Source

    @abstractmethod
    def party(self, name: str, email: str | None = None) -> str: ...

    @abstractmethod
    def vendor(self, name: str, *, active: bool = True) -> str: ...

    @abstractmethod
    def invoice(
        self, party: str | None, lines: Sequence[tuple[str, str]], *, number: str | None, age: timedelta = timedelta()
    ) -> str:
        """Lines are (quantity, rate). `number` None leaves it blank."""
        ...

    @abstractmethod
    def void(self, id: str) -> None: ...


def found(source: Source, window: Window | None = None) -> list[SourceHeader]:
    asked = window or Window(since=NOW - timedelta(days=14))
    return [header for page in source.headers("invoice", asked) for header in page]


class SourceContract:
    """Subclasses provide the fixture `bench`."""

    def test_the_check_names_the_database_and_what_the_user_may_do(self, bench: SourceBench) -> None:
        seen = bench.source.check()
        assert seen.tenant and seen.tenant == bench.source.tenant
        assert seen.can_read_invoices and seen.can_mark_invoices

    def test_a_poll_finds_unsynced_documents_in_order_of_id(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        ids = [bench.invoice(acme, [("1", "10")], number=f"N{place}") for place in range(3)]
        headers = found(bench.source)
        assert [header.id for header in headers] == sorted(ids, key=int)
        assert [header.number for header in headers] == ["N0", "N1", "N2"]
        assert {header.total for header in headers} == {Decimal("10.00")}

    def test_a_poll_with_nothing_new_finds_nothing(self, bench: SourceBench) -> None:
        assert found(bench.source) == []

    def test_voided_and_older_documents_are_not_found(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        bench.void(bench.invoice(acme, [("1", "10")], number="V1"))
        bench.invoice(acme, [("1", "10")], number="OLD", age=timedelta(days=20))
        young = bench.invoice(acme, [("1", "10")], number="Y1", age=timedelta(days=13))
        assert [header.id for header in found(bench.source)] == [young]

    def test_what_was_voided_lately_is_found_marked_or_not(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        ids = [bench.invoice(acme, [("1", "10")], number=f"V{n}") for n in range(3)]
        bench.source.mark_synced("invoice", ids[1], number=None, at=NOW)
        before = datetime.now(UTC) - timedelta(days=1)
        assert bench.source.voided("invoice", before) == []
        for one in ids[:2]:
            bench.void(one)
        assert [(one.id, one.number) for one in bench.source.voided("invoice", before)] == [
            (ids[0], "V0"), (ids[1], "V1")
        ]  # fmt: skip

    def test_a_marked_document_is_not_found_again_and_the_mark_reads_back(self, bench: SourceBench) -> None:
        id = bench.invoice(bench.party("Acme"), [("1", "10")], number="N1")
        bench.source.mark_synced("invoice", id, number=None, at=NOW)
        assert found(bench.source) == []
        [mark] = bench.source.marks("invoice", [id])
        assert (mark.id, mark.number, mark.marked_at) == (id, "N1", NOW)

    def test_marking_twice_is_the_same_as_once(self, bench: SourceBench) -> None:
        id = bench.invoice(bench.party("Acme"), [("1", "10")], number=None)
        for _ in range(2):
            bench.source.mark_synced("invoice", id, number="1042", at=NOW)
        [mark] = bench.source.marks("invoice", [id])
        assert (mark.number, mark.marked_at) == ("1042", NOW)

    def test_a_cleared_mark_shows_the_document_again(self, bench: SourceBench) -> None:
        id = bench.invoice(bench.party("Acme"), [("1", "10")], number="N1")
        bench.source.mark_synced("invoice", id, number=None, at=NOW)
        for _ in range(2):
            bench.source.clear_mark("invoice", id)
        assert [header.id for header in found(bench.source)] == [id]

    def test_the_word_for_failed_is_no_number_and_hides_nothing_from_us(self, bench: SourceBench) -> None:
        source, acme = bench.source, bench.party("Acme")
        ids = [bench.invoice(acme, [("1", "10")], number=None) for _ in range(2)]
        for _ in range(2):
            source.set_error("invoice", ids[0])
        held = {mark.id: mark for mark in source.marks("invoice", ids)}
        assert [(held[one].failed, held[one].number) for one in ids] == [(True, None), (False, None)]
        window = Window(since=NOW - timedelta(days=14), number_blank=True)
        assert [(header.id, header.number) for header in found(source, window)] == [(one, None) for one in ids]
        for _ in range(2):
            source.clear_error("invoice", ids[0], number=None)
        assert [mark.failed for mark in source.marks("invoice", ids)] == [False, False]
        source.set_error("invoice", ids[0])
        source.clear_error("invoice", ids[0], number="1042")
        assert [mark.number for mark in source.marks("invoice", ids)] == ["1042", None]

    def test_where_the_ledger_numbers_a_blank_number_means_unsynced(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        bench.invoice(acme, [("1", "10")], number="N1")
        blank = bench.invoice(acme, [("1", "10")], number=None)
        window = Window(since=NOW - timedelta(days=14), number_blank=True)
        [header] = found(bench.source, window)
        assert (header.id, header.number) == (blank, None)

    def test_headers_by_id_come_whatever_their_state(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        marked = bench.invoice(acme, [("1", "10")], number="N1")
        voided = bench.invoice(acme, [("1", "10")], number="N2")
        bench.source.mark_synced("invoice", marked, number=None, at=NOW)
        bench.void(voided)
        by_id = {header.id: header for header in bench.source.headers_by_id("invoice", [marked, voided, "999999999"])}
        assert set(by_id) == {marked, voided}
        assert by_id[marked].marked_at == NOW and by_id[voided].voided

    def test_headers_by_number_bear_exactly_it_and_may_be_several(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        twice = [bench.invoice(acme, [("1", "10")], number="N1") for _ in range(2)]
        bench.invoice(acme, [("1", "10")], number="N10")
        bench.source.mark_synced("invoice", twice[0], number=None, at=NOW)
        assert [header.id for header in bench.source.headers_by_number("invoice", "N1")] == sorted(twice, key=int)
        assert bench.source.headers_by_number("invoice", 'N"\\ 1') == []

    def test_lines_arrive_with_exact_amounts_and_belong_to_their_document(self, bench: SourceBench) -> None:
        acme = bench.party("Acme")
        first = bench.invoice(acme, [("1.5", "99.99"), ("-2", "10")], number="N1")
        bench.invoice(acme, [("3", "1.25")], number="N2")
        documents = [one for page in bench.source.documents(found(bench.source)) for one in page]
        assert [len(one.lines) for one in documents] == [2, 1]
        one = next(document for document in documents if document.header.id == first)
        assert [(line.quantity, line.rate) for line in one.lines] == [
            (Decimal("1.5"), Decimal("99.99")),
            (Decimal("-2"), Decimal("10")),
        ]
        assert sum(line.extended_price for line in one.lines) == one.header.total - one.header.tax_total

    def test_a_document_without_lines_is_there_without_lines(self, bench: SourceBench) -> None:
        bench.invoice(bench.party("Acme"), [], number="N1")
        [[document]] = list(bench.source.documents(found(bench.source)))
        assert document.lines == ()

    def test_a_document_without_a_party_has_none(self, bench: SourceBench) -> None:
        bench.invoice(None, [("1", "10")], number="N1")
        assert [header.party_id for header in found(bench.source)] == [None]

    def test_parties_come_once_each_and_unknown_ones_are_left_out(self, bench: SourceBench) -> None:
        acme = bench.party('Acme: "O\'Neil" \\ Söhne 🙂', email="ap@acme.invalid")
        [party] = bench.source.parties([acme, acme, "999999999"])
        assert (party.id, party.name, party.email) == (acme, 'Acme: "O\'Neil" \\ Söhne 🙂', "ap@acme.invalid")

    def test_vendors_are_the_active_companies_of_that_type(self, bench: SourceBench) -> None:
        bench.party("Acme")
        ids = [bench.vendor("Parts & Co"), bench.vendor("Wholesale")]
        bench.vendor("Gone", active=False)
        assert [(one.id, one.name) for one in bench.source.vendors()] == [
            (ids[0], "Parts & Co"), (ids[1], "Wholesale")
        ]  # fmt: skip

    def test_a_write_of_something_unknown_is_an_error(self, bench: SourceBench) -> None:
        with pytest.raises(BadAnswer):
            bench.source.mark_synced("invoice", "999999999", number=None, at=NOW)

    def test_a_todo_is_found_by_its_marker_changed_and_completed(self, bench: SourceBench) -> None:
        source, lists = bench.source, bench.source.todo_lists()
        person, action = (next(one for one in listed if one.active) for listed in (lists.people, lists.action_types))
        draft = TodoDraft(marker("0a1b2c3d4e"), f"{marker('0a1b2c3d4e')} Item missing\n\n- AT-1", action.id, person.id,
                          *due(NOW, "UTC"))
        assert lists.readable and source.find_todos(draft.marker) == []
        made = source.create_todo(draft)
        assert [(one.id, one.completed_at) for one in source.find_todos(draft.marker)] == [(made, None)]
        for _ in range(2):
            source.change_todo(made, f"{draft.marker} changed")
        assert [one.text for one in source.find_todos(draft.marker)] == [f"{draft.marker} changed"]
        for _ in range(2):
            source.complete_todo(made, f"{draft.marker} solved", NOW)
        assert [(one.text, one.completed_at) for one in source.find_todos(draft.marker)] == [
            (f"{draft.marker} solved", NOW)]
        assert source.find_todos(marker("ffffffffff")) == []

    def test_a_todo_for_nobody_and_a_change_of_none_are_refused(self, bench: SourceBench) -> None:
        lists = bench.source.todo_lists()
        draft = TodoDraft(marker("1"), marker("1"), lists.action_types[0].id, "999999999", *due(NOW, "UTC"))
        with pytest.raises(BadAnswer):
            bench.source.create_todo(draft)
        with pytest.raises(BadAnswer):
            bench.source.change_todo("999999999", "text")
        assert bench.source.find_todos(draft.marker) == []
