"""Xero sign-in and tokens: consent address, code exchange, refresh, and the organisations that were joined to the app.

A token set belongs to a Xero user and reaches every organisation that user connected, so ending one organisation
deletes its connection and never revokes the tokens. Nothing is stored here. Sources: Xero "The standard authorization
code flow", "Token types", "Managing tenants", "Sign in with Xero".
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError

from connectors import idtoken, jsonbytes
from connectors.endpoints import Endpoints
from connectors.errors import BadAnswer, NeedsReconnect, PlatformError, Unavailable
from connectors.http import Http, read_again
from connectors.oauth import Exchange, GrantRejected, Person, SignInRejected, TokenSet, TransportClient, span

PLATFORM = "Xero"
SIGN_IN_SCOPES = ("openid", "profile", "email")
CONNECT_SCOPES = (
    *SIGN_IN_SCOPES, "offline_access", "accounting.invoices", "accounting.payments", "accounting.contacts",
    "accounting.settings", "accounting.attachments",
)  # fmt: skip
"""Granular scopes: the only ones an app of today may ask for. Items are written under `accounting.settings`."""
_ACCESS_S, _REFRESH = 1800, timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Joined:
    """One organisation that the token's user joined to the app. `id` ends the connection, `tenant` names the books."""

    id: str
    tenant: str
    name: str
    updated: str


class XeroIdentity:
    """One registered app at Xero. Every method raises Unavailable when Xero is away, NotSent when unreachable."""

    platform = PLATFORM
    grace = timedelta(minutes=30)
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
    ) -> None:
        self._session = http.session(PLATFORM, endpoints.is_xero)
        self._endpoints = endpoints
        self._client_id, self._client_secret = client_id, client_secret
        self._redirect_uri, self._clock = redirect_uri, clock
        self._keys: Mapping[str, Any] | None = None

    def authorize_url(
        self, *, state: str, nonce: str, code_verifier: str, scopes: tuple[str, ...] = CONNECT_SCOPES
    ) -> str:
        """Where the browser goes for sign-in and consent (PKCE S256); one organisation for each consent."""
        client = self._client(scope=" ".join(scopes), code_challenge_method="S256")
        url, _ = client.create_authorization_url(
            f"{self._endpoints.xero_login}/identity/connect/authorize", state=state, code_verifier=code_verifier,
            nonce=nonce, acr_values="bulk_connect:false",
        )  # fmt: skip
        return str(url)

    def exchange(self, *, code: str, code_verifier: str) -> Exchange:
        """Turn a code into tokens, once. Raises GrantRejected for a used, expired or foreign code."""
        token = self._token_call(
            lambda client, url: client.fetch_token(
                url, grant_type="authorization_code", code=code, code_verifier=code_verifier,
                redirect_uri=self._redirect_uri,
            )
        )  # fmt: skip
        id_token = token.get("id_token")
        return Exchange(self._token_set(token), id_token if isinstance(id_token, str) else None)

    def refresh(self, refresh_token: str) -> TokenSet:
        """Renew. One at a time per grant (the caller's lock); store what comes back before using it."""
        return self._token_set(
            self._token_call(lambda client, url: client.refresh_token(url, refresh_token=refresh_token))
        )

    def verify(self, id_token: str, *, nonce: str) -> idtoken.Claims:
        """Check signature, issuer, audience, expiry and nonce. Raises SignInRejected."""
        expected = idtoken.Expected(self._endpoints.xero_identity, self._client_id, nonce, True, self._clock())
        try:
            try:
                return idtoken.check(id_token, self._jwks(), expected)
            except idtoken.UnknownKey:
                return idtoken.check(id_token, self._jwks(fresh=True), expected)
        except idtoken.Rejected as problem:
            message = "Xero's sign-in answer could not be trusted. Please start again."
            raise SignInRejected(message, platform=PLATFORM) from problem

    def person(self, claims: idtoken.Claims) -> Person:
        """Who signed in: by Xero's own user id, never by the e-mail address. Xero signs in confirmed addresses only."""
        told = claims.told
        subject = str(told.get("xero_userid") or claims.subject)
        name = " ".join(str(told[key]) for key in ("given_name", "family_name") if told.get(key))
        email = told.get("email")
        found = email if isinstance(email, str) and email else None
        return Person(claims.issuer, subject, found, found is not None, name or None)

    def joined(self, access_token: str, *, this_consent: bool = False) -> list[Joined]:
        """The organisations of the token's user, the last consent's alone where asked (all, when Xero lists none)."""
        event = _claim(access_token, "authentication_event_id") if this_consent else None
        rows = self._connections(access_token, {"authEventId": event} if event else {})
        if not rows and event:
            rows = self._connections(access_token, {})
        found = [row for row in rows if row.get("tenantType") == "ORGANISATION"]
        return [
            Joined(str(row["id"]), str(row["tenantId"]), str(row.get("tenantName") or ""),
                   str(row.get("updatedDateUtc") or ""))
            for row in found
        ]  # fmt: skip

    def end(self, access_token: str, tenant: str) -> None:
        """Take one organisation off the app. Repeating is safe: one that is not joined any more is no error."""
        for one in self.joined(access_token):
            if one.tenant == tenant:
                answer = self._session.delete(
                    f"{self._endpoints.xero_connections}/connections/{one.id}", headers=_bearer(access_token)
                )
                if answer.status_code not in (204, 404):
                    raise Unavailable("Xero could not end the connection now.", platform=PLATFORM)

    # ---- inside -------------------------------------------------------------------------------------------

    def _connections(self, access_token: str, params: Mapping[str, str]) -> list[Mapping[str, Any]]:
        url = f"{self._endpoints.xero_connections}/connections"
        answer = read_again(lambda: self._session.get(url, params=dict(params), headers=_bearer(access_token)))
        if answer.status_code in (401, 403):
            raise NeedsReconnect("Xero no longer accepts this sign-in.", platform=PLATFORM)
        try:
            body = answer.json() if answer.status_code == 200 else None
        except ValueError:
            body = None
        if not isinstance(body, list):
            raise Unavailable("Xero did not say which organisations are connected.", platform=PLATFORM)
        return [row for row in body if isinstance(row, Mapping) and row.get("id") and row.get("tenantId")]

    def _client(self, **options: Any) -> TransportClient:
        return TransportClient(
            self._session, client_id=self._client_id, client_secret=self._client_secret,
            redirect_uri=self._redirect_uri,
            token_endpoint_auth_method="client_secret_basic",  # noqa: S106 (the name of a method)
            **options,
        )  # fmt: skip

    def _token_call(self, call: Callable[[TransportClient, str], Any]) -> Mapping[str, Any]:
        try:
            token = call(self._client(), f"{self._endpoints.xero_identity}/connect/token")
        except AuthlibBaseError as problem:
            raise _token_error(str(problem.error)) from problem
        except (requests.HTTPError, ValueError) as problem:
            raise Unavailable("Xero's token service is not answering.", platform=PLATFORM) from problem
        if not isinstance(token.get("access_token"), str):
            raise Unavailable("Xero's token answer was not complete.", platform=PLATFORM)
        return dict(token)

    def _token_set(self, token: Mapping[str, Any]) -> TokenSet:
        """A sign-in alone brings no refresh token. When a refresh token ends Xero never tells: 60 days unused."""
        now = self._clock()
        return TokenSet(
            access=token["access_token"], refresh=str(token.get("refresh_token") or ""),
            access_expires_at=now + span(token.get("expires_in"), _ACCESS_S), refresh_expires_at=now + _REFRESH,
            hard_expires_at=None,
        )  # fmt: skip

    def _jwks(self, *, fresh: bool = False) -> Mapping[str, Any]:
        if self._keys is None or fresh:
            url = f"{self._endpoints.xero_identity}/.well-known/openid-configuration/jwks"
            answer = read_again(lambda: self._session.get(url, headers={"Accept": "application/json"}))
            try:
                body = answer.json() if answer.status_code == 200 else None
            except ValueError:
                body = None
            if not isinstance(body, dict):
                raise Unavailable("Xero's sign-in service is not answering.", platform=PLATFORM)
            self._keys = body
        return self._keys


def _bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}


def _claim(access_token: str, name: str) -> str | None:
    """A claim of a token that came from Xero's own token address a moment ago; nothing is trusted for it."""
    try:
        part = access_token.split(".")[1]
        value = jsonbytes.load(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))).get(name)
    except (ValueError, IndexError, AttributeError):
        return None
    return value if isinstance(value, str) and value else None


def _token_error(code: str) -> PlatformError:
    if code == "invalid_grant":
        return GrantRejected("Xero no longer accepts this connection. Connect again.", platform=PLATFORM)
    if code in ("invalid_client", "unauthorized_client"):
        return BadAnswer("Xero does not accept this app's client id and secret.", platform=PLATFORM)
    if code in ("invalid_request", "unsupported_grant_type", "invalid_scope"):
        return BadAnswer(f"Xero refused the token request ({code}).", platform=PLATFORM)
    return Unavailable("Xero's token service is not answering.", platform=PLATFORM)
