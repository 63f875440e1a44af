"""From the token of a mail's link to what it opens; a page of its own for one that opens nothing any more."""

from __future__ import annotations

from flask import g, render_template
from flask.typing import ResponseReturnValue

from blueprints.context import db, now, services
from models import Company
from sync import addresses
from sync.mail_links import PREFERENCES, REPORT, Link, read, sign


def opened(purpose: str, token: str) -> tuple[Link, Company] | None:
    """Link and company of a token; None when we did not sign it, it is too old, or an admin removed the address."""
    link = read(services().config.secret_key, purpose, token)
    company = db().get(Company, link.company_id) if link is not None else None
    if link is None or company is None:
        return None
    if purpose == REPORT:
        row = addresses.find(db(), company.id, link.address)
        removed = row is not None and row.removed_at is not None and link.made_at <= row.removed_at
        if now() > link.until or removed:
            return None
    g.zone = company.time_zone
    return link, company


def gone() -> ResponseReturnValue:
    return render_template("mails/gone.html"), 410


def preferences_token(company_id: int, address: str) -> str:
    link = Link(company_id, address, 0, now())
    return sign(services().config.secret_key, PREFERENCES, link)
