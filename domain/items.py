"""The items on which lines are booked: how a billing code finds its own, and which are created. Pure (R07)."""

from __future__ import annotations

from dataclasses import dataclass

from domain.documents import Code, ItemDraft, Reference
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, MatchBy, MissingItem

BOUGHT_ONLY = "Bought only"
UNUSABLE_ITEM_TYPES = frozenset({"Category", "Group", BOUGHT_ONLY})
"""Types of items that stand on no sale."""


def created_item(code: Code, name: str, account: Reference, facts: Facts) -> ItemDraft:
    """The item to create for a billing code that has none."""
    description = ledger_name(code.name or name, facts.line_text_length, latin1_only=facts.latin1_only)
    return ItemDraft(fold(name), name, description, account, code.number)


def item_name(code: Code, match_by: MatchBy, facts: Facts) -> str:
    """The name a billing code's item bears: the chosen field; a blank External Number falls back to the name (R07)."""
    value = {MatchBy.NAME: code.name, MatchBy.ID: code.id, MatchBy.NUMBER: code.number or code.name}[match_by]
    return ledger_name(value, facts.item_name_length, latin1_only=facts.latin1_only)


def existing_item(code_id: str, name: str, lists: Lists) -> tuple[Reason | None, Entry | None]:
    linked = lists.links.get(("item", code_id))
    if linked is not None and linked in lists.items:
        found: tuple[Entry, ...] = (lists.items[linked],)
    else:
        found = lists.items_by_name.get(fold(name), ())
    active = [entry for entry in found if entry.active]
    if not active:
        return (reason("item_inactive", item=name), None) if found else (None, None)
    usable = [entry for entry in active if entry.details.get("type") not in UNUSABLE_ITEM_TYPES]
    if not usable:
        return reason("item_unusable", item=name, type=str(active[0].details.get("type")).lower()), None
    return None, usable[0]


def may_create(name: str, settings: InvoiceSettings) -> Reason | None:
    if settings.missing_item is MissingItem.HOLD:
        return reason("item_missing", item=name)
    return None if settings.created_item_account else reason("no_item_account", item=name)


@dataclass(frozen=True, slots=True)
class OwnItem:
    """An item of ours: one that stands for an account. `creation` None: it exists."""

    reference: Reference
    creation: ItemDraft | None


def own_names(wanted: str, account_name: str, facts: Facts) -> tuple[str, ...]:
    """Names under which an item for an account is looked for and, where none of them is taken, created."""
    names = (wanted, f"{wanted} ({account_name})", f"{wanted} (Bookbridge)")
    return tuple(dict.fromkeys(ledger_name(n, facts.item_name_length, latin1_only=facts.latin1_only) for n in names))


def item_on_account(wanted: str, account: Reference, text: str, lists: Lists, facts: Facts) -> OwnItem | Reason:
    """The item that books on this very account. Where an item of that name books elsewhere, another name is taken."""
    names = own_names(wanted, account.name, facts)
    for name in names:
        found = lists.items_by_name.get(fold(name), ())
        for entry in found:
            usable = entry.active and entry.details.get("type") not in UNUSABLE_ITEM_TYPES
            if usable and entry.details.get("income_account_id") == account.ledger_id:
                return OwnItem(Reference("item", fold(name), entry.name, entry.id), None)
        if not found:
            key = fold(name)
            return OwnItem(Reference("item", key, name), ItemDraft(key, name, text, account))
    return reason("own_item_taken", item=names[0], account=account.name)
