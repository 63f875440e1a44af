"""The bytes of an answer: the envelope, dates and numbers as Xero writes them, XML for who did not ask for JSON.

Dates of documents are midnight UTC of the calendar date. Absent values are left out, never null.
Source: real recordings quoted in the fact sheet, sections 2.1 and 2.2.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.sax.saxutils import escape

from flask import Response, request

from sandbox import jsonio
from sandbox.xero.errors import CallRefused, bad_value

PROVIDER = "Bookbridge (sandbox)"
ZERO_GUID = "00000000-0000-0000-0000-000000000000"
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")


def moment(seconds: Any) -> datetime:
    """UTC seconds as the store gives them (a float, or a Decimal after a restart)."""
    return datetime.fromtimestamp(float(seconds), UTC)


def ms(moment: datetime, offset: str = "+0000") -> str:
    """``/Date(1789378199160+0000)/``; some members carry no offset."""
    return f"/Date({int(moment.timestamp() * 1000)}{offset})/"


def day(iso: str) -> str:
    """A calendar date as Xero writes it."""
    found = date.fromisoformat(iso)
    return ms(datetime(found.year, found.month, found.day, tzinfo=UTC))


def day_string(iso: str) -> str:
    """The twin member, ``DateString``."""
    return f"{iso}T00:00:00"


def number(value: Decimal | int) -> Decimal:
    """A double as JSON shows it: no trailing zeros, but one decimal place."""
    plain = Decimal(value).normalize()
    return plain.quantize(Decimal("0.1")) if int(plain.as_tuple().exponent) > -1 else plain


def read_day(value: Any, path: str) -> str:
    """A date a client sent, as ISO text: ``YYYY-MM-DD``, an ISO moment or ``/Date(ms)/``. Raises error 14."""
    text = str(value).strip()
    match = _MS_DATE.match(text)
    try:
        if match:
            return datetime.fromtimestamp(int(match.group(1)) / 1000, UTC).date().isoformat()
        return date.fromisoformat(text[:10]).isoformat()
    except (ValueError, OverflowError, OSError):
        raise bad_value(value, path) from None


def read_number(value: Any, path: str) -> Decimal:
    """A number a client sent, as JSON number or as text. Raises error 14."""
    try:
        if isinstance(value, bool):
            raise InvalidOperation
        found = Decimal(str(value).strip())
    except InvalidOperation:
        raise bad_value(value, path) from None
    if not found.is_finite():
        raise bad_value(value, path)
    return found


def envelope(now: datetime, members: Mapping[str, Any]) -> dict[str, Any]:
    """A successful answer. Creates answer 200 like everything else."""
    return {
        "Id": str(uuid.uuid4()),
        "Status": "OK",
        "ProviderName": PROVIDER,
        "DateTimeUTC": ms(now, ""),
        **members,
    }


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """JSON for who accepts it; XML, the default of the API, for who does not say so."""
    if "json" in request.headers.get("Accept", "").lower():
        return Response(jsonio.dumps(body), status, content_type="application/json; charset=utf-8")
    text = f'<?xml version="1.0" encoding="utf-8"?><Response>{_xml(body)}</Response>'
    return Response(text, status, content_type="text/xml; charset=utf-8")


def _xml(value: Any) -> str:
    """Enough of Xero's XML for a client that forgot to ask for JSON to see what it got."""
    if isinstance(value, Mapping):
        return "".join(f"<{name}>{_xml(each)}</{name}>" for name, each in value.items())
    if isinstance(value, list | tuple):
        return "".join(f"<Element>{_xml(each)}</Element>" for each in value)
    return escape(str(value))


def refusal(problem: CallRefused) -> Response:
    """A refused call; without a body it is ``text/html`` and empty, as the real 404 is."""
    if problem.body is None:
        return Response(b"", problem.status, content_type="text/html")
    return answer(problem.body, problem.status)


def finish(response: Response) -> Response:
    """The header support asks for."""
    response.headers["xero-correlation-id"] = str(uuid.uuid4())
    return response
