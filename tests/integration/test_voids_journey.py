"""Voids and re-issues over HTTP: the simulated Autotask voids, a person decides on pages, books and journal judge."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select

from app import create_app
from domain.statuses import Flag, Status
from models import Document, User
from sandbox.qbo import books
from sandbox.world import World
from sync.apply import serve
from tests.infra.company import config_for, connect, sync_in_process
from tests.web.site import BASE, Site, TestClock
from workers.wiring import Services


@dataclass
class Firm:
    """A seeded company with everything posted, its books, and what a person does on both sides."""

    services: Services
    world: World
    sandbox: str
    company_id: int
    realm: str
    before: set[str]
    """What the books held before anything was posted."""

    def act(self, name: str, **body: Any) -> None:
        """Something happens in the simulated Autotask."""
        answer = requests.post(f"{self.sandbox}/control/{name}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text

    def ours(self) -> Counter[tuple[str, Decimal]]:
        rows = [row for row in books.documents(self.world, self.realm) if row["id"] not in self.before and row["live"]]
        return Counter((row["DocNumber"], row["total"]) for row in rows)

    def owed(self) -> Decimal:
        found = books.receivables(self.world, self.realm)
        return sum((row["open"] for row in found if row["id"] not in self.before), Decimal(0))

    def written(self, since: int) -> Counter[tuple[str, str]]:
        effects = [effect for row in self.world.journal.rows(since_id=since) for effect in row["effects"]]
        return Counter((e["kind"], e["action"]) for e in effects if e["kind"] in ("Invoice", "CreditMemo"))

    def rows(self) -> dict[str, Document]:
        with self.services.sessions() as db:
            return {row.source_id: row for row in db.scalars(select(Document))}

    def press(self, client: FlaskClient, path: str, reason: str = "") -> None:
        form = {"company_id": str(self.company_id), "reason": reason}
        answer = client.post(f"/c/{self.company_id}/documents/{path}", data=form, base_url=BASE)
        assert answer.status_code == 302, path

    def look(self, client: FlaskClient, row: Document) -> str:
        return client.get(f"/c/{self.company_id}/documents/{row.id}", base_url=BASE).get_data(as_text=True)


@pytest.fixture
def firm(sandbox: str, migrated_sqlite_url: str, redis_url: str, sandbox_world: World) -> Firm:
    services = Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, public_url=BASE,
        demo=False, guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    ))
    options = {"seed": 3, "invoices": 4, "region": "us", "slug": "firm", "days": 20, "lines": 2}
    made = requests.post(f"{sandbox}/control/seed/msp", json=options, timeout=60).json()
    company_id, realm = connect(services, sandbox_world, made), str(made["realm"])
    before = {row["id"] for row in books.documents(sandbox_world, realm)}
    sync_in_process(services, company_id)
    return Firm(services, sandbox_world, sandbox, company_id, realm, before)


def client_of(services: Services) -> FlaskClient:
    """A browser with the company's admin signed in."""
    app = create_app(services.config, services)
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    app.extensions["limits"].enabled = False
    client = app.test_client()
    with services.sessions() as db:
        user_id = db.scalars(select(User.id)).first()
    Site(app, services, TestClock(services.now())).sign_in(client, user_id or 0)
    return client


def test_the_books_hold_what_a_person_decided_and_nothing_twice(firm: Firm) -> None:
    posted = [row for row in firm.rows().values() if row.status == Status.COMPLETE and row.total > 0]
    first, second = posted[:2]
    stood, mark = firm.ours(), firm.world.journal.mark()

    # One is voided and billed again with its items, the other after un-posting: new ids of the items.
    firm.act("actions/firm/reissue", invoice=int(first.source_id))
    firm.act("switches/firm", reissue_item_ids="new")
    firm.act("actions/firm/reissue", invoice=int(second.source_id))
    sync_in_process(firm.services, firm.company_id)
    now = firm.rows()
    again = {row.reissue_of: row for row in now.values() if row.reissue_of}
    assert {now[one.source_id].reason_code for one in (first, second)} == {"voided_open"}
    assert again[first.id].reason_code == "reissue_waits"
    assert again[second.id].reason_code == "reissue_like"
    assert firm.ours() == stood

    # Void the one, keep the other, and post what bills it again all the same.
    client = client_of(firm.services)
    shown = firm.look(client, first)
    assert "Void in QuickBooks" in shown and "Voided and billed again" in shown
    firm.press(client, f"{first.id}/void")
    firm.press(client, f"{second.id}/keep", "paid by cheque")
    firm.press(client, f"{again[second.id].id}/post-anyway", "another month")
    source, ledger = firm.services.source(firm.company_id), firm.services.ledger(firm.company_id)
    serve(firm.services.runtime(), firm.company_id, source, ledger)
    assert firm.rows()[first.source_id].flags == [Flag.VOIDED]
    sync_in_process(firm.services, firm.company_id)

    now = firm.rows()
    number = {row.id: row.number or row.source_id for row in now.values()}
    came = Counter((number[row.id], row.total) for row in again.values())
    assert firm.ours() == stood - Counter([(number[first.id], first.total)]) + came
    assert firm.written(mark) == {("Invoice", "void"): 1, ("Invoice", "create"): 2}
    assert firm.owed() == sum((row.total for row in now.values() if row.status == Status.COMPLETE), -first.total)
    chain = firm.look(client, again[second.id])
    assert "posted anyway by Test admin: another month" in chain and f"/documents/{second.id}" in chain
