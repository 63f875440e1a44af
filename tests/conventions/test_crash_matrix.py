"""The crash matrix forgets no write: every operation, every failpoint, every ledger that knows the operation."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import pytest

from connectors.ledgers.base import Capabilities
from connectors.registry import capabilities_of
from sync import attaching
from sync.operations import OPERATIONS
from tests.conventions.source import PRODUCT, python_files
from tests.crash.kinds import BOTH, CHANGE, KINDS

POSTINGS = {*OPERATIONS, *attaching.OPERATIONS}
OTHERS = {"to-do", "error mark", "renew"}
"""Writes that are no postings: what Autotask is told of Faults, and the renewal of a token."""
RECORDS = {"customer", "vendor", "item", "invoice", "credit_memo", "bill", "purchase_order"}
KNOWN: dict[str, Callable[[Capabilities], Collection[str]]] = {
    "void": lambda able: able.can_void | able.can_delete, "remove": lambda able: able.can_void | able.can_delete,
    "unlink": lambda able: able.unlinks, "update": lambda able: able.can_update, "send": lambda able: able.can_mail,
    "promote": lambda able: able.can_promote, "close": lambda able: able.can_close,
    "attach": lambda able: able.can_attach, "note": lambda able: able.can_note,
    "create": lambda able: RECORDS, "correct": lambda able: RECORDS,
}  # fmt: skip
"""On what a ledger knows the operation: nothing, where it does not."""


def test_every_operation_has_a_row() -> None:
    assert {kind.operation for kind in KINDS.values()} == POSTINGS | OTHERS


@pytest.mark.parametrize("operation", sorted(POSTINGS))
def test_an_operation_is_played_on_every_ledger_that_knows_it(operation: str) -> None:
    played = {ledger for kind in KINDS.values() if kind.operation == operation for ledger in kind.ledgers}
    assert played == {ledger for ledger in BOTH if KNOWN[operation](capabilities_of(ledger))}


def test_every_kind_of_record_is_created_on_every_ledger() -> None:
    created = [kind for kind in KINDS.values() if kind.operation == "create"]
    for ledger in BOTH:
        assert {record for kind in created if ledger in kind.ledgers for record in kind.writes} == RECORDS


def test_every_failpoint_of_the_product_is_one_of_the_matrix() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in python_files(*PRODUCT))
    points = set(re.findall(r"failpoint\(\"(\w+)\"\)", text))
    assert points
    assert points == {point for kind in KINDS.values() for point in kind.points}


def test_what_goes_in_calls_of_the_ledger_dies_at_every_point_of_a_call() -> None:
    calls = {name: set(kind.points) for name, kind in KINDS.items() if kind.operation in OPERATIONS}
    assert [name for name, points in calls.items() if not set(CHANGE) <= points] == []
