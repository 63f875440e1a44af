"""Launch, sign-in and consent, the Autotask connection, disconnecting, the first scan and the first posting."""

from blueprints.connect import autotask, cards, first, invitation, joining, pages, review, scan, signin, signin_xero  # noqa: F401
from blueprints.connect.routes import blueprint

__all__ = ["blueprint"]
