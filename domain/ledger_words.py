"""What each ledger calls itself and its records, and the tokens that stand for it in our texts. Pure.

Texts say `{the_ledger}` and its kin instead of a name. Reasons are filled when they are told; texts that are stored are
filled when they are written, by the company they belong to; a page fills what is left (`blueprints.presentation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Words:
    """One ledger's words. The name of a field is its token; capitalised, it begins a sentence."""

    the_ledger: str
    """As sentences name it."""
    the_ledgers: str
    """Whose it is."""
    ledger_in_full: str
    ledger_sign_in: str
    """Whose account people sign in with."""
    ledger_apps: str
    """Where an admin sees and disconnects apps, inside the ledger."""
    credit_memo: str
    credit_memos: str
    class_word: str
    """What a line can be counted under."""
    location_word: str
    tracking_section: str
    """The section of Settings that decides about both."""
    own_numbers_where: str
    """Where the ledger is told to take or to make numbers."""
    audit_log: str

    def fill(self, text: str) -> str:
        """The text with every token replaced; what is no token stays as it is."""
        if "{" not in text:
            return text
        for name, word in self.tokens().items():
            begun = word[:1].upper() + word[1:]
            text = text.replace(f"{{{name}}}", word).replace(f"{{{name.capitalize()}}}", begun)
        return text

    def tokens(self) -> dict[str, str]:
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}


QUICKBOOKS = Words(
    the_ledger="QuickBooks",
    the_ledgers="QuickBooks’",
    ledger_in_full="QuickBooks Online",
    ledger_sign_in="Intuit",
    ledger_apps="Apps, My apps",
    credit_memo="credit memo",
    credit_memos="credit memos",
    class_word="class",
    location_word="location",
    tracking_section="Class and location",
    own_numbers_where="Gear, Account and settings, Sales, Sales form content, Custom transaction numbers",
    audit_log="audit log",
)
XERO = Words(
    the_ledger="Xero",
    the_ledgers="Xero’s",
    ledger_in_full="Xero",
    ledger_sign_in="Xero",
    ledger_apps="Settings, Connected apps",
    credit_memo="credit note",
    credit_memos="credit notes",
    class_word="tracking option",
    location_word="second tracking option",
    tracking_section="Tracking categories",
    own_numbers_where="Settings, Invoice settings",
    audit_log="history and notes",
)
NEUTRAL = Words(
    the_ledger="QuickBooks or Xero",
    the_ledgers="QuickBooks’ or Xero’s",
    ledger_in_full="QuickBooks Online or Xero",
    ledger_sign_in="Intuit or Xero",
    ledger_apps="the list of its apps",
    credit_memo="credit memo",
    credit_memos="credit memos",
    class_word="class",
    location_word="location",
    tracking_section="Class and location",
    own_numbers_where="the settings for invoices",
    audit_log="audit log",
)
"""Where no company is chosen yet."""

LEDGERS: Mapping[str, Words] = {"quickbooks": QUICKBOOKS, "xero": XERO}
_BY_NAME: Mapping[str, Words] = {
    name: each for each in (QUICKBOOKS, XERO, NEUTRAL) for name in (each.the_ledger, each.ledger_in_full)
}
STORED = Words(**{field.name: f"{{{field.name}}}" for field in fields(Words)})
"""Every token as itself: for a text that is filled later."""


def words_of(ledger: str) -> Words:
    """The words of what `Company.ledger` holds. Raises KeyError for a ledger nobody described."""
    return LEDGERS[ledger]


def words_named(name: str) -> Words:
    """The words of a ledger by its short or full name; the token itself keeps every token; any other name is taken
    as it is."""
    if name == STORED.the_ledger:
        return STORED
    return _BY_NAME.get(name) or Words(**{**NEUTRAL.tokens(), "the_ledger": name, "the_ledgers": f"{name}’s"})
