"""Logs: runs, one run with its records and report, errors by cause, the step log of one document."""

from blueprints.logs import errors, history, mails, run, steps  # noqa: F401
from blueprints.logs.routes import blueprint

__all__ = ["blueprint"]
