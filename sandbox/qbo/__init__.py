"""The simulated QuickBooks Online company: REST API, rules and double-entry books.

``profiles.create_company`` makes a company, ``books.documents`` says what stands in its books, ``api`` is the
HTTP side. Nothing here is shared with the application that talks to it.
"""

from sandbox.qbo.api import blueprint

__all__ = ["blueprint"]
