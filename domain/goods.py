"""On what each line of an order is booked: the ledger's item of its product, found, linked or to create. Pure (R79).

An item can stand on a purchase when it has an expense account (or is stocked). Created ones are non-inventory. Where a
line names its account, an item is optional: none is created, and the account chosen for such lines stands in its place.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.accounts import account_of, usable_account
from domain.documents import ItemDraft, Reference, SourceLine
from domain.items import BOUGHT_ONLY, UNUSABLE_ITEM_TYPES
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name
from domain.order_settings import OrderSettings
from domain.placing import Place
from domain.reasons import Reason, reason
from domain.settings import MissingItem

EXPENSE_TYPES = ("Expense", "Cost of Goods Sold", "Other Expense")
STOCKED = "Inventory"
NO_GOODS = UNUSABLE_ITEM_TYPES - {BOUGHT_ONLY}


def item_key(line: SourceLine) -> str:
    """The key of a link between a product and an item."""
    return f"product/{line.goods.product_id}" if line.goods is not None and line.goods.product_id else ""


def goods_name(line: SourceLine, facts: Facts) -> str:
    """The item's name: the product's, else its number. Empty where the line names neither."""
    name = line.name.strip() or (line.goods.code or "" if line.goods is not None else "")
    return ledger_name(name, facts.item_name_length, latin1_only=facts.latin1_only)


def goods_names(line: SourceLine, facts: Facts) -> tuple[str, ...]:
    """The names under which its item is looked for. Where items are called by a code, the product's number is first."""
    named = goods_name(line, facts)
    code = (line.goods.code or "").strip() if line.goods is not None and facts.lines_on_accounts else ""
    found = (ledger_name(code, facts.item_name_length, latin1_only=facts.latin1_only), named)
    return tuple(dict.fromkeys(name for name in found if name))


def place_goods(
    lines: Sequence[SourceLine], settings: OrderSettings, lists: Lists, facts: Facts, reasons: list[Reason],
    notes: list[str],
) -> tuple[list[Place | None], tuple[ItemDraft, ...]]:
    """The place of each line (None: the reason was added, once per cause), and the items to create."""
    places: list[Place | None] = []
    created: dict[str, ItemDraft] = {}
    stocked: list[str] = []
    for number, line in enumerate(lines, 1):
        found = _place(number, line, settings, lists, facts)
        if isinstance(found, Reason):
            if found not in reasons:
                reasons.append(found)
            places.append(None)
            continue
        place, entry = found
        places.append(place)
        if place.creation is not None:
            created.setdefault(place.creation.key, place.creation)
        if entry is not None and entry.details.get("type") == STOCKED and entry.name not in stocked:
            stocked.append(entry.name)
    if stocked:
        shown = "”, “".join(stocked[:4])
        notes.append(f"{facts.ledger} keeps stock of “{shown}”: its quantity will rise.")
    return places, tuple(created.values())


def _place(
    number: int, line: SourceLine, settings: OrderSettings, lists: Lists, facts: Facts
) -> tuple[Place, Entry | None] | Reason:
    name = goods_name(line, facts)
    entry, why = _existing(line, goods_names(line, facts), lists)
    if why is not None:
        return why
    if entry is not None:
        return _on_item(entry, settings, lists, facts)
    if not name:
        return reason("order_line_nameless", line=number)
    if facts.lines_on_accounts:
        return _on_account(name, settings, lists)
    if settings.missing_item is MissingItem.HOLD:
        return reason("order_item_missing", item=name)
    if settings.created_item_account is None:
        return reason("no_expense_account", item=name)
    usable = usable_account(settings.created_item_account, "created items", lists, EXPENSE_TYPES)
    if isinstance(usable, Reason):
        return usable
    code = line.goods.code if line.goods is not None else None
    text = ledger_name(line.text.strip() or name, 1000, latin1_only=facts.latin1_only)
    made = ItemDraft(fold(name), name, text, usable, code, bought=True)
    return Place(Reference("item", made.key, made.name), usable, True, creation=made), None


def _on_item(
    entry: Entry, settings: OrderSettings, lists: Lists, facts: Facts
) -> tuple[Place, Entry | None] | Reason:
    """The item that is there, on its own expense account (a stocked one: on its stock). Where a line names its account,
    one without an account for purchases takes the account chosen for such lines, and one that is only sold stands on no
    purchase: its line goes without it."""
    booked, stocked = account_of(entry, "expense", lists), entry.details.get("type") == STOCKED
    if booked is None and not stocked and facts.lines_on_accounts:
        found = _on_account(entry.name, settings, lists)
        if isinstance(found, Reason):
            return found
        booked = found[0].account
    elif booked is None and not stocked and not entry.details.get("expense_account_id"):
        return reason("item_not_purchasable", item=entry.name)
    if booked is not None and entry.details.get("bought") is False:
        return Place(booked, booked), entry
    return Place(Reference("item", fold(entry.name), entry.name, entry.id), booked), entry


def _on_account(name: str, settings: OrderSettings, lists: Lists) -> tuple[Place, Entry | None] | Reason:
    """Without an item: the account chosen for such lines, or a person's turn."""
    if settings.missing_item is MissingItem.HOLD or settings.created_item_account is None:
        return reason("order_account_missing", item=name)
    usable = usable_account(settings.created_item_account, "lines without another choice", lists, EXPENSE_TYPES)
    return usable if isinstance(usable, Reason) else (Place(usable, usable, by_default=True), None)


def _existing(line: SourceLine, names: Sequence[str], lists: Lists) -> tuple[Entry | None, Reason | None]:
    """By link, else under the first of the names that the ledger has."""
    linked = lists.items.get(lists.links.get(("item", item_key(line)), ""))
    there = next(((name, found) for name in names if (found := lists.items_by_name.get(fold(name), ()))), ("", ()))
    name, found = (names[0] if names else "", (linked,)) if linked is not None else there
    active = [entry for entry in found if entry.active]
    if not active:
        return (None, reason("item_inactive", item=name)) if found else (None, None)
    usable = [entry for entry in active if entry.details.get("type") not in NO_GOODS]
    if not usable:
        return None, reason("item_unusable", item=name, type=str(active[0].details.get("type")).lower())
    return usable[0], None
