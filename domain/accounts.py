"""Is an account that Settings name still there, active and of a fitting type? Pure.

Settings are saved once and used for years; meanwhile a bookkeeper makes accounts inactive or changes their type.
"""

from __future__ import annotations

from domain.documents import Reference
from domain.known import Entry, Lists
from domain.reasons import Reason, reason

INCOME_TYPES = ("Income", "Other Income")
OWED_TYPES = ("Other Current Liability",)
"""Prepaid work is owed to the customer until it is done (R28)."""


def usable_account(
    account_id: str, purpose: str, lists: Lists, types: tuple[str, ...] = (*INCOME_TYPES, *OWED_TYPES)
) -> Reference | Reason:
    """The account as a draft points at it, or why it cannot be used. `purpose` completes "chosen for …"."""
    entry = lists.accounts.get(account_id)
    if entry is None:
        return reason("account_gone", purpose=purpose, account=account_id)
    if not entry.active:
        return reason("account_inactive", purpose=purpose, account=entry.name)
    kind = str(entry.details.get("type") or "")
    if kind not in types:
        fits = " or ".join(types)
        return reason("account_unfit", purpose=purpose, account=entry.name, type=kind or "unknown", fits=fits)
    return Reference("account", entry.id, entry.name, entry.id)


def account_of(entry: Entry, side: str, lists: Lists) -> Reference | None:
    """The account on which an item books, `side` income or expense: by its id, else by its number."""
    account = lists.accounts.get(str(entry.details.get(f"{side}_account_id") or ""))
    number = entry.details.get(f"{side}_account_code")
    if account is None and number:
        account = next((each for each in lists.accounts.values() if each.details.get("number") == number), None)
    return Reference("account", account.id, account.name, account.id) if account else None
