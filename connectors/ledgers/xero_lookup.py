"""Looking up in Xero what exists: as few calls as there are ways of asking, whatever the number of records.

Invoices and bills are asked by their numbers or ids in a list, credit notes by a filter, contacts by a filter on names,
items whole (Xero never pages them); of purchase orders a few are asked one by one, more are read whole, since Xero
filters them by nothing that we know of them. What Xero numbers is looked for among everything changed since an instant,
and the caller compares our marker. Voided and deleted documents come back too. Source: Xero, "Requests and responses".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.ledgers import xero_held
from connectors.ledgers import xero_records as records
from connectors.ledgers.base import Alike, Done, Kind, Sought, is_alike
from connectors.ledgers.xero_spelling import DOCUMENTS, ID, NUMBER, TYPE
from domain.held import Held

Rows = Callable[..., list[Mapping[str, Any]]]
One = Callable[[Kind, str], list[Mapping[str, Any]]]
ASKED_SINGLY_MAX = 3
"""Purchase orders that are asked for one by one; a page of a thousand costs one call as well."""
LISTED_MAX = 40
"""Numbers or ids in one address: an id has 36 characters, and an address has an end."""
FILTERED_MAX = 15
UNIT_DECIMALS = 4


def quote(value: str) -> str:
    """A text for a filter."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Lookup:
    """Bound to one organisation. `rows(kind, **options)` reads a list whole, with the library's options; `one(kind, id
    or number)` a single record."""

    def __init__(self, rows: Rows, one: One, tenant: str) -> None:
        self._rows = rows
        self._one = one
        self._tenant = tenant

    def find(self, sought: Sequence[Sought]) -> dict[str, Sequence[Done]]:
        found: dict[str, Sequence[Done]] = {one.key: () for one in sought}
        for kind in dict.fromkeys(one.kind for one in sought):
            group = [one for one in sought if one.kind is kind]
            if kind is Kind.ITEM:
                found |= self._items(group)
                continue
            by_id = {one.key: str(one.ledger_id) for one in group if one.ledger_id is not None}
            rest = [one for one in group if one.ledger_id is None]
            by_number = {one.key: str(one.number) for one in rest if one.number is not None}
            by_name = {one.key: str(one.name) for one in rest if one.number is None and one.name is not None}
            by_time = [one for one in rest if one.number is None and one.name is None]
            found |= _told(by_id, self._by_id(kind, by_id.values()), lambda done: done.ledger_id)
            found |= _told(by_number, self._by_number(kind, by_number.values()), lambda done: done.number)
            found |= _told(by_name, self._by_name(kind, by_name.values()), lambda done: done.echo.name)
            found |= self._since(kind, by_time)
        return found

    def read(self, kind: Kind, ids: Sequence[str]) -> dict[str, Held]:
        """Whole documents by id."""
        rows = self._whole(kind, ids)
        helds = [xero_held.held(row, kind) for row in rows]
        return {held.ledger_id: held for held in helds if held is not None}

    def alike(self, sought: Sequence[Alike]) -> dict[str, Sequence[Held]]:
        """Every document of the parties asked about; number, amount and span are compared here."""
        found: dict[str, Sequence[Held]] = {one.key: () for one in sought}
        for kind in dict.fromkeys(one.kind for one in sought if one.kind in DOCUMENTS):
            group = [one for one in sought if one.kind is kind]
            rows = self._of_parties(kind, sorted({one.party_id for one in group}))
            helds = [held for row in rows if (held := xero_held.held(row, kind)) is not None and held.live]
            found |= {one.key: tuple(held for held in helds if is_alike(one, held)) for one in group}
        return found

    def _of_parties(self, kind: Kind, parties: Sequence[str]) -> list[Mapping[str, Any]]:
        if kind is Kind.PURCHASE_ORDER:
            return self._rows(kind)
        return self._filtered(kind, parties, lambda value: f'Contact.ContactID==guid("{value}")')

    def _by_id(self, kind: Kind, ids: Any) -> list[Done]:
        return self._done(kind, self._whole(kind, ids))

    def _whole(self, kind: Kind, ids: Any) -> list[Mapping[str, Any]]:
        wanted = sorted(set(ids))
        if kind is Kind.PURCHASE_ORDER:
            return self._orders(wanted)
        if kind is Kind.CREDIT_MEMO:
            return self._filtered(kind, wanted, lambda value: f'{ID[kind]}==guid("{value}")')
        extra: dict[str, Any] = {} if kind in DOCUMENTS else {"include_archived": True}
        return [row for part in _parts(wanted, LISTED_MAX) for row in self._rows(kind, i_ds=part, **extra)]

    def _by_number(self, kind: Kind, numbers: Any) -> list[Done]:
        wanted = sorted(set(numbers))
        if kind is Kind.PURCHASE_ORDER:
            return self._done(kind, self._orders(wanted))
        if kind is Kind.CREDIT_MEMO:
            return self._done(kind, self._filtered(kind, wanted, lambda value: f"{NUMBER[kind]}=={quote(value)}"))
        # A comma would end a number in the list, so such numbers are asked by a filter.
        plain = [value for value in wanted if "," not in value]
        rows = [row for part in _parts(plain, LISTED_MAX) for row in self._rows(kind, invoice_numbers=part)]
        odd = [value for value in wanted if "," in value]
        return self._done(kind, rows + self._filtered(kind, odd, lambda value: f"{NUMBER[kind]}=={quote(value)}"))

    def _orders(self, named: Sequence[str]) -> list[Mapping[str, Any]]:
        """Purchase orders by ids or numbers; more than were asked for where they are read whole."""
        if len(named) > ASKED_SINGLY_MAX or any(not _plain(each) for each in named):
            return self._rows(Kind.PURCHASE_ORDER)
        return [row for each in named for row in self._one(Kind.PURCHASE_ORDER, each)]

    def _by_name(self, kind: Kind, names: Any) -> list[Done]:
        wanted = sorted(set(names))
        rows = self._filtered(kind, wanted, lambda value: f"Name=={quote(value)}", include_archived=True)
        return self._done(kind, rows)

    def _filtered(
        self, kind: Kind, values: Sequence[str], spelled: Callable[[str], str], **options: Any
    ) -> list[Mapping[str, Any]]:
        return [
            row for part in _parts(values, FILTERED_MAX)
            for row in self._rows(kind, where=_of_type(kind, " OR ".join(spelled(value) for value in part)), **options)
        ]  # fmt: skip

    def _items(self, sought: Sequence[Sought]) -> dict[str, Sequence[Done]]:
        made = self._done(Kind.ITEM, self._rows(Kind.ITEM))
        names = {one.key: str(one.ledger_id or one.name) for one in sought}
        return _told(names, made, lambda done: done.ledger_id)

    def _since(self, kind: Kind, sought: Sequence[Sought]) -> dict[str, Sequence[Done]]:
        """Everything of the kind changed since the earliest instant asked: nobody tells when a document was made."""
        if not sought:
            return {}
        instants = [one.since for one in sought if one.since is not None]
        if len(instants) < len(sought):
            raise ValueError("a look-up needs an id, a number, a name or an instant")
        made = self._done(kind, self._rows(kind, if_modified_since=stamp(min(instants)), where=_of_type(kind)))
        return {one.key: tuple(done for done in made if _young(done, one.since)) for one in sought}

    def _done(self, kind: Kind, rows: Sequence[Mapping[str, Any]]) -> list[Done]:
        mine = [row for row in rows if records.is_of(row, kind)]
        return [done for row in mine if (done := records.done(row, kind, self._tenant)) is not None]


def _of_type(kind: Kind, rest: str = "") -> str | None:
    """A filter with the type, where two kinds stand side by side in one list. None: no filter."""
    if kind not in (Kind.INVOICE, Kind.BILL):
        return rest or None
    return f'Type=="{TYPE[kind]}"' + (f" AND ({rest})" if rest else "")


def _plain(value: str) -> bool:
    """Whether an id or a number can stand in an address as it is."""
    return all(sign.isalnum() or sign in "-_." for sign in value) and value.strip(".") != ""


def _young(done: Done, since: datetime | None) -> bool:
    """What was made since was changed since. Seconds only: what is equal counts, so that nothing is overlooked."""
    changed = records.changed_at(done.echo.version or "")
    return changed is None or since is None or changed >= stamp(since)


def stamp(moment: datetime) -> datetime:
    """An instant as If-Modified-Since takes it: whole seconds of UTC."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _told(
    values: Mapping[str, str], made: Sequence[Done], of: Callable[[Done], str | None]
) -> dict[str, Sequence[Done]]:
    """Answers by the key of their question. Xero compares without regard to case, and so do we."""
    by_value: dict[str, list[Done]] = {}
    for done in made:
        by_value.setdefault((of(done) or "").casefold(), []).append(done)
    return {key: tuple(by_value.get(value.strip().casefold(), ())) for key, value in values.items()}


def _parts(values: Sequence[str], size: int) -> list[list[str]]:
    return [list(values[start : start + size]) for start in range(0, len(values), size)]
