"""Alembic's entry: which database, which tables, how our column types are written down.

The address comes from `models.migrate` or, on the command line, from the environment (config.py).
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy.types import TypeDecorator

from config import get_config
from models import Base, make_engine


def _render(kind: str, item: Any, autogen: Any) -> str | bool:
    """Migrations name plain column types, so that they keep their meaning when ours change."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl!r}"
    return False


def run() -> None:
    url = context.config.attributes.get("url") or get_config().database_url
    engine = make_engine(url)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_item=_render,
            render_as_batch=url.startswith("sqlite"),
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
