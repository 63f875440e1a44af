"""Settings of a company: invoices with their versions, the ledger's lists, mails, people and invitations."""

from blueprints.settings import (  # noqa: F401
    currencies,
    history,
    invoices,
    line_map,
    lists,
    mails,
    orders,
    people,
    tax_map,
    transfer,
    wanted,
)
from blueprints.settings.routes import blueprint

__all__ = ["blueprint"]
