"""Sign-in and tokens of a registered app, as every identity service of ours gives them; the services' own parts are in
`oauth_intuit.py` and `oauth_xero.py`.

Nothing is stored here: state, nonce and verifier come from the caller, who keeps them with the browser session;
token storage, locking and compare-and-swap are in `sync/tokens.py`. Checking the id_token is in `idtoken.py`.
Sources: RFC 6749, 7636, 7009; OpenID Connect Core.
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

SIGN_IN_SCOPES = ("openid", "profile", "email")
_NO_TOKEN = "no-token-of-anybody"  # noqa: S105 (it opens nothing)


class GrantRejected(NeedsReconnect):
    """`invalid_grant`: this code or refresh token is dead. Terminal for this value, never tried in a loop."""


class SignInRejected(PlatformError):
    """The sign-in cannot be trusted (forged, replayed or expired). The person starts again."""


@dataclass(frozen=True, slots=True, repr=False)
class TokenSet:
    """Tokens as the service gave them. Instants are aware UTC; `hard_expires_at` is None when no end was told."""

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


class Identity:
    """One app registered at an identity service. Build once per process: it keeps the service's keys.

    Every method raises Unavailable when the service is away (nothing is decided then), NotSent when unreachable.
    """

    platform: str
    grace: timedelta
    """How long a replaced refresh token still works."""
    connect_scopes: tuple[str, ...]
    echoes_nonce = True
    """Whether an id_token without a nonce is refused where the caller does not say."""
    offline = True
    """Whether a token answer without a refresh token is one that is not complete."""

    def __init__(
        self,
        *,
        http: Http,
        endpoints: Endpoints,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        clock: Callable[[], datetime],
        require_nonce: bool | None = None,
    ) -> None:
        self._session = http.session(self.platform, self._ours(endpoints))
        self._endpoints = endpoints
        self._client_id, self._client_secret = client_id, client_secret
        self._redirect_uri, self._clock = redirect_uri, clock
        self._require_nonce = self.echoes_nonce if require_nonce is None else require_nonce
        self._keys: Mapping[str, Any] | None = None

    # ---- what each service says for itself ------------------------------------------------------------------

    def _ours(self, endpoints: Endpoints) -> Callable[[str], bool]:
        """Where credentials may travel."""
        raise NotImplementedError

    def _address(self, name: str) -> str:
        """An address by its name in a discovery document."""
        raise NotImplementedError

    def _token_set(self, token: Mapping[str, Any]) -> TokenSet:
        raise NotImplementedError

    def _authorize_with(self) -> dict[str, str]:
        """What the consent address carries beside the standard."""
        return {}

    def _token_with(self) -> dict[str, Any]:
        """What a call for tokens carries beside the standard."""
        return {}

    # ---- sign-in ----------------------------------------------------------------------------------------------

    def authorize_url(
        self, *, state: str, nonce: str, code_verifier: str, scopes: tuple[str, ...] | None = None
    ) -> str:
        """Where the browser goes for sign-in and consent (PKCE S256). The caller keeps the three secrets."""
        client = self._client(scope=" ".join(scopes or self.connect_scopes), code_challenge_method="S256")
        url, _ = client.create_authorization_url(
            self._address("authorization_endpoint"), state=state, code_verifier=code_verifier, nonce=nonce,
            **self._authorize_with(),
        )  # fmt: skip
        return str(url)

    def exchange(self, *, code: str, code_verifier: str) -> Exchange:
        """Turn a code into tokens, once: a second exchange of one code may kill the grant.

        Raises GrantRejected for a used, expired or foreign code.
        """
        token = self._token_call(
            lambda client, url: client.fetch_token(
                url, grant_type="authorization_code", code=code, code_verifier=code_verifier,
                redirect_uri=self._redirect_uri, **self._token_with(),
            )
        )  # fmt: skip
        id_token = token.get("id_token")
        return Exchange(self._token_set(token), id_token if isinstance(id_token, str) else None)

    def refresh(self, refresh_token: str) -> TokenSet:
        """Renew. One at a time per grant (the caller's lock); store what comes back before using it.

        Raises GrantRejected when the service refuses this refresh token.
        """
        token = self._token_call(
            lambda client, url: client.refresh_token(url, refresh_token=refresh_token, **self._token_with())
        )
        return self._token_set(token)

    def knows_this_app(self) -> bool:
        """Whether the service accepts the app's client id and secret. It is asked with a token of nobody, which it
        refuses either way (RFC 6749, 5.2: `invalid_client` before `invalid_grant`); no grant is touched."""
        try:
            self.refresh(_NO_TOKEN)
        except GrantRejected:
            return True
        except BadAnswer:
            return False
        return True

    def verify(self, id_token: str, *, nonce: str, access_token: str | None = None) -> idtoken.Claims:
        """Check signature, issuer, audience, expiry and nonce. Raises SignInRejected."""
        expected = idtoken.Expected(
            issuer=self._address("issuer"), client_id=self._client_id, nonce=nonce,
            require_nonce=self._require_nonce, now=self._clock(), access_token=access_token,
        )  # fmt: skip
        try:
            try:
                return idtoken.check(id_token, self._jwks(), expected)
            except idtoken.UnknownKey:
                return idtoken.check(id_token, self._jwks(fresh=True), expected)
        except idtoken.Rejected as problem:
            message = f"{self.platform}'s sign-in answer could not be trusted. Please start again."
            raise SignInRejected(message, platform=self.platform) from problem

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
            raise self._token_error(str(problem.error)) from problem
        except (requests.HTTPError, ValueError) as problem:
            raise self._away(f"{self.platform}'s token service is not answering.") from problem
        wanted = ("access_token", "refresh_token") if self.offline else ("access_token",)
        if not all(isinstance(token.get(name), str) for name in wanted):
            raise self._away(f"{self.platform}'s token answer was not complete.")
        return dict(token)

    def _token_error(self, code: str) -> PlatformError:
        if code == "invalid_grant":
            message = f"{self.platform} no longer accepts this connection. Connect again."
            return GrantRejected(message, platform=self.platform)
        if code in ("invalid_client", "unauthorized_client"):
            message = f"{self.platform} does not accept this app's client id and secret."
            return BadAnswer(message, platform=self.platform)
        if code in ("invalid_request", "unsupported_grant_type", "invalid_scope"):
            return BadAnswer(f"{self.platform} refused the token request ({code}).", platform=self.platform)
        return self._away(f"{self.platform}'s token service is not answering.")

    def _jwks(self, *, fresh: bool = False) -> Mapping[str, Any]:
        if self._keys is None or fresh:
            self._keys = self._get_json(self._address("jwks_uri"), {"Accept": "application/json"})
        return self._keys

    def _get_json(self, url: str, headers: Mapping[str, str]) -> Mapping[str, Any]:
        """The object an address answers with; asking is repeated once."""

        def read() -> Mapping[str, Any]:
            body = body_of(self._accepted(self._session.get(url, headers=dict(headers))))
            if not isinstance(body, dict):
                raise self._away(f"{self.platform}'s sign-in service is not answering.")
            return body

        return read_again(read)

    def _accepted(self, answer: requests.Response) -> requests.Response:
        if answer.status_code in (401, 403):
            message = f"{self.platform} no longer accepts this sign-in."
            raise NeedsReconnect(message, platform=self.platform)
        return answer

    def _away(self, message: str) -> Unavailable:
        return Unavailable(message, platform=self.platform)


class TransportClient(OAuth2Session):  # type: ignore[misc]
    """Authlib's client on our own session: its time-outs, hosts and errors hold for token calls too."""

    def __init__(self, transport: PlatformSession, **options: Any) -> None:
        super().__init__(**options)
        self._transport = transport

    def request(
        self, method: str, url: str, withhold_token: bool = False, auth: Any = None, **kwargs: Any
    ) -> requests.Response:
        return self._transport.request(method, url, auth=auth, **kwargs)


def body_of(answer: requests.Response) -> Any:
    """What a good answer holds; None for any other."""
    try:
        return answer.json() if answer.status_code == 200 else None
    except ValueError:
        return None



def span(value: object, default: int) -> timedelta:
    """Seconds of a token answer; the default for anything else."""
    try:
        seconds = int(str(value))
    except ValueError:
        seconds = default
    return timedelta(seconds=min(max(seconds, 0), 200_000_000))
