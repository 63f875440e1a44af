"""Settings of a company: invoices with their versions, the ledger's lists, mails, people and invitations."""

from blueprints.settings import currencies, history, invoices, line_map, lists, mails, people, tax_map, transfer, wanted  # noqa: F401
from blueprints.settings.routes import blueprint

__all__ = ["blueprint"]
