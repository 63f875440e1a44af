"""Signing in with Intuit and connecting a company, over HTTP against the simulated identity service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from blueprints.forms import safe_path
from models import Audit, Company, Connection, Grant, Identity, Membership, OAuthState, Outbox, User, WebSession
from sandbox.intuit.settings import set_switches
from sandbox.seeds import msp
from sandbox.world import World
from sync import credentials, settings
from tests.web.intuit import Visit
from tests.web.site import BASE, Site, make_site

CALLBACK = "/connect/intuit/callback"


@pytest.fixture
def made(sandbox_world: World) -> dict[str, Any]:
    """A seeded provider: realm, ci and the API user's credentials."""
    return msp.generate(sandbox_world, seed=3, invoices=2, slug="web")


@pytest.fixture
def site(
    sandbox_world: World, sandbox: str, redis_url: str, made: dict[str, Any], _migrated_sqlite: Path, tmp_path: Path
) -> Iterator[Site]:
    sandbox_world.redirect_uris = [BASE + CALLBACK]
    site = make_site(_migrated_sqlite, tmp_path, sandbox_url=sandbox, redis_url=redis_url)
    yield site
    site.services.engine.dispose()


def company_of(site: Site, realm: str) -> Company:
    with site.db() as db:
        return db.scalars(select(Company).where(Company.ledger_tenant == realm)).one()


def problem(visit: Visit, answer: Any) -> str:
    """The page a refused sign-in leads to."""
    assert (answer.status_code, answer.headers["Location"]) == (302, "/connect/problem")
    return visit.page("/connect/problem")


# ---- the way in ----------------------------------------------------------------------------------------------


def test_the_launch_leads_to_what_is_read_and_written_first(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    text = visit.page(f"/launch?realmId={made['realm']}")
    for words in ("What we read", "What we write", "What we never do", "Sign in with Intuit"):
        assert words in text


def test_the_stores_address_leads_to_intuit_at_once(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    led = visit.client.get("/get/intuit", base_url=BASE)
    assert led.status_code == 303
    answer = visit.come_back(visit.consent(led.headers["Location"], realm=made["realm"]))
    company = company_of(site, made["realm"])
    assert answer.headers["Location"] == f"/c/{company.id}/connect/autotask"


def test_the_authorize_address_asks_for_no_more_than_needed(site: Site) -> None:
    query = parse_qs(urlsplit(Visit.of(site).begin()).query)
    assert set(query["scope"][0].split()) == {"openid", "profile", "email", "com.intuit.quickbooks.accounting"}
    assert query["code_challenge_method"] == ["S256"] and query["code_challenge"] and query["nonce"]
    assert len(query["state"][0]) >= 32
    signing_in = parse_qs(urlsplit(Visit.of(site).begin(purpose="sign_in")).query)
    assert set(signing_in["scope"][0].split()) == {"openid", "profile", "email"}


def test_a_new_company_makes_its_first_visitor_an_admin(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    answer = visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/c/{company.id}/connect/autotask")
    with site.db() as db:
        member = db.scalars(select(Membership).where(Membership.company_id == company.id)).one()
        assert member.role == "admin" and member.user.email == "admin@sandbox.invalid"
        grant = db.scalars(select(Grant).where(Grant.subject == made["realm"])).one()
        assert grant.refresh_token is not None and b"AB11" not in grant.refresh_token
        current = settings.load_invoices(db, company.id)
        assert str(current.sync_state) == "Do not sync invoices"
    assert company.name and company.name in visit.page(answer.headers["Location"])


def test_the_session_id_changes_with_the_sign_in(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    visit.page("/")
    before = visit.client.get_cookie("bookbridge-demo", domain="app.test")
    visit.connect(made["realm"])
    after = visit.client.get_cookie("bookbridge-demo", domain="app.test")
    assert before is not None and after is not None and before.value != after.value
    with site.db() as db:
        assert len(db.scalars(select(WebSession)).all()) == 1


def test_a_stranger_of_a_known_company_is_told_who_can_let_them_in(site: Site, made: dict[str, Any]) -> None:
    Visit.of(site).connect(made["realm"])
    second = Visit.of(site)
    answer = second.connect(made["realm"], user="sandbox-second-admin")
    assert answer.headers["Location"] == "/connect/denied"
    text = second.page("/connect/denied")
    assert "not a member yet" in text and "Sandbox Admin" in text
    assert text.count("admin@sandbox.invalid") == text.count("second.admin@sandbox.invalid")
    company = company_of(site, made["realm"])
    assert second.client.get(f"/c/{company.id}/", base_url=BASE).status_code == 404
    # The visitor's tokens are dropped, not revoked: the connection goes on.
    with site.db() as db:
        grant = db.scalars(select(Grant).where(Grant.subject == made["realm"])).one()
        assert grant.version == 1
    assert site.services.tokens.access_token(grant.id, force=True)


def test_an_invited_person_becomes_a_member_once(site: Site, made: dict[str, Any]) -> None:
    Visit.of(site).connect(made["realm"])
    company = company_of(site, made["realm"])
    owner = Visit.of(site)
    owner.connect(made["realm"])
    sent = {"company_id": str(company.id), "email": "second.admin@sandbox.invalid", "role": "staff"}
    assert owner.client.post(f"/c/{company.id}/people/invite", base_url=BASE, data=sent).status_code == 302
    link = urlsplit(invitation_link(site)).path
    guest = Visit.of(site)
    assert "invites you to" in guest.page(link)
    answer = guest.connect(made["realm"], user="sandbox-second-admin", purpose="sign_in")
    assert answer.headers["Location"] == link
    assert guest.client.post(link, base_url=BASE).headers["Location"] == f"/c/{company.id}/"
    assert guest.client.get(f"/c/{company.id}/", base_url=BASE).status_code == 200
    assert guest.client.get(link, base_url=BASE).status_code == 410
    with site.db() as db:
        roles = db.scalars(select(Membership.role).where(Membership.company_id == company.id)).all()
        assert sorted(roles) == ["admin", "staff"]


def invitation_link(site: Site) -> str:
    with site.db() as db:
        mail = db.scalars(select(Outbox).where(Outbox.kind == "invitation")).one()
        return str(mail.data["url"])


def test_an_old_altered_or_withdrawn_invitation_is_worth_nothing(site: Site, made: dict[str, Any]) -> None:
    owner = Visit.of(site)
    owner.connect(made["realm"])
    company = company_of(site, made["realm"])
    sent = {"company_id": str(company.id), "email": "x@people.example", "role": "admin"}
    owner.client.post(f"/c/{company.id}/people/invite", base_url=BASE, data=sent)
    link = urlsplit(invitation_link(site)).path
    assert site.client().get(link[:-2] + "zz", base_url=BASE).status_code == 410
    site.clock.advance(days=7, seconds=1)
    assert site.client().get(link, base_url=BASE).status_code == 410


def test_users_are_known_by_issuer_and_subject_never_by_address(site: Site, made: dict[str, Any]) -> None:
    with site.db() as db, db.begin():
        db.add(User(name="Somebody", email="admin@sandbox.invalid", theme="auto", created_at=site.clock.now()))
    Visit.of(site).connect(made["realm"])
    with site.db() as db:
        assert len(db.scalars(select(User).where(User.email == "admin@sandbox.invalid")).all()) == 2
        identity = db.scalars(select(Identity).where(Identity.subject == "sandbox-admin")).one()
        assert identity.issuer.endswith("/intuit/op/v1")


def test_a_visitor_comes_back_to_the_page_they_wanted(site: Site, made: dict[str, Any]) -> None:
    Visit.of(site).connect(made["realm"])
    company = company_of(site, made["realm"])
    with site.db() as db, db.begin():
        db.get_one(Company, company.id).setup_step = "ready"
    visit = Visit.of(site)
    visit.client.get(f"/c/{company.id}/runs?tab=all", base_url=BASE)
    assert visit.connect(made["realm"], purpose="sign_in").headers["Location"] == f"/c/{company.id}/runs?tab=all"


# ---- refusals ------------------------------------------------------------------------------------------------


def test_consent_refused_changes_nothing(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    answer = visit.come_back(visit.consent(visit.begin(), realm=made["realm"], allow=False))
    assert "Nothing was connected" in problem(visit, answer)


def test_a_state_works_once_only(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    back = visit.consent(visit.begin(), realm=made["realm"])
    assert visit.come_back(back).headers["Location"].endswith("/connect/autotask")
    again = visit.come_back(back)
    assert "Please start again" in problem(visit, again)
    with site.db() as db:
        assert db.scalars(select(Grant).where(Grant.subject == made["realm"])).one().version == 1


def test_a_state_of_another_browser_or_a_forged_one_is_refused(site: Site, made: dict[str, Any]) -> None:
    visit, other = Visit.of(site), Visit.of(site)
    other.begin()
    assert "Please start again" in problem(other, other.come_back(visit.consent(visit.begin(), realm=made["realm"])))
    forged = f"{BASE}{CALLBACK}?code=AB11x&state=forged&realmId={made['realm']}"
    assert "Please start again" in problem(visit, visit.come_back(forged))
    with site.db() as db:
        assert db.scalars(select(Company).where(Company.ledger_tenant == made["realm"])).first() is None


def test_a_state_older_than_ten_minutes_is_refused(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    back = visit.consent(visit.begin(), realm=made["realm"])
    site.clock.advance(minutes=10, seconds=1)
    assert "older than ten minutes" in problem(visit, visit.come_back(back))


def test_a_realm_put_into_the_callback_by_hand_is_refused(
    site: Site, sandbox_world: World, made: dict[str, Any]
) -> None:
    """The token opens its own company only, with or without the realm in the id_token."""
    other = msp.generate(sandbox_world, seed=4, invoices=2, slug="victim")
    for in_token in (True, False):
        set_switches(sandbox_world, realm_in_id_token=in_token)
        visit = Visit.of(site)
        back = visit.consent(visit.begin(), realm=made["realm"])
        answer = visit.come_back(back.replace(made["realm"], other["realm"]))
        assert "could not be trusted" in problem(visit, answer)
    with site.db() as db:
        assert db.scalars(select(Company).where(Company.ledger_tenant == other["realm"])).first() is None


def test_an_id_token_without_the_nonce_is_taken_unless_the_switch_says_no(
    site: Site, sandbox_world: World, made: dict[str, Any]
) -> None:
    set_switches(sandbox_world, echo_nonce=False)
    assert Visit.of(site).connect(made["realm"]).headers["Location"].endswith("/connect/autotask")


def test_an_id_token_for_another_sign_in_is_refused(site: Site, made: dict[str, Any]) -> None:
    """The nonce that was stored differs from the one in the token: the answer belongs to somebody else's start."""
    visit = Visit.of(site)
    back = visit.consent(visit.begin(), realm=made["realm"])
    with site.db() as db, db.begin():
        db.scalars(select(OAuthState)).one().nonce = "another"
    assert "could not be trusted" in problem(visit, visit.come_back(back))


def test_a_code_with_another_verifier_is_refused(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    back = visit.consent(visit.begin(), realm=made["realm"])
    with site.db() as db, db.begin():
        db.scalars(select(OAuthState)).one().verifier = "v" * 64
    assert "start again" in problem(visit, visit.come_back(back))


def test_an_unverified_address_does_not_sign_in(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    answer = visit.connect(made["realm"], user="sandbox-unverified")
    assert "not verified" in problem(visit, answer)
    with site.db() as db:
        assert db.scalars(select(User).where(User.email == "unverified@sandbox.invalid")).first() is None


def test_intuit_away_is_said_and_changes_nothing(site: Site, sandbox_world: World, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    back = visit.consent(visit.begin(), realm=made["realm"])
    sandbox_world.faults.plan(name="status_503", platform="intuit", times=None)
    assert "not answering" in problem(visit, visit.come_back(back))


def test_every_refusal_is_written_down(site: Site) -> None:
    visit = Visit.of(site)
    visit.come_back(f"{BASE}{CALLBACK}?code=x&state=forged")
    with site.db() as db:
        row = db.scalars(select(Audit).where(Audit.action == "sign-in refused")).one()
        assert row.subject == "state" and "forged" not in str(row.detail)


# ---- the connection's life -----------------------------------------------------------------------------------


def test_reconnecting_keeps_the_company_and_refuses_another_one(
    site: Site, sandbox_world: World, made: dict[str, Any]
) -> None:
    other = msp.generate(sandbox_world, seed=5, invoices=2, slug="other")
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    form = {"purpose": "reconnect", "for_company": str(company.id)}
    assert "another QuickBooks company" in problem(visit, visit.connect(other["realm"], **form))
    assert visit.connect(made["realm"], **form).status_code == 302
    with site.db() as db:
        assert db.scalars(select(Grant).where(Grant.subject == made["realm"])).one().version == 2
        assert db.get_one(Company, company.id).ledger_tenant == made["realm"]


def test_disconnecting_revokes_and_destroys_but_keeps_the_settings(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    path = f"/c/{company.id}/connections/ledger/disconnect"
    with site.db() as db:
        grant_id = db.scalars(select(Grant.id).where(Grant.subject == made["realm"])).one()
    token = site.services.tokens.access_token(grant_id)
    assert "Disconnect QuickBooks Online?" in visit.page(path)
    answer = visit.client.post(path, base_url=BASE, data={"company_id": str(company.id)})
    assert answer.headers["Location"] == f"/c/{company.id}/connections"
    with site.db() as db:
        grant = db.get_one(Grant, grant_id)
        assert (grant.access_token, grant.refresh_token, grant.previous_refresh_token) == (None, None, None)
        row = db.scalars(select(Connection).where(Connection.company_id == company.id)).one()
        assert row.state == credentials.DISCONNECTED
        assert settings.load_invoices(db, company.id)
    with pytest.raises(Exception, match="no longer accepts"):
        site.services.intuit.person(token)


def test_the_disconnect_redirect_alone_disconnects_nobody(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    stranger = Visit.of(site)
    text = stranger.page(f"/disconnect/intuit?realmId={made['realm']}")
    assert company.name not in text
    with site.db() as db:
        assert db.scalars(select(Connection).where(Connection.company_id == company.id)).one().state == "connected"


# ---- Autotask ------------------------------------------------------------------------------------------------


def autotask(visit: Visit, company_id: int, made: dict[str, Any], action: str, **changed: str) -> Any:
    user = made["autotask"]
    sent = {"username": user["user"], "secret": user["secret"], "integration_code": user["integration_code"], **changed}
    return visit.client.post(
        f"/c/{company_id}/connect/autotask",
        base_url=BASE,
        data={"company_id": str(company_id), "action": action, **sent},
    )


def test_the_test_says_what_was_found_and_never_shows_the_secret(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    answer = autotask(visit, company.id, made, "test")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200 and f"Connected to Autotask database {made['ci']}" in text
    assert "companies" in text and "Purchase orders: no" in text
    assert made["autotask"]["secret"] not in text
    with site.db() as db:
        row = db.scalars(
            select(Connection).where(Connection.company_id == company.id, Connection.side == "source")
        ).one()
        assert row.state == credentials.TESTED and made["autotask"]["secret"].encode() not in (row.secret or b"")


def test_each_wrong_credential_has_its_own_sentence_and_is_not_kept(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    wrong = (
        {"secret": "SANDBOX-WRONG"},
        {"username": "nobody@web.sandbox.invalid"},
        {"integration_code": "SANDBOXWRONGCODE00000000001"},
    )
    sentences = set()
    for changed in wrong:
        answer = autotask(visit, company.id, made, "test", **changed)
        assert answer.status_code == 422
        text = answer.get_data(as_text=True)
        sentences.add(text.split("Autotask did not let us in")[1].split("Nothing was saved")[0])
    assert len(sentences) == 3
    with site.db() as db:
        assert (
            db.scalars(
                select(Connection).where(Connection.company_id == company.id, Connection.side == "source")
            ).first()
            is None
        )


def test_connect_freezes_the_pair_and_starts_a_scan_that_only_reads(site: Site, made: dict[str, Any]) -> None:
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    assert autotask(visit, company.id, made, "next").headers["Location"] == f"/c/{company.id}/connect/review"
    assert "Step 2 complete" in visit.page(f"/c/{company.id}/connect/review")
    answer = visit.client.post(f"/c/{company.id}/connect/review", base_url=BASE, data={"company_id": str(company.id)})
    assert answer.headers["Location"] == f"/c/{company.id}/first-scan"
    assert "Nothing is written" in visit.page(f"/c/{company.id}/first-scan")
    assert company_of(site, made["realm"]).source_tenant == str(made["ci"])


def test_a_user_of_another_autotask_database_is_refused(site: Site, sandbox_world: World, made: dict[str, Any]) -> None:
    other = msp.generate(sandbox_world, seed=6, invoices=2, slug="elsewhere")
    visit = Visit.of(site)
    visit.connect(made["realm"])
    company = company_of(site, made["realm"])
    autotask(visit, company.id, made, "next")
    visit.client.post(f"/c/{company.id}/connect/review", base_url=BASE, data={"company_id": str(company.id)})
    answer = autotask(visit, company.id, other, "next")
    assert answer.status_code == 422
    assert "another Autotask database" in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%2f%2fevil.example/x",
        "/c/1/../../x",
        "javascript:x",
        "/static/icon.svg",
        "/no-such",
        "/sign-out",
        "/connect\r\nSet-Cookie: x=1",
        "",
    ],
)
def test_nobody_is_sent_to_an_address_from_outside(site: Site, path: str) -> None:
    with site.app.test_request_context(base_url=BASE):
        assert safe_path(path) is None
