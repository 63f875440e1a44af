"""docs/reliability.md says what plays each fault of the catalogue: whatever is named there exists."""

from __future__ import annotations

import ast
import re

from tests.conventions.source import ROOT, missing_tests, rows, tree
from tests.simulation.faults import RATES

PAGE = (ROOT / "docs" / "reliability.md").read_text()
PLAYED = [row.split("|") for row in rows(PAGE) if re.match(r"\| (F\d|more)", row)]
"""Cells of the table: nothing, number, fault, simulation, chaos, tests."""


def test_every_fault_of_the_catalogue_has_its_row() -> None:
    numbers = [[int(each) for each in re.findall(r"F(\d\d)", cells[1])] for cells in PLAYED]
    told = [number for each in numbers if each for number in range(each[0], each[-1] + 1)]
    assert told == list(range(1, 41))


def test_the_table_names_the_kinds_of_the_simulation_and_no_other() -> None:
    assert {name for cells in PLAYED for name in re.findall(r"`(\w+)`", cells[3])} == set(RATES)


def test_the_table_names_what_chaos_does_and_tests_that_exist() -> None:
    events = tree(ROOT / "tests" / "chaos" / "events.py")
    texts = {node.value for node in ast.walk(events) if isinstance(node, ast.Constant)}
    named = {name for cells in PLAYED for name in re.findall(r"`(\w+)`", cells[4])}
    assert named
    assert named <= texts
    assert missing_tests(PAGE) == []


def test_a_fault_that_nothing_plays_says_so() -> None:
    silent = [cells[1] for cells in PLAYED if not any(cell.strip() for cell in cells[3:6])]
    assert silent == []
