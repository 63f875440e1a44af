"""The fake people who can sign in to the simulated Xero, and the organisations each may connect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.xero_identity.settings import SPACE


@dataclass(frozen=True)
class User:
    """``xero_userid`` is the stable id. ``role``: adviser, standard or readonly; the last may connect nothing."""

    xero_userid: str
    email: str
    given: str
    family: str
    role: str
    note: str


USERS: tuple[User, ...] = (
    User(
        "5a0d0b0e-0000-4000-8000-00000000a001",
        "admin@sandbox.invalid",
        "Sandbox",
        "Owner",
        "standard",
        "Standard user of every organisation here",
    ),
    User(
        "5a0d0b0e-0000-4000-8000-00000000a002",
        "adviser@sandbox.invalid",
        "Sandbox",
        "Adviser",
        "adviser",
        "Adviser of every organisation here",
    ),
    User(
        "5a0d0b0e-0000-4000-8000-00000000a003",
        "reader@sandbox.invalid",
        "Sandbox",
        "Reader",
        "readonly",
        "Read only: not allowed to connect apps",
    ),
)


def find(xero_userid: str | None) -> User | None:
    """The user with this id, or None."""
    return next((user for user in USERS if user.xero_userid == xero_userid), None)


def organisations(world: Any, user: User) -> list[dict[str, Any]]:
    """Organisations this user may connect, in order of creation: ``{"id", "slug", "name"}``."""
    return [] if user.role == "readonly" else list(world.store.all(SPACE, "organisation"))
