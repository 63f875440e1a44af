"""Billing codes against the ledger's items: how each would be found when an invoice is posted. Pure.

The rule that finds an item is the plan's own (`domain.plan.existing_item`), so the comparison never promises what
posting would not do.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from domain.documents import Code, ItemDraft, Reference
from domain.items import UNUSABLE_ITEM_TYPES, existing_item, item_name
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name
from domain.settings import MatchBy


class Result(StrEnum):
    MATCH = "match"
    DIFFERS = "differs"
    """Found, with a difference that is named."""
    MISSING = "missing"
    INACTIVE = "inactive"
    AMBIGUOUS = "ambiguous"
    """More than one usable item bears the name."""
    SHARED = "shared"
    """More than one billing code is booked on the item."""
    UNUSABLE = "unusable"
    """A category or bundle: it takes no quantity and no amount."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One billing code. `name` is what is looked for; `notes` say what differs, in words."""

    code: Code
    name: str
    result: Result
    item: Entry | None
    notes: tuple[str, ...]


def compare(lists: Lists, match_by: MatchBy, facts: Facts) -> tuple[Compared, ...]:
    """Every active billing code of the catalog, in the order of its name."""
    codes = [code for code in lists.catalog.codes.values() if code.active]
    names = {code.id: item_name(code, match_by, facts) for code in codes}
    bearers = Counter(fold(name) for name in names.values())
    found = [_one(code, names[code.id], bearers[fold(names[code.id])] > 1, lists) for code in codes]
    return tuple(sorted(found, key=lambda one: (fold(one.code.name), one.code.id)))


def _one(code: Code, name: str, shared: bool, lists: Lists) -> Compared:
    problem, item = existing_item(code.id, name, lists)
    note = ("Another billing code has the same name here",) if shared else ()
    named = lists.items_by_name.get(fold(name), ())
    if item is None:
        results = {"item_inactive": Result.INACTIVE, "item_unusable": Result.UNUSABLE}
        result = results[problem.code] if problem is not None else Result.MISSING
        other = named[0] if named else None
        return Compared(code, name, result, other, (*_why_not(result, other), *note))
    usable = [each for each in named if each.active and each.details.get("type") not in UNUSABLE_ITEM_TYPES]
    notes = _differences(code, name, item)
    if len(usable) > 1 and item in usable:
        return Compared(code, name, Result.AMBIGUOUS, item, (f"{len(usable)} items bear this name", *note, *notes))
    if shared:
        return Compared(code, name, Result.SHARED, item, (*note, *notes))
    return Compared(code, name, Result.DIFFERS if notes else Result.MATCH, item, notes)


def _why_not(result: Result, item: Entry | None) -> tuple[str, ...]:
    """Why the item that bears the name is of no use; nothing where there is none."""
    if result is Result.UNUSABLE and item is not None:
        kind = "category" if item.details.get("type") == "Category" else "bundle"
        return (f"It is a {kind}: it takes no quantity and no amount",)
    return ("It is inactive there",) if result is Result.INACTIVE else ()


def _differences(code: Code, name: str, item: Entry) -> tuple[str, ...]:
    notes = []
    if fold(item.name) != fold(name):
        notes.append(f"Linked to “{item.name}”")
    elif item.name != name:
        notes.append(f"Spelled “{item.name}” there")
    sku = item.details.get("sku")
    if code.number and sku and str(sku) != code.number:
        notes.append(f"SKU is {sku}, External Number is {code.number}")
    if item.details.get("income_account_id") in (None, ""):
        notes.append("It has no income account")
    return tuple(notes)


def missing_items(compared: tuple[Compared, ...], account: str, facts: Facts) -> dict[str, ItemDraft]:
    """Billing code id → the item to create for it; codes of one name share one draft."""
    drafts: dict[str, ItemDraft] = {}
    found: dict[str, ItemDraft] = {}
    for one in compared:
        if one.result is Result.MISSING:
            key = fold(one.name)
            description = ledger_name(one.code.name or one.name, facts.line_text_length, latin1_only=facts.latin1_only)
            income = Reference("account", account, "", account)
            drafts.setdefault(key, ItemDraft(key, one.name, description, income, one.code.number))
            found[one.code.id] = drafts[key]
    return found
