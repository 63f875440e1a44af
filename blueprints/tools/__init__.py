"""The tools. Each answers at once; what takes time is a run with a page of its own."""

from blueprints.tools import check, compare, in_process, list_compare, manual_copy, results, sync_now  # noqa: F401
from blueprints.tools.routes import blueprint

__all__ = ["blueprint"]
