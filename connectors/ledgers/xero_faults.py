"""What Xero's refusals mean: texts to our neutral words, and the shapes they arrive in. Pure.

Xero has no codes for what is wrong with a document, only sentences; unknown ones are permanent and shown verbatim.
Source: Xero "Response codes"; recorded answers of a demo company (docketworks), as the reference lists them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors import jsonbytes
from connectors.ledgers.base import LedgerFault, Refusal

_WORDS: tuple[tuple[str, Refusal], ...] = (
    ("invoice # must be unique", Refusal.DUPLICATE_NUMBER),
    ("number must be unique", Refusal.DUPLICATE_NUMBER),
    ("is already assigned to another contact", Refusal.DUPLICATE_NAME),
    ("price list item with code", Refusal.DUPLICATE_NAME),
    ("not of valid status for modification", Refusal.NOT_CHANGEABLE),
    ("purchaseorder status change is invalid", Refusal.NOT_CHANGEABLE),
    ("deleted purchaseorders cannot be updated", Refusal.NOT_CHANGEABLE),
    ("has a payment or credit note allocated", Refusal.NOT_CHANGEABLE),
    ("has payments or credit notes allocated", Refusal.NOT_CHANGEABLE),
    ("lock date", Refusal.CLOSED_PERIOD),
    ("has been archived", Refusal.BAD_REFERENCE),
    ("matched an archived contact", Refusal.BAD_REFERENCE),
    ("is not a valid code for this document", Refusal.BAD_REFERENCE),
    ("cannot be used with account code", Refusal.TAX),
    ("tax rate must be active", Refusal.TAX),
    ("taxtype code", Refusal.TAX),
    ("is not subscribed to currency", Refusal.CURRENCY),
    ("limit of invoices you can approve", Refusal.PLAN_LIMIT),
    ("does not match the expected line total", Refusal.AMOUNT),
    ("item code", Refusal.BAD_REFERENCE),
    ("tracking option", Refusal.BAD_REFERENCE),
    ("contact could not be found", Refusal.BAD_REFERENCE),
    ("due date", Refusal.DUE_DATE),
    ("cannot exceed", Refusal.TOO_LONG),
)
UNKNOWN_RECORD = (
    "Xero does not know a contact that is used here: it was deleted or merged, or belongs to another organisation."
)
_KEY = "idempotency key"
_SCOPES = re.compile(r"insuff?icient_scope", re.IGNORECASE)
_MESSAGE_MAX = 600


def element_faults(element: Mapping[str, Any]) -> tuple[LedgerFault, ...]:
    """Why one element was refused, its lines' reasons too. Never empty."""
    texts = dict.fromkeys(_messages(element))
    return tuple(fault(text) for text in texts) or (fault("Xero gave no reason."),)


def fault(text: str) -> LedgerFault:
    folded = text.casefold()
    refusal = next((meant for words, meant in _WORDS if words in folded), Refusal.OTHER)
    return LedgerFault(refusal, "", text[:_MESSAGE_MAX])


def warnings(element: Mapping[str, Any]) -> tuple[str, ...]:
    """What Xero took and found odd all the same."""
    rows = element.get("Warnings")
    found = [str(row.get("Message") or "").strip() for row in rows if isinstance(row, Mapping)] if isinstance(
        rows, list) else []  # fmt: skip
    return tuple(text for text in found if text)


def top_level(status: int, body: bytes) -> tuple[LedgerFault, ...] | None:
    """The faults of a whole answer; None when its body says nothing readable."""
    if status == 404:
        return (LedgerFault(Refusal.BAD_REFERENCE, "404", UNKNOWN_RECORD),)
    try:
        answer = jsonbytes.load(body)
    except ValueError:
        return None
    if not isinstance(answer, Mapping):
        return None
    elements = answer.get("Elements")
    texts = [text for element in elements for text in _messages(element)] if isinstance(elements, list) else []
    texts = texts or [str(answer.get("Message") or answer.get("Detail") or answer.get("Title") or "No text.")]
    code = str(answer.get("ErrorNumber") or status)
    return tuple(LedgerFault(fault(text).refusal, code, text[:_MESSAGE_MAX]) for text in dict.fromkeys(texts))


def key_was_used(reasons: Sequence[LedgerFault]) -> bool:
    """The key is known with another request: what became of that one is looked up."""
    return any(_KEY in one.message.casefold() for one in reasons)


def scopes_too_narrow(headers: Mapping[str, str]) -> bool:
    """Xero's own text has it misspelt in places."""
    return bool(_SCOPES.search(headers.get("WWW-Authenticate", "")))


def limit_named(text: str) -> str:
    """`day`, `minute`, `appminute` or `concurrent`, however Xero spells it; a minute where it says nothing known."""
    folded = text.casefold().replace(" ", "")
    if "appminute" in folded:
        return "appminute"
    if "concurrent" in folded:
        return "concurrent"
    return "day" if "day" in folded or "daily" in folded else "minute"


def plain(body: bytes) -> str:
    """A body that is no JSON, in one line."""
    text = " ".join(re.sub(r"<[^>]*>", " ", body.decode("utf-8", "replace")).split())
    return text[:200] or "no readable reason"


def sentence(faults: Sequence[LedgerFault]) -> str:
    return "; ".join(one.message for one in faults)


def _messages(value: Any) -> Iterator[str]:
    """Messages of `ValidationErrors`, wherever they stand inside an element."""
    if isinstance(value, Mapping):
        rows = value.get("ValidationErrors")
        for row in rows if isinstance(rows, list) else []:
            text = " ".join(str(row.get("Message") or "").split()) if isinstance(row, Mapping) else ""
            if text:
                yield text
        for name, inner in value.items():
            if name != "ValidationErrors":
                yield from _messages(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _messages(inner)
