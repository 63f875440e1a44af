"""The whole message of an outbox row: headers, plain text, HTML and, for reports, the CSV. Reads only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy.orm import Session

from domain import formats
from domain.ledger_words import words_of
from domain.mails import is_address
from domain.statuses import RunState
from models import Company, Outbox, Run
from sync import mail_digest, mail_links, mail_report, reports, settings, tool_report

Attachment = tuple[str, str]
TEMPLATES = {"digest": "report", "alert": "problem"}
"""Kinds of mail whose template has another name."""


@dataclass(frozen=True, slots=True)
class Post:
    """How this installation sends: server, sender, its own address, the key of its links, its rule for strangers."""

    smtp_url: str
    mail_from: str
    public_url: str
    secret: str
    strangers: str = "notice"
    """`notice`, `full` or `never`: what an address gets that the company does not know."""

    @property
    def base(self) -> str:
        return self.public_url.rstrip("/")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates of mails: autoescaped HTML, strict about missing values, the wording of `domain.formats`."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent.parent / "templates"),
        autoescape=select_autoescape(("html",)), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    made.filters.update(formats.FILTERS)
    return made


def message_id(row: Outbox, post: Post) -> str:
    """The Message-ID of a row, the same at every try. It names no address and cannot be guessed from outside."""
    mark = hashlib.sha256(f"{post.secret}:{row.id}:{row.again}".encode()).hexdigest()[:16]
    domain = parseaddr(post.mail_from)[1].rpartition("@")[2] or "localhost"
    return f"<{row.id}.{row.again}.{mark}@{domain}>"


def compose(db: Session, row: Outbox, post: Post, now: datetime) -> EmailMessage:
    """The message as it goes now. A report's figures are those of this moment; its Message-ID is the row's."""
    company = db.get_one(Company, row.company_id)
    context, attachment = _content(db, row, company, post, now)
    preferences = ""
    if row.kind != "invitation":
        preferences = mail_links.sign(post.secret, mail_links.PREFERENCES, _link(row, now))
        context["preferences_url"] = f"{post.base}/mail/preferences/{preferences}"
    return _message(row, context, post, now, attachment, preferences)


def _link(row: Outbox, now: datetime) -> mail_links.Link:
    return mail_links.Link(row.company_id, row.recipient, row.run_id or 0, now)


def _content(
    db: Session, row: Outbox, company: Company, post: Post, now: datetime
) -> tuple[dict[str, Any], Attachment | None]:
    ledger = words_of(company.ledger).ledger_in_full
    if row.kind in ("digest", "problems"):
        return mail_digest.content(db, row, company, post.public_url)
    if row.kind in ("report", "notice", "tool", "tool_notice"):
        run = db.get_one(Run, row.run_id)
        context, attachment = _of_run(db, row, company, run, post)
        if row.kind in ("notice", "tool_notice"):
            link = _link(row, now)
            token = mail_links.sign(post.secret, mail_links.REPORT, link)
            context |= {"show_url": f"{post.base}/mail/report/{token}", "until": link.until}
        return context, attachment
    instants = {key: datetime.fromisoformat(row.data[key]) for key in ("at", "expires_at") if key in row.data}
    context = {"company": company.name, "ledger": ledger, "words": words_of(company.ledger), **row.data, **instants}
    if row.kind == "alert":
        context |= _alert(db, company, row, post)
    return context, None


def _of_run(
    db: Session, row: Outbox, company: Company, run: Run, post: Post
) -> tuple[dict[str, Any], Attachment | None]:
    ledger = words_of(company.ledger).ledger_in_full
    if row.kind in ("tool", "tool_notice"):
        context = tool_report.mail_context(db, company, run, post.public_url)
        if row.kind == "tool" and run.state != RunState.FAILED:
            text = tool_report.csv_text(run, tool_report.rows_of(db, run), ledger)
            return context, (tool_report.csv_name(run), text)
        return context, None
    context = mail_report.context(db, company, run, post.public_url, notice=row.kind == "notice")
    if row.kind == "notice":
        return context, None
    return context, (str(context["csv_name"]), reports.csv_text(reports.items(db, run.id), run.id, ledger))


def _alert(db: Session, company: Company, row: Outbox, post: Post) -> dict[str, Any]:
    zone = settings.load_invoices(db, company.id).time_zone
    base = f"{post.base}/c/{company.id}"
    return {
        "zone": zone, "zone_name": zone.rpartition("/")[2].replace("_", " ") + " time",
        "url": base + row.data["path"], "settings_url": f"{base}/settings/mails",
        "why_you": f"You get this because your address receives the alarms of {company.name}.",
    }


def _message(
    row: Outbox, context: dict[str, Any], post: Post, now: datetime, attachment: Attachment | None, preferences: str
) -> EmailMessage:
    """Raises ValueError for a recipient that is not one plain address: nothing else gets into a header (S30)."""
    if not is_address(row.recipient):
        raise ValueError("the recipient is not an address")
    message = EmailMessage()
    name, address = parseaddr(post.mail_from)
    local, _, domain = row.recipient.rpartition("@")
    message["Subject"] = " ".join(str(context["subject"]).split())[:180]
    message["From"] = Address(name, addr_spec=address)
    message["To"] = Address(username=local, domain=domain)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = row.message_id or message_id(row, post)
    message["Auto-Submitted"] = "auto-generated"
    if preferences:
        message["List-Unsubscribe"] = f"<{post.base}/mail/unsubscribe/{preferences}?kind={row.kind}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    template = TEMPLATES.get(row.kind, row.kind)
    message.set_content(environment().get_template(f"mail/{template}.txt").render(context))
    message.add_alternative(environment().get_template(f"mail/{template}.html").render(context), subtype="html")
    if attachment is not None:
        file, text = attachment
        message.add_attachment(text.encode("utf-8-sig"), maintype="text", subtype="csv", filename=file)
    return message
