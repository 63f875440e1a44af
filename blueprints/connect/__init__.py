"""Launch, sign-in and consent, the Autotask connection, disconnecting, the first scan and the first posting."""

from blueprints.connect import (  # noqa: F401
    autotask,
    cards,
    first,
    invitation,
    joining,
    pages,
    review,
    scan,
    signin_intuit,
    signin_xero,
)
from blueprints.connect.routes import blueprint

__all__ = ["blueprint"]
