"""The demo's client reads and fills in forms exactly as a browser without JavaScript would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread

import pytest
from flask import Flask, redirect, request
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from tools.demo.pages import read
from tools.demo.walker import Walker, WalkError

FORM = """<!doctype html><html><head><title>Settings</title></head><body><h1>Settings</h1>
<p role="status">Saved <b>just</b> now</p><a href="/other?x=1&amp;y=2">Other &amp; more</a>
<form action="/save" method="post"><input type="hidden" name="csrf" value="tok">
 <label for="d">Look-back days</label><input id="d" name="days" value="14">
 <label><input type="checkbox" name="zero" checked> Post zero totals</label>
 <input type="checkbox" name="row" value="7" aria-label="Invoice 7">
 <input type="checkbox" name="row" value="8" aria-label="Invoice 8">
 <label><input type="radio" name="state" value="off" checked> Do not sync</label>
 <label><input type="radio" name="state" value="on"> Sync invoices</label>
 <label for="a">Account</label><select id="a" name="account"><option value="">Choose</option>
  <option value="81">Sales</option><option value="82" selected>Services</option></select>
 <textarea name="note">
Two
lines</textarea><input name="off" value="x" disabled>
 <button type="button">Not this</button><button name="do" value="save">Save</button>
</form><input form="later" name="q"><form id="later" action="/find"><button>Find</button></form>
</body></html>"""


@dataclass
class Site:
    """A tiny site that remembers what was posted to it."""

    url: str = ""
    posted: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture
def site() -> Iterator[Site]:
    seen, app = Site(), Flask("tiny")

    @app.get("/form")
    def form() -> str:
        return FORM

    @app.post("/save")
    def save() -> Response:
        seen.posted = list(request.form.items(multi=True))
        return redirect("/form?saved=1", 303)

    @app.get("/find")
    def find() -> str:
        return f"<title>Found {request.args['q']}</title>"

    @app.get("/refused")
    def refused() -> tuple[str, int]:
        return "<h1>Not yours</h1><p role=alert>Ask an admin.</p>", 403

    server = make_server("127.0.0.1", 0, app)
    seen.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield seen
    server.shutdown()
    thread.join()


def test_a_page_is_read_as_a_person_sees_it() -> None:
    page = read(FORM)
    assert (page.title, page.headings, page.notes) == ("Settings", ["Settings"], ["Saved just now"])
    assert page.links == [("Other & more", "/other?x=1&y=2")]
    assert [button.label for button in page.forms[0].buttons] == ["Save"]


def test_an_untouched_form_sends_what_it_shows(site: Site) -> None:
    walker = Walker()
    walker.get(f"{site.url}/form")
    walker.press("Save")
    assert site.posted == [
        ("csrf", "tok"), ("days", "14"), ("zero", "on"), ("state", "off"), ("account", "82"),
        ("note", "Two\nlines"), ("do", "save"),
    ]  # fmt: skip
    assert walker.url.endswith("/form?saved=1")


def test_fields_are_filled_by_name_label_or_choice(site: Site) -> None:
    walker = Walker()
    walker.get(f"{site.url}/form")
    walker.press(
        "save",
        {"Look-back": "30", "zero": False, "row": ["8"], "state": "Sync invoices", "account": "Sales"},
    )
    assert dict(site.posted) == {
        "csrf": "tok", "days": "30", "row": "8", "state": "on", "account": "81", "note": "Two\nlines",
        "do": "save",
    }  # fmt: skip


def test_a_field_elsewhere_belongs_to_the_form_it_names(site: Site) -> None:
    walker = Walker()
    walker.get(f"{site.url}/form")
    assert walker.press("Find", {"q": "10438"}).title == "Found 10438"


@pytest.mark.parametrize(
    ("values", "said"),
    [({"nothing": "1"}, "no field “nothing”"), ({"account": "Lunch"}, "no choice “Lunch”")],
)
def test_what_the_form_does_not_offer_stops_the_walk(site: Site, values: dict[str, str], said: str) -> None:
    walker = Walker()
    walker.get(f"{site.url}/form")
    with pytest.raises(WalkError, match=said):
        walker.press("Save", values)
    assert site.posted == []


def test_a_missing_button_names_those_that_are_there(site: Site) -> None:
    walker = Walker()
    walker.get(f"{site.url}/form")
    with pytest.raises(WalkError, match="no button “Delete”; it has: “Save”, “Find”"):
        walker.press("Delete")


def test_a_refusal_says_what_the_page_said(site: Site) -> None:
    with pytest.raises(WalkError, match=r"answered 403: Not yours; Ask an admin\."):
        Walker().get(f"{site.url}/refused")
