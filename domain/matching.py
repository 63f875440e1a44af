"""When two names mean the same record: folding, similarity, and names a ledger can take. Pure.

`fold` decides sameness: case, Unicode form and spacing set aside. `loose` decides similarity: punctuation and
legal-form words set aside too, digits never, so "Acme 2 Ltd" is not similar to "Acme 3 Limited".
"""

from __future__ import annotations

import re
import unicodedata

_LEGAL_FORMS = frozenset((
    "ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "limited",
    "llc", "llp", "lp", "ltd", "nv", "oy", "plc", "pte", "pty", "sa", "sarl", "srl", "the",
))
_SPACES = re.compile(r"\s+")
_NOT_WORD = re.compile(r"[^\w]+")
_APOSTROPHES = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]")
_DOTTED = re.compile(r"(?<=\b\w)\.(?=\w\b)")


def fold(name: str) -> str:
    """The form in which equal names are equal (QuickBooks ignores case; blanks at the ends never count)."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", name)).strip().casefold()


def loose(name: str) -> str:
    """The form in which similar names are equal. Never empty: a name made of legal forms alone keeps them."""
    plain = _APOSTROPHES.sub("", _DOTTED.sub("", fold(name))).replace("&", " and ")
    words = [word for word in _NOT_WORD.sub(" ", plain).replace("_", " ").split() if word != "and"]
    kept = [word for word in words if word not in _LEGAL_FORMS] or words
    return "".join(kept) or fold(name)


def party_number(prefix: str, source_id: str) -> str | None:
    """The number that a ledger record of a source party bears; None for what only stands in for a party."""
    return f"{prefix}{source_id}" if prefix and source_id.isdigit() else None


def ledger_name(name: str, limit: int, *, latin1_only: bool = False) -> str:
    """A name as a ledger can keep it: no colon, tab or line break, trimmed, cut to `limit` characters.

    QuickBooks refuses `:` in names (it separates parents) and keeps ISO-8859-1 only in US companies.
    """
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", name)).replace(":", " -")
    return fit_repertoire(text, latin1_only=latin1_only).strip()[:limit].rstrip()


def fit_repertoire(text: str, *, latin1_only: bool) -> str:
    """Text with characters outside ISO-8859-1 replaced by their plain form or dropped, where the ledger needs it."""
    if not latin1_only:
        return text
    out: list[str] = []
    for character in text:
        if ord(character) < 256:
            out.append(character)
            continue
        plain = unicodedata.normalize("NFKD", _PLAIN.get(character, character))
        out.append("".join(c for c in plain if ord(c) < 256))
    return "".join(out)


_PLAIN = {
    "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{HORIZONTAL ELLIPSIS}": "...", "\N{EURO SIGN}": "EUR",
}
