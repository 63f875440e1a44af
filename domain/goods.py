"""On what each line of an order is booked: the ledger's item of its product, found, linked or to create. Pure (R79).

An item can stand on a purchase when it has an expense account (or is stocked). Created ones are non-inventory.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.accounts import usable_account
from domain.documents import ItemDraft, Reference, SourceLine
from domain.items import UNUSABLE_ITEM_TYPES
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name
from domain.order_settings import OrderSettings
from domain.placing import Place
from domain.reasons import Reason, reason
from domain.settings import MissingItem

EXPENSE_TYPES = ("Expense", "Cost of Goods Sold", "Other Expense")
STOCKED = "Inventory"


def item_key(line: SourceLine) -> str:
    """The key of a link between a product and an item."""
    return f"product/{line.goods.product_id}" if line.goods is not None and line.goods.product_id else ""


def goods_name(line: SourceLine, facts: Facts) -> str:
    """The item's name: the product's, else its number. Empty where the line names neither."""
    name = line.name.strip() or (line.goods.code or "" if line.goods is not None else "")
    return ledger_name(name, facts.item_name_length, latin1_only=facts.latin1_only)


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
    entry, why = _existing(line, name, lists)
    if why is not None:
        return why
    if entry is not None:
        account = lists.accounts.get(str(entry.details.get("expense_account_id") or ""))
        if account is None and entry.details.get("type") != STOCKED and not entry.details.get("expense_account_id"):
            return reason("item_not_purchasable", item=entry.name)
        booked = Reference("account", account.id, account.name, account.id) if account else None
        return Place(Reference("item", fold(entry.name), entry.name, entry.id), booked), entry
    if not name:
        return reason("order_line_nameless", line=number)
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


def _existing(line: SourceLine, name: str, lists: Lists) -> tuple[Entry | None, Reason | None]:
    linked = lists.items.get(lists.links.get(("item", item_key(line)), ""))
    found = (linked,) if linked is not None else lists.items_by_name.get(fold(name), ()) if name else ()
    active = [entry for entry in found if entry.active]
    if not active:
        return (None, reason("item_inactive", item=name)) if found else (None, None)
    usable = [entry for entry in active if entry.details.get("type") not in UNUSABLE_ITEM_TYPES]
    if not usable:
        return None, reason("item_unusable", item=name, type=str(active[0].details.get("type")).lower())
    return usable[0], None
