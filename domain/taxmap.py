"""The tax map: which ledger code a tax region and category of the source stand for. Pure.

An entry is proposed by equal name and counts once a person confirmed it; nothing is guessed while posting. Regions
are known by id and by name, so that a renamed one is noticed. The codes of lines without tax are three entries of
their own, because they are three places on a return (R19, R20 of the accounting rules).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.documents import TaxRule
from domain.matching import fold
from domain.taxrates import TaxCode, rules_for

EVERY_CATEGORY = ""
"""An entry for all categories of a region that have none of their own."""


class Untaxed(StrEnum):
    """Why a line bears no tax."""

    ZERO_RATED = "zero-rated"
    EXEMPT = "exempt"
    OUT_OF_SCOPE = "out of scope"


@dataclass(frozen=True, slots=True)
class TaxEntry:
    """One confirmed entry. `code` is the ledger's id; names are as they were when it was confirmed.

    `former` are names the region had before: documents issued then still carry them.
    """

    region: str
    category: str
    code: str
    code_name: str = ""
    region_id: str | None = None
    former: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaxMap:
    entries: tuple[TaxEntry, ...] = ()
    zero_rated: str | None = None
    exempt: str | None = None
    out_of_scope: str | None = None

    def find(self, region: str, region_id: str | None, category: str | None) -> TaxEntry | None:
        """The entry of a region (by id, else by name) and category, else the region's entry for every category."""
        mine = [entry for entry in self.entries if _is_region(entry, region, region_id)]
        for wanted in (category or EVERY_CATEGORY, EVERY_CATEGORY):
            found = next((entry for entry in mine if entry.category == wanted), None)
            if found is not None:
                return found
        return None

    def untaxed(self, kind: Untaxed, before: str | None) -> str | None:
        """The code of untaxed lines. `before` is the one code asked for before there was a map: it stands for all
        three until one of them is chosen."""
        own = {
            Untaxed.ZERO_RATED: self.zero_rated,
            Untaxed.EXEMPT: self.exempt,
            Untaxed.OUT_OF_SCOPE: self.out_of_scope,
        }
        return own[kind] if any(own.values()) else before


def _is_region(entry: TaxEntry, region: str, region_id: str | None) -> bool:
    if entry.region_id is not None and region_id is not None:
        return entry.region_id == region_id
    return region in (entry.region, *entry.former)


def renamed(entry: TaxEntry, region: str) -> bool:
    """The region has another name than those the entry knows: a person looks at it once more."""
    return region not in (entry.region, *entry.former)


def confirm(old: TaxEntry | None, fresh: TaxEntry) -> TaxEntry:
    """The entry to keep when a person saves `fresh` in place of `old`: names of the region are never forgotten."""
    if old is None:
        return fresh
    names = dict.fromkeys((*old.former, old.region, *fresh.former))
    return replace(fresh, former=tuple(name for name in names if name != fresh.region))


def proposal(
    region: str, category: str | None, rules: Sequence[TaxRule], by_name: Mapping[str, Sequence[TaxCode]]
) -> TaxCode | None:
    """The one active code named like the pair's only tax, like region and category, or like the region."""
    taxes = {rule.name for rule in rules_for(rules, region, category)}
    names = [*(taxes if len(taxes) == 1 else ()), f"{region} {category or ''}", region]
    for name in names:
        active = [code for code in by_name.get(fold(name), ()) if code.active]
        if len(active) == 1:
            return active[0]
    return None


def fallen_together(tax_map: TaxMap, codes: Mapping[str, TaxCode]) -> list[str]:
    """Sentences on untaxed kinds that share a code: the same place on the return."""
    chosen = (("zero-rated", tax_map.zero_rated), ("exempt", tax_map.exempt), ("out of scope", tax_map.out_of_scope))
    shared: dict[str, list[str]] = {}
    for word, code in chosen:
        if code:
            shared.setdefault(code, []).append(word)
    return [
        f"{_joined(words).capitalize()} sales share the code “{codes[code].name if code in codes else code}”: "
        "they stand in one place on the return."
        for code, words in shared.items() if len(words) > 1
    ]


def _joined(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}"
