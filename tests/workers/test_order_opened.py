"""Opening an order's page, in a worker of its own: what was received since is read, and its bill is planned."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from sqlalchemy import select, update

from domain.order_settings import Becomes
from models import Document
from tests.infra.company import config_for, connect
from tests.infra.orders import choose_orders, orders_in_process
from tests.infra.processes import Processes
from workers import enqueue
from workers.wiring import Services

pytestmark = [pytest.mark.timeout(180), pytest.mark.process]


def test_a_worker_reads_the_order_whose_page_was_opened_and_plans_its_bill(
    sandbox: str, sandbox_world: Any, redis_url: str, migrated_sqlite_url: str, processes: Processes
) -> None:
    config = config_for(sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, time_factor=20)
    services = Services.from_config(config)
    made = requests.post(
        f"{sandbox}/control/seed/msp", json={"seed": 3, "invoices": 0, "orders": 1, "slug": "opened"}, timeout=60
    ).json()
    company_id = connect(services, sandbox_world, made)
    choose_orders(services, company_id, made, becomes=Becomes.ON_RECEIPT, active=False)
    orders_in_process(services, company_id)
    long_ago = services.now() - timedelta(hours=1)
    with services.sessions() as db, db.begin():
        [row] = db.scalars(select(Document)).all()
        assert row.reason_code == "waits_for_receipt"
        db.execute(update(Document).values(lines_read_at=long_ago, read_at=long_ago))
        document_id, source_id = row.id, row.source_id
    received = {"order": source_id, "number": "V-1"}
    requests.post(f"{sandbox}/control/actions/opened/receive", json=received, timeout=30).raise_for_status()
    processes.env = {name.upper(): str(value) for name, value in config.model_dump(exclude_none=True).items()}
    worker = processes.python("worker", "-m", "workers", "worker", "--queue", "interactive")
    enqueue.order_opened(services, company_id, document_id)

    def planned() -> bool:
        with services.sessions() as db:
            part = db.scalars(select(Document).where(Document.part == "V-1")).one_or_none()
            return part is not None and part.reason_code == "waits_for_sync"

    processes.wait_for(planned, worker, what="the bill of what was received is planned", timeout_s=60)
