"""The signed-in person: profile, sessions, sign-out; and the demo's door."""

from blueprints.account import demo, profile  # noqa: F401
from blueprints.account.routes import blueprint

__all__ = ["blueprint"]
