"""Every page template renders with its documented context as valid HTML; icons and endpoints it names exist."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.web import html_checks
from tests.web.pages import samples
from tests.web.pages.stage import ROOT, documented_endpoints, make_app

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
OWN_SCRIPT_BYTES_MAX = 3_000
LATER_PAGE_BYTES_MAX = 25_000
FIRST_VISIT_BYTES_MAX = 150_000


@pytest.fixture(scope="module")
def app() -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.mark.parametrize("name", samples.PAGES)
def test_a_page_is_valid(client: FlaskClient, name: str) -> None:
    assert html_checks.problems(client.get(f"/page/{name}").text) == []


def test_every_page_template_has_a_sample() -> None:
    pages = {
        path.relative_to(ROOT / "templates").as_posix()
        for path in TEMPLATES
        if path.parent.name not in {"macros", "mail", "templates"} and not path.name.startswith("_")
    }
    assert pages == {template for template, _ in samples.PAGES.values()} - {"style-guide.html"}


def test_every_template_says_what_it_needs() -> None:
    silent = [path.name for path in TEMPLATES if "macros" not in path.parts and not _has_comment(path)]
    assert set(silent) <= {"_head.html", "_foot.html", "_tabs.html"}


def test_templates_link_only_to_documented_endpoints() -> None:
    named = {
        name for path in TEMPLATES for name in re.findall(r"url_for\('([a-z_.]+)'", path.read_text(encoding="utf-8"))
    }
    assert named - {"static"} <= set(documented_endpoints())


def test_every_icon_named_is_in_a_sprite() -> None:
    listed = set((ROOT / "static" / "icons.txt").read_text(encoding="utf-8").split())
    own = set(re.findall(r'id="([a-z-]+)"', (ROOT / "static" / "status-icons.svg").read_text(encoding="utf-8")))
    pattern = re.compile(r"icon(?:_name|_after)?(?:=|\()'([a-z-]+)'")
    named = {name for path in TEMPLATES for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert named <= listed | own


def test_a_polling_fragment_stops_when_it_has_no_address(client: FlaskClient) -> None:
    assert 'hx-trigger="every 2s"' in client.get("/page/run").text
    assert "hx-trigger" not in client.get("/page/run-finished").text


def test_a_viewer_sees_no_button_that_acts(client: FlaskClient) -> None:
    text = client.get("/page/documents-viewer").text
    assert 'type="checkbox"' not in text and "Sync Now" not in text


def test_the_own_script_stays_small() -> None:
    assert _zipped(ROOT / "static" / "app.js") <= OWN_SCRIPT_BYTES_MAX


def test_the_first_visit_and_later_pages_stay_within_their_budgets(client: FlaskClient) -> None:
    page = client.get("/page/home").text
    files = {path.split("?")[0] for path in re.findall(r'(?:src|href)="(/static/[^"#]+)', page)}
    served = sum(_zipped(ROOT / path.lstrip("/")) for path in files)
    own = len(gzip.compress(page.encode()))
    assert own <= LATER_PAGE_BYTES_MAX
    assert served + own <= FIRST_VISIT_BYTES_MAX, {path: _zipped(ROOT / path.lstrip("/")) for path in files}


def _zipped(path: Path) -> int:
    """Bytes on the wire: fonts are compressed already."""
    content = path.read_bytes()
    return len(content) if path.suffix == ".woff2" else len(gzip.compress(content, 6))


def _has_comment(path: Path) -> bool:
    return "{#" in path.read_text(encoding="utf-8")
