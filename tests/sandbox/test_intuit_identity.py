"""The simulated Intuit account, walked with a plain HTTP client: consent, tokens, identity, My Apps."""

from __future__ import annotations

import base64
import hashlib
import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.intuit import settings
from tests.sandbox.qbo_client import Company, company

CALLBACK = "http://127.0.0.1:8300/connect/intuit/callback"
EVERYTHING = "com.intuit.quickbooks.accounting openid profile email"
SECRET = "SANDBOX-CLIENT-SECRET-NOT-REAL"  # visibly fake
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def it() -> Iterator[Company]:
    with company("us-ast") as made:
        yield made


def authorize(it: Company, **change: str) -> tuple[requests.Session, requests.Response]:
    asked = {
        "client_id": "SANDBOX-CLIENT-ID",
        "response_type": "code",
        "scope": EVERYTHING,
        "redirect_uri": CALLBACK,
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    browser = requests.Session()
    url = f"{it.base}/intuit/connect/oauth2?{urlencode(asked | change)}"
    return browser, browser.get(url, allow_redirects=False)


def submit(browser: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Fill in the form of a page, hidden inputs included, and follow redirects inside the sandbox."""
    action = re.search(r'<form method="post" action="([^"]+(?:signin|consent|disconnect))"', page.text)
    assert action, page.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    base = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    answer = browser.post(base + action.group(1), data=hidden | fields, allow_redirects=False)
    while answer.is_redirect and answer.headers["Location"].startswith("/"):
        answer = browser.get(base + answer.headers["Location"], allow_redirects=False)
    return answer


def callback(answer: requests.Response) -> dict[str, str]:
    assert answer.status_code == 302 and answer.headers["Location"].startswith(CALLBACK + "?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def consented(it: Company, user: str = "sandbox-admin", **change: str) -> dict[str, str]:
    browser, page = authorize(it, **change)
    answer = submit(browser, page, user=user)
    if answer.status_code == 200:
        answer = submit(browser, answer, realm=it.realm, decision="allow")
    return callback(answer)


def token(it: Company, secret: str = SECRET, hard: bool = False, **form: str) -> requests.Response:
    headers = {"x-include-refresh-token-hard-expires-in": "true"} if hard else {}
    return requests.post(
        f"{it.base}/intuit/oauth2/v1/tokens/bearer", data=form, headers=headers, auth=("SANDBOX-CLIENT-ID", secret)
    )


def exchange(it: Company, granted: str, **change: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": granted, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token(it, **form | change)


def connected(it: Company) -> dict[str, Any]:
    answer: dict[str, Any] = exchange(it, consented(it)["code"]).json()
    return answer


def refresh(it: Company, value: str) -> requests.Response:
    return token(it, grant_type="refresh_token", refresh_token=value)


def works(it: Company, access: str) -> bool:
    answer = requests.get(f"{it.url}/companyinfo/{it.realm}", headers={"Authorization": f"Bearer {access}"})
    return answer.status_code == 200


def test_discovery_is_served_in_four_spellings(it: Company) -> None:
    documents = [
        requests.get(f"{it.base}/intuit/.well-known/{name}").json()
        for name in (
            "openid_configuration",
            "openid_configuration/",
            "openid_sandbox_configuration",
            "openid_sandbox_configuration/",
        )
    ]
    assert all(document == documents[0] for document in documents)
    assert documents[0]["issuer"] == f"{it.base}/intuit/op/v1"
    assert documents[0]["token_endpoint"] == f"{it.base}/intuit/oauth2/v1/tokens/bearer"


def test_consent_gives_code_state_realm_and_tokens_that_work(it: Company) -> None:
    back = consented(it)
    assert back["state"] == "state-1" and back["realmId"] == it.realm
    answer = exchange(it, back["code"])
    body = answer.json()
    assert answer.headers["intuit_tid"] and body["token_type"] == "bearer" and body["expires_in"] == 3600
    assert works(it, body["access_token"])
    claims = requests.get(
        f"{it.base}/intuit/v1/openid_connect/userinfo", headers={"Authorization": f"Bearer {body['access_token']}"}
    ).json()
    assert claims == {
        "sub": "sandbox-admin",
        "email": "admin@sandbox.invalid",
        "emailVerified": True,
        "givenName": "Sandbox",
        "familyName": "Admin",
    }


@pytest.mark.parametrize("echo", [True, False])
def test_id_token_is_signed_and_the_nonce_is_a_switch(it: Company, echo: bool) -> None:
    settings.set_switches(it.world, echo_nonce=echo)
    raw = connected(it)["id_token"]
    keys = KeySet.import_key_set(requests.get(f"{it.base}/intuit/op/v1/jwks").json())
    assert "d" not in requests.get(f"{it.base}/intuit/op/v1/jwks").json()["keys"][0]
    claims = jwt.decode(raw, keys, algorithms=["RS256"]).claims
    assert claims["iss"] == f"{it.base}/intuit/op/v1" and claims["aud"] == ["SANDBOX-CLIENT-ID"]
    assert claims["sub"] == "sandbox-admin" and claims["realmid"] == it.realm
    assert claims.get("nonce") == ("nonce-1" if echo else None)


def test_sign_in_alone_carries_no_company(it: Company) -> None:
    back = consented(it, "sandbox-staff", scope="openid profile email")
    assert "realmId" not in back
    body = exchange(it, back["code"]).json()
    assert not works(it, body["access_token"])


def test_cancel_and_people_who_may_not_connect(it: Company) -> None:
    browser, page = authorize(it)
    answer = submit(browser, submit(browser, page, user="sandbox-admin"), decision="deny")
    assert callback(answer) == {"error": "access_denied", "state": "state-1"}
    browser, page = authorize(it)
    refused = submit(browser, page, user="sandbox-staff")
    assert "Ask an admin" in refused.text
    forced = submit(browser, refused, decision="allow", realm=it.realm)
    assert forced.status_code == 400


def test_requests_that_never_redirect(it: Company) -> None:
    for change in ({"client_id": "someone-else"}, {"redirect_uri": "http://127.0.0.1:8300/elsewhere"}):
        _, answer = authorize(it, **change)
        assert answer.status_code == 400 and "Location" not in answer.headers
    _, answer = authorize(it, scope="openid everything")
    assert callback(answer)["error"] == "invalid_scope"


def test_codes_are_single_use_short_lived_and_bound(it: Company) -> None:
    for change in ({"redirect_uri": CALLBACK + "x"}, {"code_verifier": "w" * 64}, {"code": "AB11unknown"}):
        refused = exchange(it, consented(it)["code"], **change)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    code = consented(it)["code"]
    first = exchange(it, code).json()
    assert works(it, first["access_token"])
    assert exchange(it, code).status_code == 400
    assert not works(it, first["access_token"])
    late = consented(it)["code"]
    it.world.clock.advance(301)
    assert exchange(it, late).status_code == 400


def test_wrong_client_and_bad_requests(it: Company) -> None:
    wrong = token(it, secret="wrong", grant_type="refresh_token", refresh_token="x")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    assert token(it, grant_type="password").json()["error"] == "unsupported_grant_type"
    assert token(it).json()["error"] == "invalid_request"


def test_refresh_token_rotates_daily_and_the_previous_one_dies_a_day_later(it: Company) -> None:
    first = connected(it)["refresh_token"]
    assert refresh(it, first).json()["refresh_token"] == first
    it.world.clock.advance(86_400)
    second = refresh(it, first).json()["refresh_token"]
    assert second != first
    assert refresh(it, first).json()["refresh_token"] == second  # grace: an answer may have been lost
    it.world.clock.advance(86_400)
    assert refresh(it, first).json() == {
        "error": "invalid_grant",
        "error_description": "Incorrect or invalid refresh token",
    }
    assert refresh(it, second).status_code == 200


def test_hundred_days_and_five_years(it: Company) -> None:
    value = connected(it)["refresh_token"]
    for _ in range(18):
        it.world.clock.advance(100 * 86_400)
        answer = token(it, hard=True, grant_type="refresh_token", refresh_token=value)
        value = answer.json()["refresh_token"]
    left = answer.json()["x_refresh_token_hard_expires_in"]
    assert 0 < left <= 157_680_000 - 1800 * 86_400
    it.world.clock.advance(left)
    assert refresh(it, value).json()["error"] == "invalid_grant"
    other = connected(it)["refresh_token"]
    it.world.clock.advance(102 * 86_400)
    assert refresh(it, other).status_code == 400


def test_parallel_refresh_kills_the_grant(it: Company) -> None:
    body = connected(it)
    it.world.faults.plan("slow", "intuit", operation="token", times=2, seconds=0.3)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(refresh(it, body["refresh_token"]).status_code))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 400]
    assert not works(it, body["access_token"])


def test_revoke_ends_the_grant_once(it: Company) -> None:
    body = connected(it)
    url = f"{it.base}/intuit/v2/oauth2/tokens/revoke"
    auth = ("SANDBOX-CLIENT-ID", SECRET)
    done = requests.post(url, json={"token": body["refresh_token"]}, auth=auth)
    assert (done.status_code, done.content) == (200, b"")
    assert not works(it, body["access_token"]) and refresh(it, body["refresh_token"]).status_code == 400
    again = requests.post(url, json={"token": body["refresh_token"]}, auth=auth)
    assert (again.status_code, again.content) == (400, b"")


def test_my_apps_launches_and_disconnects(it: Company) -> None:
    body = connected(it)
    browser = requests.Session()
    page = submit(browser, browser.get(f"{it.base}/intuit/myapps"), user="sandbox-admin")
    assert "http://127.0.0.1:8300/launch" in page.text and "http://127.0.0.1:8300/reconnect" in page.text
    answer = submit(browser, page)
    assert answer.headers["Location"] == f"http://127.0.0.1:8300/disconnect/intuit?realmId={it.realm}"
    assert not works(it, body["access_token"])
