"""`python -m bench.orders [--orders N] [--problems N] [--ledger xero]`: orders with planted problems, through a crash.

Generated orders of several currencies go through the product into the sandbox's books. A worker is killed in the middle
of posting; three more runs follow; then the problems are mended as a person would and tried again. To-dos, ledger
documents per order and totals per currency are counted by the sandbox. Prints what was found at each step and one JSON
line; ends with 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.books import stage
from sandbox.seeds import msp
from sandbox.xero.organisation import Organisation
from sync import gather
from tests.infra.company import connect, serve_run
from tests.infra.orders import (
    ask_orders,
    choose_orders,
    cured,
    faults,
    judged,
    orders_in_process,
    owner_of_todos,
    serve_to_rest,
    try_again,
)
from tests.infra.processes import Processes
from workers import enqueue
from workers.wiring import Services

PROFILES: dict[str, str | None] = {"quickbooks": None, "xero": "xero-us"}
NOTHING: dict[str, Any] = {"missing": 0, "duplicates": 0, "unmarked": 0, "strays": [], "wrong": {}}


class Campaign:
    """One company and what was found wrong so far."""

    def __init__(self, services: Services, world: Any, orders: int, problems: int, ledger: str = "quickbooks") -> None:
        self.services, self.orders, self.url = services, orders, str(services.config.sandbox_url)
        self.ledger = ledger
        self.made = msp.generate(
            world, seed=1, invoices=0, orders=orders, order_problems=problems, slug="orders", profile=PROFILES[ledger],
            switches={"multi_currency": True}, books={"multicurrency": True},
        )  # fmt: skip
        if ledger == "xero":  # where currencies are subscribed to one by one
            org = Organisation(world, self.made["realm"])
            org.keep(org.settings | {"currencies": ["USD", "EUR", "GBP"]})
        # What is planted may be no problem to this ledger.
        self.planted = {str(one["id"]): one["problem"] for one in self.made["planted_orders"]
                        if one["outcome"] != "post"}
        self.company_id = connect(services, world, self.made)
        owner = owner_of_todos(world, self.made)
        choose_orders(services, self.company_id, self.made, error_todos=True, **owner)
        self.differences: list[str] = []
        self.steps: dict[str, dict[str, Any]] = {}

    def run(self) -> dict[str, Any]:
        started = time.monotonic()
        run_id = self.first_run_with_a_crash()
        first = self.look("first run, with a crash")
        told = faults(self.services, self.company_id)
        seen = {id for ids in told.values() for id in ids}
        self.expect("orders that are Faults", seen, set(self.planted))
        self.expect("open to-dos", first["todos"]["open"], first["todos"]["all"])
        by_cause = Counter((self.planted.get(id, "?"), code) for code, ids in told.items() for id in ids)
        for place in range(3):
            orders_in_process(self.services, self.company_id)
            again = self.look(f"run {place + 2}")
            self.expect("to-dos after another run", again["todos"], first["todos"])
            self.expect("bills after another run", again["bills"], first["bills"])
        self.expect("orders mended", len(cured(self.url, self.made)), len(self.planted))
        try_again(self.services, self.company_id, run_id)
        last = self.look("mended and tried again")
        self.expect("Faults at the end", faults(self.services, self.company_id), {})
        self.expect("posted", last["posted"], last["eligible"])
        self.expect("eligible", last["eligible"], last["orders"])
        self.expect("to-dos still open", last["todos"]["open"], 0)
        for currency, sums in last["totals"].items():
            self.expect(f"total in {currency}", sums["posted"], sums["expected"])
        return {
            "campaign": "orders", "ledger": self.ledger, "orders": last["orders"], "problems": len(self.planted),
            "causes": len({problem for problem, _ in by_cause}), "reasons": len({code for _, code in by_cause}),
            "by_cause": {f"{problem}: {code}": count for (problem, code), count in sorted(by_cause.items())},
            "todos": last["todos"], "totals": last["totals"], "steps": self.steps, "differences": self.differences,
            "seconds": round(time.monotonic() - started),
        }  # fmt: skip

    def first_run_with_a_crash(self) -> int:
        """Read here; post in a worker process that kills itself; go on here when its lease has run out."""
        services, company_id = self.services, self.company_id
        run_id = ask_orders(services, company_id)
        gather.scan(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id)
        # It dies when that bulk call (of up to thirty bills) was carried out and its answer not yet noted.
        crash = f"after_send:{1 + self.orders // 60}"
        with tempfile.TemporaryDirectory(prefix="bookbridge-orders-") as name:
            env = {key.upper(): str(value) for key, value in services.config.model_dump(exclude_none=True).items()}
            processes = Processes(Path(name), env=env)
            try:
                doomed = processes.python("doomed", "-m", "workers", "worker", env={"FAILPOINT": crash})
                enqueue.ring(services, company_id)
                processes.wait_log(doomed, "killing itself", timeout_s=120)
                doomed.kill9()
            finally:
                processes.stop_all()
        between = judged(self.url, self.made)
        print(f"killed in the middle: {between['bills']} bills in the books, {between['unmarked']} not marked yet")
        serve_run(services, company_id, run_id, rounds=600)
        return run_id

    def look(self, step: str) -> dict[str, Any]:
        """What the sandbox counts once nothing moves any more."""
        serve_to_rest(self.services, self.company_id)
        found = judged(self.url, self.made)
        self.expect(f"{step}: in books and source", {name: found[name] for name in NOTHING}, NOTHING)
        self.expect(f"{step}: to-dos twice", found["todos"]["duplicates"], 0)
        shown = ("bills", "posted", "missing", "duplicates", "unmarked")
        self.steps[step] = {**{name: found[name] for name in shown}, "todos": found["todos"]}
        print(f"{step}: {self.steps[step]}", flush=True)
        return found

    def expect(self, what: str, there: Any, wanted: Any) -> None:
        if there != wanted:
            self.differences.append(f"{what}: {there!r} instead of {wanted!r}"[:600])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=500, help="sound orders (default 500)")
    parser.add_argument("--problems", type=int, default=60, help="orders with a planted problem (default 60)")
    parser.add_argument("--ledger", choices=tuple(PROFILES), default="quickbooks", help="whose books they go to")
    given = parser.parse_args()
    with stage() as (services, world):
        found = Campaign(services, world, given.orders, given.problems, given.ledger).run()
    for line in found["differences"]:
        print(f"  differs: {line}")
    print(json.dumps(found))
    return 1 if found["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
