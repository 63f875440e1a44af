"""The simulated Xero identity, walked with a plain HTTP client: consent, tokens, connections, how they end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox.oauth import challenge
from sandbox.xero import profiles
from sandbox.xero_identity import settings, tokens, users
from tests.sandbox.xero_client import Xero, organisation

CALLBACK = "http://127.0.0.1:8300/connect/xero/callback"
SCOPES = "openid profile email offline_access accounting.invoices accounting.contacts accounting.settings"
SECRET = "SANDBOX-CLIENT-SECRET-NOT-REAL"  # visibly fake
VERIFIER = "v" * 64
GRACE, UNUSED = 1800, 60 * 86_400
ADVISER = users.USERS[1]  # has no token yet, so that scopes of earlier consents do not add up


@pytest.fixture
def it() -> Iterator[Xero]:
    with organisation() as made:
        yield made


def authorize(it: Xero, **change: str) -> tuple[requests.Session, requests.Response]:
    asked = {
        "client_id": "SANDBOX-CLIENT-ID", "response_type": "code", "scope": SCOPES, "redirect_uri": CALLBACK,
        "state": "state-1", "nonce": "nonce-1", "code_challenge": challenge(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    browser = requests.Session()
    url = f"{it.base}/xero/login/identity/connect/authorize?{urlencode(asked | change)}"
    return browser, browser.get(url, allow_redirects=False)


def submit(browser: requests.Session, page: requests.Response, action: str, **fields: Any) -> requests.Response:
    """Fill in one form of a page, hidden inputs included, and follow redirects inside the sandbox."""
    assert f'action="{action}"' in page.text, page.text
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    base = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    answer = browser.post(base + action, data=hidden | fields, allow_redirects=False)
    while answer.is_redirect and answer.headers["Location"].startswith("/"):
        answer = browser.get(base + answer.headers["Location"], allow_redirects=False)
    return answer


def consent(it: Xero, user: users.User = ADVISER, **change: str) -> requests.Response:
    """Walk sign-in and consent; the answer is the redirect back to the app, or a page that ends the walk."""
    browser, page = authorize(it, **change)
    page = submit(browser, page, "/xero/login/signin", user=user.xero_userid)
    if page.is_redirect or 'action="/xero/login/consent"' not in page.text:
        return page
    return submit(browser, page, "/xero/login/consent", tenant=it.tenant, decision="allow")


def back(answer: requests.Response) -> dict[str, str]:
    assert answer.headers["Location"].startswith(CALLBACK), answer.headers
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def token(it: Xero, secret: str = SECRET, **form: str) -> requests.Response:
    url = f"{it.base}/xero/identity/connect/token"
    return requests.post(url, data=form, auth=("SANDBOX-CLIENT-ID", secret), timeout=5)


def exchange(it: Xero, granted: str, **change: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": granted, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    return token(it, **form | change)


def refresh(it: Xero, value: str) -> requests.Response:
    return token(it, grant_type="refresh_token", refresh_token=value)


def connected(it: Xero, access: str, **params: str) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {access}"}
    answer = requests.get(f"{it.base}/xero/api/connections", headers=headers, params=params, timeout=5)
    rows: list[dict[str, Any]] = answer.json()
    return rows


def claims(it: Xero, value: str) -> dict[str, Any]:
    known = requests.get(f"{it.base}/xero/identity/.well-known/openid-configuration", timeout=5).json()
    keys = KeySet.import_key_set(requests.get(known["jwks_uri"], timeout=5).json())
    found = jwt.decode(value, keys, algorithms=["RS256"])
    assert found.claims["iss"] == known["issuer"]
    return dict(found.claims)


def test_a_consent_gives_tokens_that_open_the_chosen_organisation(it: Xero) -> None:
    returned = back(consent(it))
    assert returned["state"] == "state-1"
    answer = exchange(it, returned["code"]).json()
    assert (answer["expires_in"], answer["token_type"], answer["scope"]) == (1800, "Bearer", SCOPES)
    who, access = claims(it, answer["id_token"]), claims(it, answer["access_token"])
    assert (who["xero_userid"], who["nonce"]) == (ADVISER.xero_userid, "nonce-1")
    assert (who["aud"], who["email"]) == ("SANDBOX-CLIENT-ID", ADVISER.email)
    assert who["exp"] - who["nbf"] == 300
    assert access["aud"] == "https://identity.xero.com/resources" and access["scope"] == SCOPES.split()
    [row] = connected(it, answer["access_token"], authEventId=access["authentication_event_id"])
    assert (row["tenantId"], row["tenantName"], row["tenantType"]) == (it.tenant, "Test Company", "ORGANISATION")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}", row["createdDateUtc"])


def test_sign_in_alone_asks_for_no_organisation(it: Xero) -> None:
    answer = exchange(it, back(consent(it, scope="openid profile email"))["code"]).json()
    assert "refresh_token" not in answer and connected(it, answer["access_token"]) == []


def test_cancel_and_a_user_without_rights_go_back_without_a_code(it: Xero) -> None:
    browser, page = authorize(it)
    page = submit(browser, page, "/xero/login/signin", user=ADVISER.xero_userid)
    refused = back(submit(browser, page, "/xero/login/consent", decision="deny"))
    assert refused == {"error": "access_denied", "state": "state-1"}
    browser, page = authorize(it)
    page = submit(browser, page, "/xero/login/signin", user=users.USERS[2].xero_userid)
    assert "<select" not in page.text and "no organisation" in page.text


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"client_id": "someone"}, "unauthorized_client"),
        ({"redirect_uri": CALLBACK + "x"}, "unauthorized_client"),
        ({"scope": "openid accounting.transactions"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
    ],
)
def test_a_wrong_request_ends_on_an_error_page_of_xero(it: Xero, change: dict[str, str], word: str) -> None:
    _, page = authorize(it, **change)
    assert page.status_code == 400 and word in page.text and "Location" not in page.headers


def test_a_code_works_once_in_time_at_its_address_for_who_holds_the_verifier(it: Xero) -> None:
    for change in ({"redirect_uri": CALLBACK + "x"}, {"code_verifier": "w" * 64}, {"code": "unknown"}):
        refused = exchange(it, back(consent(it))["code"], **change)
        assert (refused.status_code, refused.text) == (400, '{"error":"invalid_grant"}')
    code = back(consent(it))["code"]
    assert exchange(it, code).status_code == 200
    assert exchange(it, code).json() == {"error": "invalid_grant"}
    late = back(consent(it))["code"]
    it.world.clock.advance(301)
    assert exchange(it, late).json() == {"error": "invalid_grant"}
    assert token(it, "wrong", grant_type="refresh_token").json() == {"error": "invalid_client"}
    assert token(it, grant_type="password").json() == {"error": "unsupported_grant_type"}


def test_a_refresh_rotates_and_the_old_token_works_for_thirty_minutes_more(it: Xero) -> None:
    first = exchange(it, back(consent(it))["code"]).json()["refresh_token"]
    second = refresh(it, first).json()
    assert second["refresh_token"] != first
    again = refresh(it, first).json()  # the answer was lost
    assert again["refresh_token"] not in (first, second["refresh_token"])
    settings.set_switches(it.world, grace_second_use="same")
    assert refresh(it, first).json()["refresh_token"] == second["refresh_token"]
    it.world.clock.advance(GRACE)
    assert (refresh(it, first).status_code, refresh(it, first).text) == (400, '{"error":"invalid_grant"}')
    assert refresh(it, second["refresh_token"]).status_code == 200


def test_sixty_days_unused_end_a_refresh_token(it: Xero) -> None:
    kept = exchange(it, back(consent(it))["code"]).json()["refresh_token"]
    it.world.clock.advance(UNUSED - 1)
    kept = refresh(it, kept).json()["refresh_token"]
    it.world.clock.advance(UNUSED)
    assert refresh(it, kept).json() == {"error": "invalid_grant"}


def test_scopes_add_up_over_consents_and_each_call_needs_its_own(it: Xero) -> None:
    exchange(it, back(consent(it, scope="openid offline_access accounting.contacts.read"))["code"])
    both = exchange(it, back(consent(it, scope="openid offline_access accounting.settings"))["code"]).json()
    assert set(both["scope"].split()) >= {"accounting.contacts.read", "accounting.settings"}
    it.http.headers["Authorization"] = f"Bearer {both['access_token']}"
    it.get("Contacts")
    refused = it.call("PUT", "Contacts", {"Contacts": [{"Name": "Acme"}]})
    assert refused.status_code == 401 and "insufficient_scope" in refused.headers["WWW-Authenticate"]
    assert it.call("GET", "Invoices").status_code == 401
    assert it.call("PUT", "Items", {"Code": "A"}).status_code == 200


def test_items_can_be_read_but_not_written_with_the_scope_of_invoices(it: Xero) -> None:
    narrow = tokens.access_token(it.world, it.tenant, ["accounting.invoices"], ADVISER)
    it.http.headers["Authorization"] = f"Bearer {narrow}"
    it.get("Items")
    assert it.call("PUT", "Items", {"Code": "A"}).status_code == 401
    it.org.set_switches({"items_need_settings": False})
    assert it.call("PUT", "Items", {"Code": "A"}).status_code == 200


def test_a_token_ends_after_thirty_minutes_and_says_when(it: Xero) -> None:
    it.world.clock.advance(1800)
    answer = it.call("GET", "Organisation")
    assert answer.status_code == 401 and answer.json()["Detail"].startswith("TokenExpired: token expired at ")


def test_deleting_a_connection_closes_that_organisation_only(it: Xero) -> None:
    other = profiles.create_organisation(it.world, "second", "xero-au", "Second Company")
    tokens.access_token(it.world, other)
    access = tokens.access_token(it.world, it.tenant)
    headers = {"Authorization": f"Bearer {access}"}
    first = next(row for row in connected(it, access) if row["tenantId"] == it.tenant)
    gone = requests.delete(f"{it.base}/xero/api/Connections/{first['id']}", headers=headers, timeout=5)
    assert (gone.status_code, gone.content) == (204, b"")
    assert (
        requests.delete(f"{it.base}/xero/api/connections/{first['id']}", headers=headers, timeout=5).status_code == 404
    )
    assert [row["tenantId"] for row in connected(it, access)] == [other]
    refused = it.call("GET", "Organisation")
    assert refused.status_code == 403 and refused.json()["Detail"] == "AuthenticationUnsuccessful"
    it.http.headers["xero-tenant-id"] = other
    it.get("Organisation")


def test_disconnecting_in_xero_leaves_the_tokens_alive(it: Xero) -> None:
    kept = exchange(it, back(consent(it))["code"]).json()["refresh_token"]
    browser = requests.Session()
    page = submit(browser, browser.get(f"{it.base}/xero-go"), "/xero/login/signin", user=users.USERS[0].xero_userid)
    submit(browser, page, "/xero-go/disconnect", tenant=it.tenant)
    fresh = refresh(it, kept)
    assert fresh.status_code == 200
    assert connected(it, fresh.json()["access_token"]) == []
    assert it.call("GET", "Organisation").status_code == 403


def test_revoking_ends_the_tokens_and_all_connections_of_the_user(it: Xero) -> None:
    kept = exchange(it, back(consent(it))["code"]).json()
    url = f"{it.base}/xero/identity/connect/revocation"
    answer = requests.post(url, data={"token": kept["refresh_token"]}, auth=("SANDBOX-CLIENT-ID", SECRET), timeout=5)
    assert (answer.status_code, answer.content) == (200, b"")
    assert refresh(it, kept["refresh_token"]).json() == {"error": "invalid_grant"}
    assert connected(it, tokens.access_token(it.world, None, user=ADVISER)) == []
    it.get("Organisation")  # another user's connection of the same organisation lives on


def test_the_starter_tier_takes_five_organisations(it: Xero) -> None:
    settings.set_switches(it.world, tier="starter")
    for place in range(5):
        tokens.access_token(it.world, profiles.create_organisation(it.world, f"more-{place}"))
    answer = consent(it)  # it.tenant is connected already: it counts once
    assert answer.is_redirect
    sixth = profiles.create_organisation(it.world, "one-too-many")
    browser, page = authorize(it)
    page = submit(browser, page, "/xero/login/signin", user=users.USERS[0].xero_userid)
    refused = submit(browser, page, "/xero/login/consent", tenant=sixth, decision="allow")
    assert refused.status_code == 400 and "limit of connected organisations" in refused.text


def test_a_deep_link_of_go_xero_com_leads_into_the_books(it: Xero) -> None:
    made = it.put("Invoices", it.invoice(Contact={"ContactID": it.contact()}))[0]
    code = it.get("Organisation")["Organisations"][0]["ShortCode"]
    target = f"/AccountsReceivable/View.aspx?InvoiceID={made['InvoiceID']}"
    url = f"{it.base}/xero-go/organisationlogin/default.aspx"
    answer = requests.get(url, params={"shortcode": code, "redirecturl": target}, allow_redirects=False, timeout=5)
    assert answer.headers["Location"] == f"/xero-books/{it.tenant}/invoice/{made['InvoiceID']}"


@pytest.mark.parametrize(("asked", "honoured", "joined"), [("", True, 2), ("bulk_connect:false", True, 1),
                                                            ("bulk_connect:false", False, 2)])  # fmt: skip
def test_several_organisations_in_one_consent(it: Xero, asked: str, honoured: bool, joined: int) -> None:
    settings.set_switches(it.world, bulk_connections=True, bulk_refusal_honoured=honoured)
    other = profiles.create_organisation(it.world, "second")
    browser, page = authorize(it, acr_values=asked)
    page = submit(browser, page, "/xero/login/signin", user=ADVISER.xero_userid)
    answer = submit(browser, page, "/xero/login/consent", tenant=[it.tenant, other], decision="allow")
    access = exchange(it, back(answer)["code"]).json()["access_token"]
    assert len(connected(it, access)) == joined
