"""Companies of a broken installation: a month of invoices and orders each, on QuickBooks or on Xero.

In every second one of each ledger orders become bills when goods arrive, one for every vendor invoice number.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from domain.order_settings import Becomes
from domain.settings import VoidPolicy
from domain.statuses import Status
from models import Company, CompanyLease, Connection, Document, Grant, Pause, Posting, Run
from sandbox.intuit import tokens as intuit_tokens
from sandbox.xero_identity import tokens as xero_tokens
from sync import connection as connecting
from sync import reconciling
from sync.lease import wake
from sync.orders import WAITS
from sync.tokens import refresh_token_of, store_new_grant
from tests.chaos.buttons import Person
from tests.chaos.installation import Installation
from tests.infra.company import GIVEN, ask_sync, connect
from tests.infra.orders import ask_orders, choose_orders
from tools.waiting import WaitedTooLong, wait_until
from workers import enqueue
from workers.system import pause

PROFILES = ("us-ast", "xero-us")
STALE_S = 4.0
"""What a ledger created appears in its reads so much later, once that was drawn."""
OPEN = ("READY", "SENDING", "UNKNOWN")


@dataclass
class Month:
    """A company and the month that the sandbox made for it."""

    company_id: int
    made: dict[str, Any]
    person: Person

    @property
    def realm(self) -> str:
        return str(self.made["realm"])


@dataclass
class Companies:
    told: Installation
    rng: random.Random
    months: list[Month] = field(default_factory=list)
    _turn: Any = field(default_factory=threading.RLock)
    _seen: int = 0
    _begun: int = 0

    def open_month(self, invoices: int, orders: int) -> None:
        """One more company with a month of documents; somebody presses Sync Now."""
        number = self._begun  # one that did not come about keeps its name
        self._begun += 1
        profile = PROFILES[number % len(PROFILES)]
        options = {
            "seed": self.rng.randrange(1, 10_000), "invoices": invoices, "lines": 2, "days": 10, "profile": profile,
            "region": "us", "known_customers": False, "slug": f"chaos-{number + 1}", "orders": orders,
        }  # fmt: skip
        answer = requests.post(f"{self.told.url}/control/seed/msp", json=options, timeout=120)
        answer.raise_for_status()
        pause(STALE_S)  # nobody connects a company that the ledger's own reads do not show yet
        made, services = answer.json(), self.told.services
        company_id = connect(services, self.told.world, made, look_back_days=30, voids=VoidPolicy.VOID)
        made["buys"] = orders > 0
        made["on_receipt"] = number // len(PROFILES) % 2 == 1
        if orders:
            becomes = Becomes.ON_RECEIPT if made["on_receipt"] else Becomes.BILL
            choose_orders(services, company_id, made, becomes=becomes)
        self.months.append(Month(company_id, made, Person(services, company_id, self.rng)))
        self.press(self.months[-1])

    def press(self, month: Month) -> None:
        """Sync Now for both areas, with its bells."""
        services = self.told.services
        enqueue.scan(services, month.company_id, ask_sync(services, month.company_id))
        if month.made["buys"]:
            enqueue.scan(services, month.company_id, ask_orders(services, month.company_id))

    def compare(self) -> list[int]:
        """Compare now in every company; the runs, of which `compared` tells when all are at rest."""
        services, asked = self.told.services, []
        for month in self.months:
            with services.sessions() as db, db.begin():
                run_id = reconciling.ask_by_schedule(db, month.company_id, services.now())
            if run_id is not None:
                enqueue.tool(services, month.company_id, run_id)
                asked.append(run_id)
        return asked

    def compared(self, run_ids: Iterable[int]) -> Counter[str]:
        """What the product's own comparisons counted; `not compared`: those that ended without a result."""
        total: Counter[str] = Counter()
        with self.told.services.sessions() as db:
            for run in db.scalars(select(Run).where(Run.id.in_(tuple(run_ids)))):
                counts = (run.summary or {}).get("counts")
                total.update({"not compared": 1} if counts is None else counts)
        return total

    # ---- connections ----------------------------------------------------------------------------------------

    def revoke(self, month: Month) -> None:
        """An admin disconnects on the platform's own pages. With Xero that ends what all organisations share."""
        world = self.told.world
        if month.made["ledger"] == "qbo":
            intuit_tokens.revoke_company(world, month.realm)
            return
        with self.told.services.sessions() as db:
            grant = db.scalars(select(Grant).where(Grant.provider == "xero")).first()
            token = None if grant is None else refresh_token_of(grant, self.told.services.key_ring)
        if token is not None:
            with world.store.transaction():
                xero_tokens.revoke(world, token)

    def reconnect(self, month: Month) -> None:
        """An admin gives a new consent: the grant's tokens are replaced, and whoever lives on it is connected."""
        services = self.told.services
        with self._turn, services.sessions() as db, db.begin():
            now = services.now()
            mates = [each for each in self.months if each.made["ledger"] == month.made["ledger"] == "xero"] or [month]
            for each in mates:
                given = GIVEN[each.made["ledger"]](self.told.world, each.realm, now)
            grant = store_new_grant(
                db, services.key_ring, provider=given.provider, subject=given.subject, tokens=given.tokens, now=now
            )
            for each in mates:
                row = connecting.of(db, each.company_id, "ledger")
                assert row is not None
                row.grant_id, row.state, row.problem = grant.id, "connected", None
                wake(db, each.company_id, now)

    def lost(self) -> list[Month]:
        """Companies whose ledger wants another consent."""
        with self.told.services.sessions() as db:
            ended = select(Grant.id).where(or_(Grant.ended_at.is_not(None), Grant.rejected_at.is_not(None)))
            ids = set(db.scalars(select(Connection.company_id).where(
                Connection.side == "ledger", or_(Connection.state != "connected", Connection.grant_id.in_(ended))
            )))  # fmt: skip
        return [month for month in self.months if month.company_id in ids]

    def expire_tokens(self) -> None:
        """Every access token has less than its spare time left."""
        services = self.told.services
        with services.sessions() as db, db.begin():
            db.execute(update(Grant).values(access_expires_at=services.now() - timedelta(minutes=1)))

    # ---- what is in hand ------------------------------------------------------------------------------------

    def in_hand(self, holders: tuple[str, ...] | None = None) -> int:
        """Documents about to be written, being written, or not marked yet; of the companies that these processes serve
        when they are named. The last count while the database is away."""
        moving = or_(Posting.state.in_(("NEW", *OPEN)), Posting.state == "CONFIRMED")
        query = select(func.count()).select_from(Posting).where(
            Posting.document_id.is_not(None), moving, Posting.next_action_at.is_not(None) | Posting.state.in_(OPEN)
        )  # fmt: skip
        try:
            with self.told.services.sessions() as db:
                if holders is None:
                    self._seen = db.execute(query).scalar_one()
                    return self._seen
                served = select(CompanyLease.company_id).where(_any_of(holders))
                return db.execute(query.where(Posting.company_id.in_(served))).scalar_one()
        except SQLAlchemyError:
            return self._seen if holders is None else 0

    def breathe(self) -> None:
        """Until some more is finished, at most half a minute."""
        with suppress(WaitedTooLong, SQLAlchemyError):
            enough = self.finished() + 60
            wait_until(lambda: self.finished() >= enough, timeout_s=30, what="documents are finished", every_s=0.5)

    def finished(self) -> int:
        """How many writes and runs have come to their end."""
        writes = select(func.count()).select_from(Posting).where(Posting.state == "DONE")
        runs = select(func.count()).select_from(Run).where(Run.finished_at.is_not(None))
        with self.told.services.sessions() as db:
            return int(db.execute(writes).scalar_one() + db.execute(runs).scalar_one())

    def waiting(self) -> dict[int, tuple[str, int]]:
        """Postings whose answer is open: id → (state, sends)."""
        with self.told.services.sessions() as db:
            rows = db.execute(select(Posting.id, Posting.state, Posting.sends).where(
                Posting.document_id.is_not(None), Posting.state.in_(OPEN)
            ))  # fmt: skip
            return {id: (state, sends) for id, state, sends in rows}

    def at_rest(self) -> bool:
        with self.told.services.sessions() as db:
            busy = db.execute(select(func.count()).select_from(Run).where(Run.finished_at.is_(None))).scalar_one()
            due = db.execute(
                select(func.count()).select_from(Document).where(Document.due_at.is_not(None))
            ).scalar_one()
            unmarked = db.execute(select(func.count()).select_from(Posting).where(
                Posting.state.in_(("NEW", "CONFIRMED", *OPEN)), Posting.next_action_at.is_not(None),
            )).scalar_one()  # fmt: skip
        return not (busy or due or unmarked or self.waiting())

    def unfinished(self) -> list[Month]:
        """Companies with documents that wait for another Sync Now."""
        with self.told.services.sessions() as db:
            ids = set(db.scalars(select(Document.company_id).where(
                Document.status == Status.PENDING, Document.reason_code.not_in((WAITS, "before_start"))
            )))  # fmt: skip
        return [month for month in self.months if month.company_id in ids]

    def why_not(self, month: Month) -> str:
        """What the product says of the documents of a company that are not in its books, and of its last runs."""
        with self.told.services.sessions() as db:
            rows = db.execute(
                select(Document.kind, Document.status, Document.reason_code, func.count())
                .where(Document.company_id == month.company_id, Document.status != "Complete")
                .group_by(Document.kind, Document.status, Document.reason_code)
            ).all()
            runs = db.execute(
                select(Run.id, Run.kind, Run.area, Run.state, Run.message).where(Run.company_id == month.company_id)
                .order_by(Run.id.desc()).limit(4)
            ).all()
        return f"{[tuple(row) for row in rows]}; last runs {[tuple(row) for row in runs]}"

    def what_waits(self) -> str:
        """For whoever reads the output: what is still open, and what stands in its way."""
        with self.told.services.sessions() as db:
            runs = db.execute(
                select(Run.kind, Run.phase, func.max(Run.step), func.count()).where(Run.finished_at.is_(None))
                .group_by(Run.kind, Run.phase)
            ).all()
            postings = db.execute(
                select(Posting.company_id, Posting.kind, Posting.operation, Posting.state, func.count())
                .where(Posting.next_action_at.is_not(None) | Posting.state.in_(OPEN))
                .group_by(Posting.company_id, Posting.kind, Posting.operation, Posting.state)
            ).all()
            due = db.execute(
                select(Document.company_id, Document.reason_code, func.count()).where(Document.due_at.is_not(None))
                .group_by(Document.company_id, Document.reason_code)
            ).all()
            paused = db.execute(select(Pause.company_id, Pause.code).where(Pause.ended_at.is_(None))).all()
            lost = db.execute(select(Company.id, Connection.side, Connection.problem).join(
                Connection, Connection.company_id == Company.id
            ).where(Connection.state != "connected")).all()  # fmt: skip
        told = {"runs": runs, "postings": postings, "documents due": due, "paused": paused, "not connected": lost}
        queues = ", ".join(f"{name} {count}" for name, count in enqueue.waiting(self.told.services).items())
        return f"queues {queues}; " + "; ".join(f"{name} {[tuple(row) for row in rows]}" for name, rows in told.items())


def _any_of(holders: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(*(CompanyLease.holder.like(each) for each in holders))
