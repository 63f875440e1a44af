"""Delivering the outbox: render, send over SMTP, note what became of it. At most one mail per (run, recipient).

A row is SENDING in a committed transaction before the first byte; when the process dies after that, the row becomes
`unsure` and is shown with *Send again* rather than sent twice (I17).
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from domain import formats
from domain.statuses import RunState
from models import Company, Outbox, Run
from sync import mail_report, reports, tool_report

TIMEOUT_S = 20
MAX_TRIES = 8
STUCK = timedelta(minutes=10)


def deliver(
    sessions: sessionmaker[Session], now: Callable[[], datetime], smtp_url: str, mail_from: str, public_url: str
) -> int:
    """Send what is due; returns how many were sent. Safe to run side by side and to repeat."""
    sent = 0
    with sessions() as db, db.begin():
        db.execute(
            update(Outbox).where(Outbox.state == "sending", Outbox.next_at < now() - STUCK)
            .values(state="unsure", problem="The process ended while it was being sent.")
        )
    while True:
        claimed = _claim(sessions, now())
        if claimed is None:
            return sent
        sent += _send_one(sessions, now, claimed, smtp_url, mail_from, public_url)


def _claim(sessions: sessionmaker[Session], now: datetime) -> int | None:
    with sessions() as db, db.begin():
        row_id = db.execute(
            select(Outbox.id).where(Outbox.state == "due", Outbox.next_at <= now).order_by(Outbox.id).limit(1)
        ).scalar_one_or_none()
        if row_id is None:
            return None
        return db.execute(
            update(Outbox).where(Outbox.id == row_id, Outbox.state == "due")
            .values(state="sending", next_at=now, tries=Outbox.tries + 1).returning(Outbox.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()


def _send_one(
    sessions: sessionmaker[Session], now: Callable[[], datetime], row_id: int, smtp_url: str, mail_from: str,
    public_url: str,
) -> int:
    with sessions() as db:
        row = db.get_one(Outbox, row_id)
        message = compose(db, row, mail_from, public_url, now())
    state, problem, wait = "sent", None, None
    try:
        with _connect(smtp_url) as server:
            refused = server.send_message(message)
            if refused:
                state, problem = "refused", "; ".join(str(reply) for reply in refused.values())
    except smtplib.SMTPRecipientsRefused as error:
        state, problem, wait = _refusal(error)
    except smtplib.SMTPResponseException as error:
        passing = 400 <= error.smtp_code < 500
        state, problem, wait = ("due" if passing else "refused"), _words(error.smtp_error), 60.0
    except (OSError, smtplib.SMTPException) as error:
        state, problem, wait = "due", f"The mail server did not answer ({type(error).__name__}).", 30.0
    with sessions() as db, db.begin():
        row = db.get_one(Outbox, row_id)
        if state == "due" and row.tries >= MAX_TRIES:
            state = "refused"
        row.state, row.problem = state, problem
        row.sent_at = now() if state == "sent" else None
        if state == "sent" and row.kind == "invitation":
            row.data = {}  # the link in it is a secret
        row.next_at = now() + timedelta(seconds=(wait or 30.0) * 2 ** min(row.tries, 6)) if state == "due" else None
    return int(state == "sent")


def _refusal(error: smtplib.SMTPRecipientsRefused) -> tuple[str, str, float]:
    code, words = next(iter(error.recipients.values()))
    return ("due" if 400 <= code < 500 else "refused"), _words(words), 60.0


def _words(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply


def _connect(smtp_url: str) -> smtplib.SMTP:
    """`smtp://[user:password@]host:port`, `smtp+starttls://…` or `smtps://…`."""
    parts = urlsplit(smtp_url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    server = kind(host, port, timeout=TIMEOUT_S)
    if parts.scheme == "smtp+starttls":
        server.starttls()
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


# ---- the message --------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates of mails: autoescaped HTML, strict about missing values, the wording of `domain.formats`."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent.parent / "templates"),
        autoescape=select_autoescape(("html",)), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    made.filters.update(formats.FILTERS)
    return made


def compose(db: Session, row: Outbox, mail_from: str, public_url: str, now: datetime) -> EmailMessage:
    """The whole message of an outbox row: plain text, HTML and, for reports, the CSV."""
    company = db.get_one(Company, row.company_id)
    attachment: tuple[str, str] | None = None
    if row.kind in ("report", "notice"):
        run = db.get_one(Run, row.run_id)
        context = mail_report.context(db, company, run, public_url, notice=row.kind == "notice")
        if row.kind == "report":
            name = str(context["csv_name"])
            ledger = mail_report.LEDGERS[company.ledger]
            attachment = (name, reports.csv_text(reports.items(db, run.id), run.id, ledger))
    elif row.kind in ("tool", "tool_notice"):
        run = db.get_one(Run, row.run_id)
        context = tool_report.mail_context(db, company, run, public_url)
        if row.kind == "tool" and run.state != RunState.FAILED:
            ledger = mail_report.LEDGERS[company.ledger]
            attachment = (tool_report.csv_name(run), tool_report.csv_text(run, tool_report.rows_of(db, run), ledger))
    else:
        instants = {key: datetime.fromisoformat(row.data[key]) for key in ("at", "expires_at") if key in row.data}
        context = {"company": company.name, "ledger": mail_report.LEDGERS[company.ledger], **row.data, **instants}
    return _message(row.kind, context, row.recipient, mail_from, attachment)


def _message(
    kind: str, context: dict[str, Any], recipient: str, mail_from: str, attachment: tuple[str, str] | None
) -> EmailMessage:
    message = EmailMessage()
    name, address = parseaddr(mail_from)
    local, _, domain = recipient.rpartition("@")
    message["Subject"] = " ".join(str(context["subject"]).split())[:180]
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(username=local, domain=domain)
    message["Date"] = formatdate(localtime=False)
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(environment().get_template(f"mail/{kind}.txt").render(context))
    message.add_alternative(environment().get_template(f"mail/{kind}.html").render(context), subtype="html")
    if attachment is not None:
        name, text = attachment
        message.add_attachment(text.encode("utf-8-sig"), maintype="text", subtype="csv", filename=name)
    return message
