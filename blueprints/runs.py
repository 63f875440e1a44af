"""What every page of a run needs: the run itself, of this company only, its title, what became of its mails."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from blueprints.context import company, db
from blueprints.problems import Problem
from domain.formats import format_clock
from models import Outbox, Run
from sync.tool_report import TOOLS

TITLES = {"sync": "Sync Invoices Now", "first_scan": "First scan", "first_posting": "First posting", "retry": "Retry",
          "release": "Release"}
TITLES |= {kind: tool.title for kind, tool in TOOLS.items()}
SCHEDULED = "Automatic sync"
MAIL_STATES = {"due": "queued", "sending": "queued", "sent": "sent", "refused": "refused", "unsure": "waiting"}


def find(run_id: int) -> Run:
    """A run of this company, or 404."""
    found = db().get(Run, run_id)
    if found is None or found.company_id != company().id:
        raise Problem(404, "404")
    return found


def mail_rows(found: Run) -> list[dict[str, Any]]:
    """What became of each mail of a run."""
    rows = db().scalars(select(Outbox).where(Outbox.run_id == found.id).order_by(Outbox.id)).all()
    return [_mail(row) for row in rows]


def _mail(row: Outbox) -> dict[str, Any]:
    zone = company().time_zone
    notes = {
        "sent": f"sent at {format_clock(row.sent_at, zone)}" if row.sent_at else "sent",
        "queued": "on its way" if not row.problem else f"tried again: {row.problem}",
        "refused": row.problem or "refused by the mail server",
        "waiting": row.problem or "not certain whether it arrived",
    }
    state = MAIL_STATES.get(row.state, "queued")
    note = notes[state] + (
        ", without figures because the address is not known here yet" if row.kind in ("notice", "tool_notice") else ""
    )
    return {"address": row.recipient, "state": state, "note": note, "again_url": ""}


def run_title(run: Run) -> str:
    return SCHEDULED if run.trigger == "schedule" else TITLES.get(run.kind, run.kind.capitalize())
