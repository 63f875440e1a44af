"""Ringing doorbells: what the web and the scheduler put on the queues. Losing or repeating a bell is harmless.

Jobs carry ids only, as JSON. `interactive` is for what a person waits for (scans, lists, mails); `default` for
serving. Redis being away is not an error for the caller: the database says what is due and the scheduler rings.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import redis
from rq import Queue, Retry
from rq.serializers import JSONSerializer
from sqlalchemy import update

from models import CompanyLease

if TYPE_CHECKING:
    from workers.wiring import Services

log = logging.getLogger("bookbridge.queue")
DEFAULT, INTERACTIVE = "default", "interactive"
JOB_SECONDS = 900
OPENED_S = 60
_RETRY = Retry(max=3)


def queue(client: redis.Redis, name: str) -> Queue:
    return Queue(name, connection=client, serializer=JSONSerializer)


def put(services: Services, name: str, function: str, *ids: int) -> bool:
    """Enqueue `workers.jobs.<function>(*ids)`. False when Redis is away."""
    try:
        queue(services.redis, name).enqueue(
            f"workers.jobs.{function}", *ids, job_timeout=JOB_SECONDS, result_ttl=0, failure_ttl=86_400, retry=_RETRY,
        )
    except redis.RedisError as error:
        log.warning("The queue is away; the scheduler rings later: %s", type(error).__name__)
        return False
    return True


def ring(services: Services, company_id: int) -> None:
    """"Serve this company." Notes the ring, so that the scheduler does not ring again at once."""
    with services.sessions() as db, db.begin():
        db.execute(
            update(CompanyLease).where(CompanyLease.company_id == company_id).values(rung_at=services.now())
        )
    put(services, DEFAULT, "serve", company_id)


def scan(services: Services, company_id: int, run_id: int) -> None:
    """Read for a run, then post."""
    put(services, INTERACTIVE, "scan", company_id, run_id)


def first_scan(services: Services, company_id: int, run_id: int) -> None:
    """Read everything once and compare; nothing is written on either side."""
    put(services, INTERACTIVE, "scan", company_id, run_id)


def tool(services: Services, company_id: int, run_id: int) -> None:
    """Carry out a tool's run. It reads only."""
    put(services, INTERACTIVE, "tool", company_id, run_id)


def what_if(services: Services, company_id: int, run_id: int) -> None:
    """Count what the wanted settings would change. No platform is called."""
    put(services, INTERACTIVE, "what_would_change", company_id, run_id)


def poll(services: Services, company_id: int) -> None:
    put(services, INTERACTIVE, "poll", company_id)


def order_opened(services: Services, company_id: int, document_id: int) -> None:
    """Read an order again because its page was opened: once a minute, however often it is reloaded."""
    if services.redis.set(f"bookbridge:opened:{document_id}", "1", nx=True, ex=OPENED_S):
        put(services, INTERACTIVE, "order_opened", company_id, document_id)


def refresh_lists(services: Services, company_id: int) -> None:
    put(services, INTERACTIVE, "refresh_lists", company_id)


def verify_ledger(services: Services, company_id: int) -> None:
    """Find out whether the ledger's grant is alive (after a hint that somebody disconnected)."""
    put(services, INTERACTIVE, "verify_ledger", company_id)


def mails(services: Services) -> None:
    put(services, INTERACTIVE, "mails")


def waiting(services: Services) -> dict[str, Any]:
    """Queue lengths, for the health page. Raises redis.RedisError when Redis is away."""
    return {name: queue(services.redis, name).count for name in (DEFAULT, INTERACTIVE)}
