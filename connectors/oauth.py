"""Intuit sign-in and tokens: OpenID Connect discovery, consent address, code exchange, refresh, revoke.

Nothing is stored here: state, nonce and verifier come from the caller, who keeps them with the browser session;
token storage, locking and compare-and-swap are in `sync/tokens.py`. Checking the id_token is in `idtoken.py`.
Sources: Intuit "OAuth 2.0", "OpenID Connect" and "Discovery document" pages; RFC 6749, 7636, 7009.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session

from connectors import idtoken
from connectors.endpoints import Endpoints
from connectors.errors import BadAnswer, NeedsReconnect, PlatformError, Unavailable
from connectors.http import Http, PlatformSession, read_again

PLATFORM = "Intuit"
ACCOUNTING = "com.intuit.quickbooks.accounting"
CONNECT_SCOPES = ("openid", "profile", "email", ACCOUNTING)
SIGN_IN_SCOPES = ("openid", "profile", "email")
_DISCOVERY_AGE = timedelta(hours=24)
_ACCESS_S, _REFRESH_S = 3600, 8_640_000
_ENDPOINTS = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "revocation_endpoint",
    "jwks_uri",
)


class GrantRejected(NeedsReconnect):
    """`invalid_grant`: this code or refresh token is dead. Terminal for this value, never tried in a loop."""


class SignInRejected(PlatformError):
    """The sign-in cannot be trusted (forged, replayed or expired). The person starts again."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenSet:
    """Tokens as Intuit gave them. Instants are aware UTC; the five-year end is None when it was not told."""

    access: str
    refresh: str
    access_expires_at: datetime
    refresh_expires_at: datetime
    hard_expires_at: datetime | None

    def __repr__(self) -> str:
        return f"TokenSet(access_expires_at={self.access_expires_at:%Y-%m-%dT%H:%M:%SZ})"


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """What a code was exchanged for. `id_token` is None when `openid` was not asked."""

    tokens: TokenSet
    id_token: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in. (`issuer`, `subject`) is the only key; an e-mail address never is."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool
    name: str | None


class IntuitIdentity:
    """One registered app at Intuit. Build once per process: it keeps the discovery document for a day.

    Every method raises Unavailable when Intuit is away (nothing is decided then), NotSent when unreachable.
    """

    platform = PLATFORM
    grace = timedelta(hours=24)
    """How long a replaced refresh token still works."""

    def __init__(
        self,
        *,
        http: Http,
        endpoints: Endpoints,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        clock: Callable[[], datetime],
        require_nonce: bool = False,
    ) -> None:
        self._session = http.session(PLATFORM, endpoints.is_intuit)
        self._endpoints = endpoints
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._require_nonce = require_nonce
        self._metadata: Mapping[str, str] = {}
        self._metadata_until: datetime | None = None
        self._keys: Mapping[str, Any] | None = None

    def authorize_url(
        self, *, state: str, nonce: str, code_verifier: str, scopes: tuple[str, ...] = CONNECT_SCOPES
    ) -> str:
        """Where the browser goes for sign-in and consent (PKCE S256). The caller keeps the three secrets."""
        client = self._client(scope=" ".join(scopes), code_challenge_method="S256")
        url, _ = client.create_authorization_url(
            self._address("authorization_endpoint"), state=state, code_verifier=code_verifier, nonce=nonce
        )
        return str(url)

    def exchange(self, *, code: str, code_verifier: str) -> Exchange:
        """Turn a code into tokens, once: a second exchange of one code may kill the grant.

        Raises GrantRejected for a used, expired or foreign code.
        """
        token = self._token_call(
            lambda client, url: client.fetch_token(
                url,
                grant_type="authorization_code",
                code=code,
                code_verifier=code_verifier,
                redirect_uri=self._redirect_uri,
                headers=_token_headers(),
            )
        )
        id_token = token.get("id_token")
        return Exchange(self._token_set(token), id_token if isinstance(id_token, str) else None)

    def refresh(self, refresh_token: str) -> TokenSet:
        """Renew. One at a time per grant (the caller's lock); store what comes back before using it.

        Raises GrantRejected when Intuit refuses this refresh token.
        """
        token = self._token_call(
            lambda client, url: client.refresh_token(url, refresh_token=refresh_token, headers=_token_headers())
        )
        return self._token_set(token)

    def verify(self, id_token: str, *, nonce: str, access_token: str | None = None) -> idtoken.Claims:
        """Check signature, issuer, audience, expiry and nonce. Raises SignInRejected."""
        expected = idtoken.Expected(
            issuer=self._address("issuer"),
            client_id=self._client_id,
            nonce=nonce,
            require_nonce=self._require_nonce,
            now=self._clock(),
            access_token=access_token,
        )
        try:
            try:
                return idtoken.check(id_token, self._jwks(), expected)
            except idtoken.UnknownKey:
                return idtoken.check(id_token, self._jwks(fresh=True), expected)
        except idtoken.Rejected as problem:
            message = "Intuit's sign-in answer could not be trusted. Please start again."
            raise SignInRejected(message, platform=PLATFORM) from problem

    def person(self, access_token: str) -> Person:
        """Name and verified e-mail of who signed in (userinfo, camelCase at Intuit)."""
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        body = read_again(lambda: self._get_json(self._address("userinfo_endpoint"), headers))
        subject = body.get("sub")
        if not isinstance(subject, str) or not subject:
            raise Unavailable("Intuit did not say who signed in.", platform=PLATFORM)
        name = " ".join(str(body[key]) for key in ("givenName", "familyName") if body.get(key))
        email = body.get("email")
        return Person(
            issuer=self._address("issuer"),
            subject=subject,
            email=email if isinstance(email, str) and email else None,
            email_verified=body.get("emailVerified") is True,
            name=name or None,
        )

    def revoke(self, token: str) -> None:
        """End the whole grant. Repeating is safe: 400 means that it is already gone."""
        answer = self._session.post(
            self._address("revocation_endpoint"),
            json={"token": token},
            auth=(self._client_id, self._client_secret),
            headers={"Accept": "application/json"},
        )
        if answer.status_code == 401:
            raise BadAnswer("Intuit does not accept this app's client id and secret.", platform=PLATFORM)
        if answer.status_code not in (200, 204, 400):
            raise Unavailable("Intuit could not end the connection now.", platform=PLATFORM)

    # ---- inside -------------------------------------------------------------------------------------------

    def _client(self, **options: Any) -> TransportClient:
        return TransportClient(
            self._session,
            client_id=self._client_id,
            client_secret=self._client_secret,
            redirect_uri=self._redirect_uri,
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 (the name of a method)
            **options,
        )

    def _token_call(self, call: Callable[[TransportClient, str], Any]) -> Mapping[str, Any]:
        try:
            token = call(self._client(), self._address("token_endpoint"))
        except AuthlibBaseError as problem:
            raise _token_error(str(problem.error)) from problem
        except (requests.HTTPError, ValueError) as problem:
            raise Unavailable("Intuit's token service is not answering.", platform=PLATFORM) from problem
        if not isinstance(token.get("access_token"), str) or not isinstance(token.get("refresh_token"), str):
            raise Unavailable("Intuit's token answer was not complete.", platform=PLATFORM)
        return dict(token)

    def _token_set(self, token: Mapping[str, Any]) -> TokenSet:
        now = self._clock()
        hard = token.get("x_refresh_token_hard_expires_in")
        return TokenSet(
            access=token["access_token"],
            refresh=token["refresh_token"],
            access_expires_at=now + span(token.get("expires_in"), _ACCESS_S),
            refresh_expires_at=now + span(token.get("x_refresh_token_expires_in"), _REFRESH_S),
            hard_expires_at=None if hard is None else now + span(hard, _REFRESH_S),
        )

    def _address(self, name: str) -> str:
        now = self._clock()
        if self._metadata_until is None or now >= self._metadata_until:
            body = read_again(lambda: self._get_json(self._endpoints.discovery, {"Accept": "application/json"}))
            self._metadata = self._checked(body)
            self._metadata_until = now + _DISCOVERY_AGE
        return self._metadata[name]

    def _checked(self, body: Mapping[str, Any]) -> dict[str, str]:
        found = {name: str(body.get(name) or "") for name in _ENDPOINTS}
        for name, url in found.items():
            if not url or not self._endpoints.is_intuit(url):
                message = f"Intuit's discovery document names an unusable {name}."
                raise Unavailable(message, platform=PLATFORM)
        return found

    def _jwks(self, *, fresh: bool = False) -> Mapping[str, Any]:
        if self._keys is None or fresh:
            address = self._address("jwks_uri")
            self._keys = read_again(lambda: self._get_json(address, {"Accept": "application/json"}))
        return self._keys

    def _get_json(self, url: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        answer = self._session.get(url, headers=dict(headers))
        if answer.status_code in (401, 403):
            raise NeedsReconnect("Intuit no longer accepts this sign-in.", platform=PLATFORM)
        try:
            body = answer.json() if answer.status_code == 200 else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise Unavailable("Intuit's sign-in service is not answering.", platform=PLATFORM)
        return body


class TransportClient(OAuth2Session):  # type: ignore[misc]
    """Authlib's client on our own session: its time-outs, hosts and errors hold for token calls too."""

    def __init__(self, transport: PlatformSession, **options: Any) -> None:
        super().__init__(**options)
        self._transport = transport

    def request(
        self, method: str, url: str, withhold_token: bool = False, auth: Any = None, **kwargs: Any
    ) -> requests.Response:
        return self._transport.request(method, url, auth=auth, **kwargs)


def _token_headers() -> dict[str, str]:
    # The opt-in adds the seconds left of a grant's five years. Source: Intuit's PHP SDK, OAuth2LoginHelper.
    return {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
        "x-include-refresh-token-hard-expires-in": "true",
    }


def _token_error(code: str) -> PlatformError:
    if code == "invalid_grant":
        return GrantRejected("Intuit no longer accepts this connection. Connect again.", platform=PLATFORM)
    if code == "invalid_client":
        return BadAnswer("Intuit does not accept this app's client id and secret.", platform=PLATFORM)
    if code in ("invalid_request", "unsupported_grant_type", "invalid_scope", "unauthorized_client"):
        return BadAnswer(f"Intuit refused the token request ({code}).", platform=PLATFORM)
    return Unavailable("Intuit's token service is not answering.", platform=PLATFORM)


def span(value: object, default: int) -> timedelta:
    """Seconds of a token answer; the default for anything else."""
    try:
        seconds = int(str(value))
    except ValueError:
        seconds = default
    return timedelta(seconds=min(max(seconds, 0), 200_000_000))
