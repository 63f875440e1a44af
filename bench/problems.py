"""`python -m bench.problems [--data folder] [--count N]`: real invoices with planted problems, from Fault to books.

Every planted invoice must be reported under its own cause, in page, database and the mailed CSV; nothing of it may be
in the books. Then each cause is mended as its reason says, the button is pressed on Error Logs, and in the end every
invoice is in the simulated books once, to the cent. Prints one JSON line; ends with 1 when anything else happened.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from bench import planting
from bench.planting import CAUSES, Ground
from domain.statuses import Status
from models import Document, Run, User
from sandbox import audit, mailbox
from sandbox.autotask.tenants import Tenant
from sandbox.mailbox import start_smtp
from sandbox.qbo import books
from sandbox.qbo.realm import Realm
from sandbox.seeds import retail
from sandbox.server import open_world, running
from sandbox.world import World
from sync import gather, mail, mirror, settings
from tests.infra.company import config_for, connect, serve_run, sync_in_process
from tests.infra.database import migrate
from tests.web.site import BASE, Site, TestClock
from tools import redis_server
from tools.environment import ROOT
from tools.waiting import free_port
from workers.wiring import Services, post

SHARED_MONTH = ROOT.parent / "shared" / "data" / "online-retail"
ONE_DAY = ROOT / "sandbox" / "data" / "online-retail"
LOOK_BACK_DAYS = 30


@dataclass
class Campaign:
    """One company with planted problems: what a person presses, and what the sandbox says of it."""

    services: Services
    world: World
    company_id: int
    made: dict[str, Any]
    ground: Ground
    planted: dict[int, str]
    client: FlaskClient

    # ---- what a person does ---------------------------------------------------------------------------------

    def press(self, path: str, **form: str) -> None:
        """A button on a page; the run it asks for is carried out as the workers would."""
        answer = self.client.post(
            f"/c/{self.company_id}/{path}", base_url=BASE, data={"company_id": str(self.company_id), **form}
        )
        if answer.status_code != 302:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        with self.services.sessions() as db:
            runs = db.scalars(select(Run.id).where(Run.finished_at.is_(None), Run.kind == "retry")).all()
        for run_id in runs:
            self._carry_out(run_id)

    def _carry_out(self, run_id: int) -> None:
        rt, company_id = self.services.runtime(), self.company_id
        gather.scan(rt, company_id, self.services.source(company_id), self.services.ledger(company_id), run_id)
        serve_run(self.services, company_id, run_id, rounds=5000)
        mail.deliver(self.services.sessions, self.services.clock.now, post(self.services.config))

    def causes(self) -> list[str]:
        return [cause for cause in CAUSES if cause in self.planted.values()]

    def _of(self, cause: str) -> list[int]:
        return [id for id, planted in self.planted.items() if planted == cause]

    def mend(self, cause: str) -> None:
        """What the fix of this cause says, on either platform or in Settings."""
        ids, told = self._of(cause), CAUSES[cause]
        with self.world.store.transaction():
            for id in ids if told.each else ():
                told.each(self.ground, id)  # type: ignore[misc]
            if told.once:
                told.once(self.ground)
        if told.choose:
            self._choose(**told.choose(self.ground, self._settings()))

    def press_for(self, cause: str) -> None:
        """The button of this cause: *Link This* on each document's page, else *Retry* on Error Logs."""
        for id in self._of(cause) if CAUSES[cause].link else ():
            row = self.documents()[id]
            self.press(f"documents/{row.id}/customer", customer=self.ground.records["customer", id])
        if not CAUSES[cause].link:
            self.press("errors/retry", view="cause", cause=cause)

    def name_customer(self) -> None:
        """*Choose a customer*, for all: the real invoices that name no company."""
        left = [row for row in self.documents().values() if row.reason_code == "no_customer"]
        if left:
            self.press(f"documents/{left[0].id}/no-company/all", name="Counter sales")

    def refresh(self) -> None:
        """*Refresh Lists* in Settings."""
        rt, company_id = self.services.runtime(), self.company_id
        mirror.refresh(rt, company_id, self.services.ledger(company_id), self.services.source(company_id), whole=True)

    def _settings(self) -> Any:
        with self.services.sessions() as db:
            return settings.load_invoices(db, self.company_id)

    def _choose(self, **values: Any) -> None:
        with self.services.sessions() as db, db.begin():
            settings.change(db, self.company_id, now=self.services.now(), user=None, **values)

    # ---- what there is --------------------------------------------------------------------------------------

    def documents(self) -> dict[int, Document]:
        with self.services.sessions() as db:
            return {int(row.source_id): row for row in db.scalars(select(Document))}

    def reported(self) -> dict[int, str]:
        """The last word of the mailed CSVs: Autotask ID → reason's code (empty when posted)."""
        found: dict[int, str] = {}
        for message in mailbox.messages(self.world, None):
            for attachment in message["attachments"]:
                if attachment["filename"].endswith(".csv"):
                    rows = csv.DictReader(io.StringIO(attachment["text"], newline=""))
                    found |= {int(row["Autotask ID"]): row["Reason"] for row in rows}
        return found

    def in_books(self) -> Counter[str]:
        """Live documents of ours in the sandbox's books, by their number."""
        rows = books.documents(self.world, str(self.made["realm"]))
        return Counter(str(row["DocNumber"]) for row in rows if row["live"] and "ref:" in (row["PrivateNote"] or ""))

    def error_logs(self) -> dict[str, int]:
        """Rows of the Error Logs' CSV by StatusCode."""
        answer = self.client.get(f"/c/{self.company_id}/errors.csv", base_url=BASE)
        rows = csv.DictReader(io.StringIO(answer.get_data(as_text=True).lstrip("\ufeff"), newline=""))
        return dict(Counter(row["StatusCode"] for row in rows))

    def judged(self) -> dict[str, Any]:
        today = self.world.clock.now().date()
        options = {"window_start": today - timedelta(days=LOOK_BACK_DAYS), "stand_in": True}
        account = audit.audit(self.world, int(self.made["ci"]), str(self.made["realm"]), **options)
        wrong = [name for name in ("duplicates", "missing", "unmarked", "unexplained", "waiting") if account[name]]
        if wrong:
            found = audit.details(self.world, int(self.made["ci"]), str(self.made["realm"]), **options)
            account["details"] = found[:10]
        return account


def begin(services: Services, world: World, data: Path, count: int, causes: Sequence[str]) -> Campaign:
    """Real invoices, `count` problems among them, and a company connected under settings that do not hide any."""
    made = retail.load(world, data, slug="planted", switches={"multi_currency": True})
    ground = Ground(world, Tenant(world, int(made["ci"])), Realm(world, str(made["realm"])))
    planted = planting.plant(ground, count, causes)
    company_id = connect(
        services, world, made, look_back_days=LOOK_BACK_DAYS, created_item_account=ground.account("Sales"),
        **planting.given(ground),
    )
    with services.sessions() as db, db.begin():
        fresh = planting.given_tax_map(ground, settings.load_invoices(db, company_id).tax_map)
        settings.change(db, company_id, now=services.now(), user=None, tax_map=fresh)
    planting.after_rules(ground)
    return Campaign(services, world, company_id, made, ground, planted, _client(services))


def _client(services: Services) -> FlaskClient:
    """The company's admin in a browser."""
    app = create_app(services.config, services)
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    app.extensions["limits"].enabled = False
    client = app.test_client()
    with services.sessions() as db:
        user_id = db.scalars(select(User.id)).first()
    Site(app, services, TestClock(services.now())).sign_in(client, user_id or 0)
    return client


def run(
    services: Services, world: World, data: Path, count: int, causes: Sequence[str] = ()
) -> dict[str, Any]:
    """The whole campaign (with these causes, else all). `problems` is empty when everything ended as it should."""
    started = time.monotonic()
    campaign = begin(services, world, data, count, causes)
    sync_in_process(services, campaign.company_id, rounds=5000)
    problems = first_look(campaign)
    told = dict(sorted(Counter(row.reason_code or "" for row in campaign.documents().values()
                               if row.status == Status.FAULT).items()))
    for cause in campaign.causes():
        campaign.mend(cause)
    campaign.refresh()
    for cause in campaign.causes():
        campaign.press_for(cause)
    campaign.name_customer()
    account = campaign.judged()
    problems += last_look(campaign, account)
    return {
        "invoices": campaign.made["counts"]["invoices"], "planted": len(campaign.planted),
        "causes": len(set(campaign.planted.values())), "faults": told, "posted": account["posted"],
        "credit_memos": account["credit_memos"], "skipped": account["skipped"], "duplicates": account["duplicates"],
        "missing": account["missing"], "totals": {name: {k: str(v) for k, v in pair.items()}
                                                  for name, pair in account["totals"].items()},
        "ledger_calls": account["ledger_calls"], "seconds": round(time.monotonic() - started, 1), "problems": problems,
    }  # fmt: skip


def first_look(campaign: Campaign) -> list[str]:
    """Each planted invoice under its cause, in our documents and in the mailed CSV, and none of them in the books."""
    rows, mailed, logs = campaign.documents(), campaign.reported(), campaign.error_logs()
    wrong = []
    for id, cause in campaign.planted.items():
        row = rows.get(id)
        found = (row.status, row.reason_code) if row is not None else ("nowhere", None)
        if found != (Status.FAULT, cause) or mailed.get(id) != cause:
            wrong.append(f"{cause}: invoice {id} is {found}, mailed as {mailed.get(id)!r}")
        if row is not None and row.ledger_id:
            wrong.append(f"{cause}: invoice {id} is in the books")
    wanted = Counter(campaign.planted.values())
    wrong += [f"Error Logs list {logs.get(cause, 0)} of {number} under {cause}"
              for cause, number in wanted.items() if logs.get(cause, 0) < number]
    others = [row for id, row in rows.items() if id not in campaign.planted]
    strangers = {row.reason_code for row in others if row.status == Status.FAULT}
    wrong += [f"a Fault that was not planted: {code}" for code in sorted(map(str, strangers - {"no_customer"}))]
    return wrong


def last_look(campaign: Campaign, account: dict[str, Any]) -> list[str]:
    """Everything is in the books once, to the cent, and told so."""
    wrong = [f"{name}: {account[name]}, should be 0"
             for name in ("duplicates", "missing", "unmarked", "unexplained", "waiting") if account[name]]
    wrong += [str(row) for row in account.get("details", ())]
    wrong += [f"{currency}: posted {pair['posted']}, expected {pair['expected']}"
              for currency, pair in account["totals"].items() if pair["posted"] != pair["expected"]]
    wrong += [f"{row.reason_code}: {row.source_id} is still a Fault"
              for row in campaign.documents().values() if row.status == Status.FAULT]
    there = campaign.in_books()
    for id, cause in campaign.planted.items():
        number = str(campaign.ground.invoice(id)["invoiceNumber"])
        if there[number] != 1:
            wrong.append(f"{cause}: number {number} is in the books {there[number]} times")
    return wrong


@contextmanager
def stage() -> Iterator[tuple[Services, World]]:
    """A sandbox without limits and with its mailbox, a database and a Redis of their own, in this process."""
    with tempfile.TemporaryDirectory(prefix="bookbridge-problems-") as name, redis_server.running() as redis_url:
        folder = Path(name)
        world, port = open_world(folder / "sandbox.sqlite"), free_port()
        smtp = start_smtp(world, "127.0.0.1", port)
        try:
            with running(world) as url:
                world.limits.switch(False)
                database = f"sqlite:///{folder / 'problems.sqlite'}"
                migrate(database)
                services = services_for(url, database, redis_url, port)
                try:
                    yield services, world
                finally:
                    services.engine.dispose()
        finally:
            smtp.stop()
            world.close()


def services_for(url: str, database: str, redis_url: str, smtp_port: int) -> Services:
    return Services.from_config(config_for(
        url, database_url=database, redis_url=redis_url, smtp_url=f"smtp://127.0.0.1:{smtp_port}", public_url=BASE,
        time_factor=20, guard_young_seconds=0.0, guard_give_up_seconds=0.0, platform_limits="off", demo=False,
        log_level="CRITICAL",
    ))  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.problems", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder in the Online Retail format (default: the month, else a day)")
    parser.add_argument("--count", type=int, default=200, help="problems to plant (default 200)")
    given = parser.parse_args()
    data = given.data or (SHARED_MONTH if SHARED_MONTH.is_dir() else ONE_DAY)
    with stage() as (services, world):
        result = run(services, world, data, given.count)
    for each in result["problems"]:
        print(f"problem: {each}", file=sys.stderr)
    sys.stderr.flush()
    print(json.dumps({"campaign": "problems", **result}), flush=True)
    return 1 if result["problems"] or len(set(result["faults"])) < min(25, given.count) else 0


if __name__ == "__main__":
    sys.exit(main())
