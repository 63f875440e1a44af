"""The simulated Xero Accounting API under ``/xero/api/api.xro/2.0``: documents, lists, books. See README.md."""

from __future__ import annotations

from typing import Any

from flask import Blueprint


def blueprint(world: Any) -> Blueprint:
    """All routes of the API."""
    from sandbox.xero import api

    return api.blueprint(world)
