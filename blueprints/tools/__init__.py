"""The tools. Each answers at once; what takes time is a run with a page of its own."""

from blueprints.tools import (  # noqa: F401
    check,
    compare,
    in_process,
    list_compare,
    manual_copy,
    orders,
    reconcile,
    results,
    sync_now,
    troubleshoot,
)
from blueprints.tools.routes import blueprint

__all__ = ["blueprint"]
