"""Every entry of the catalogue that concerns invoices is brought about once and ends as it is described: told on page,
in report and help with all its words; kept, nothing posted; mended by what the fix says; tried again as help says.
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, select

from domain.catalogue import orders
from domain.catalogue.entry import Again
from domain.reasons import CATALOGUE, Reason, Turn
from domain.statuses import Status
from models import RunItem, make_sessions
from tests.catalogue import answers, customers, finding, lines, mailing, scope, taxing, voiding
from tests.catalogue.pages import Pages, complaints, make_pages
from tests.catalogue.stage import Case, Stage, Where, make_stage
from tests.conventions.source import ROOT
from tests.infra.database import Sessions

SUBJECTS = (scope, customers, lines, taxing, answers, voiding, mailing, finding)
CASES: dict[str, Case] = {code: case for subject in SUBJECTS for code, case in subject.CASES.items()}
APPROVAL = "the memory ledger posts without drafts; approving one is provoked in tests/engine/test_xero.py"
NOT_PROVOKED = dict.fromkeys(("promote_refused", "promote_changed", "promote_gone"), APPROVAL)
"""Code → why it cannot be brought about here. Best left empty."""
STATUSES = {
    Turn.FAULT: {Status.FAULT}, Turn.SKIP: {Status.SKIPPED}, Turn.WAIT: {Status.PENDING, Status.PROCESSING},
}
WAYS: dict[Again, set[tuple[str, ...]]] = {
    Again.RETRY: {("retry",), ("retry", "sync")}, Again.PRESS: {("retry",)}, Again.SYNC: {("sync",)},
    Again.ITSELF: {("itself",), ()}, Again.DECIDE: {(), ("retry",)}, Again.RELEASE: {(), ("sync",)},
    Again.NEVER: {(), ("sync",)}, Again.TOLD: {()},
}  # fmt: skip
"""How a case goes on, by what the help page says of it."""


@pytest.fixture(scope="module")
def pages(_sqlite_tables: Engine) -> Pages:
    return make_pages(make_sessions(_sqlite_tables))


def ways() -> list[Any]:
    return [pytest.param(code, way, id=f"{code}-{way or 'stays'}")
            for code, case in CASES.items() for way in (case.on or ("",))]


def test_every_entry_is_provoked_and_nothing_else() -> None:
    """All that concerns invoices; purchase orders have their own subjects."""
    assert {*CASES, *NOT_PROVOKED} == set(CATALOGUE) - set(orders.ENTRIES)
    assert sum(len(subject.CASES) for subject in SUBJECTS) == len(CASES)
    wrong = {code: case.on for code, case in CASES.items() if case.on not in WAYS[CATALOGUE[code].again]}
    assert wrong == {}, "the help pages say something else"


def test_every_entry_of_orders_is_looked_for_in_their_own_tests() -> None:
    files = [ROOT / "tests/domain/test_orders.py", *sorted((ROOT / "tests/engine").glob("test_*order*.py"))]
    texts = "".join(file.read_text() for file in files)
    assert [code for code in orders.ENTRIES if f'"{code}"' not in texts] == []


@pytest.mark.parametrize(("code", "way"), ways())
def test_it_is_told_kept_and_goes_on_as_described(
    sessions: Sessions, pages: Pages, code: str, way: str
) -> None:
    case = CASES[code]
    stage = make_stage(sessions, case)
    case.provoke(stage)
    assert stage.live() == case.left
    why = _told(stage, case, code)
    if case.where is Where.DOCUMENT:
        assert complaints(pages, stage, why) == []
    _goes_on(stage, case, code, way)
    assert stage.live() == case.ends


def _told(stage: Stage, case: Case, code: str) -> Reason:
    """The reason stands there with all its words, under the status of its turn."""
    entry = CATALOGUE[code]
    found = [each for each in stage.reasons(case.where) if each.code == code]
    assert found, [each.code for each in stage.reasons(case.where)]
    for text in (found[0].sentence("Books"), found[0].cause("Books"), found[0].fix("Books")):
        assert "–" not in text and "{" not in text, text
    if case.where in (Where.DOCUMENT, Where.SEEN):
        assert stage.status(case.where, code) in STATUSES[entry.turn]
    return found[0]


def _goes_on(stage: Stage, case: Case, code: str, way: str) -> None:
    """Not before it is mended; then exactly as the help page says."""
    entry = CATALOGUE[code]
    if case.where is Where.DOCUMENT and entry.turn is not Turn.WAIT:
        stage.sync()
        assert (stage.row.reason_code, stage.live()) == (code, case.left), "it is kept, whatever is pressed"
        assert entry.turn is Turn.SKIP or _reported(stage) == code
    if case.mend is not None:
        case.mend(stage)
    if entry.again is Again.PRESS:
        stage.sync()
        assert (stage.row.reason_code, stage.live()) == (code, case.left)
    if way == "retry":
        stage.retry()
    elif way == "sync":
        stage.sync()
    elif way == "itself":
        stage.look()
    if case.ends > case.left:
        assert stage.row.status == Status.COMPLETE, stage.row.reasons


def _reported(stage: Stage) -> str:
    """The first reason in the last report that names the document: what page, mail and CSV say."""
    with stage.world.sessions() as db:
        rows = db.scalars(select(RunItem).where(RunItem.document_id == stage.row.id).order_by(RunItem.id)).all()
    return next((row.reasons[0]["code"] for row in reversed(rows) if row.reasons), "")


def test_an_error_nobody_knows_is_kept_with_its_raw_words(sessions: Sessions, pages: Pages) -> None:
    case = CASES["ledger_refused"]
    stage = make_stage(sessions, case)
    case.provoke(stage)
    [why] = stage.reasons(Where.DOCUMENT)
    assert answers.WORDS in why.sentence() and "9731" in why.cause()
    assert complaints(pages, stage, why) == []
