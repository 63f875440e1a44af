"""Headers, forms, sessions and errors: what holds for every page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from models import Audit, Company, Installation, Pause, User, WebSession
from sync import audit
from tests.web.site import BASE, Site, form_token
from tests.web.test_access import rules

POLICY = ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'")


def open_pages() -> list[str]:
    """Addresses without parameters that GET answers."""
    return sorted({str(rule) for rule in rules() if not rule.arguments and "GET" in (rule.methods or ())})


@pytest.mark.parametrize("path", [*open_pages(), "/no-such-page", "/c/1/", "/c/1/settings/invoices"])
def test_every_answer_carries_the_security_headers(shared_site: Site, path: str) -> None:
    for who in (None, "A admin"):
        answer = shared_site.client(who).get(path, base_url=BASE)
        policy = answer.headers["Content-Security-Policy"]
        assert all(part in policy for part in POLICY)
        assert "unsafe" not in policy and "*" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Request-Id"]


def test_scripts_carry_the_nonce_of_their_answer(shared_site: Site) -> None:
    answer = shared_site.client("A admin").get("/companies", base_url=BASE)
    nonce = re.search(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
    assert nonce is not None
    scripts = re.findall(r"<script[^>]*>", answer.get_data(as_text=True))
    assert scripts and all(f'nonce="{nonce.group(1)}"' in script for script in scripts)


def test_cookies_are_closed_to_scripts_and_other_sites(site: Site) -> None:
    answer = site.client().get("/", base_url=BASE)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("bookbridge-demo=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # plain http, which only a demo uses


def test_a_request_for_another_host_gets_nothing(shared_site: Site) -> None:
    assert shared_site.client("A admin").get("/companies", base_url="http://evil.example").status_code == 400


def test_unused_methods_are_refused(shared_site: Site) -> None:
    client = shared_site.client()
    for method in ("PUT", "DELETE", "PATCH", "TRACE"):
        assert client.open("/", method=method, base_url=BASE).status_code == 405


def posting_paths() -> list[str]:
    found = {str(rule) for rule in rules() if "POST" in (rule.methods or ()) and not rule.arguments}
    # The demo's are shut outside the demo; a webhook is signed instead, and /setup asks for a token of its own.
    return sorted(path for path in found if not path.startswith(("/demo/", "/webhooks/", "/setup")))


@pytest.mark.parametrize("path", posting_paths())
def test_a_form_without_its_token_is_refused(site: Site, path: str) -> None:
    site.app.config["WTF_CSRF_ENABLED"] = True
    answer = site.client("A admin").post(path, base_url=BASE, data={"purpose": "sign_in"})
    assert answer.status_code == 400
    assert "out of date" in answer.get_data(as_text=True)


def test_a_form_with_its_token_is_taken(site: Site) -> None:
    site.app.config["WTF_CSRF_ENABLED"] = True
    client = site.client("A admin")
    token = form_token(client.get("/account", base_url=BASE).get_data(as_text=True))
    sent = {"csrf_token": token, "theme": "dark"}
    assert client.post("/account/theme", base_url=BASE, data=sent).status_code == 302
    with site.db() as db:
        assert db.get_one(User, site.users["A admin"]).theme == "dark"
    other = site.client("A staff")
    assert other.post("/account/theme", base_url=BASE, data=sent).status_code == 400


# ---- sessions ------------------------------------------------------------------------------------------------


def test_half_an_hour_without_a_click_ends_the_session(site: Site) -> None:
    client = site.client("A viewer")
    for minutes, expected in ((29, 200), (29, 200), (31, 302)):
        site.clock.advance(minutes=minutes)
        assert client.get("/companies", base_url=BASE).status_code == expected


def test_twelve_hours_end_the_session_whatever_is_clicked(site: Site) -> None:
    client = site.client("A viewer")
    for _ in range(29):
        site.clock.advance(minutes=25)
        client.get("/companies", base_url=BASE)
    assert client.get("/companies", base_url=BASE).status_code == 302


def test_a_disabled_user_is_out_at_once(site: Site) -> None:
    client = site.client("A viewer")
    with site.db() as db, db.begin():
        db.get_one(User, site.users["A viewer"]).disabled_at = site.clock.now()
    assert client.get("/companies", base_url=BASE).status_code == 302


def test_signing_out_ends_the_session_for_good(site: Site) -> None:
    client = site.client()
    raw = site.sign_in(client, site.users["A viewer"])
    assert client.post("/sign-out", base_url=BASE).status_code == 302
    client.set_cookie("bookbridge-demo", raw, domain="app.test")
    assert client.get("/companies", base_url=BASE).status_code == 302


def test_only_the_hash_of_a_session_is_stored(site: Site) -> None:
    client = site.client()
    raw = site.sign_in(client, site.users["A viewer"])
    with site.db() as db:
        assert all(raw not in row.id_hash for row in db.scalars(select(WebSession)))


def test_a_session_on_another_device_can_be_ended(site: Site) -> None:
    here, there = site.client("A viewer"), site.client("A viewer")
    page = here.get("/account", base_url=BASE).get_data(as_text=True)
    found = re.search(r"/account/sessions/([0-9a-f]{16})/end", page)
    assert found is not None
    here.post(f"/account/sessions/{found.group(1)}/end", base_url=BASE)
    assert there.get("/companies", base_url=BASE).status_code == 302
    assert here.get("/companies", base_url=BASE).status_code == 200


@pytest.mark.parametrize("path", ["connections/ledger/disconnect", "people/invite"])
def test_what_cannot_be_undone_wants_a_recent_sign_in(site: Site, path: str) -> None:
    client, a = site.client("A admin"), site.ids["A"]["company_id"]
    site.clock.advance(minutes=11)
    sent = {"company_id": str(a), "email": "new@people.example", "role": "admin"}
    answer = client.post(f"/c/{a}/{path}", base_url=BASE, data=sent)
    assert answer.status_code == 302 and "again=1" in answer.headers["Location"]
    with site.db() as db:
        assert db.scalars(select(Audit)).first() is None


# ---- errors --------------------------------------------------------------------------------------------------


def test_an_unexpected_error_shows_a_reference_and_no_trace(site: Site) -> None:
    def broken() -> str:
        raise RuntimeError("the secret plan")

    site.app.view_functions["connect.start"] = broken
    answer = site.client().get("/", base_url=BASE)
    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert answer.headers["X-Request-Id"] in text
    assert "secret plan" not in text and "Traceback" not in text


def test_a_database_that_is_away_is_said_clearly(site: Site) -> None:
    client = site.client("A viewer")
    path = site.services.config.database_url.removeprefix("sqlite:///")
    site.services.engine.dispose()
    with open(path, "wb") as file:
        file.write(b"this is no database, it is a torn page" * 100)
    answer = client.get("/companies", base_url=BASE)
    assert answer.status_code in (500, 503)
    assert client.get("/healthz", base_url=BASE).status_code == 200
    ready = client.get("/readyz", base_url=BASE)
    assert ready.status_code == 503 and ready.get_json()["database"] == "away"


def test_readiness_names_what_is_missing(shared_site: Site) -> None:
    answer = shared_site.client().get("/readyz", base_url=BASE)
    assert answer.status_code == 503
    assert answer.get_json() == {"status": "not ready", "database": "ok", "queue": "away"}


def test_the_audit_trail_of_a_company_holds(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    client = site.client("A admin")
    client.post(
        f"/c/{a}/people/invite", base_url=BASE, data={"company_id": str(a), "email": "n@x.example", "role": "staff"}
    )
    client.post(f"/c/{a}/runs/{site.ids['A']['run_id']}/stop", base_url=BASE, data={"company_id": str(a)})
    with site.db() as db:
        rows = db.scalars(select(Audit).where(Audit.company_id == a).order_by(Audit.n)).all()
        assert [row.action for row in rows] == ["invited", "run stopped"]
        assert audit.verify(db, a) is None


def test_what_is_exported_is_written_down(site: Site) -> None:
    a = site.ids["A"]
    client = site.client("A viewer")
    for path in (f"runs/{a['run_id']}/report.csv", "errors.csv", "documents.csv"):
        answer = client.get(f"/c/{a['company_id']}/{path}", base_url=BASE)
        assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    with site.db() as db:
        rows = db.scalars(select(Audit).where(Audit.action == "exported")).all()
        assert [row.who for row in rows] == ["a.viewer@people.example"] * 3


def test_a_burst_at_an_open_door_is_slowed_down(site: Site) -> None:
    site.app.extensions["limits"].enabled = True
    client = site.client()
    answers = [client.get("/connect/intuit/callback?state=x", base_url=BASE).status_code for _ in range(25)]
    assert answers[:20] == [302] * 20 and answers[20:] == [429] * 5
    refused = client.get("/connect/intuit/callback?state=x", base_url=BASE)
    assert "Too many tries" in refused.get_data(as_text=True)


def test_a_web_process_on_a_restored_database_pauses_posting_before_its_first_page(site: Site) -> None:
    """As workers do (decision 0009): pages never show an installation at work that must wait."""
    site.services.ask_whether_restored()
    with site.db() as db, db.begin():
        db.get_one(Company, site.ids["A"]["company_id"]).first_posted_at = site.clock.now()
        key = db.get_one(Installation, 1).key
    Path(f"{site.services.config.database_url.removeprefix('sqlite:///')}.beat").write_text(f"{key} 1000")
    client = site.client("A admin")
    client.get("/healthz", base_url=BASE)
    assert not _paused(site), "a health check asks nothing"
    client.get("/companies", base_url=BASE)
    assert _paused(site)


def _paused(site: Site) -> bool:
    with site.db() as db:
        return db.scalars(select(Pause)).first() is not None
