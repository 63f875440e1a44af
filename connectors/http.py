"""How calls leave the process: one kind of session for every platform.

Here are time-outs, the host allow-list, the bound on an answer's size and length, and the difference between
"never sent" and "answer lost". Nothing here retries a write, follows a redirect, keeps a cookie or logs a
header. What a status or a body means is decided in each platform's own files; limits are in `limits.py`.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from connectors.errors import NotAllowed, NotSent, Unavailable
from connectors.handshake import Adapter
from connectors.trace import Exchange

ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""No answer we ask for comes near; more is a fault of the other side, not a reason to run out of memory."""
_CHUNK = 64 * 1024
_POOL = 8
_SHORTEST_S = 2.0

T = TypeVar("T")


class LostAnswer(Unavailable):
    """The request may have been carried out; its answer did not arrive whole. A write is then looked up."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `read` and `bulk` bound the silence between bytes, and with `connect` the whole answer."""

    connect: float = 5.0
    read: float = 30.0
    bulk: float = 60.0

    def divided(self, factor: float) -> Timeouts:
        """For tests with real processes: every time-out by one factor, never below two seconds."""
        return Timeouts(*(max(value / factor, _SHORTEST_S) for value in (self.connect, self.read, self.bulk)))


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One finished call as logs and counters may see it: no header, no query, no body."""

    platform: str
    method: str
    host: str
    path: str
    status: int | None
    seconds: float
    error: str | None = None


def _ignore(record: CallRecord) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Http:
    """What every session needs. `monotonic` counts seconds (the process hands in its own clock)."""

    monotonic: Callable[[], float]
    timeouts: Timeouts = field(default_factory=Timeouts)
    user_agent: str = "Bookbridge/1.0"
    observe: Callable[[CallRecord], None] = _ignore
    trace: Callable[[Exchange], None] | None = None
    """Gets requests and answers whole, without any header of a request; None (the rule) keeps nothing."""

    def session(self, platform: str, allowed: Callable[[str], bool]) -> PlatformSession:
        return PlatformSession(platform, self, allowed)


class PlatformSession(requests.Session):
    """A session bound to one platform's hosts.

    Raises NotSent when no connection was made, LostAnswer when one was made and the answer is not whole,
    NotAllowed before anything leaves when the address is not one of the platform's.
    """

    def __init__(self, platform: str, http: Http, allowed: Callable[[str], bool]) -> None:
        super().__init__()
        self.platform = platform
        self._http = http
        self._allowed = allowed
        self.trust_env = False  # a .netrc must never replace our credentials
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers["User-Agent"] = http.user_agent
        for scheme in ("https://", "http://"):
            self.mount(scheme, Adapter(pool_maxsize=_POOL, max_retries=0))

    def over_after_s(self, *, bulk: bool = False) -> float:
        """Seconds after which a call has ended whatever becomes of it, with room to spare: how long a place in flight
        is kept for a process that may be dead."""
        times = self._http.timeouts
        return 1.5 * (times.connect + (times.bulk if bulk else times.read))

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As `requests`, with a time-out always and redirects never. `bulk=True`: a bulk write's time-out."""
        address, verb = _text(url), _text(method)
        if not self._allowed(address):
            host = urlsplit(address).hostname or "This address"
            raise NotAllowed(f"{host} is not an address of {self.platform}.", platform=self.platform)
        bulk = bool(kwargs.pop("bulk", False))
        read = self._http.timeouts.bulk if bulk else self._http.timeouts.read
        kwargs["timeout"] = (self._http.timeouts.connect, read)
        kwargs["allow_redirects"] = False
        kwargs["stream"] = True
        started = self._http.monotonic()
        response: requests.Response | None = None
        error: str | None = None
        try:
            response = super().request(verb, address, *args, **kwargs)
            self._read_whole(response, started + self._http.timeouts.connect + read)
            return response
        except (requests.RequestException, HTTPError) as problem:
            failure = classify(problem, self.platform)
            error = type(problem).__name__
            raise failure from problem
        except LostAnswer:
            error = "AnswerTooLong"
            raise
        finally:
            self._note(verb, address, response, started, error)
            if self._http.trace is not None:
                self._http.trace(self._exchange(verb, address, kwargs, response, started, error))

    def _exchange(
        self, method: str, url: str, sent: Mapping[str, Any], response: requests.Response | None, started: float,
        error: str | None,
    ) -> Exchange:
        """What went out and came back. Credentials travel in headers, and no header of a request is kept."""
        asked = sent.get("data") or sent.get("json") or b""
        params = sent.get("params") or {}
        answered = b"" if response is None or error is not None else response.content
        return Exchange(
            platform=self.platform, method=method, url=url, params=dict(params) if isinstance(params, Mapping) else {},
            asked=asked, status=response.status_code if response is not None else None, answered=answered,
            date=response.headers.get("Date") if response is not None else None,
            seconds=self._http.monotonic() - started, error=error,
        )

    def _read_whole(self, response: requests.Response, deadline: float) -> None:
        """Read the body under a total bound: a server that drips bytes must not hold us for ever."""
        body = bytearray()
        try:
            while chunk := response.raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise LostAnswer(f"{self.platform} sent an answer that is too long.", platform=self.platform)
                if self._http.monotonic() > deadline:
                    raise LostAnswer(f"{self.platform} took too long to answer.", platform=self.platform)
        except BaseException:
            response.close()
            raise
        response.raw.release_conn()
        # The public way (`response.content`) reads without a total bound; requests keeps what it read here.
        response._content = bytes(body)
        response._content_consumed = True  # type: ignore[attr-defined]

    def _note(
        self, method: str, url: str, response: requests.Response | None, started: float, error: str | None
    ) -> None:
        parts = urlsplit(url)
        seconds = self._http.monotonic() - started
        status = response.status_code if response is not None else None
        self._http.observe(CallRecord(self.platform, method, parts.hostname or "", parts.path, status, seconds, error))


def classify(problem: Exception, platform: str) -> NotSent | LostAnswer:
    """Tell a connection that was never made from an answer that was lost. In doubt it is lost."""
    if isinstance(problem, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return NotSent(f"The address of {platform} is not usable.", platform=platform)
    for cause in _chain(problem):
        if isinstance(cause, requests.exceptions.ConnectTimeout):
            return NotSent(f"{platform} could not be reached in time.", platform=platform)
        if isinstance(cause, NewConnectionError):
            return NotSent(f"{platform} could not be reached.", platform=platform)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return NotSent(f"The certificate of {platform} was not accepted.", platform=platform)
    return LostAnswer(f"{platform} did not answer completely.", platform=platform)


def read_again(read: Callable[[], T]) -> T:
    """A read is repeated once when it failed for a passing reason. Never for writes."""
    try:
        return read()
    except Unavailable:
        return read()


def retry_after_s(headers: Mapping[str, str], default: float) -> float:
    """Seconds of a Retry-After header given as a number, at most an hour; the default for anything else."""
    try:
        wait = float(headers.get("Retry-After", ""))
    except ValueError:
        return default
    return min(max(wait, 1.0), 3600.0) if wait == wait else default


def origin(url: str) -> str:
    """Scheme, host and port of an address, lower case; an empty text when it has none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else ""


def _chain(problem: BaseException) -> list[BaseException]:
    """The exception with all its causes; requests keeps urllib3's own in `args` and `reason`."""
    found: list[BaseException] = []
    waiting: list[BaseException] = [problem]
    while waiting and len(found) < 20:
        current = waiting.pop(0)
        if current in found:
            continue
        found.append(current)
        linked = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting += [item for item in linked if isinstance(item, BaseException)]
    return found


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
