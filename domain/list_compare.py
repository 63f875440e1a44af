"""Names of the source against names of the ledger, list by list: customers, items, vendors, terms, tax codes. Pure.

Customers follow the very rule that posting follows (`domain.customers`), items that of `domain.compare`; the smaller
lists are matched by link, then by equal name. Nothing is linked here: similar names are for a person to look at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.compare import Compared, Result
from domain.customers import CREATE_NEW, match_party
from domain.documents import Party
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name, loose
from domain.reasons import Reason


class Same(StrEnum):
    SIMILAR = "similar"
    """No equal name, but one that looks like it: a person says which it is."""
    TWICE = "twice"
    """More than one record bears the name, on either side."""
    UNUSABLE = "unusable"
    """What bears the name, or was linked, cannot be used; the notes say why."""
    NEW = "new"
    EXACT = "exact"
    LINKED = "linked"


@dataclass(frozen=True, slots=True)
class Pair:
    """One record of the source. `candidates` are active ledger records a person may mean.

    `creatable`: the ledger could take a new record under this name.
    """

    key: str
    name: str
    state: Same
    entry: Entry | None = None
    candidates: tuple[Entry, ...] = ()
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    creatable: bool = False


CHOSEN_NEW = "Create New was chosen"
_STATES = {
    "customer_similar": Same.SIMILAR, "customer_twice_in_source": Same.TWICE, "customer_twice_in_ledger": Same.TWICE,
}


def customers(parties: Iterable[Party], lists: Lists, facts: Facts) -> list[Pair]:
    """Who is billed, as posting would find each of them."""
    return [_customer(party, lists, facts) for party in parties]


def _customer(party: Party, lists: Lists, facts: Facts) -> Pair:
    name = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    entry, reasons = match_party(party, lists, facts)
    equal = lists.customers_by_name.get(fold(name), ())
    alike = {each.id: each for each in (*equal, *lists.customers_by_loose.get(loose(name), ())) if each.active}
    linked = lists.links.get(("customer", party.id))
    if reasons:
        state = next((_STATES[why.code] for why in reasons if why.code in _STATES), Same.UNUSABLE)
        return Pair(party.id, party.name, state, None, tuple(alike.values()), tuple(reasons), (), not equal)
    if linked is not None:
        return Pair(party.id, party.name, Same.LINKED, entry, notes=() if entry else (CHOSEN_NEW,))
    if entry is not None:
        return Pair(party.id, party.name, Same.EXACT, entry, (entry,))
    return Pair(party.id, party.name, Same.NEW, creatable=True)


def by_name(
    kind: str, names: Sequence[tuple[str, str]], entries: Iterable[Entry], links: Mapping[tuple[str, str], str], *,
    unique: bool, creatable: bool,
) -> list[Pair]:
    """A list that is matched by link, then by equal name. `names`: (key, name) of the source.

    `unique`: a name that the source has twice is for a person to tell apart; else both mean the one record.
    """
    known = {entry.id: entry for entry in entries}
    equal, alike = _grouped(known.values(), fold), _grouped(known.values(), loose)
    bearers = Counter(fold(name) for _, name in names)
    pairs = []
    for key, name in names:
        twice = unique and bearers[fold(name)] > 1
        found, similar = equal.get(fold(name), []), alike.get(loose(name), [])
        pairs.append(_named(key, name, links.get((kind, key)), known, found, similar, twice, creatable))
    return pairs


def _named(
    key: str, name: str, linked: str | None, known: Mapping[str, Entry], found: list[Entry], similar: list[Entry],
    twice: bool, creatable: bool,
) -> Pair:
    active, may = [each for each in found if each.active], creatable and not found
    alike = tuple({each.id: each for each in (*active, *similar) if each.active}.values())
    if linked == CREATE_NEW:
        return Pair(key, name, Same.LINKED, notes=(CHOSEN_NEW,))
    if linked is not None:
        entry = known.get(linked)
        if entry is not None and entry.active:
            return Pair(key, name, Same.LINKED, entry)
        note = "What it was linked to is inactive" if entry else "What it was linked to does not exist any more"
        return Pair(key, name, Same.UNUSABLE, entry, alike, notes=(note,), creatable=may)
    if twice or len(active) > 1:
        note = "Autotask has this name more than once" if twice else f"{len(active)} records bear this name"
        return Pair(key, name, Same.TWICE, None, alike, notes=(note,), creatable=may)
    if active:
        return Pair(key, name, Same.EXACT, active[0], (active[0],))
    if found:
        return Pair(key, name, Same.UNUSABLE, found[0], alike, notes=("It is inactive there",))
    return Pair(key, name, Same.SIMILAR if alike else Same.NEW, None, alike, creatable=may)


def _grouped(entries: Iterable[Entry], key: Callable[[str], str]) -> dict[str, list[Entry]]:
    grouped: dict[str, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(key(entry.name), []).append(entry)
    return grouped


_ITEMS = {
    Result.MATCH: Same.EXACT, Result.DIFFERS: Same.EXACT, Result.SHARED: Same.EXACT, Result.MISSING: Same.NEW,
    Result.AMBIGUOUS: Same.TWICE, Result.INACTIVE: Same.UNUSABLE, Result.UNUSABLE: Same.UNUSABLE,
}


def items(compared: Iterable[Compared], lists: Lists) -> list[Pair]:
    """Billing codes and their items, in the words of the other lists. Posting creates a missing one, or waits for it
    (Settings); similar names are told and nothing more."""
    alike = _grouped((each for each in lists.items.values() if each.active), loose)
    pairs = []
    for one in compared:
        linked = lists.links.get(("item", one.code.id))
        held = one.item is not None and linked == one.item.id and _ITEMS[one.result] is not Same.UNUSABLE
        state = Same.LINKED if held else _ITEMS[one.result]
        candidates = tuple(alike.get(loose(one.name), ())) if state is not Same.LINKED else ()
        notes = one.notes
        if state is Same.NEW and candidates:
            notes = (*notes, f"“{candidates[0].name}” looks like it")
        pairs.append(Pair(one.code.id, one.code.name, state, one.item, candidates, notes=notes))
    return pairs


def in_order(pairs: Iterable[Pair]) -> list[Pair]:
    """What needs a person first, then by name."""
    places = {state: place for place, state in enumerate(Same)}
    return sorted(pairs, key=lambda pair: (places[pair.state], fold(pair.name), pair.key))
