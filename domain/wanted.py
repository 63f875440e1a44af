"""Which document a person means: an id, a number, or the address of its page in the source. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

LONGEST = 300
_ID = re.compile(r"[1-9][0-9]{0,17}")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for; an input of digits alone may be either. "" means: not this way."""

    id: str = ""
    number: str = ""

    @property
    def nothing(self) -> bool:
        return not self.id and not self.number


def wanted(text: str) -> Wanted:
    """Read an input. A pasted address gives the invoice's id or number by the parameter that names it, else the
    last number of its path. Nothing that can be read gives an empty value."""
    text = text.strip()
    if not text or len(text) > LONGEST or any(ord(character) < 32 for character in text):
        return Wanted()
    if _ADDRESS.fullmatch(text):
        return _of_address(text)
    return Wanted(text if _ID.fullmatch(text) else "", text)


def _of_address(text: str) -> Wanted:
    try:
        parts = urlsplit(text)
    except ValueError:
        return Wanted()
    for name, value in parse_qsl(parts.query):
        key = re.sub(r"[^a-z]", "", name.casefold())
        if key in ("invoicenumber", "purchaseordernumber") and value.strip():
            return Wanted(number=value.strip())
        if key in ("invoiceid", "invoice", "purchaseorderid", "purchaseorder", "id") and _ID.fullmatch(value.strip()):
            return Wanted(id=value.strip())
    found = [piece for piece in parts.path.split("/") if _ID.fullmatch(piece)]
    return Wanted(id=found[-1]) if found else Wanted()
