"""The row of tools at the foot of Settings, in the order and the words their users know."""

from __future__ import annotations

from flask import current_app, url_for

TOOLS = (
    ("compare items", "tools.compare"),
    ("Check for Invoices", "tools.check"),
    ("Sync Invoices Now", "tools.sync_now"),
    ("Manually Copy an Invoice", "tools.manual_copy"),
    ("Troubleshoot", "tools.troubleshoot"),
    ("View Error Logs", "logs.errors"),
    ("Clear In-Process Status", "tools.in_process"),
)
"""Button and endpoint. A tool that this installation has no page for is not shown."""


def tools_row() -> list[dict[str, str]]:
    """`tools_row` of settings/_tools_row.html."""
    there = current_app.view_functions
    return [{"label": label, "url": url_for(endpoint)} for label, endpoint in TOOLS if endpoint in there]
