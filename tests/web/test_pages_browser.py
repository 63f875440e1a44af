"""Every page in a real browser: no axe finding, no sideways scroll at 320 px, no CSP violation, keys that work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.infra import browser as browsers
from tests.web.pages import samples
from tests.web.pages.stage import make_app

SHARES = 6
DARK = {"style-guide", "home-demo", "settings-errors", "run", "document", "errors", "first-posted", "start"}
WIDTHS = (320, 390, 768, 1280, 1920)
RULES = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
}


class QuietHandler(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The pages under test are not news."""


@pytest.fixture(scope="module")
def stage() -> Iterator[str]:
    server = make_server("127.0.0.1", 0, make_app(), threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/page"
    finally:
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("share", range(SHARES))
def test_pages_are_accessible_and_fit_every_screen(browser: Browser, stage: str, share: int) -> None:
    """One visit a page: axe in light, contrast in dark where components differ, then every width."""
    axe, found = Axe(), {}
    with browsers.context(browser) as context:
        page = context.new_page()
        complaints = browsers.watch(page)
        for name in list(samples.PAGES)[share::SHARES]:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.emulate_media(color_scheme="light")
            page.goto(f"{stage}/{name}")
            findings = _violations(axe, page, RULES)
            if name in DARK:
                page.emulate_media(color_scheme="dark")
                findings += _violations(axe, page, {"runOnly": ["color-contrast"], "resultTypes": ["violations"]})
            findings += [f"scrolls sideways at {width} px" for width in WIDTHS if _overflows(page, width)]
            if findings:
                found[name] = findings
    assert found == {}
    assert complaints == []


def _violations(axe: Axe, page: Page, options: dict[str, Any]) -> list[str]:
    violations = axe.run(page, options=options).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in violations for node in each["nodes"][:3]]


def _overflows(page: Page, width: int) -> bool:
    page.set_viewport_size({"width": width, "height": 900})
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_targets_are_large_enough_for_a_finger(browser: Browser, stage: str) -> None:
    """24 px at least (WCAG 2.5.8), links inside a sentence aside."""
    script = """() => [...document.querySelectorAll(
          'button, .btn, summary, .bb-goto a, select, input:not([type=hidden])')]
      .filter(e => e.checkVisibility({visibilityProperty: true}))
      .map(e => [e.outerHTML.slice(0, 90), (e.closest('label') || e).getBoundingClientRect()])
      .filter(([_, box]) => box.height > 0 && (box.height < 23.5 || box.width < 23.5))
      .map(([html]) => html)"""
    small = {}
    with browsers.context(browser, width=390) as context:
        page = context.new_page()
        for name in ("documents", "errors", "run", "settings-invoices", "first-posted"):
            page.goto(f"{stage}/{name}")
            if found := page.evaluate(script):
                small[name] = found
    assert small == {}


def test_a_slash_focuses_the_search_and_escape_closes_a_menu(page: Page, stage: str) -> None:
    page.goto(f"{stage}/home")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("a/b")
    assert page.evaluate("document.activeElement.value") == "a/b"
    menu = page.locator("details.bb-company")
    menu.locator("summary").click()
    assert menu.get_attribute("open") is not None
    page.keyboard.press("Escape")
    assert menu.get_attribute("open") is None
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_a_click_elsewhere_closes_a_menu(page: Page, stage: str) -> None:
    page.goto(f"{stage}/home")
    menu = page.locator("details.bb-company")
    menu.locator("summary").click()
    page.mouse.click(900, 500)
    assert menu.get_attribute("open") is None


def test_the_error_summary_takes_the_focus(page: Page, stage: str) -> None:
    page.goto(f"{stage}/settings-errors")
    assert page.evaluate("document.activeElement.className") == "bb-errsum"
    assert page.title().startswith("Error: ")


def test_the_first_stop_of_the_keyboard_skips_to_the_content(page: Page, stage: str) -> None:
    page.goto(f"{stage}/documents")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "bb-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_ticked_rows_bring_the_bulk_bar(page: Page, stage: str) -> None:
    page.goto(f"{stage}/documents")
    bar = page.locator(".bb-bulk")
    assert not bar.is_visible()
    page.locator("[data-tick-all]").check()
    assert bar.is_visible()
    assert page.locator("tbody input:checked").count() == page.locator("tbody input[type=checkbox]").count() > 0


def test_the_expense_account_appears_with_create_a_new_item(page: Page, stage: str) -> None:
    page.goto(f"{stage}/settings-orders")
    field = page.get_by_label("for created items, select the expense account to use:")
    page.get_by_label("error out and stop processing").check()
    assert not field.is_visible()
    page.get_by_label("create a new item").check()
    assert field.is_visible()


def test_the_run_page_asks_again_and_keeps_the_focus(page: Page, stage: str) -> None:
    page.goto(f"{stage}/run")
    page.locator("text=Stop after this batch").focus()
    page.evaluate("document.querySelector('h2#progress').textContent = 'old'")
    page.wait_for_function("() => document.querySelector('h2#progress').textContent.includes('51 of 60')")
    assert page.locator("#run").count() == page.locator("h1").count() == 1
    assert "Stop after this batch" in page.evaluate("document.activeElement.textContent")


@pytest.mark.parametrize("name", ["scan", "settings-reading", "first-sending", "sync-po-running", "order-log-running"])
def test_what_polls_replaces_only_itself(page: Page, stage: str, name: str) -> None:
    page.goto(f"{stage}/{name}")
    before = page.locator("main").inner_text()
    for _ in range(2):
        with page.expect_response(lambda response: name in response.url):
            page.wait_for_load_state()
    page.wait_for_function("(before) => document.querySelector('main').innerText === before", arg=before)
    assert page.locator("h1").count() == page.locator("main").count() == 1


def test_the_theme_of_the_profile_wins_over_the_system(browser: Browser, stage: str, tmp_path: Path) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    with browsers.context(browser, dark=True) as context:
        page = context.new_page()
        page.goto(f"{stage}/home")
        dark = page.evaluate(colour)
        page.evaluate("document.documentElement.dataset.bsTheme = 'light'")
        assert page.evaluate(colour) != dark
