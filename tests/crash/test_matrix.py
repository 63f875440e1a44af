"""`kill -9` at every named point of every kind of write on both ledgers, then recovery by others.

A worker process with FAILPOINT set kills itself there; it is ended for good, and a fresh worker and the scheduler take
over with times divided by ten. `make crash` runs the whole matrix, `make test` a few cells of it.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.crash.kinds import CALL, KINDS, SENT
from tests.crash.story import Story, die
from tests.infra.processes import Processes

WHOLE = os.environ.get("CRASH_MATRIX") == "all"
PROFILES = {"quickbooks": "us-ast", "xero": "xero-us"}
CELLS = [(ledger, kind, point) for kind, crashing in KINDS.items() for ledger in crashing.ledgers
         for point in crashing.points]  # fmt: skip
FEW = [
    ("quickbooks", "void", "after_send"), ("quickbooks", "replacement", "after_send"),
    ("quickbooks", "mail", "after_send"), ("quickbooks", "attachment", "after_attach"),
    ("quickbooks", "purchase order", "after_send"), ("xero", "invoice", "after_send"),
    ("xero", "promotion", "after_send"), ("xero", "correction", "after_send"),
    ("quickbooks", "removal", "after_confirm"),
]  # fmt: skip
"""What differs most: each of these has no number, or a key, that the ledger would recognise by itself; and what is
taken out and not yet made anew."""

pytestmark = [pytest.mark.timeout(300), pytest.mark.process]


@pytest.mark.parametrize(("ledger", "kind", "point"), CELLS if WHOLE else FEW, ids=lambda part: part.replace(" ", "_"))
def test_whatever_is_written_stands_once_wherever_a_worker_dies(
    ledger: str, kind: str, point: str, sandbox: str, sandbox_world: Any, redis_url: str, smtp_port: int,
    processes: Processes, migrated_sqlite_url: str,
) -> None:
    crashing = KINDS[kind]
    story = Story.begin(
        sandbox, sandbox_world, processes, seeded={"profile": PROFILES[ledger], **crashing.seeded},
        chosen=crashing.chosen, database_url=migrated_sqlite_url, redis_url=redis_url,
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
    )  # fmt: skip
    crashing.before(story)
    call = crashing.call_on(ledger)
    if point == "after_look_up" and crashing.lost:
        _lose_an_answer(story, ledger, call)
    doomed = processes.workers("doomed", "worker", env={"FAILPOINT": f"{point}:{call if point in CALL else 1}"})
    if crashing.rung:
        story.start("scheduler")
    crashing.ask(story)
    die(processes, doomed, point)
    if point in SENT:
        dying = {(crashing.operation, record) for record in crashing.writes}
        assert story.last_call() <= dying, "another call died than the one that was meant"
    story.start(*{"worker", "scheduler"} - set(story.running))
    story.settle()
    crashing.judge(story)


def _lose_an_answer(story: Story, ledger: str, call: int) -> None:
    """So that there is something to look up."""
    platform = {"quickbooks": "qbo", "xero": "xero"}[ledger]
    operation = "batch" if ledger == "quickbooks" else "* PUT"
    story.world.faults.plan("response_lost", platform, operation, after=call - 1, times=1)
