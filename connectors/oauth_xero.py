"""Xero's part of sign-in and tokens, and the organisations that were joined to the app.

A token set belongs to a Xero user and reaches every organisation that user connected, so ending one organisation
deletes its connection and never revokes the tokens. Sources: Xero "The standard authorization code flow", "Token
types", "Managing tenants", "Sign in with Xero".
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from connectors import idtoken, jsonbytes
from connectors.endpoints import Endpoints
from connectors.errors import Unavailable
from connectors.http import read_again
from connectors.oauth import SIGN_IN_SCOPES, Identity, Person, TokenSet, body_of, span

_ACCESS_S, _REFRESH = 1800, timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Joined:
    """One organisation that the token's user joined to the app. `id` ends the connection, `tenant` names the books."""

    id: str
    tenant: str
    name: str
    updated: str


class XeroIdentity(Identity):
    """One registered app at Xero."""

    platform = "Xero"
    grace = timedelta(minutes=30)
    connect_scopes = (
        *SIGN_IN_SCOPES, "offline_access", "accounting.invoices", "accounting.payments", "accounting.contacts",
        "accounting.settings", "accounting.attachments",
    )  # fmt: skip
    """Granular scopes: the only ones an app of today may ask for. Items are written under `accounting.settings`."""
    offline = False  # a sign-in alone brings no refresh token

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
                    raise Unavailable("Xero could not end the connection now.", platform=self.platform)

    # ---- inside -------------------------------------------------------------------------------------------

    def _ours(self, endpoints: Endpoints) -> Callable[[str], bool]:
        return endpoints.is_xero

    def _address(self, name: str) -> str:
        """Known addresses: asking for the discovery document at every start has got apps blocked."""
        identity = self._endpoints.xero_identity
        return {
            "issuer": identity,
            "authorization_endpoint": f"{self._endpoints.xero_login}/identity/connect/authorize",
            "token_endpoint": f"{identity}/connect/token",
            "jwks_uri": f"{identity}/.well-known/openid-configuration/jwks",
        }[name]

    def _authorize_with(self) -> dict[str, str]:
        return {"acr_values": "bulk_connect:false"}  # one organisation for each consent

    def _token_set(self, token: Mapping[str, Any]) -> TokenSet:
        """When a refresh token ends Xero never tells: 60 days unused."""
        now = self._clock()
        return TokenSet(
            access=token["access_token"], refresh=str(token.get("refresh_token") or ""),
            access_expires_at=now + span(token.get("expires_in"), _ACCESS_S), refresh_expires_at=now + _REFRESH,
            hard_expires_at=None,
        )  # fmt: skip

    def _connections(self, access_token: str, params: Mapping[str, str]) -> list[Mapping[str, Any]]:
        url = f"{self._endpoints.xero_connections}/connections"
        headers = _bearer(access_token)
        body = body_of(read_again(lambda: self._accepted(self._session.get(url, params=dict(params), headers=headers))))
        if not isinstance(body, list):
            raise self._away("Xero did not say which organisations are connected.")
        return [row for row in body if isinstance(row, Mapping) and row.get("id") and row.get("tenantId")]


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
