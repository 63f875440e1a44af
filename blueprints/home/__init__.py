"""Home of a company, the board of all companies, the list of documents and one document."""

from blueprints.home import (  # noqa: F401
    actions,
    approve,
    boards,
    customer,
    dashboard,
    delivery,
    differs,
    document,
    documents,
    hold,
    marker,
    no_company,
    order,
    pause,
    preview,
    reissue,
    resync,
    review,
    trace,
)
from blueprints.home.routes import blueprint

__all__ = ["blueprint"]
