"""What QuickBooks' refusals mean: fault codes to our neutral words, and the shapes they arrive in. Pure.

Source: Intuit "Error codes" and "Handling common errors"; the gateway's lower-case JSON and the XML of 401/429
are as recorded in the public issues of python-quickbooks (#43, #83, #118).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connectors import jsonbytes
from connectors.ledgers.base import LedgerFault, Outcome, Refusal, Refused, Unknown

_BY_CODE: dict[str, Refusal] = {
    "140": Refusal.TRANSIENT,
    "150": Refusal.TRANSIENT,
    "500": Refusal.UNSUPPORTED,
    "610": Refusal.BAD_REFERENCE,
    "620": Refusal.BAD_REFERENCE,
    "2050": Refusal.TOO_LONG,
    "2290": Refusal.AMOUNT,
    "2500": Refusal.BAD_REFERENCE,
    "5010": Refusal.STALE,
    "5020": Refusal.FEATURE_OFF,
    "5030": Refusal.FEATURE_OFF,
    "6070": Refusal.AMOUNT,
    "6100": Refusal.TAX,
    "6140": Refusal.DUPLICATE_NUMBER,
    "6170": Refusal.TAX,
    "6190": Refusal.SUBSCRIPTION,
    "6200": Refusal.CLOSED_PERIOD,
    "6210": Refusal.CLOSED_PERIOD,
    "6240": Refusal.DUPLICATE_NAME,
    "6430": Refusal.BAD_REFERENCE,
    "6470": Refusal.TAX,
    "7001": Refusal.SUBSCRIPTION,
}
# The one variant of 6000 that passes by itself.
_TRANSIENT_6000 = "please wait a few minutes and try again"
_TAX_WORDS = re.compile(r"\b(vat|gst|sales tax|tax rate|tax code)\b", re.IGNORECASE)
_UNFIT = re.compile(r"\bpurchasable\b", re.IGNORECASE)
_DUE_DATE = re.compile(r"\bdue ?date\b", re.IGNORECASE)
_NAMED_ID = re.compile(r"\b(?:TxnId|Id)\s*=\s*(\d+)")
_MESSAGE_MAX = 600

# Codes after which the record may exist all the same: a system failure says nothing about the write, and a
# duplicate request id means that an earlier send of this very key is known to the service.
_UNDECIDED = frozenset({"10000", "600"})


def faults_of(fault: Mapping[str, Any]) -> tuple[LedgerFault, ...]:
    """All errors of one `Fault` object, upper- or lower-case keys. Never empty."""
    errors = fault.get("Error") or fault.get("error") or []
    found = [_one(error) for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    return tuple(found) or (LedgerFault(Refusal.OTHER, "", "QuickBooks gave no reason."),)


def outcome_of(fault: Mapping[str, Any]) -> Outcome:
    """A batch member's fault: a definite no, or Unknown where the service itself failed in the middle."""
    faults = faults_of(fault)
    if any(one.code in _UNDECIDED for one in faults) or str(fault.get("type", "")).lower() == "systemfault":
        return Unknown(f"QuickBooks answered {faults[0].code}: {faults[0].message}")
    return Refused(faults)


def top_level(body: bytes) -> tuple[LedgerFault, ...] | None:
    """The faults of a whole answer in any of the three shapes; None when it is none of them (HTML, nothing)."""
    text = body.decode("utf-8", "replace").lstrip()
    if text.startswith("<"):
        return _from_xml(text)
    try:
        answer = jsonbytes.load(text)
    except ValueError:
        return None
    if not isinstance(answer, dict):
        return None
    fault = answer.get("Fault") or answer.get("fault")
    return faults_of(fault) if isinstance(fault, Mapping) else None


def sentence(faults: Sequence[LedgerFault]) -> str:
    return "; ".join(one.message for one in faults)


def _one(error: Mapping[str, Any]) -> LedgerFault:
    code = str(error.get("code") or "")
    message = _flat(error.get("Message") or error.get("message"))
    detail = _flat(error.get("Detail") or error.get("detail"))
    text = (detail if not message or detail.startswith(message) else f"{message}: {detail}".rstrip(": ")) or "No text."
    named = _NAMED_ID.search(detail) if code in ("6140", "6240") else None
    return LedgerFault(_refusal(code, text), code, text[:_MESSAGE_MAX], named.group(1) if named else None)


def _refusal(code: str, text: str) -> Refusal:
    if code == "6000":
        if _TRANSIENT_6000 in text.lower():
            return Refusal.TRANSIENT
        if _DUE_DATE.search(text):
            return Refusal.DUE_DATE
        if _UNFIT.search(text):
            return Refusal.BAD_REFERENCE
        return Refusal.TAX if _TAX_WORDS.search(text) else Refusal.OTHER
    return _BY_CODE.get(code, Refusal.OTHER)


def _from_xml(text: str) -> tuple[LedgerFault, ...] | None:
    """The few fields by pattern: a parser that expands entities has no business with an error page."""
    if "<Fault" not in text:
        return None
    code = re.search(r'<Error[^>]*\bcode="(\d+)"', text)
    message = re.search(r"<Message>(.*?)</Message>", text, re.DOTALL)
    detail = re.search(r"<Detail>(.*?)</Detail>", text, re.DOTALL)
    error = {
        "code": code.group(1) if code else "",
        "Message": message.group(1) if message else "",
        "Detail": detail.group(1) if detail else "",
    }
    return (_one(error),)


def _flat(value: object) -> str:
    return " ".join(str(value or "").split())
