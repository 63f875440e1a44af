"""Home of a company, the board of all companies, the list of documents and one document."""

from blueprints.home import actions, boards, customer, dashboard, document, documents, hold, review  # noqa: F401
from blueprints.home.routes import blueprint

__all__ = ["blueprint"]
