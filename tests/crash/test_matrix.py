"""`kill -9` at every named point of every kind of write on both ledgers, then recovery by others.

A worker process with FAILPOINT set kills itself there; it is ended for good, and a fresh worker and the scheduler take
over with times divided by ten. `make crash` runs the whole matrix, `make test` a few cells of it.
"""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.crash.kinds import CALL, CREATION, KINDS
from tests.crash.story import Story
from tests.infra.processes import Processes

WHOLE = os.environ.get("CRASH_MATRIX") == "all"
PROFILES = {"quickbooks": "us-ast", "xero": "xero-us"}
CELLS = [(ledger, kind, point) for kind, crashing in KINDS.items() for ledger in crashing.ledgers
         for point in crashing.points]  # fmt: skip
FEW = [
    ("quickbooks", "void", "after_send"), ("quickbooks", "replacement", "after_send"),
    ("quickbooks", "mail", "after_send"), ("quickbooks", "attachment", "after_attach"),
    ("quickbooks", "purchase order", "after_send"), ("xero", "invoice", "after_send"),
    ("xero", "promotion", "after_send"),
]  # fmt: skip
"""What differs most: each of these has no number, or a key, that the ledger would recognise by itself."""

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
    if point == "after_look_up" and crashing.points is CREATION:
        _lose_an_answer(story, ledger, crashing.calls)
    count = crashing.calls if point in CALL else 1
    doomed = processes.python("doomed", "-m", "workers", "worker", env={"FAILPOINT": f"{point}:{count}"})
    crashing.ask(story)
    processes.wait_log(doomed, f"killing itself at {point}", timeout_s=120)
    doomed.kill9()
    story.start("worker", "scheduler")
    story.settle()
    crashing.judge(story)


def _lose_an_answer(story: Story, ledger: str, call: int) -> None:
    """So that there is something to look up."""
    platform = {"quickbooks": "qbo", "xero": "xero"}[ledger]
    operation = "batch" if ledger == "quickbooks" else "* PUT"
    story.world.faults.plan("response_lost", platform, operation, after=call - 1, times=1)
