"""The catalogue of reasons as help pages: the same texts, without the figures of one document. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.catalogue.entry import Again
from domain.ledger_words import words_named
from domain.reasons import CATALOGUE, Entry, Stage, Turn

_BREAKS = re.compile(r"(?<=\.)\s+|;\s+|,\s+then\s+")
_STATUS = {Turn.FAULT: "Fault", Turn.WAIT: "Pending Sync", Turn.SKIP: "Skipped Over"}


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One reason explained. `sentence` has words in brackets where a document's own figures stand; `status` is empty
    where no document waits."""

    code: str
    sentence: str
    cause: str
    steps: tuple[str, ...]
    stage: Stage
    status: str
    retries: str
    button: str
    related: tuple[str, ...]


class _Named(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"[{key.replace('_', ' ')}]"


def page(code: str, ledger: str) -> HelpPage | None:
    """The help page of a code; None when the catalogue does not have it."""
    entry = CATALOGUE.get(code)
    if entry is None:
        return None
    names = _Named(words_named(ledger).tokens())
    return HelpPage(
        code=code, sentence=entry.sentence.format_map(names), cause=entry.cause.format_map(names),
        steps=steps(entry.fix.format_map(names)), stage=entry.stage,
        status="" if entry.again is Again.TOLD else _STATUS[entry.turn],
        retries=str(entry.again), button=entry.action[0], related=_related(code, entry),
    )


def steps(fix: str) -> tuple[str, ...]:
    """A fix as steps in their order: each a sentence of its own."""
    parts = [part.strip() for part in _BREAKS.split(fix) if part.strip()]
    return tuple(f"{part[0].upper()}{part[1:].rstrip('.')}." for part in parts)


def _related(code: str, entry: Entry) -> tuple[str, ...]:
    """Up to five neighbours: the same check stage, and the same turn first."""
    same = [other for other, each in CATALOGUE.items() if each.stage is entry.stage and other != code]
    return tuple(sorted(same, key=lambda other: CATALOGUE[other].turn is not entry.turn)[:5])
