"""The number a document carries: whose it is, what stands before an id, and that no two documents share one."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from domain.plan import effective_number
from domain.settings import InvoiceSettings, Numbering
from tests.domain.test_placing import CHOSEN, document

HEADER = document((), 0).header  # type: ignore[arg-type]
ids = st.integers(1, 10**9).map(str)
prefixes = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9:._/-]{0,9}", fullmatch=True) | st.just("")


def by_id(prefix: str) -> InvoiceSettings:
    return replace(CHOSEN, numbering=Numbering.SOURCE_ID, number_prefix=prefix)


@given(prefixes, st.lists(ids, unique=True, min_size=2, max_size=5), st.sampled_from(["AT-7", None]))
def test_documents_of_different_ids_never_share_a_number_whatever_autotask_numbers(
    prefix: str, many: list[str], number: str | None
) -> None:
    numbers = [effective_number(replace(HEADER, id=id, number=number), by_id(prefix)) for id in many]
    assert numbers == [f"{prefix}{id}" for id in many] and len(set(numbers)) == len(many)


@given(prefixes, ids)
def test_the_prefix_stands_before_ids_alone(prefix: str, id: str) -> None:
    numbered = replace(HEADER, id=id, number="AT-7")
    asked = replace(by_id(prefix), numbering=Numbering.SOURCE)
    assert effective_number(numbered, asked) == "AT-7"
    assert effective_number(replace(numbered, number=None), asked) == id
    assert effective_number(numbered, replace(asked, numbering=Numbering.LEDGER)) is None
