"""CSV downloads: UTF-8 with a mark for spreadsheets, and a row in the audit trail for each (who took what out)."""

from __future__ import annotations

from flask import Response

from blueprints.context import company, now, the_user, writing
from sync import audit


def csv_file(text: str, name: str, what: str) -> Response:
    """`text` is finished CSV whose cells are safe; `what` says in the audit trail what was exported."""
    with writing() as write:
        audit.record(write, company().id, now(), the_user().email, "exported", what)
    return csv_answer(text, name)


def csv_answer(text: str, name: str) -> Response:
    """The download itself; whoever calls it has written the audit trail or answers a recipient's signed link."""
    return Response(
        text.encode("utf-8-sig"),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
