"""Addresses of records on the other side: the ledger's own page, and Autotask's. Pure; nothing is asked.

Autotask documents no page address for an invoice; the link opens the billed company, as its help describes
(ExecuteCommand.aspx, Code=OpenAccount). The sandbox has a page per invoice.
"""

from __future__ import annotations

from urllib.parse import quote

from blueprints.context import services
from connectors.ledgers.base import Kind
from models import Company
from sync import mirror


class NoTokens:
    """For a ledger that is only asked for an address."""

    def token(self) -> str:
        raise AssertionError("building an address asks nobody")

    def renew(self, rejected: str) -> str:
        raise AssertionError("building an address asks nobody")


def ledger_page(company: Company, kind: str, ledger_id: str) -> str:
    profile = mirror.profile_of(company) if company.profile else None
    ledger = services().platforms.ledger(company.ledger, company.ledger_tenant, NoTokens(), profile=profile)
    return ledger.link(Kind(kind), ledger_id)


def source_page(web_url: str, source_id: str, party_id: str | None) -> str:
    """`web_url` is the zone's own; it was checked against the allow-list when it was stored."""
    base = web_url.rstrip("/")
    if services().platforms.endpoints.sandbox is not None:
        return f"{base}/invoices/{quote(source_id)}"
    command = f"{base}/Autotask/AutotaskExtend/ExecuteCommand.aspx?Code=OpenAccount&AccountID="
    return f"{command}{quote(party_id or '')}"
