"""The two texts of a ledger document: the private note (always ours) and the memo its customer reads (chosen). Pure.

The marker that proves a document to be ours goes with the private note and is added by the ledger's connector.
"""

from __future__ import annotations

from domain.documents import SourceHeader
from domain.formats import format_long_day
from domain.matching import fit_repertoire
from domain.settings import InvoiceSettings


def private_note(header: SourceHeader, remark: str = "") -> str:
    """Where the document comes from, and what was done to its date, for the people who keep the books."""
    order = f"order {header.order_number}" if header.order_number else ""
    return ", ".join(filter(None, (f"Autotask invoice {header.number or header.id}", order, remark)))


def customer_memo(
    header: SourceHeader, settings: InvoiceSettings, limit: int, *, latin1_only: bool
) -> tuple[str, str | None]:
    """What the customer reads on the document, a line for each switch, and a note when it had to be cut.

    Comments come last: they are the only part of any length, so a cut takes theirs first.
    """
    parts = []
    if settings.memo_order_number and header.order_number:
        parts.append(f"Order number: {header.order_number}")
    if settings.memo_tax_group and header.tax_region:
        parts.append(f"Tax group: {header.tax_region}")
    if settings.memo_invoice_date:
        parts.append(f"Invoice date: {format_long_day(header.document_date)}")
    if settings.memo_comments and (header.comments or "").strip():
        parts.append((header.comments or "").strip())
    memo = fit_repertoire("\n".join(parts), latin1_only=latin1_only).strip()
    if len(memo) <= limit:
        return memo, None
    return memo[: limit - 4].rstrip() + " ...", f"The customer memo was cut to {limit:,} characters."
