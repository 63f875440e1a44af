"""Sign-in, tokens and revocation against the simulated Intuit, and a table of forged id_tokens."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from connectors import idtoken
from connectors.endpoints import endpoints
from connectors.errors import BadAnswer, NotSent, Unavailable
from connectors.http import Http
from connectors.oauth import Exchange, GrantRejected, SignInRejected
from connectors.oauth_intuit import IntuitIdentity
from sandbox.intuit import settings
from sandbox.qbo import profiles
from sandbox.server import World

CALLBACK = "http://127.0.0.1:8300/connect/intuit/callback"
VERIFIER = "v" * 64


def utc_now() -> datetime:
    return datetime.now(UTC)


SECRET = "SANDBOX-CLIENT-SECRET-NOT-REAL"


def identity(base: str, secret: str = SECRET, **options: Any) -> IntuitIdentity:
    return IntuitIdentity(
        http=Http(time.monotonic),
        endpoints=endpoints(base),
        client_id="SANDBOX-CLIENT-ID",
        client_secret=secret,
        redirect_uri=CALLBACK,
        clock=options.pop("clock", utc_now),
        **options,
    )


def consent(base: str, url: str, decision: str = "allow") -> dict[str, str]:
    """Walk the sign-in and consent pages as a browser would; gives the callback's parameters."""
    browser = requests.Session()

    def submit(page: requests.Response, **values: str) -> requests.Response:
        form = re.search(r'<form method="post" action="([^"]+(?:signin|consent))"', page.text)
        assert form, page.text
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        return browser.post(base + form.group(1), data={**hidden, **values}, allow_redirects=False)

    signed = submit(browser.get(url), user="sandbox-admin")
    page = browser.get(base + signed.headers["Location"], allow_redirects=False)
    realm = profiles.realm_id("bench")
    answer = submit(page, realm=realm, decision=decision)
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


@pytest.fixture
def company(sandbox_world: World, sandbox: str) -> str:
    return profiles.create_company(sandbox_world, "bench", "us-none", "Bench Inc", unrelated=False)


def connected(base: str, ours: IntuitIdentity, nonce: str = "nonce-1") -> Exchange:
    url = ours.authorize_url(state="state-1", nonce=nonce, code_verifier=VERIFIER)
    back = consent(base, url)
    assert back["state"] == "state-1"
    return ours.exchange(code=back["code"], code_verifier=VERIFIER)


def test_consent_gives_tokens_a_checked_identity_and_the_company(company: str, sandbox: str) -> None:
    ours = identity(sandbox)
    url = ours.authorize_url(state="state-1", nonce="nonce-1", code_verifier=VERIFIER)
    asked = parse_qs(urlsplit(url).query)
    assert asked["code_challenge_method"] == ["S256"] and VERIFIER not in url
    back = consent(sandbox, url)
    assert back["realmId"] == company
    got = ours.exchange(code=back["code"], code_verifier=VERIFIER)
    assert timedelta(minutes=59) < got.tokens.access_expires_at - utc_now() <= timedelta(hours=1)
    assert got.tokens.hard_expires_at is not None
    claims = ours.verify(got.id_token or "", nonce="nonce-1", access_token=got.tokens.access)
    person = ours.person(got.tokens.access)
    assert (person.issuer, person.subject) == (claims.issuer, claims.subject)
    assert person.email_verified and person.email and person.email.endswith("sandbox.invalid")


def test_a_refusal_on_the_consent_page_comes_back_as_an_error(company: str, sandbox: str) -> None:
    url = identity(sandbox).authorize_url(state="s", nonce="n", code_verifier=VERIFIER)
    assert consent(sandbox, url, "deny")["error"] == "access_denied"


def test_a_code_is_good_once_and_only_with_its_verifier(company: str, sandbox: str) -> None:
    ours = identity(sandbox)
    url = ours.authorize_url(state="s", nonce="n", code_verifier=VERIFIER)
    code = consent(sandbox, url)["code"]
    with pytest.raises(GrantRejected):
        ours.exchange(code=code, code_verifier="w" * 64)
    code = consent(sandbox, url)["code"]
    ours.exchange(code=code, code_verifier=VERIFIER)
    with pytest.raises(GrantRejected):
        ours.exchange(code=code, code_verifier=VERIFIER)


def test_refreshing_gives_new_tokens_and_a_revoked_grant_is_rejected(company: str, sandbox: str) -> None:
    ours = identity(sandbox)
    first = connected(sandbox, ours).tokens
    second = ours.refresh(first.refresh)
    assert second.access != first.access
    assert ours.person(second.access).subject
    ours.revoke(second.refresh)
    with pytest.raises(GrantRejected):
        ours.refresh(second.refresh)
    ours.revoke(second.refresh)


def test_a_wrong_app_secret_is_not_taken_for_a_dead_connection(company: str, sandbox: str) -> None:
    first = connected(sandbox, identity(sandbox)).tokens
    with pytest.raises(BadAnswer):
        identity(sandbox, secret="wrong").refresh(first.refresh)


@pytest.mark.parametrize("fault", ["error_500_before", "status_503", "html_200", "empty_200", "status_429", "cut_json"])
def test_an_outage_of_the_token_service_decides_nothing(
    company: str, sandbox: str, sandbox_world: World, fault: str
) -> None:
    ours = identity(sandbox)
    first = connected(sandbox, ours).tokens
    sandbox_world.faults.plan(fault, "intuit", times=1)
    with pytest.raises(Unavailable):
        ours.refresh(first.refresh)


def test_an_unreachable_token_service_decides_nothing() -> None:
    with pytest.raises(NotSent):
        identity("http://127.0.0.1:1").refresh("AB11")


def test_a_nonce_that_is_not_echoed_is_accepted_only_where_allowed(
    company: str, sandbox: str, sandbox_world: World
) -> None:
    settings.set_switches(sandbox_world, echo_nonce=False)
    got = connected(sandbox, identity(sandbox))
    assert identity(sandbox).verify(got.id_token or "", nonce="nonce-1").subject
    with pytest.raises(SignInRejected):
        identity(sandbox, require_nonce=True).verify(got.id_token or "", nonce="nonce-1")


def test_tokens_do_not_show_in_text() -> None:
    ours = identity("http://127.0.0.1:1")
    tokens = ours._token_set({"access_token": "secret-a", "refresh_token": "secret-r", "expires_in": 3600})
    assert "secret" not in repr(tokens) and "secret" not in repr(Exchange(tokens, "secret-id"))


# ---- id_token ---------------------------------------------------------------------------------------------

KEY = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
KEYS = KeySet([KEY]).as_dict(private=False)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
EXPECTED = idtoken.Expected("https://issuer.example/op/v1", "client", "n1", False, NOW)
GOOD: dict[str, Any] = {
    "iss": "https://issuer.example/op/v1",
    "aud": ["client"],
    "sub": "user-1",
    "exp": int(NOW.timestamp()) + 600,
    "iat": int(NOW.timestamp()),
    "nonce": "n1",
    "realmid": "9130",
}


def signed(claims: dict[str, Any], key: Any = KEY, header: dict[str, Any] | None = None) -> str:
    return jwt.encode(header or {"alg": "RS256", "kid": "k1"}, claims, key)


def encoded(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed_with_the_public_key() -> str:
    """The classic confusion: an HMAC whose secret is the published key."""
    text = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{encoded(GOOD)}"
    return f"{text}.{encoded(hmac.digest(KEY.as_pem(private=False), text.encode(), 'sha256'))}"


def test_a_sound_token_is_accepted() -> None:
    claims = idtoken.check(signed(GOOD), KEYS, EXPECTED)
    assert (claims.issuer, claims.subject, claims.realm) == (GOOD["iss"], "user-1", "9130")


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": ["other"]},
        {"aud": []},
        {"exp": int(NOW.timestamp()) - 3600},
        {"exp": "never"},
        {"nonce": "n2"},
        {"nonce": ["n1"]},
        {"sub": ""},
        {"sub": None},
        {"azp": "other"},
        {"iat": int(NOW.timestamp()) + 3600},
    ],
)
def test_a_token_that_says_something_else_is_rejected(change: dict[str, Any]) -> None:
    with pytest.raises(idtoken.Rejected):
        idtoken.check(signed({**GOOD, **change}), KEYS, EXPECTED)


def test_forged_signatures_and_other_algorithms_are_rejected() -> None:
    other = RSAKey.generate_key(2048, {"kid": "k1"})
    head, body, signature = signed(GOOD).split(".")
    forged = [
        signed(GOOD, other),
        f"{head}.{body}.",
        f"{head}.{signed({**GOOD, 'sub': 'admin'}).split('.')[1]}.{signature}",
        signed_with_the_public_key(),
        f"{encoded({'alg': 'none'})}.{body}.",
        "not.a.token",
        "",
    ]
    for token in forged:
        with pytest.raises(idtoken.Rejected):
            idtoken.check(token, KEYS, EXPECTED)


def test_a_key_that_is_not_known_yet_is_its_own_case() -> None:
    with pytest.raises(idtoken.UnknownKey):
        idtoken.check(signed(GOOD, header={"alg": "RS256", "kid": "k2"}), KEYS, EXPECTED)
