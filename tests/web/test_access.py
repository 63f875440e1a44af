"""Generated from the application's own routes: who may call what, and that no company shows in another one's pages."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pytest
from werkzeug.routing import Rule

from app import create_app
from blueprints.access import ENDPOINTS, OF_A_COMPANY, Need, Unlisted, check, may
from tests.web.site import BASE, SECRET_OF_B, Site, config_for

OTHER = {
    "marker": "ref:NOSUCH", "side": "ledger", "session_id": "0" * 16, "token": "no-such-token", "filename": "icon.svg",
    "role": "viewer",
}  # fmt: skip
IDS = (
    "company_id", "run_id", "document_id", "member_id", "invitation_id", "hold_id", "mail_id", "address_id", "row_id",
)  # fmt: skip


@cache
def rules() -> tuple[Rule, ...]:
    """Every route of the product, one entry per endpoint."""
    url = f"sqlite:///{Path(tempfile.mkdtemp()) / 'routes.sqlite'}"
    found = create_app(config_for(url)).url_map.iter_rules()
    return tuple({rule.endpoint: rule for rule in found}.values())


def endpoints(*needs: Need) -> list[str]:
    return sorted(rule.endpoint for rule in rules() if ENDPOINTS[rule.endpoint] in needs)


def call(site: Site, endpoint: str, who: str | None, ids: dict[str, int], **form: str) -> tuple[int, str, str]:
    """Call a route with the first method it takes; returns status, Location and text."""
    rule = next(rule for rule in rules() if rule.endpoint == endpoint)
    values = {name: {**OTHER, **ids}[name] for name in rule.arguments}
    with site.app.test_request_context(base_url=BASE):
        url = site.app.url_map.bind("app.test:8300").build(endpoint, values)
    post = "GET" not in (rule.methods or ())
    client = site.client(who)
    fault = str(ids["fault_id"])
    data = (
        {"company_id": str(ids["company_id"]), "id": fault, "document_id": fault, "customer": "58", **form}
        if post
        else None
    )
    query = None if post else {"id": fault}
    answer = client.open(url, method="POST" if post else "GET", base_url=BASE, data=data, query_string=query)
    text = answer.get_data(as_text=True) if "text" in answer.content_type or "json" in answer.content_type else ""
    return answer.status_code, answer.headers.get("Location", ""), text


def test_the_table_covers_every_route_and_nothing_else() -> None:
    assert {rule.endpoint for rule in rules()} == set(ENDPOINTS)


def test_a_route_that_is_not_in_the_table_stops_the_start(site: Site) -> None:
    site.app.add_url_rule("/forgotten", "forgotten", lambda: "open to everybody")
    with pytest.raises(Unlisted, match="forgotten"):
        check(site.app)


@pytest.mark.parametrize("endpoint", endpoints(*OF_A_COMPANY, Need.USER))
def test_anonymous_visitors_are_led_to_the_sign_in(shared_site: Site, endpoint: str) -> None:
    status, location, _ = call(shared_site, endpoint, None, shared_site.ids["A"])
    assert (status, location) == (302, "/")


@pytest.mark.parametrize("endpoint", endpoints(Need.STAFF, Need.ADMIN))
def test_a_role_below_is_refused(shared_site: Site, endpoint: str) -> None:
    below = [role for role in ("viewer", "staff", "admin") if not may(role, ENDPOINTS[endpoint])]
    assert below
    for role in below:
        assert call(shared_site, endpoint, f"A {role}", shared_site.ids["A"])[0] == 403, role


@pytest.mark.parametrize("endpoint", endpoints(*OF_A_COMPANY))
def test_the_least_role_that_is_enough_gets_an_answer(site: Site, endpoint: str) -> None:
    least = next(role for role in ("viewer", "staff", "admin") if may(role, ENDPOINTS[endpoint]))
    status, _, _ = call(site, endpoint, f"A {least}", site.ids["A"], role="viewer")
    assert status in (200, 204, 302, 422), status


@pytest.mark.parametrize("endpoint", endpoints(*OF_A_COMPANY))
def test_another_company_does_not_exist(shared_site: Site, endpoint: str) -> None:
    """Neither for members of another company nor for people without any; 404, not 403."""
    for who in ("A admin", "stranger"):
        status, _, text = call(shared_site, endpoint, who, shared_site.ids["B"])
        assert status == 404
        assert SECRET_OF_B not in text


@pytest.mark.parametrize(
    "endpoint",
    [rule.endpoint for rule in rules() if set(IDS[1:]) & rule.arguments],
)
def test_a_record_of_another_company_does_not_exist(shared_site: Site, endpoint: str) -> None:
    mixed = {**shared_site.ids["B"], "company_id": shared_site.ids["A"]["company_id"]}
    status, _, text = call(shared_site, endpoint, "A admin", mixed, role="viewer")
    assert status == 404
    assert SECRET_OF_B not in text


@pytest.mark.parametrize("endpoint", endpoints(Need.VIEWER))
def test_no_page_of_one_company_names_another(shared_site: Site, endpoint: str) -> None:
    _, _, text = call(shared_site, endpoint, "A viewer", shared_site.ids["A"])
    assert SECRET_OF_B not in text


@pytest.mark.parametrize("endpoint", endpoints(Need.DEMO))
def test_the_demos_door_is_shut_outside_the_demo(shared_site: Site, endpoint: str) -> None:
    assert call(shared_site, endpoint, None, shared_site.ids["A"])[0] == 404


def test_ticked_rows_of_another_company_are_left_alone(site: Site) -> None:
    a, b = site.ids["A"], site.ids["B"]
    client = site.client("A staff")
    answer = client.post(
        f"/c/{a['company_id']}/documents/skip",
        base_url=BASE,
        data={"company_id": str(a["company_id"]), "id": str(b["fault_id"]), "reason": "not mine"},
    )
    assert answer.status_code == 404


def test_a_form_of_another_tab_is_refused(site: Site) -> None:
    """Two tabs with two companies: the form says for which one it was rendered."""
    a, b = site.ids["A"]["company_id"], site.ids["B"]["company_id"]
    for sent in ({"company_id": str(b)}, {}):
        answer = site.client("A admin").post(f"/c/{a}/tools/sync-now", base_url=BASE, data=sent)
        assert answer.status_code == 409
        assert "another company" in answer.get_data(as_text=True)
