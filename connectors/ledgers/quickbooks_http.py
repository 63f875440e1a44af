"""python-quickbooks behind our own session: its requests, our time-outs, tokens, errors and evidence.

The library builds addresses, parameters and the query, batch and PDF calls. Everything it loses (status, headers,
Intuit's transaction id, all but the first error) is looked at here, before it parses. One `Call` serves one
request: the library's client holds mutable state and must not be shared between threads.
Sources: Intuit "Rest API features", "Error codes"; python-quickbooks 0.9.12.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn, Protocol

import requests
from quickbooks import QuickBooks
from quickbooks.exceptions import QuickbooksException

from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, NotSent, RetryLater, Unavailable
from connectors.http import LostAnswer, PlatformSession, retry_after_s
from connectors.ledgers import quickbooks_faults as faults
from connectors.ledgers.base import LedgerFault

PLATFORM = "QuickBooks"
MINOR_VERSION = 75
"""Since August 2025 Intuit treats every lower version as 75."""
PAUSE_AFTER_429_S = 60.0
_RECONNECT = "QuickBooks no longer accepts this connection. Connect again."


class Access(Protocol):
    """Where access tokens come from (`sync/tokens.py`). Both may raise NeedsReconnect or Unavailable."""

    def token(self) -> str:
        """A token that is good for some minutes yet."""
        ...

    def renew(self, rejected: str) -> str:
        """Another token, after QuickBooks refused `rejected` with 401; one refresh for all who ask."""
        ...


class Faulted(BadAnswer):
    """QuickBooks refused with faults of its own: nothing was written."""

    def __init__(self, reasons: tuple[LedgerFault, ...], status: int | None, request_id: str | None) -> None:
        super().__init__(faults.sentence(reasons), platform=PLATFORM, request_id=request_id)
        self.reasons = reasons
        self.status = status


class Client(QuickBooks):  # type: ignore[misc]
    """The library's client without its singletons: our address, exact numbers, all errors of a fault."""

    def __init__(self, *, api_url: str, session: Call, **_: Any) -> None:
        self.api_url_v3 = api_url
        self.sandbox_api_url_v3 = api_url
        self.session = session

    @staticmethod
    def handle_exceptions(results: Mapping[str, Any]) -> NoReturn:
        raise Faulted(faults.faults_of(results), 200, None)


@dataclass(slots=True)
class Connection:
    """One company's way to QuickBooks. `throttled(seconds)` tells the limiter of a 429."""

    session: PlatformSession
    api_url: str
    realm: str
    access: Access
    clock: Callable[[], datetime]
    throttled: Callable[[float], None]

    def call(self, *, bulk: bool = False) -> Call:
        return Call(self, bulk=bulk)


class Call:
    """One request through the library, and what its answer was. The library sees this object as its session."""

    def __init__(self, connection: Connection, *, bulk: bool = False) -> None:
        self._connection = connection
        self._bulk = bulk
        self.access_token = ""  # the library puts it into the header; ours is set per attempt
        self.status: int | None = None
        self.request_id: str | None = None
        self._client = Client(
            api_url=connection.api_url,
            session=self,
            company_id=connection.realm,
            minorversion=MINOR_VERSION,
            use_decimal=True,
        )

    # ---- what connectors ask ------------------------------------------------------------------------------

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        url = f"{self._connection.api_url}/company/{self._connection.realm}/{path}"
        return self._json(lambda: self._client.get(url, params=dict(params or {})))

    def query(self, statement: str) -> Mapping[str, Any]:
        """`POST /query`: no length limit of an address, and names in any script."""
        answer = self._json(lambda: self._client.query(statement.encode("utf-8")))
        found = answer.get("QueryResponse")
        return {**found, "time": answer.get("time")} if isinstance(found, Mapping) else {"time": answer.get("time")}

    def cdc(self, entities: str, since: str) -> Mapping[str, Any]:
        return self._json(lambda: self._client.change_data_capture(entities, since))

    def batch(self, key: str, body: bytes) -> Mapping[str, Any]:
        url = f"{self._connection.api_url}/company/{self._connection.realm}/batch"
        return self._json(lambda: self._client.make_request("POST", url, request_body=body, request_id=key))

    def mail(self, key: str, entity: str, ledger_id: str, address: str | None) -> Mapping[str, Any]:
        """Have a document mailed to `address`, else to the one it names. Source: Intuit, Invoice, "Send an invoice"."""
        url = f"{self._connection.api_url}/company/{self._connection.realm}/{entity.lower()}/{ledger_id}/send"
        params = {"sendTo": address} if address else {}
        kind = "application/octet-stream"
        return self._json(
            lambda: self._client.make_request("POST", url, content_type=kind, params=params, request_id=key)
        )

    def upload(self, described: bytes, content: bytes) -> None:
        """Store one file, as the library spells multipart. A refusal of the file raises Faulted."""
        url = f"{self._connection.api_url}/company/{self._connection.realm}/upload"
        body = described.decode("ascii")
        answer = self._json(lambda: self._client.make_request("POST", url, request_body=body, file_bytes=content))
        told = answer.get("AttachableResponse")
        first = told[0] if isinstance(told, list) and told else None
        if isinstance(first, Mapping) and isinstance(first.get("Fault"), Mapping):
            raise Faulted(faults.faults_of(first["Fault"]), self.status, self.request_id)
        if not isinstance(first, Mapping) or "Attachable" not in first:
            message = "QuickBooks sent an answer of another shape."
            raise LostAnswer(message, platform=PLATFORM, request_id=self.request_id)

    def pdf(self, entity: str, ledger_id: str) -> bytes:
        body = self._client.download_pdf(entity, ledger_id)
        if not isinstance(body, bytes) or not body.startswith(b"%PDF"):
            raise Unavailable("QuickBooks did not send a PDF.", platform=PLATFORM, request_id=self.request_id)
        return body

    # ---- what the library asks ----------------------------------------------------------------------------

    def request(
        self, method: str, url: str, headers: dict[str, str], params: Mapping[str, Any] | str, data: Any
    ) -> requests.Response:
        """Send once; after a 401 once more with a new token: the first was refused, so nothing is repeated."""
        token = _or_not_sent(self._connection.access.token)
        answer = self._send(token, method, url, headers, params, data)
        if answer.status_code == 401:
            token = _or_not_sent(partial(self._connection.access.renew, token))
            answer = self._send(token, method, url, headers, params, data)
        if answer.status_code != 200:
            self._refuse(answer)
        return answer

    def _send(
        self, token: str, method: str, url: str, headers: dict[str, str], params: Mapping[str, Any] | str, data: Any
    ) -> requests.Response:
        own = {name: value for name, value in headers.items() if name != "User-Agent"}
        own["Authorization"] = f"Bearer {token}"
        answer = self._connection.session.request(
            method, url, headers=own, params=params or None, data=data or None, bulk=self._bulk
        )
        answer.encoding = "utf-8"  # JSON is UTF-8; without this, requests would guess from the bytes
        self.status = answer.status_code
        self.request_id = answer.headers.get("intuit_tid")
        return answer

    def _refuse(self, answer: requests.Response) -> NoReturn:
        status, tid = answer.status_code, self.request_id
        if status == 429:
            wait = retry_after_s(answer.headers, PAUSE_AFTER_429_S)
            self._connection.throttled(wait)
            until = self._connection.clock() + timedelta(seconds=wait)
            raise RetryLater("QuickBooks asks us to wait.", until, platform=PLATFORM, request_id=tid)
        reasons = faults.top_level(answer.content)
        if status == 401:
            raise NeedsReconnect(_RECONNECT, platform=PLATFORM, request_id=tid)
        if status == 403:
            raise NotAllowed(_forbidden(reasons), platform=PLATFORM, request_id=tid)
        if 400 <= status < 500 and status not in (408, 409) and reasons is not None:
            raise Faulted(reasons, status, tid)
        why = faults.sentence(reasons) if reasons else "no readable reason"
        raise LostAnswer(f"QuickBooks answered {status}: {why}", platform=PLATFORM, request_id=tid)

    def _json(self, ask: Callable[[], Any]) -> Mapping[str, Any]:
        try:
            answer = ask()
        except QuickbooksException as problem:
            message = "QuickBooks sent an answer that cannot be read."
            raise LostAnswer(message, platform=PLATFORM, request_id=self.request_id) from problem
        if not isinstance(answer, Mapping):
            message = "QuickBooks sent an answer of another shape."
            raise LostAnswer(message, platform=PLATFORM, request_id=self.request_id)
        return answer


def _or_not_sent(supply: Callable[[], str]) -> str:
    """A token that cannot be had just now is a definite no for the call it was for, not a lost answer."""
    try:
        return supply()
    except Unavailable as problem:
        raise NotSent(problem.message, platform=problem.platform, request_id=problem.request_id) from problem


def _forbidden(reasons: tuple[LedgerFault, ...] | None) -> str:
    if reasons and any(one.code == "3100" for one in reasons):
        return "QuickBooks does not let this app into the company: the connection belongs to another company or app."
    return "QuickBooks does not let the connected user do this. An administrator of the company must connect."
