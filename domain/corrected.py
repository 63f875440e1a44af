"""The invoice a credit corrects, where the source shows it. Pure (R64).

Autotask's lines have no field for it (developer help, BillingItems): what shows it is a number in a line's text, or in
the invoice's comments, that an invoice of the same customer bears. Told in the private note and on the page; the
credit is applied by whoever keeps the books.
"""

from __future__ import annotations

import re

from domain.documents import SourceDocument
from domain.known import Lists

_TOKEN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./_-]*[A-Za-z0-9])?")
SHORTEST = 4
"""Shorter numbers stand in texts for too many other things."""


def named_numbers(document: SourceDocument) -> tuple[str, ...]:
    """What in a credit's texts may be an invoice's number, in their order; empty for an invoice."""
    if document.header.total >= 0:
        return ()
    texts = [document.header.comments or ""]
    texts += [text for line in document.lines for text in (line.text, line.name, line.group_text)]
    found = (token for text in texts for token in _TOKEN.findall(text))
    own = document.header.number
    return tuple(dict.fromkeys(t for t in found if len(t) >= SHORTEST and any(c.isdigit() for c in t) and t != own))


def corrected_numbers(document: SourceDocument, lists: Lists) -> tuple[str, ...]:
    """Those of them that are invoices of the same customer in the ledger."""
    party = document.header.party_id
    return tuple(number for number in named_numbers(document) if (party, number) in lists.posted)
