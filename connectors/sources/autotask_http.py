"""The way to Autotask's REST API: zone, sign-in headers, limits, errors in words, paging by id.

Reads and PATCHes with absolute values may be repeated; this client has no other verbs, so nothing here can write
twice. Which entities are asked is in autotask.py. Sources: Autotask developer help ("REST API security",
"Thresholds and limits", "Advanced query features"); statuses as observed by public clients (401 for a wrong
secret, 500 for an unknown user and a wrong integration code).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import requests

from connectors import jsonbytes
from connectors.endpoints import Endpoints
from connectors.errors import BadAnswer, NeedsReconnect, NotAllowed, NotSent, RetryLater, Unavailable
from connectors.http import Http, PlatformSession, read_again, retry_after_s
from connectors.limits import Gate, Limiter, Used, Waiting
from connectors.sources.autotask_budget import Budget, hour

PLATFORM = "Autotask"
PAGE = 500
_PAGES_MAX = 4000
_IN_FLIGHT = 2
"""Autotask allows three per endpoint and frees a place a little after it has answered."""
_THRESHOLD = "ThresholdInformation"
_THREADS_RETRY_S = 1.0
_THREADS_TRIES = 4
_HOURLY_WAIT_S = 60.0
_TEXT_MAX = 300

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """An API-only user of Autotask and the integration code (tracking identifier) it is allowed to use."""

    user: str
    secret: str
    integration_code: str

    def __repr__(self) -> str:
        return f"Credentials(user={self.user!r})"


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a customer's database is. `url` ends with `/`; `tenant` is the database id (`ci`)."""

    url: str
    web_url: str
    tenant: str


def _unheard(zone: Zone) -> None:
    """Nobody keeps the zone."""


class AutotaskClient:
    """One user's calls. May be used by several threads at once.

    `zone` is the stored one or None; `zone_found` hears of every zone that was looked up, to store it.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        http: Http,
        endpoints: Endpoints,
        limiter: Limiter,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
        zone: Zone | None = None,
        zone_found: Callable[[Zone], None] = _unheard,
        interactive: bool = False,
        session: PlatformSession | None = None,
    ) -> None:
        self._credentials = credentials
        self._endpoints = endpoints
        self._limiter = limiter
        self._clock = clock
        self._pause = pause
        self._waiting = Waiting(limiter, clock, pause)
        self._zone = zone
        self._zone_found = zone_found
        self._budget = Budget(limiter, interactive=interactive)
        self._session = session or http.session(PLATFORM, endpoints.is_autotask)
        self._labels: dict[tuple[str, str], dict[str, str]] = {}
        self._code = hashlib.sha256(credentials.integration_code.encode()).hexdigest()[:12]

    @property
    def user(self) -> str:
        return self._credentials.user

    # ---- zone ---------------------------------------------------------------------------------------------

    @property
    def tenant(self) -> str:
        """The database id, an empty text as long as no zone is known."""
        return self._zone.tenant if self._zone is not None else ""

    def zone(self) -> Zone:
        if self._zone is None:
            self._zone = self._discover()
        return self._zone

    def _discover(self) -> Zone:
        """Ask where the user's database is. No credentials travel. Raises NeedsReconnect for an unknown user."""
        user = self._credentials.user.strip()
        answer = read_again(lambda: self._session.get(self._endpoints.autotask_zones, params={"user": user}))
        if answer.status_code == 500 and "zone information" in _error_text(answer).lower():
            message = f"Autotask does not know the user name {user}. Check the user name (it looks like an e-mail)."
            raise NeedsReconnect(message, platform=PLATFORM)
        if answer.status_code != 200:
            raise Unavailable(f"Autotask did not name its zone (status {answer.status_code}).", platform=PLATFORM)
        zone = self._read_zone(_body(answer))
        if self._zone is not None and self._zone.tenant not in ("", zone.tenant):
            message = "This Autotask user now belongs to another Autotask database. Nothing was read."
            raise NotAllowed(message, platform=PLATFORM)
        self._zone_found(zone)
        return zone

    def _read_zone(self, body: Json) -> Zone:
        url = str(body.get("url") or "").rstrip("/") + "/"
        web_url = str(body.get("webUrl") or "")
        tenant = body.get("ci")
        if tenant is None or not self._endpoints.is_autotask(url):
            message = "Autotask named a zone that is not one of Autotask's own addresses. Nothing was sent there."
            raise NotAllowed(message, platform=PLATFORM)
        return Zone(url, web_url if self._endpoints.is_autotask_web(web_url) else "", str(tenant))

    def _moved(self) -> bool:
        """Look the zone up once more; customers are moved between zones. True when it changed."""
        before = self._zone
        self._zone = self._discover()
        return before is None or self._zone.url != before.url

    # ---- calls --------------------------------------------------------------------------------------------

    def get(self, path: str, *, entity: str) -> Json:
        return read_again(lambda: _body(self._call("GET", path, None, entity)))

    def pages(self, entity: str, filters: Sequence[Json], fields: Sequence[str] = ()) -> Iterator[list[Json]]:
        """All matching rows by rising id, in pages of at most 500. One call when there are fewer."""
        position: Json = {"op": "gte", "field": "id", "value": 0}  # id 0 is the customer's own company
        last = -1
        for _ in range(_PAGES_MAX):
            query: dict[str, Any] = {"MaxRecords": PAGE, "filter": [position, *filters]}
            if fields:
                query["IncludeFields"] = ["id", *fields]
            rows = self._page(entity, query)
            ids = [row["id"] for row in rows]
            if ids and (min(ids) <= last or len(set(ids)) < len(ids)):
                raise Unavailable("Autotask repeated a page.", platform=PLATFORM)
            if rows:
                last = max(ids)
                yield rows
            if len(rows) < PAGE:
                return
            position = {"op": "gt", "field": "id", "value": last}
        raise Unavailable(f"Autotask lists more than {_PAGES_MAX * PAGE:,} {entity}.", platform=PLATFORM)

    def rows(self, entity: str, filters: Sequence[Json] = (), fields: Sequence[str] = ()) -> list[Json]:
        return [row for page in self.pages(entity, filters, fields) for row in page]

    def count(self, entity: str) -> int:
        query = {"filter": [{"op": "gte", "field": "id", "value": 0}]}
        answer = read_again(lambda: _body(self._call("POST", f"{entity}/query/count", query, entity)))
        found = answer.get("queryCount")
        return found if isinstance(found, int) else 0

    def labels(self, entity: str, field: str) -> dict[str, str]:
        """Label by value of a picklist. Values differ from database to database and are never assumed."""
        if (entity, field) not in self._labels:
            answer = self.get(f"{entity}/entityInformation/fields", entity=entity)
            self._labels[(entity, field)] = _picklist(answer, field)
        return self._labels[(entity, field)]

    def patch(self, entity: str, body: Json, *, path: str | None = None) -> None:
        """Change one record to absolute values. The id stands in the body: `PATCH /{Entity}/{id}` is not routed.

        `path`: where records hang below a parent.
        """
        answer = _body(self._call("PATCH", path or entity, body, entity, taken=True))
        changed = answer.get("itemId")
        if changed is not None and str(changed) != str(body["id"]):
            raise Unavailable(f"Autotask answered for another record ({changed}).", platform=PLATFORM)

    def create(self, entity: str, body: Json, *, path: str) -> str:
        """Add one record below its parent and give its id. Never repeated here: Autotask has no key against that."""
        answer = _body(self._call("POST", path, body, entity, taken=True))
        made = answer.get("itemId")
        if made is None:
            raise Unavailable("Autotask did not say which record it made.", platform=PLATFORM)
        return str(made)

    def slot(self, operation: str) -> float:
        self._budget.correct(self.zone().tenant, self.threshold)
        return self._limiter.take(self._budget.limits(self.zone().tenant, operation))

    def usage(self) -> list[Used]:
        return self._limiter.used(self._budget.limits(self.zone().tenant, "read"))

    # ---- inside -------------------------------------------------------------------------------------------

    def _page(self, entity: str, query: Json) -> list[Json]:
        answer = read_again(lambda: _body(self._call("POST", f"{entity}/query", query, entity)))
        items = answer.get("items")
        if not isinstance(items, list):
            raise Unavailable("Autotask sent a list of another shape.", platform=PLATFORM)
        return [row for row in items if isinstance(row, Mapping) and type(row.get("id")) is int]

    def _call(
        self, method: str, path: str, body: Json | None, entity: str, *, taken: bool = False
    ) -> requests.Response:
        """One call. After a 401 or a failed connection the zone is asked once; a moved one is called instead."""
        self.zone()
        try:
            answer = self._patiently(method, path, body, entity, taken=taken)
        except NotSent:
            if not self._moved():
                raise
            answer = self._patiently(method, path, body, entity, taken=taken)
        if answer.status_code == 401 and self._moved():
            answer = self._patiently(method, path, body, entity, taken=taken)
        if answer.status_code != 200:
            self._refuse(answer, entity)
        return answer

    def _patiently(self, method: str, path: str, body: Json | None, entity: str, *, taken: bool) -> requests.Response:
        """Autotask refuses a fourth call in flight, others' included: such a refusal is repeated after a second."""
        for attempt in range(_THREADS_TRIES):
            answer = self._once(method, path, body, entity, taken=taken and not attempt)
            if answer.status_code == 200 or "thread threshold" not in _error_text(answer).lower():
                return answer
            self._pause(_THREADS_RETRY_S)
        until = self._waiting.later(_THREADS_RETRY_S * 10)
        raise RetryLater("Autotask is busy with other integrations' calls.", until, platform=PLATFORM)

    def _once(self, method: str, path: str, body: Json | None, entity: str, *, taken: bool) -> requests.Response:
        zone = self.zone()
        if not taken:
            if entity != _THRESHOLD:
                self._budget.correct(zone.tenant, self.threshold)
            limits = self._budget.limits(zone.tenant, "read")
            self._waiting.place(limits, "Autotask's hourly limit of calls is reached.", PLATFORM)
        self._tally(entity, method)
        name = f"autotask:{zone.tenant}:{self._code}:{entity.lower()}"
        gate = Gate(name, _IN_FLIGHT, self._session.over_after_s())
        token = self._waiting.gate(gate, "Autotask is busy with our other calls.", PLATFORM)
        try:
            return self._session.request(
                method,
                f"{zone.url}V1.0/{path}",
                headers=self._headers(),
                data=None if body is None else jsonbytes.dump(body),
            )
        finally:
            self._limiter.leave(gate, token)

    def _headers(self) -> dict[str, str]:
        return {
            "UserName": _header(self._credentials.user, "user name"),
            "Secret": _header(self._credentials.secret, "secret"),
            "ApiIntegrationCode": _header(self._credentials.integration_code, "integration code"),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }

    def _refuse(self, answer: requests.Response, entity: str) -> NoReturn:
        status, text = answer.status_code, _error_text(answer)
        told = text.lower()
        if status == 401:
            message = (
                f"Autotask does not accept the secret of the user {self._credentials.user}, or the user is locked."
            )
            raise NeedsReconnect(message, platform=PLATFORM)
        if "integrationcode" in told.replace(" ", "") or "tracking identifier" in told:
            message = "Autotask does not accept the integration code (tracking identifier) for this user."
            raise NeedsReconnect(message, platform=PLATFORM)
        if "user name or password" in told:
            message = f"Autotask does not know the user name {self._credentials.user}, or its secret is wrong."
            raise NeedsReconnect(message, platform=PLATFORM)
        if status == 403 or ("permission" in told and "no matching records" not in told):
            message = f"The Autotask user may not do this with {entity}. Check its security level in Autotask."
            raise NotAllowed(message, platform=PLATFORM)
        if status == 429 or "request threshold" in told:
            wait = retry_after_s(answer.headers, _HOURLY_WAIT_S)
            self._limiter.penalise(hour(self.zone().tenant), wait)
            raise RetryLater("Autotask's hourly limit is used up.", self._waiting.later(wait), platform=PLATFORM)
        passing = status in (408, 502, 503, 504) or any(word in told for word in ("deadlock", "timeout", "timed out"))
        if passing or (status >= 500 and not text):
            raise Unavailable(f"Autotask is not answering properly (status {status}).", platform=PLATFORM)
        raise BadAnswer(f"Autotask refused the request: {text or f'status {status}'}", platform=PLATFORM)

    # ---- limits -------------------------------------------------------------------------------------------

    def threshold(self) -> tuple[int, int] | None:
        """(calls allowed an hour, calls counted now) for the whole database; None when it is not told."""
        answer = self.get(_THRESHOLD, entity=_THRESHOLD)
        allowed, counted = answer.get("externalRequestThreshold"), answer.get("currentTimeframeRequestCount")
        if isinstance(allowed, int) and isinstance(counted, int) and allowed > 0:
            return allowed, counted
        return None

    def _tally(self, entity: str, method: str) -> None:
        operation = f"{entity} {method}" if method == "PATCH" else entity
        self._limiter.tally(f"autotask:{self.tenant}", operation, self._clock().astimezone(UTC).date().isoformat())


def since_text(moment: datetime) -> str:
    """An instant as Autotask takes it in filters and writes: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _header(value: str, name: str) -> str:
    """Header values are Latin-1 without line breaks; anything else cannot be a right credential."""
    text = value.strip()
    if not text or not text.isprintable() or not text.isascii():
        raise NeedsReconnect(f"The Autotask {name} is empty or has characters it cannot have.", platform=PLATFORM)
    return text


def _body(answer: requests.Response) -> Json:
    try:
        body = jsonbytes.load(answer.content)
    except ValueError:
        body = None
    if not isinstance(body, Mapping):
        raise Unavailable("Autotask sent an answer that cannot be read.", platform=PLATFORM)
    return body


def _error_text(answer: requests.Response) -> str:
    """Autotask's own words: `errors` (strings), or `Message` where the route itself was wrong. Bounded."""
    try:
        body = jsonbytes.load(answer.content)
    except ValueError:
        return ""
    if not isinstance(body, Mapping):
        return ""
    errors = body.get("errors")
    if isinstance(errors, list):
        return " ".join("; ".join(str(one) for one in errors).split())[:_TEXT_MAX]
    return " ".join(str(body.get("Message") or "").split())[:_TEXT_MAX]


def _picklist(answer: Json, field: str) -> dict[str, str]:
    fields = answer.get("fields")
    for one in fields if isinstance(fields, list) else []:
        if isinstance(one, Mapping) and str(one.get("name")).lower() == field.lower():
            values = one.get("picklistValues")
            listed = [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
            return {str(value.get("value")): str(value.get("label")) for value in listed}
    return {}
