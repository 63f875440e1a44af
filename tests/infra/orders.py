"""Purchase orders of a company that `tests.infra.company` connected: settings, runs, and the sandbox's judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from sqlalchemy import select

from domain.order_settings import Becomes, OrderSettings
from domain.settings import InitialStatus, MissingItem
from domain.statuses import Status
from models import Company, CompanyLease, Document, MirrorEntry, Run
from sandbox.autotask.tenants import Tenant
from sandbox.world import World
from sync import decisions, gather, settings
from sync import requests as asks
from sync.apply import serve
from tests.infra.company import next_turn, serve_run
from workers.wiring import Services


def choose_orders(services: Services, company_id: int, made: Mapping[str, Any], **changes: Any) -> None:
    """What a person would have chosen: bills at once, missing items created, nothing asked about limits."""
    with services.sessions() as db, db.begin():
        accounts = db.scalars(
            select(MirrorEntry).where(MirrorEntry.company_id == company_id, MirrorEntry.kind == "account")
        ).all()
        # Where a chart has numbers they stand before the name.
        by_name = {entry.name.rpartition(" · ")[2]: entry.ledger_id for entry in accounts}
        freight = by_name.get("Freight") or by_name["Freight & Courier"]
        zone = str(made["time_zone"])
        chosen: dict[str, Any] = {
            "days": 14, "active": True, "becomes": Becomes.BILL, "missing_item": MissingItem.CREATE,
            "created_item_account": by_name["Cost of Goods Sold"], "payable": by_name.get("Accounts Payable (A/P)"),
            "freight_account": freight, "initial_status": InitialStatus.APPROVED, "run_limit": 5000,
            "error_todos": False, "source_time_zone": zone, "time_zone": zone,
        }
        settings.save_orders(db, company_id, OrderSettings(**{**chosen, **changes}), now=services.now(), user=None)


def ask_orders(services: Services, company_id: int) -> int:
    """What a confirmed press on the orders' Sync Now leaves in the database; returns the run's id."""
    with services.sessions() as db, db.begin():
        run, _ = asks.ask(
            db, db.get_one(Company, company_id), kind="sync", trigger="button", now=services.now(), user=None,
            confirmed=True, area=settings.ORDERS,
        )
        return run.id


def orders_in_process(services: Services, company_id: int, *, rounds: int = 400) -> int:
    """A whole run over orders without worker processes; returns the run's id."""
    run_id = ask_orders(services, company_id)
    gather.scan(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id)
    serve_run(services, company_id, run_id, rounds=rounds)
    return run_id


def serve_to_rest(services: Services, company_id: int, *, rounds: int = 60) -> None:
    """Serve, as the scheduler would ring, until nothing is due any more: to-dos come after the run."""
    rt, source, ledger = services.runtime(), services.source(company_id), services.ledger(company_id)
    for _ in range(rounds):
        serve(services.runtime(), company_id, source, ledger)
        with services.sessions() as db:
            wake = next_turn(db.get_one(CompanyLease, company_id))
        if wake is None:
            return
        rt.pause(min(5.0, max(0.0, (wake - services.now()).total_seconds())))
    raise AssertionError("the company never comes to rest")


def try_again(services: Services, company_id: int, run_id: int) -> int:
    """Resubmit the Faults of a run; returns the new run's id."""
    with services.sessions() as db, db.begin():
        company = db.get_one(Company, company_id)
        again = decisions.resubmit(db, company, db.get_one(Run, run_id), now=services.now(), user=None).id
    gather.scan(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), again)
    serve_run(services, company_id, again, rounds=400)
    return again


def faults(services: Services, company_id: int) -> dict[str, list[str]]:
    """Source ids of the Faults that the product shows, by reason."""
    found: dict[str, list[str]] = {}
    with services.sessions() as db:
        rows = select(Document).where(Document.company_id == company_id, Document.status == Status.FAULT)
        for row in db.scalars(rows.order_by(Document.id)):
            found.setdefault(row.reason_code, []).append(row.source_id)
    return found


def owner_of_todos(world: World, made: Mapping[str, Any]) -> dict[str, str]:
    """The settings of error to-dos: a person of the provider and one of Autotask's own action types."""
    tenant = Tenant(world, int(made["ci"]))
    person = next(row for row in tenant.rows("Resources") if row.get("lastName") == "Desk")
    action = next(row for row in tenant.rows("ActionTypes") if row["name"] == "To-Do: Phone Call")
    return {"todo_resource": str(person["id"]), "todo_action_type": str(action["id"])}


def judged(url: str, made: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """The sandbox's account of the orders."""
    query = {"ci": made["ci"], "realm": made["realm"], **options}
    answer = requests.get(f"{url}/control/audit/orders", params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def cured(url: str, made: Mapping[str, Any], *problems: str) -> list[int]:
    """A person mends the planted problems (these, or all of them) on either platform."""
    body = {"ci": made["ci"], "realm": made["realm"], "problems": list(problems) or None}
    answer = requests.post(f"{url}/control/cure/orders", json=body, timeout=60)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["cured"])
