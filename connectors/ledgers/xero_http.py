"""xero-python behind our own session: its requests, our time-outs, tokens, errors and evidence.

The library builds addresses, parameters and headers. Its transport would send a PUT four times and sleep through a
day's limit by itself, and its configuration shares one token among all clients; so transport and tokens are ours, and
its models, which lose a whole page for one unknown word, are not used. One `Call` serves one request.
Sources: Xero "Response codes", "Limits"; xero-python 15.2.0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn, Protocol

import requests
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient
from xero_python.rest import RESTClientObject

from connectors import jsonbytes
from connectors.errors import BadAnswer, ConsentTooNarrow, NeedsReconnect, NotAllowed, NotSent, RetryLater, Unavailable
from connectors.http import LostAnswer, PlatformSession
from connectors.ledgers import xero_faults as faults
from connectors.ledgers.base import LedgerFault

PLATFORM = "Xero"
_PAUSE_S = {"concurrent": 1.0, "appminute": 15.0, "minute": 30.0, "day": 3600.0}
"""How long is waited after a 429 without a Retry-After, by the limit it names. Source: Xero, "Limits"."""
_DAY_S = 86_400.0
_RECONNECT = "Xero no longer accepts this connection. Connect again."
_SCOPES = "The connection to Xero allows too little. An admin of the organisation must connect again and agree to it."
_ENDED = (
    "Xero does not let this app into the organisation any more: it was disconnected there, or the person who connected "
    "it lost access. An admin of the organisation must connect again."
)
_UNREADABLE = "Xero sent an answer of another shape."


class Access(Protocol):
    """Where access tokens come from (`sync/tokens.py`). Both may raise NeedsReconnect or Unavailable."""

    def token(self) -> str:
        """A token that is good for some minutes yet."""
        ...

    def renew(self, rejected: str) -> str:
        """Another token, after Xero refused `rejected` with 401; one refresh for all who ask."""
        ...


class Faulted(BadAnswer):
    """Xero refused the whole call: nothing was written. `status` 404: it uses something that Xero does not know."""

    def __init__(self, reasons: tuple[LedgerFault, ...], status: int, request_id: str | None) -> None:
        super().__init__(faults.sentence(reasons), platform=PLATFORM, request_id=request_id)
        self.reasons = reasons
        self.status = status


@dataclass(slots=True)
class Connection:
    """One organisation's way to Xero. `throttled(limit, seconds)` tells the limiter of a 429."""

    session: PlatformSession
    api_url: str
    tenant: str
    access: Access
    clock: Callable[[], datetime]
    throttled: Callable[[str, float], None]
    day_left: Callable[[int], None] = lambda left: None
    """Hears how many calls Xero says are left of the day, with every answer."""

    def call(self, *, bulk: bool = False) -> Call:
        return Call(self, bulk=bulk)


class Call:
    """One request through the library, and what its answer was."""

    def __init__(self, connection: Connection, *, bulk: bool = False) -> None:
        self._connection = connection
        self._bulk = bulk
        self.status: int | None = None
        self.request_id: str | None = None
        self.api = AccountingApi(_Client(self), base_url=connection.api_url)

    # ---- what connectors ask ------------------------------------------------------------------------------

    def ask(self, method: str, *args: Any, **options: Any) -> Mapping[str, Any]:
        """One method of the library, its answer as plain JSON with exact numbers."""
        return self._json(self.raw(method, *args, **options))

    def raw(self, method: str, *args: Any, **options: Any) -> bytes:
        """The same, its answer as bytes."""
        answer = getattr(self.api, method)(
            self._connection.tenant, *args, _preload_content=False, **options
        )
        return bytes(answer.data)

    # ---- what the library's client asks -------------------------------------------------------------------

    def send(self, method: str, url: str, params: Sequence[tuple[str, Any]], headers: Mapping[str, str],
             body: Any) -> Answered:
        """Send once; after a 401 once more with a new token: the first was refused, so nothing is repeated."""
        token = _or_not_sent(self._connection.access.token)
        answer = self._once(token, method, url, params, headers, body)
        if answer.status_code == 401 and not faults.scopes_too_narrow(answer.headers):
            token = _or_not_sent(partial(self._connection.access.renew, token))
            answer = self._once(token, method, url, params, headers, body)
        if answer.status_code == 304:  # nothing changed since; whether Xero ever says so is not confirmed
            return Answered(304, b"")
        if not 200 <= answer.status_code < 300:
            self._refuse(answer)
        return Answered(answer.status_code, answer.content)

    def _once(
        self, token: str, method: str, url: str, params: Sequence[tuple[str, Any]], headers: Mapping[str, str],
        body: Any,
    ) -> requests.Response:
        own = {name: str(value) for name, value in headers.items() if name not in ("User-Agent", "Authorization")}
        own["Authorization"] = f"Bearer {token}"
        data = body if isinstance(body, bytes) or body is None else jsonbytes.dump(body)
        query = [(name, str(value).lower() if isinstance(value, bool) else value) for name, value in params]
        answer = self._connection.session.request(
            method, url, headers=own, params=query or None, data=data, bulk=self._bulk
        )
        self.status = answer.status_code
        self.request_id = answer.headers.get("xero-correlation-id")
        left = answer.headers.get("X-DayLimit-Remaining", "")
        if left.isdigit():
            self._connection.day_left(int(left))
        return answer

    def _refuse(self, answer: requests.Response) -> NoReturn:
        """404 and 429 have no body, 503 is plain text, errors may be HTML: JSON is looked for, never expected."""
        status, tid = answer.status_code, self.request_id
        if status == 429:
            raise self._throttled(answer)
        if status == 401:
            if faults.scopes_too_narrow(answer.headers):
                raise ConsentTooNarrow(_SCOPES, platform=PLATFORM, request_id=tid)
            raise NeedsReconnect(_RECONNECT, platform=PLATFORM, request_id=tid)
        if status == 403:
            raise NotAllowed(_ENDED, platform=PLATFORM, request_id=tid)
        reasons = faults.top_level(status, answer.content)
        if 400 <= status < 500 and status not in (408, 409) and reasons is not None:
            raise Faulted(reasons, status, tid)
        text = faults.plain(answer.content)
        raise LostAnswer(f"Xero answered {status}: {text}", platform=PLATFORM, request_id=tid)

    def _throttled(self, answer: requests.Response) -> RetryLater:
        limit = faults.limit_named(answer.headers.get("X-Rate-Limit-Problem", ""))
        wait = _seconds(answer.headers.get("Retry-After", ""), _PAUSE_S[limit])
        self._connection.throttled(limit, wait)
        until = self._connection.clock() + timedelta(seconds=wait)
        told = "Xero's calls for today are used up." if limit == "day" else "Xero asks us to wait."
        return RetryLater(told, until, platform=PLATFORM, request_id=self.request_id)

    def _json(self, body: bytes) -> Mapping[str, Any]:
        if not body:
            return {}
        try:
            answer = jsonbytes.load(body)
        except ValueError as problem:
            message = "Xero sent an answer that cannot be read."
            raise LostAnswer(message, platform=PLATFORM, request_id=self.request_id) from problem
        if not isinstance(answer, Mapping):
            raise LostAnswer(_UNREADABLE, platform=PLATFORM, request_id=self.request_id)
        return answer


@dataclass(frozen=True, slots=True)
class Answered:
    """What the library's client hands back when it is told not to read the body."""

    status: int
    data: bytes

    def getheaders(self) -> Mapping[str, str]:
        return {}


class _Client(ApiClient):  # type: ignore[misc]
    """The library's client without its shared token: the token is put in where the request leaves."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.rest_client = _Rest(call)

    def update_params_for_auth(self, headers: Any, querys: Any, auth_settings: Any) -> None:
        """Nothing: see `Call.send`."""


class _Rest(RESTClientObject):  # type: ignore[misc]
    """The library's transport, without a pool of connections of its own."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def request(
        self, method: str, url: str, query_params: Any = None, headers: Any = None, body: Any = None,
        post_params: Any = None, _preload_content: bool = True, _request_timeout: Any = None,
    ) -> Answered:
        return self._call.send(method, url, list(query_params or ()), dict(headers or {}), body)


def _or_not_sent(supply: Callable[[], str]) -> str:
    """A token that cannot be had just now is a definite no for the call it was for, not a lost answer."""
    try:
        return supply()
    except Unavailable as problem:
        raise NotSent(problem.message, platform=problem.platform, request_id=problem.request_id) from problem


def _seconds(told: str, default: float) -> float:
    """A Retry-After: seconds until a day's limit ends may be many thousands."""
    try:
        wait = float(told)
    except ValueError:
        return default
    return min(max(math.ceil(wait), 1.0), _DAY_S) if math.isfinite(wait) else default
