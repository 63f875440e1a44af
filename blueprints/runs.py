"""What every page of a run needs: the run itself, of this company only, its title, what became of its mails."""

from __future__ import annotations

from typing import Any

from flask import g, url_for
from sqlalchemy import or_, select

from blueprints.access import Need, may
from blueprints.context import company, db, now
from blueprints.problems import Problem
from domain.formats import format_moment
from models import MailRun, Outbox, Run
from sync import addresses, resending
from sync.tool_report import TOOLS

TITLES = {
    "sync": "Sync Invoices Now", "first_scan": "First scan", "first_posting": "First posting", "retry": "Retry",
    "release": "Release", "what_if": "What would change",
}  # fmt: skip
TITLES |= {kind: tool.title for kind, tool in TOOLS.items()}
SCHEDULED = "Automatic sync"
MAIL_STATES = {
    "due": "queued", "sending": "queued", "sent": "sent", "refused": "refused", "unsure": "waiting",
    "bounced": "bounced", "withheld": "refused",
}  # fmt: skip
NOTICES = ("notice", "tool_notice")


def find(run_id: int) -> Run:
    """A run of this company, or 404."""
    found = db().get(Run, run_id)
    if found is None or found.company_id != company().id:
        raise Problem(404, "404")
    return found


def mail_rows(found: Run) -> list[dict[str, Any]]:
    """What became of each mail that tells of a run, its own and collected ones."""
    collected = select(MailRun.outbox_id).where(MailRun.run_id == found.id)
    rows = db().scalars(
        select(Outbox)
        .where(Outbox.company_id == found.company_id, or_(Outbox.run_id == found.id, Outbox.id.in_(collected)))
        .order_by(Outbox.id)
    )
    return [_mail(row, found) for row in rows]


def _mail(row: Outbox, found: Run) -> dict[str, Any]:
    state, note = MAIL_STATES.get(row.state, "queued"), _note(row)
    if row.kind in NOTICES and row.state == "sent":
        address = addresses.find(db(), row.company_id, row.recipient)
        opened = address is not None and address.known_at is not None
        state = "sent" if opened else "waiting"
        note += ", opened" if opened else ": waiting for the first click, as the address is not known here yet"
    again = may(g.role, Need.STAFF) and not resending.trouble(row, now())
    return {
        "address": row.recipient,
        "state": state,
        "note": note,
        "again_url": url_for("logs.send_again", run_id=found.id, mail_id=row.id) if again else "",
    }


def _note(row: Outbox) -> str:
    zone = company().time_zone
    what = {"digest": "with the collected report, ", "problems": "problems, "}.get(row.kind, "")
    if row.kind in NOTICES:
        what = "notice without figures, "
    if row.state == "sent":
        return f"{what}sent {format_moment(row.sent_at, zone)}" if row.sent_at else f"{what}sent"
    if row.state in ("due", "sending"):
        if row.problem:
            return f"{what}tried again: {row.problem}"
        later = row.next_at is not None and row.next_at > now()
        return f"{what}goes {format_moment(row.next_at, zone)}" if later and row.next_at else f"{what}on its way"
    if row.state == "unsure":
        return f"{what}not certain whether it arrived: {row.problem or ''}".rstrip(": ")
    words = {"bounced": "came back: ", "refused": "refused: "}.get(row.state, "")
    return f"{what}{words}{row.problem or 'the mail server did not say why'}"


def run_title(run: Run) -> str:
    return SCHEDULED if run.trigger == "schedule" else TITLES.get(run.kind, run.kind.capitalize())
