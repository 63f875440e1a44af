"""Reading lists: filters, If-Modified-Since, order and pages, the same for every endpoint that has them.

Source: Xero, requests-and-responses; fact sheet section 2.3. What is open there is a switch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.xero import where
from sandbox.xero.errors import bad_query
from sandbox.xero.organisation import Organisation

Record = dict[str, Any]
Query = Mapping[str, str]
PAGE, MOST = 100, 1000
MODIFIED = "UpdatedDateUTC"


def lowered(args: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Query parameters by lower-case name: Xero does not mind the case."""
    return {name.lower(): value for name, value in args}


def truth(text: str | None, default: bool = False) -> bool:
    """A boolean parameter, however it is spelled."""
    return default if text is None else text.strip().lower() in ("true", "1", "yes")


def listed(text: str | None) -> list[str]:
    """A comma-separated parameter."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def modified_since(org: Organisation, records: Iterable[Record], header: str | None) -> list[Record]:
    """The records changed since the header's moment, to the second."""
    if not header:
        return list(records)
    try:
        moment = datetime.fromisoformat(header.strip().replace("Z", "+00:00"))
    except ValueError:
        raise bad_query(f"If-Modified-Since '{header}' is not a UTC timestamp") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    limit = int(moment.timestamp())
    strict = org.switch("modified_since") == "strict"
    return [found for found in records if int(found["touched"]) > limit or (not strict and found["touched"] >= limit)]


def filtered(records: list[Record], text: str | None, members: Collection[str]) -> list[Record]:
    """What a ``where`` lets through."""
    if not text:
        return records
    test = where.parse(text, members)
    return [found for found in records if test(found["entity"])]


def ordered(records: list[Record], text: str | None, members: Collection[str]) -> list[Record]:
    """In the order asked for; by the time of change and then the id when none is."""
    name, _, direction = (text or MODIFIED).strip().partition(" ")
    known = {each.lower(): each for each in (*members, MODIFIED)}
    if name.lower() not in known:
        raise bad_query(f"No property or field '{name}' exists that can be ordered by")
    path = known[name.lower()]

    def key(found: Record) -> tuple[Any, str]:
        value = found["touched"] if path == MODIFIED else where.member(found["entity"], path)
        return ("" if value is None else value, found["id"])

    return sorted(records, key=key, reverse=direction.strip().lower().startswith("desc"))


def paged(records: list[Record], query: Query) -> tuple[list[Record], dict[str, int]]:
    """One page, and the block that describes it. Past the last page: nothing."""
    page, size = _whole(query.get("page"), 1), _whole(query.get("pagesize"), PAGE)
    if page < 1 or not 1 <= size <= MOST:
        raise bad_query(f"page must be 1 or more, pageSize between 1 and {MOST}")
    block = {
        "page": page,
        "pageSize": size,
        "pageCount": max(1, -(-len(records) // size)),
        "itemCount": len(records),
    }
    return records[(page - 1) * size : page * size], block


def _whole(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit():
        raise bad_query(f"'{text}' is not a number")
    return int(text)


def searched(records: list[Record], text: str | None, members: Collection[str]) -> list[Record]:
    """``SearchTerm``: any of the members contains the text, without regard to case."""
    if not text:
        return records
    wanted = text.casefold()

    def holds(found: Record) -> bool:
        return any(wanted in str(where.member(found["entity"], name) or "").casefold() for name in members)

    return [found for found in records if holds(found)]


def visible(org: Organisation, records: Iterable[Record]) -> list[Record]:
    """Without what the fault ``stale_reads`` hides: records born in the last ``seconds``."""
    params = org.world.faults.active("stale_reads", "xero", org.id)
    if params is None:
        return list(records)
    horizon = org.now().timestamp() - float(params.get("seconds", 60))
    return [found for found in records if found["born"] <= horizon]
