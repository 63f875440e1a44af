"""The fake people who can sign in to the simulated Intuit account, and what each may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class User:
    """``sub`` is the stable id; ``admin`` says whether the person may connect apps to companies."""

    sub: str
    email: str
    given: str
    family: str
    admin: bool
    note: str
    email_verified: bool = True


USERS: tuple[User, ...] = (
    User("sandbox-admin", "admin@sandbox.invalid", "Sandbox", "Admin", True, "Admin of every company here"),
    User("sandbox-second-admin", "second.admin@sandbox.invalid", "Second", "Admin", True, "Another admin"),
    User("sandbox-staff", "staff@sandbox.invalid", "Sandbox", "Staff", False, "Not allowed to connect apps"),
    User(
        "sandbox-unverified",
        "unverified@sandbox.invalid",
        "Unverified",
        "Admin",
        True,
        "Admin whose e-mail address was never confirmed",
        email_verified=False,
    ),
)


def find(sub: str | None) -> User | None:
    """The user with this ``sub``, or None."""
    return next((user for user in USERS if user.sub == sub), None)


def companies(world: Any, user: User) -> list[dict[str, Any]]:
    """Companies this user may connect an app to, in order of creation; empty for who is no admin."""
    return list(world.store.all("intuit", "company")) if user.admin else []


def userinfo(world: Any, user: User, scopes: list[str], verified: bool) -> dict[str, Any]:
    """The claims of the userinfo endpoint, in Intuit's camelCase, as far as the scopes reach."""
    claims: dict[str, Any] = {"sub": user.sub}
    if "email" in scopes:
        claims |= {"email": user.email, "emailVerified": verified and user.email_verified}
    if "profile" in scopes:
        claims |= {"givenName": user.given, "familyName": user.family}
    if "phone" in scopes:
        claims |= {"phoneNumber": "+1 555 0100", "phoneNumberVerified": False}
    if "address" in scopes:
        claims["address"] = {"streetAddress": "1 Sandbox Street", "locality": "Sandbox"}
    return claims
