"""`python -m tests.chaos --minutes 30`: a whole installation, broken again and again while months are posted.

PostgreSQL, Redis, two web processes, three workers, two schedulers, the sandbox with its limits on, times divided by
ten; companies on QuickBooks and on Xero, each with invoices, credits and bills. Every few seconds something happens: a
process is killed, frozen beyond its lease, started with a clock that is wrong; Redis is emptied or stopped, PostgreSQL
is stopped, its disk is filled; tokens are rotated and grants revoked; buttons are pressed twice at once; the platforms
lose answers; people void invoices, edit them in the ledger and have them replaced; in the middle a new revision is
deployed. The judge is the sandbox. The last line is one JSON object with the simulation's keys; the exit code is 0 only
with the four zeros.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import requests
from sqlalchemy.exc import SQLAlchemyError

from connectors.errors import PlatformError
from sandbox import server
from tests.chaos.companies import Companies
from tests.chaos.events import Chaos, say
from tests.chaos.installation import FACTOR, Installation
from tests.chaos.judging import Account, judge
from tests.chaos.people import People
from tests.simulation.__main__ import p99
from tools.waiting import WaitedTooLong, wait_until
from workers.system import pause

STILL_S = 420.0
"""Where nothing was finished for so long, it will not settle. How long all of it takes is the machine's affair."""
PRESSES = 5
"""A stopped run, the void of what it had not posted yet, what bills that again: each waits for the next Sync Now."""
BREATH = 12
"""After so many events documents get a moment to move on: where processes start slowly, nothing would ever be under way
when the next event strikes."""
FATAL = ("duplicates", "lost", "wrong_company", "stuck")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--invoices", type=int, default=120, help="in each company's month")
    parser.add_argument("--orders", type=int, default=30, help="in each company's month")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended on every way out
    with tempfile.TemporaryDirectory(prefix="bb-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        world = server.open_world(folder / "sandbox.sqlite")
        try:
            with server.running(world) as url:
                told = Installation(folder, url, world, random.Random(given.seed))
                try:
                    return run(told, given)
                finally:
                    told.close()
        finally:
            world.close()


def run(told: Installation, given: argparse.Namespace) -> int:
    begin = time.monotonic()
    companies = Companies(told, random.Random(given.seed))
    people = People(told, companies, random.Random(given.seed))
    chaos = Chaos(told, companies, people, random.Random(given.seed))
    requests.post(f"{told.url}/control/limits", json={"on": True, "scale": 1}, timeout=10).raise_for_status()
    told.start()

    def two_months() -> None:
        for _ in range(2):
            companies.open_month(given.invoices, given.orders)

    two_months()
    end = begin + given.minutes * 60
    while time.monotonic() < end:
        if companies.in_hand() < given.invoices:  # so that every event strikes something
            attempt(lambda: companies.open_month(given.invoices, given.orders))
        pause(chaos.rng.uniform(0, 1.5))
        half = time.monotonic() > begin + given.minutes * 30
        chaos.once("deploy" if half and not chaos.deployed else None)
        if chaos.counts.total() % BREATH == 0:
            companies.breathe()
    chaos.end()
    for month in companies.lost():
        companies.reconnect(month)
    chaos.last_blow(two_months)
    say("no more events from here on")
    found, absent, stuck = settle(told, companies)
    account = judge(told, companies)
    if not stuck:
        compare(companies, account)
    say("events: " + ", ".join(f"{name} {count}" for name, count in sorted(chaos.counts.items())))
    say("people: " + ", ".join(f"{name} {count}" for name, count in sorted(people.counts.items())))
    say(f"revisions that took over: {', '.join(chaos.deployed) or 'none'}")
    pressed = sum((month.person.answers for month in companies.months), type(chaos.counts)())
    say("buttons: " + ", ".join(f"{name} {count}" for name, count in sorted(pressed.items())))
    say("in the books: " + ", ".join(f"{name} {count}" for name, count in sorted(account.kinds.items())))
    if "fill_disk" not in chaos.events:
        say("the disk was not filled: mounting a file system is not allowed here")
    for remark in account.remarks:
        say(remark)
    figures = {
        "seeds": 1, "start": given.seed, "documents": account.documents,
        "faults": sum(chaos.faults.values()) + account.unanswered, "crashes": chaos.crashes,
        "recoveries": account.recoveries, "converge_found_p99_s": p99(found), "converge_absent_p99_s": p99(absent),
        "duplicates": account.duplicates, "lost": account.lost, "wrong_company": account.wrong_company, "stuck": stuck,
        "residual": account.residual, "seconds": round(time.monotonic() - begin, 1),
    }  # fmt: skip
    print(json.dumps(figures))
    complete = chaos.deployed or given.minutes < 1
    return 0 if complete and not any(figures[key] for key in FATAL) else 1


def settle(told: Installation, companies: Companies) -> tuple[list[float], list[float], int]:
    """Wait until nothing is in hand. Seconds are the product's own: what passed, times the factor. Connections that
    were lost are given again, and Sync Now is pressed as long as anything waits for it."""
    begin = time.monotonic()
    open_ = companies.waiting()
    sends = dict(open_)
    found: list[float] = []
    absent: list[float] = []

    def settled() -> bool:
        for month in companies.lost():
            companies.reconnect(month)
        now = companies.waiting()
        for id in [id for id in open_ if id not in now]:
            passed = (time.monotonic() - begin) * FACTOR
            (absent if sends[id][1] > open_[id][1] else found).append(passed)
            del open_[id]
        sends.update(now)
        return companies.at_rest()

    try:
        for again in range(PRESSES):
            wait_while_moving(settled, companies)
            for month in companies.months if again < 2 else companies.unfinished():
                companies.press(month)
        wait_while_moving(settled, companies)
    except WaitedTooLong:
        say(f"did not settle: {companies.what_waits()}")
        return found, absent, max(1, len(companies.waiting()))
    return found, absent, 0


def wait_while_moving(settled: Callable[[], bool], companies: Companies) -> None:
    """Until it has settled. Raises WaitedTooLong when nothing is finished any more."""
    while not settled():
        _wait_a_step(settled, companies, companies.finished())


def _wait_a_step(settled: Callable[[], bool], companies: Companies, before: int) -> None:
    wait_until(
        lambda: settled() or companies.finished() != before, timeout_s=STILL_S, what="everything has settled",
        every_s=0.3,
    )  # fmt: skip


def compare(companies: Companies, account: Account) -> None:
    """The product's own reconciliation after it all: every copy that the judge counts must be found by it."""
    runs = companies.compare()
    with suppress(WaitedTooLong):
        wait_while_moving(companies.at_rest, companies)
    counted = companies.compared(runs)
    say("the product's reconciliation: " + ", ".join(f"{name} {count}" for name, count in sorted(counted.items())))
    copies = account.duplicates + account.residual
    if counted["duplicate"] < copies:
        account.blame("lost", f"{copies} copies in the books, {counted['duplicate']} found by the reconciliation")


def attempt(what: Callable[[], None]) -> None:
    try:
        what()
    except (SQLAlchemyError, requests.RequestException, PlatformError) as error:
        say(f"  not now: {type(error).__name__}")


if __name__ == "__main__":
    sys.exit(main())
