"""For load balancers and people who run the installation: is the process up, can it do its work?"""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from blueprints.context import services
from models import migrate

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers. Nothing else is asked."""
    return jsonify(status="ok", service="bookbridge")


@blueprint.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Database, its schema and the queue, each with its own word; 503 when one is missing."""
    found = {"database": _database(), "queue": _queue()}
    ready = all(word == "ok" for word in found.values())
    return jsonify(status="ok" if ready else "not ready", **found), 200 if ready else 503


def _database() -> str:
    try:
        with services().sessions() as db:
            connection = db.connection(execution_options={"read_only": True})
            if migrate.is_current(connection):
                return "ok"
            return "belongs to a newer release" if migrate.is_newer(connection) else "needs its migration"
    except SQLAlchemyError:
        return "away"


def _queue() -> str:
    try:
        return "ok" if services().redis.ping() else "away"
    except (RedisError, OSError):
        return "away"
