"""Queries and single records: filter, order by id, page, count; what a restricted user does not see."""

import urllib.parse
from typing import Any

from sandbox import jsonio
from sandbox.autotask import answers
from sandbox.autotask.access import Caller
from sandbox.autotask.entities import Entity
from sandbox.autotask.query import QueryError, compile_filter, narrowed
from sandbox.autotask.views import Row, View

PAGE_MAX = 500


def one(caller: Caller, entity: Entity, id: int, parent_id: int | None = None) -> dict[str, Any]:
    """`{"item": …}`, with null for an id that does not exist or may not be seen."""
    row = caller.tenant.row(entity.name, id)
    seen = (
        row is not None
        and _visible(caller, entity, row)
        and (parent_id is None or row.get(entity.parent_field or "") == parent_id)
    )
    return {"item": View(caller.tenant, entity).item(row or {}) if seen else None}


def _visible(caller: Caller, entity: Entity, row: Row) -> bool:
    """A restricted user silently lacks every third company's invoices and their lines."""
    if entity.name not in ("Invoices", "BillingItems") or not caller.tenant.switch("restricted"):
        return True
    company = row.get("companyID")
    return company is None or company % 3 != 0


def matching(caller: Caller, entity: Entity, view: View, body: dict[str, Any]) -> list[Row]:
    """The visible rows of a query by ascending id. Raises Refused."""
    filters = body.get("filter")
    try:
        test = compile_filter(filters, view)
    except QueryError as error:
        raise answers.errors(str(error)) from error
    tenant, pinned = caller.tenant, narrowed(filters, view)
    if pinned is None:
        rows = tenant.rows(entity.name)
    elif pinned[0] == "id":
        rows = [row for value in pinned[1] if (row := tenant.row(entity.name, value)) is not None]
    else:
        rows = [row for value in pinned[1] for row in tenant.rows(entity.name, **{pinned[0]: value})]
    found = [row for row in rows if test(row)]
    if caller.tenant.switch("restricted"):
        found = [row for row in found if _visible(caller, entity, row)]
    return sorted(found, key=lambda row: int(row["id"]))


def page(
    caller: Caller,
    entity: Entity,
    body: dict[str, Any],
    address: str,
    paging: dict[str, Any] | None,
    search: str | None,
) -> dict[str, Any]:
    """One page of a query in the list envelope. `paging` is the token of a next or previous page."""
    view = View(caller.tenant, entity)
    rows = matching(caller, entity, view, body)
    size = _size(body, paging)
    before, after = _bounds(paging)
    if before is not None:
        rows = [row for row in rows if row["id"] < before]
        start = max(len(rows) - size, 0)
    else:
        start = next((n for n, row in enumerate(rows) if row["id"] > after), len(rows)) if after is not None else 0
    items = rows[start : start + size]
    more = len(rows) > start + size or before is not None
    include = _include(entity, body)
    return {
        "items": [view.item(row, include) for row in items],
        "pageDetails": {
            "count": len(items),
            "requestCount": size,
            "prevPageUrl": _link(address, size, "previousIds", items[0]["id"], search) if start and items else None,
            "nextPageUrl": _link(address, size, "nextIds", items[-1]["id"], search) if more and items else None,
        },
    }


def _size(body: dict[str, Any], paging: dict[str, Any] | None) -> int:
    size = (paging or {}).get("pageSize", body.get("MaxRecords", PAGE_MAX))
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= PAGE_MAX:
        raise answers.errors(f"MaxRecords must lie between 1 and {PAGE_MAX}.")
    return size


def _bounds(paging: dict[str, Any] | None) -> tuple[int | None, int | None]:
    if paging is None:
        return None, None
    previous, following = paging.get("previousIds") or [], paging.get("nextIds") or []
    if not isinstance(previous, list) or not isinstance(following, list) or not (previous or following):
        raise answers.errors("The paging token is not valid.")
    return (int(previous[0]), None) if previous else (None, int(following[0]))


def _link(address: str, size: int, direction: str, id: int, search: str | None) -> str:
    token = {"pageSize": size, "previousIds": [], "nextIds": [], direction: [id]}
    url = f"{address}?paging={urllib.parse.quote(jsonio.dumps(token), safe='')}"
    return url if search is None else f"{url}&search={urllib.parse.quote(search, safe='')}"


def _include(entity: Entity, body: dict[str, Any]) -> list[str] | None:
    asked = body.get("IncludeFields")
    if not asked:
        return None
    names = []
    for name in asked:
        known = entity.by_lower.get(str(name).lower())
        if known is None:
            raise answers.errors(f"Unable to find {name} in the {entity.singular} Entity.")
        names.append(known)
    return names
