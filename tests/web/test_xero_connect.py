"""Signing in with Xero and connecting organisations, over HTTP against the simulated identity service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from connectors.errors import NotAllowed
from connectors.ledgers.base import Batch, Kind, Member
from domain.documents import Draft, DraftLine, Reference
from domain.statuses import PostingState
from models import Company, Connection, Grant, Identity, Outbox, Posting, WebSession
from sandbox.seeds import msp
from sandbox.world import World
from sandbox.xero import contacts, profiles
from sandbox.xero.organisation import Organisation
from sandbox.xero_identity import connections, settings, users
from tests.web.intuit import Visit
from tests.web.site import BASE, NOW, Site, document, make_site

CALLBACK = "/connect/xero/callback"


@dataclass
class Traveller:
    """One browser at our site and at Xero."""

    site: Site
    client: FlaskClient
    session: requests.Session

    @classmethod
    def of(cls, site: Site, client: FlaskClient | None = None) -> Traveller:
        session = requests.Session()
        session.trust_env = False
        return cls(site, client or site.app.test_client(), session)

    def begin(self, **form: str) -> str:
        answer = self.client.post("/connect/xero", base_url=BASE, data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return answer.headers["Location"]

    def consent(
        self, url: str, tenant: str | list[str] = "", *, user: str = users.USERS[0].xero_userid, allow: bool = True
    ) -> str:
        """Sign in at Xero, choose an organisation; the address Xero sends the browser back to."""
        page = self.session.get(url, timeout=10, allow_redirects=False)
        if "/xero/login/signin" in page.text:
            page = self._post(page, "/xero/login/signin", user=user)
        if page.headers.get("Location", "").startswith(BASE):
            return page.headers["Location"]
        page = self._post(page, "/xero/login/consent", tenant=tenant, decision="allow" if allow else "cancel")
        return page.headers["Location"]

    def _post(self, page: requests.Response, path: str, **form: Any) -> requests.Response:
        ident = re.search(r'name="request" value="([^"]+)"', page.text)
        assert ident is not None, page.text
        origin = f"{urlsplit(page.url).scheme}://{urlsplit(page.url).netloc}"
        data = {"request": ident.group(1), **form}
        answer = self.session.post(origin + path, data=data, timeout=10, allow_redirects=False)
        if answer.status_code == 303 and not answer.headers["Location"].startswith(BASE):
            return self.session.get(origin + answer.headers["Location"], timeout=10, allow_redirects=False)
        return answer

    def come_back(self, url: str) -> TestResponse:
        parts = urlsplit(url)
        assert url.startswith(f"{BASE}{CALLBACK}"), url
        return self.client.get(parts.path, query_string=dict(parse_qsl(parts.query)), base_url=BASE)

    def connect(self, tenant: str, **form: str) -> TestResponse:
        return self.come_back(self.consent(self.begin(**form), tenant))

    def page(self, path: str) -> str:
        return self.client.get(path, base_url=BASE, follow_redirects=True).get_data(as_text=True)


@pytest.fixture
def tenants(sandbox_world: World) -> list[str]:
    return [
        profiles.create_organisation(sandbox_world, slug, "xero-uk", name, unrelated=False)
        for slug, name in (("one", "One Ltd"), ("two", "Two Ltd"))
    ]


@pytest.fixture
def site(
    sandbox_world: World, sandbox: str, redis_url: str, tenants: list[str], _migrated_sqlite: Path, tmp_path: Path
) -> Iterator[Site]:
    sandbox_world.redirect_uris = [BASE + CALLBACK, BASE + "/connect/intuit/callback"]
    site = make_site(
        _migrated_sqlite, tmp_path, sandbox_url=sandbox, redis_url=redis_url, xero_client_id=sandbox_world.client_id,
        xero_client_secret=sandbox_world.client_secret,
    )  # fmt: skip
    yield site
    site.services.engine.dispose()


def companies(site: Site) -> dict[str, Company]:
    with site.db() as db:
        return {one.ledger_tenant: one for one in db.scalars(select(Company).where(Company.ledger == "xero"))}


def problem(traveller: Traveller, answer: TestResponse) -> str:
    assert (answer.status_code, answer.headers["Location"]) == (302, "/connect/problem")
    return traveller.page("/connect/problem")


def test_the_authorize_address_asks_for_granular_scopes_and_one_organisation(site: Site) -> None:
    query = parse_qs(urlsplit(Traveller.of(site).begin()).query)
    scopes = set(query["scope"][0].split())
    assert {"offline_access", "accounting.invoices", "accounting.settings"} <= scopes
    assert "accounting.transactions" not in scopes
    assert query["code_challenge_method"] == ["S256"] and query["acr_values"] == ["bulk_connect:false"]
    signing_in = parse_qs(urlsplit(Traveller.of(site).begin(purpose="sign_in")).query)
    assert set(signing_in["scope"][0].split()) == {"openid", "profile", "email"}


def test_an_organisation_is_connected_and_its_pages_speak_of_xero(site: Site, tenants: list[str]) -> None:
    traveller = Traveller.of(site)
    answer = traveller.connect(tenants[0])
    company = companies(site)[tenants[0]]
    assert answer.headers["Location"] == f"/c/{company.id}/connect/autotask"
    assert (company.name, company.country, company.time_zone) == ("One Ltd", "GB", "Europe/London")
    for path in ("connect/autotask", "connections", "settings/invoices", "errors", "documents", ""):
        text = re.sub(r"<footer.*?</footer>", "", traveller.page(f"/c/{company.id}/{path}"), flags=re.DOTALL)
        assert "QuickBooks" not in text and "Intuit" not in text, path
        assert "{the_" not in text and "{credit" not in text, path
    assert site.services.ledger(company.id).check().company_name == "One Ltd"


def test_one_grant_serves_both_organisations_and_outlives_the_first(
    site: Site, tenants: list[str], sandbox_world: World
) -> None:
    traveller = Traveller.of(site)
    for tenant in tenants:
        traveller.connect(tenant)
    first, second = (companies(site)[tenant] for tenant in tenants)
    with site.db() as db:
        [grant] = db.scalars(select(Grant).where(Grant.provider == "xero")).all()
        assert grant.subject == users.USERS[0].xero_userid
    form = {"company_id": first.id}
    answer = traveller.client.post(f"/c/{first.id}/connections/ledger/disconnect", base_url=BASE, data=form)
    assert answer.status_code == 302
    assert not connections.connected(sandbox_world, tenants[0])
    assert connections.connected(sandbox_world, tenants[1])
    with site.db() as db:
        states = {row.company_id: row.state for row in db.scalars(select(Connection))}
        assert (states[first.id], states[second.id]) == ("disconnected", "connected")
        assert db.get_one(Grant, grant.id).ended_at is None
    assert site.services.ledger(second.id).check().tenant == tenants[1]


def test_a_reconnect_with_another_organisation_is_refused(site: Site, tenants: list[str]) -> None:
    traveller = Traveller.of(site)
    traveller.connect(tenants[0])
    company = companies(site)[tenants[0]]
    refused = traveller.connect(tenants[1], purpose="reconnect", for_company=str(company.id))
    assert "another Xero organisation" in problem(traveller, refused)
    assert list(companies(site)) == [tenants[0]]
    again = traveller.connect(tenants[0], purpose="reconnect", for_company=str(company.id))
    assert again.status_code == 302 and "problem" not in again.headers["Location"]


def test_nothing_is_stored_when_the_person_cancels(site: Site, tenants: list[str]) -> None:
    traveller = Traveller.of(site)
    back = traveller.consent(traveller.begin(), tenants[0], allow=False)
    assert "Nothing was connected" in problem(traveller, traveller.come_back(back))
    assert companies(site) == {}


def test_a_code_serves_once_and_in_the_browser_that_began(site: Site, tenants: list[str]) -> None:
    traveller = Traveller.of(site)
    back = traveller.consent(traveller.begin(), tenants[0])
    stranger = Traveller.of(site)
    assert "start again" in problem(stranger, stranger.come_back(back))
    assert "start again" in problem(traveller, traveller.come_back(back))
    assert companies(site) == {}


def test_a_disconnect_in_xero_is_noticed_with_the_next_call(
    site: Site, tenants: list[str], sandbox_world: World
) -> None:
    Traveller.of(site).connect(tenants[0])
    connections.end_of_tenant(sandbox_world, tenants[0])
    with pytest.raises(NotAllowed, match="disconnected there"):
        site.services.ledger(companies(site)[tenants[0]].id).check()


@pytest.fixture
def second(site: Site, tenants: list[str], sandbox_world: World) -> tuple[Traveller, TestResponse]:
    """Somebody signed in with Intuit, in whose browser a Xero user was just led back for the first time."""
    realm = msp.generate(sandbox_world, seed=3, invoices=2, slug="web")["realm"]
    visit = Visit.of(site)
    visit.connect(realm)
    traveller = Traveller.of(site, visit.client)
    return traveller, traveller.connect(tenants[0])


def joined(site: Site, subject: str = users.USERS[0].xero_userid) -> int | None:
    """The user to whom an identity belongs."""
    with site.db() as db:
        return db.scalars(select(Identity.user_id).where(Identity.subject == subject)).one_or_none()


def answer(traveller: Traveller, path: str = "/connect/join") -> TestResponse:
    return traveller.client.post(path, base_url=BASE)


def test_a_second_identity_joins_a_person_only_after_a_yes(
    site: Site, tenants: list[str], second: tuple[Traveller, TestResponse]
) -> None:
    traveller, asked = second
    assert asked.headers["Location"] == "/connect/join"
    assert joined(site) is None and companies(site) == {}
    page = traveller.page("/connect/join")
    assert users.USERS[0].email in page and "One Ltd" in page and 'method="post"' in page
    with site.db() as db:
        kept = json.dumps([row.data for row in db.scalars(select(WebSession))])
        # A token is header.body.signature; its first letters alone may stand in what was encrypted, by chance.
        assert "joining" in kept and not re.search(r"eyJ[\w-]*\.", kept) and users.USERS[0].email not in kept
    assert answer(traveller).headers["Location"] == f"/c/{companies(site)[tenants[0]].id}/connect/autotask"
    assert joined(site) == joined(site, "sandbox-admin") is not None
    text = traveller.page("/companies")
    assert "One Ltd" in text and "QuickBooks Online" in text and "Xero" in text
    assert answer(traveller).headers["Location"] == "/connect/problem"  # a yes serves once


def test_without_a_yes_nothing_is_joined(
    site: Site, tenants: list[str], second: tuple[Traveller, TestResponse]
) -> None:
    traveller, _ = second
    assert answer(traveller, "/connect/join/no").status_code == 302
    assert "start again" in problem(traveller, answer(traveller))
    assert joined(site) is None and companies(site) == {}
    assert "Sign out" in traveller.page("/companies")
    traveller.connect(tenants[0])
    site.clock.advance(minutes=11)
    assert "start again" in problem(traveller, answer(traveller))
    assert joined(site) is None and companies(site) == {}


def test_a_yes_needs_the_pages_own_token(site: Site, second: tuple[Traveller, TestResponse]) -> None:
    traveller, _ = second
    site.app.config["WTF_CSRF_ENABLED"] = True
    assert answer(traveller).status_code == 400
    assert joined(site) is None


def test_more_than_one_organisation_in_a_consent_is_refused(
    site: Site, tenants: list[str], sandbox_world: World
) -> None:
    """Where Xero lets people choose several although one was asked for."""
    settings.set_switches(sandbox_world, bulk_connections=True, bulk_refusal_honoured=False)
    traveller = Traveller.of(site)
    back = traveller.consent(traveller.begin(), tenants)
    text = problem(traveller, traveller.come_back(back))
    assert "More than one organisation was chosen" in text and "Start again and choose one" in text
    with site.db() as db:
        assert companies(site) == {} and db.scalars(select(Grant).where(Grant.provider == "xero")).all() == []


@pytest.mark.parametrize("kind", [Kind.INVOICE, Kind.BILL])
def test_what_is_posted_links_to_the_configured_address_and_there_to_its_page(
    site: Site, tenants: list[str], sandbox_world: World, kind: Kind
) -> None:
    traveller, marker = Traveller.of(site), "ref:K3JD82MA"
    traveller.connect(tenants[0])
    id, ledger = companies(site)[tenants[0]].id, site.services.ledger(companies(site)[tenants[0]].id)
    with site.db() as db, db.begin():
        row = document(db.get_one(Company, id), "900", "Acme")
        db.add(row)
        db.flush()
        db.add(Posting(
            company_id=id, document_id=row.id, ledger_tenant=tenants[0], source_tenant=row.source_tenant,
            kind=row.kind, source_id=row.source_id, operation="create", part="", generation=1, ledger_kind=kind.value,
            sends=1, lookups=0, state=PostingState.DONE, draft={}, marker=marker, created_at=NOW, changed_at=NOW,
        ))  # fmt: skip
        page = f"/c/{id}/documents/{row.id}"
    types = {Kind.INVOICE: "Income", Kind.BILL: "Cost of Goods Sold"}
    account = next(one for one in ledger.lists([Kind.ACCOUNT]).records if one.details["type"] == types[kind])
    books = Organisation(sandbox_world, tenants[0])
    party = contacts.store(books, {"Name": "Acme"}, creating=True)["id"]
    where = Reference("account", account.id, account.name, account.id)
    draft = Draft(
        kind.value, Reference("customer", "7", "Acme", party), "900", NOW.date(), None, None, "GBP",
        (DraftLine(where, "Support", Decimal(1), Decimal(120), Decimal(120), False, account=where),), Decimal(0), False,
        Decimal(120), "", marker, status="draft",
    )  # fmt: skip
    member = Member("0", kind, "create", ledger.payload(draft, {}))
    ledger.send(Batch("a-key", tenants[0], (member,), ledger.compose((member,))))
    [held] = [each["entity"] for each in books.records("Invoice")]
    assert held["Url"] == f"{site.services.config.public_url}/open/{marker}"
    path = urlsplit(held["Url"]).path
    assert traveller.client.get(path, base_url=BASE).headers["Location"] == page
    assert site.client("stranger").get(path, base_url=BASE).status_code == 404


def test_the_launcher_leads_home_or_to_the_way_in(site: Site, tenants: list[str]) -> None:
    stranger = Traveller.of(site)
    assert "Sign in with Xero" in stranger.page("/launch/xero")
    traveller = Traveller.of(site)
    traveller.connect(tenants[0])
    home = traveller.client.get("/launch/xero", base_url=BASE)
    assert home.headers["Location"] == f"/c/{companies(site)[tenants[0]].id}/"


def test_without_an_app_at_xero_nobody_is_offered_it(
    sandbox_world: World, sandbox: str, redis_url: str, _migrated_sqlite: Path, tmp_path: Path
) -> None:
    site = make_site(_migrated_sqlite, tmp_path, sandbox_url=sandbox, redis_url=redis_url)
    assert "Xero" not in re.sub(r"<footer.*", "", Traveller.of(site).page("/"), flags=re.DOTALL).replace(
        "QuickBooks or Xero", "").replace("QuickBooks Online or Xero", "")  # fmt: skip
    answer = site.app.test_client().post("/connect/xero", base_url=BASE)
    assert answer.headers["Location"] == "/connect/problem"
    site.services.engine.dispose()



def test_a_xero_person_brings_quickbooks_sees_both_companies_and_switches(
    site: Site, tenants: list[str], sandbox_world: World
) -> None:
    """The other way round: whoever came with Xero joins an Intuit sign-in after the same question."""
    realm = msp.generate(sandbox_world, seed=3, invoices=2, slug="web")["realm"]
    traveller = Traveller.of(site)
    traveller.connect(tenants[0])
    asked = Visit.of(site, traveller.client).connect(realm)
    assert asked.headers["Location"] == "/connect/join" and joined(site, "sandbox-admin") is None
    text = traveller.page("/connect/join")
    assert "signed in with Intuit" in text and "the company you chose is connected" in text
    answer(traveller)
    assert joined(site, "sandbox-admin") == joined(site) is not None
    with site.db() as db:
        both = db.scalars(select(Company).where(Company.ledger_tenant.in_((realm, *tenants))))
        mine = {one.ledger: one for one in both}
    for here, there in (("xero", "quickbooks"), ("quickbooks", "xero")):
        text = traveller.page(f"/c/{mine[here].id}/connections")
        menu = re.search(r'<details class="bb-menu bb-company".*?</details>', text, re.DOTALL)
        assert menu is not None and f'href="/c/{mine[there].id}/"' in menu.group(0)
        assert mine[there].name in menu.group(0)
        assert traveller.client.get(f"/c/{mine[there].id}/", base_url=BASE).status_code == 200
    text = traveller.page("/account")
    assert "you sign in with Xero and Intuit" in text and "One Ltd" in text


def test_the_other_person_may_go_on_alone(
    site: Site, tenants: list[str], second: tuple[Traveller, TestResponse]
) -> None:
    traveller, _ = second
    before = joined(site, "sandbox-admin")
    led = answer(traveller, "/connect/join/apart")
    assert led.headers["Location"] == f"/c/{companies(site)[tenants[0]].id}/connect/autotask"
    assert joined(site) not in (None, before)
    assert users.USERS[0].email in traveller.page("/account")
    assert "start again" in problem(traveller, answer(traveller, "/connect/join/apart"))


def test_the_stores_address_leads_to_the_consent_page_at_once(site: Site, tenants: list[str]) -> None:
    traveller = Traveller.of(site)
    led = traveller.client.get("/get/xero", base_url=BASE)
    assert led.status_code == 303 and "/authorize?" in led.headers["Location"]
    answer = traveller.come_back(traveller.consent(led.headers["Location"], tenants[0]))
    assert answer.headers["Location"] == f"/c/{companies(site)[tenants[0]].id}/connect/autotask"
    again = traveller.connect(tenants[0])  # who comes a second time is led to the account there is
    assert again.headers["Location"] == answer.headers["Location"] and len(companies(site)) == 1


def test_an_invitation_and_the_demos_bar_speak_of_the_companys_ledger(
    site: Site, tenants: list[str], sandbox_world: World
) -> None:
    traveller = Traveller.of(site)
    traveller.connect(tenants[0])
    company = companies(site)[tenants[0]]
    form = {"company_id": company.id, "email": "new@people.example", "role": "staff"}
    assert traveller.client.post(f"/c/{company.id}/people/invite", base_url=BASE, data=form).status_code == 302
    with site.db() as db:
        url = db.scalars(select(Outbox.data).where(Outbox.kind == "invitation")).one()["url"]
    text = re.sub(r"<footer.*?</footer>", "", Traveller.of(site).page(urlsplit(url).path), flags=re.DOTALL)
    assert "Sign in with Xero and accept" in text and "Sign in with Intuit and accept" in text
    assert text.index("Sign in with Xero and") < text.index("Sign in with Intuit and")
    assert "access to the company’s Xero" in text and "QuickBooks" not in text
    stranger = Traveller.of(site)
    told = stranger.come_back(stranger.consent(stranger.begin(), tenants[0], user=users.USERS[1].xero_userid))
    assert told.headers["Location"] == "/connect/denied"
    assert "admin in Xero is not enough" in stranger.page("/connect/denied")
    object.__setattr__(site.services.config, "demo", True)
    bar = re.search(r'<aside class="bb-demo".*?</aside>', traveller.page(f"/c/{company.id}/connections"), re.DOTALL)
    assert bar is not None and "Xero" in bar.group(0) and "QuickBooks" not in bar.group(0)


def test_an_official_button_stands_where_its_picture_is(
    site: Site, tenants: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Connect to Xero</button>" in Traveller.of(site).page("/connect")
    (tmp_path / "brand").mkdir()
    (tmp_path / "brand" / "xero-connect.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for file in (Path(site.app.static_folder or "")).iterdir():
        (tmp_path / file.name).symlink_to(file)
    monkeypatch.setattr(site.app, "static_folder", str(tmp_path))
    text = Traveller.of(site).page("/connect")
    picture = r'<button class="bb-picture"[^>]*><img src="/static/brand/xero-connect.svg[^"]*" alt="Connect to Xero">'
    assert re.search(picture, text)
