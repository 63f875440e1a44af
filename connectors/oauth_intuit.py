"""Intuit's part of sign-in and tokens: addresses from its discovery document, who signed in, ending a grant.

Sources: Intuit "OAuth 2.0", "OpenID Connect" and "Discovery document" pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.endpoints import Endpoints
from connectors.errors import BadAnswer, Unavailable
from connectors.oauth import SIGN_IN_SCOPES, Identity, Person, TokenSet, span

ACCOUNTING = "com.intuit.quickbooks.accounting"
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


class IntuitIdentity(Identity):
    """One registered app at Intuit. It keeps the discovery document for a day."""

    platform = "Intuit"
    grace = timedelta(hours=24)
    connect_scopes = (*SIGN_IN_SCOPES, ACCOUNTING)
    echoes_nonce = False  # unconfirmed
    _metadata: Mapping[str, str] = {}
    _metadata_until: datetime | None = None

    def person(self, access_token: str) -> Person:
        """Name and verified e-mail of who signed in (userinfo, camelCase at Intuit)."""
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
        body = self._get_json(self._address("userinfo_endpoint"), headers)
        subject = body.get("sub")
        if not isinstance(subject, str) or not subject:
            raise Unavailable("Intuit did not say who signed in.", platform=self.platform)
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
            raise BadAnswer("Intuit does not accept this app's client id and secret.", platform=self.platform)
        if answer.status_code not in (200, 204, 400):
            raise Unavailable("Intuit could not end the connection now.", platform=self.platform)

    # ---- inside -------------------------------------------------------------------------------------------

    def _ours(self, endpoints: Endpoints) -> Callable[[str], bool]:
        return endpoints.is_intuit

    def _token_with(self) -> dict[str, Any]:
        # The opt-in adds the seconds left of a grant's five years. Source: Intuit's PHP SDK, OAuth2LoginHelper.
        return {
            "headers": {
                "Accept": "application/json",
                "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8",
                "x-include-refresh-token-hard-expires-in": "true",
            }
        }

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
            self._metadata = self._checked(self._get_json(self._endpoints.discovery, {"Accept": "application/json"}))
            self._metadata_until = now + _DISCOVERY_AGE
        return self._metadata[name]

    def _checked(self, body: Mapping[str, Any]) -> dict[str, str]:
        found = {name: str(body.get(name) or "") for name in _ENDPOINTS}
        for name, url in found.items():
            if not url or not self._endpoints.is_intuit(url):
                message = f"Intuit's discovery document names an unusable {name}."
                raise Unavailable(message, platform=self.platform)
        return found
