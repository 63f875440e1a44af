"""Ringing doorbells: what the web and the scheduler put on the queues. Losing or repeating a bell is harmless.

Jobs carry ids only, as JSON. `interactive` is for what a person waits for (scans, lists, mails); `default` for
serving. Redis being away is not an error for the caller: the database says what is due and the scheduler rings.

A bell that still stands in its queue is not put there again: it is answered after the change it tells of, and queues
of workers that are slow or away do not grow with every look of the scheduler.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import redis
from rq import Queue, Retry
from rq.serializers import JSONSerializer
from sqlalchemy import update

from models import CompanyLease
from sync import mail

if TYPE_CHECKING:
    from workers.wiring import Services

log = logging.getLogger("bookbridge.queue")
DEFAULT, INTERACTIVE = "default", "interactive"
JOB_SECONDS = 900
OPENED_S = 60
_RETRY = Retry(max=3)
_RANDOM = 12


def queue(client: redis.Redis, name: str) -> Queue:
    return Queue(name, connection=client, serializer=JSONSerializer)


def put(services: Services, name: str, function: str, *ids: int) -> bool:
    """Enqueue `workers.jobs.<function>(*ids)`. False when Redis is away."""
    return put_all(services, name, function, (ids,))


def put_all(services: Services, name: str, function: str, each: Iterable[tuple[int, ...]]) -> bool:
    """Several bells of one function, without those that stand in the queue already. False when Redis is away."""
    try:
        line = queue(services.redis, name)
        standing = {job_id[:-_RANDOM] for job_id in line.job_ids}
        for ids in each:
            called = "-".join((function, *map(str, ids), ""))
            if called in standing:
                continue
            # The name's end is random: a job that runs is not overwritten by a bell that came after it.
            line.enqueue(
                f"workers.jobs.{function}", *ids, job_id=called + uuid.uuid4().hex[:_RANDOM], job_timeout=JOB_SECONDS,
                result_ttl=0, failure_ttl=86_400, retry=_RETRY,
            )  # fmt: skip
    except redis.RedisError as error:
        log.warning("The queue is away; the scheduler rings later: %s", type(error).__name__)
        return False
    return True


def ring(services: Services, company_id: int) -> None:
    """"Serve this company." Notes the ring, so that the scheduler does not ring again at once."""
    ring_all(services, (company_id,))


def ring_all(services: Services, company_ids: Iterable[int]) -> None:
    company_ids = tuple(company_ids)
    with services.sessions() as db, db.begin():
        db.execute(
            update(CompanyLease).where(CompanyLease.company_id.in_(company_ids)).values(rung_at=services.now())
        )
    put_all(services, DEFAULT, "serve", ((company_id,) for company_id in company_ids))


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


def poll(services: Services, *company_ids: int) -> None:
    put_all(services, INTERACTIVE, "poll", ((company_id,) for company_id in company_ids))


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
    """Have mails sent, when some are due."""
    with services.sessions() as db:
        db.connection(execution_options={"read_only": True})
        awaits = mail.awaits(db, services.now())
    if awaits:
        put(services, INTERACTIVE, "mails")


def waiting(services: Services) -> dict[str, Any]:
    """Queue lengths, for the health page. Raises redis.RedisError when Redis is away."""
    return {name: queue(services.redis, name).count for name in (DEFAULT, INTERACTIVE)}
