"""`python -m workers worker [--queue interactive] | scheduler | migrate | check | restored`: processes and commands."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import redis
from pydantic import ValidationError
from rq import Queue, Worker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from config import Config, get_config
from domain.installing import Kind, findings, ready
from models import make_engine, migrate
from sync.logs import configure as configure_logs
from workers import enqueue, inspection, schedule
from workers.wiring import Services

NEWER = (
    "The database belongs to a newer release than this one, which leaves it alone. Start that release. To go back, "
    "restore the backup that was made before it was installed."
)


class QuickWorker(Worker):
    """A dead worker is noticed within seconds rather than minutes; correctness never depends on it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        watch = {"worker_ttl": 30, "job_monitoring_interval": 5, "maintenance_interval": 30}
        super().__init__(*args, **{**kwargs, **watch})


def worker(config: Config, queue: str) -> None:
    Services.from_config(config).ask_whether_restored()
    import workers.jobs  # noqa: F401 - once here rather than again in every process that is forked for a job
    client = redis.Redis.from_url(config.redis_url, socket_timeout=None)
    names = [queue] if queue == enqueue.INTERACTIVE else [enqueue.DEFAULT, enqueue.INTERACTIVE]
    queues = [Queue(name, connection=client, serializer=JSONSerializer) for name in names]
    QuickWorker(queues, connection=client, serializer=JSONSerializer).work(logging_level="WARNING")


def check(services: Services) -> int:
    """The checks of /setup in a terminal; 1 while something is missing."""
    found = findings(inspection.look(services))
    for each in found:
        word = {Kind.OK: "ok", Kind.WARN: "LOOK", Kind.BAD: "MISSING", Kind.WAIT: "later"}[each.kind]
        print(f"{word:<8} {each.title}: {each.found}{' ' + each.todo if each.todo else ''}")
    return 0 if ready(found) else 1


def belongs_to_a_newer_release(config: Config) -> bool:
    """Whether this release must leave the database alone. One that does not answer is waited for elsewhere."""
    engine = make_engine(config.database_url)
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            return migrate.is_newer(connection)
    except SQLAlchemyError:
        return False
    finally:
        engine.dispose()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    work = commands.add_parser("worker", help="serve companies; with --queue interactive only what people wait for")
    work.add_argument("--queue", choices=(enqueue.DEFAULT, enqueue.INTERACTIVE), default=enqueue.DEFAULT)
    commands.add_parser("scheduler", help="look every second for what is due and ring")
    commands.add_parser("migrate", help="bring the database's tables up to date")
    commands.add_parser("check", help="look at what the installation needs and say what is missing")
    commands.add_parser("restored", help="say that the database was restored: posting waits for the reconciliation")
    chosen = parser.parse_args(arguments)
    try:
        config = get_config()
    except ValidationError as error:
        print("The configuration is wrong:", file=sys.stderr)
        for problem in error.errors():
            print(f"  {'.'.join(map(str, problem['loc'])).upper()}: {problem['msg']}", file=sys.stderr)
        return 2
    configure_logs(config.log_level)
    if chosen.command != "check" and belongs_to_a_newer_release(config):
        print(NEWER, file=sys.stderr)
        return 3
    if chosen.command == "migrate":
        migrate.upgrade(config.database_url)
    elif chosen.command == "worker":
        worker(config, chosen.queue)
    elif chosen.command == "check":
        return check(Services.from_config(config, short_calls=True))
    elif chosen.command == "restored":
        Services.from_config(config).ask_whether_restored(said=True)
        print("Posting is paused in every company until its reconciliation is green.")
    else:
        services = Services.from_config(config)
        services.ask_whether_restored()
        schedule.run(services)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
