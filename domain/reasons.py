"""Why something did not happen: one catalogue of codes with sentence, cause, fix and the action that mends it.

A `Reason` is a code with its parameters, so it can be stored and told again in any place and language. Every
code stands in `CATALOGUE`; a test proves that each has a cause, a fix and an action (U13, U20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.catalogue import customers, decisions, diagnosis, ledger, lines, mailing, orders, scope, tax, todos, voids
from domain.catalogue.entry import Entry, Stage, Turn
from domain.ledger_words import STORED, words_named

__all__ = ["CATALOGUE", "Entry", "Reason", "Stage", "Turn", "reason"]

CATALOGUE: dict[str, Entry] = {
    **scope.ENTRIES,
    **customers.ENTRIES,
    **lines.ENTRIES,
    **tax.ENTRIES,
    **ledger.ENTRIES,
    **todos.ENTRIES,
    **decisions.ENTRIES,
    **voids.ENTRIES,
    **mailing.ENTRIES,
    **diagnosis.ENTRIES,
    **orders.ENTRIES,
}


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.code]

    @property
    def turn(self) -> Turn:
        return self.entry.turn

    def sentence(self, ledger: str = STORED.the_ledger) -> str:
        """In the words of the ledger of this short name; without one the ledger's tokens stay, to be filled later."""
        return self._told(self.entry.sentence, ledger)

    def cause(self, ledger: str = STORED.the_ledger) -> str:
        return self._told(self.entry.cause, ledger)

    def fix(self, ledger: str = STORED.the_ledger) -> str:
        return self._told(self.entry.fix, ledger)

    def _told(self, text: str, ledger: str) -> str:
        return text.format_map(_Blank({**words_named(ledger).tokens(), **self.params}))

    def to_json(self) -> dict[str, object]:
        return {"code": self.code, "params": dict(self.params)}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Reason:
        params = value.get("params")
        known = params if isinstance(params, Mapping) else {}
        return cls(str(value["code"]), {str(k): str(v) for k, v in known.items()})


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def reason(code: str, /, **params: object) -> Reason:
    if code not in CATALOGUE:
        raise KeyError(f"{code} is not in the catalogue of reasons")
    return Reason(code, {name: str(value) for name, value in params.items()})
