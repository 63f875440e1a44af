"""The mails: same figures in HTML and text, nothing loaded, nothing of a stranger's business in a notice."""

# ruff: noqa: E501 - samples are sentences, and read better unbroken
from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from domain import formats
from domain.ledger_words import QUICKBOOKS
from tests.web import html_checks
from tests.web.pages.facts import usd
from tests.web.pages.stage import ROOT

FRAME = {
    "subject": "2 posted, 1 needs you - Harbor Point IT - 18 Nov",
    "company": "Harbor Point IT",
    "ledger": "QuickBooks Online",
    "at": datetime(2026, 11, 18, 23, 40, tzinfo=UTC),
    "zone": "America/Chicago",
    "zone_name": "Chicago time",
    "settings_url": "https://bookbridge.example/c/7/settings/mails",
    "preferences_url": "https://bookbridge.example/mail/preferences/x.y",
    "known_url": "https://bookbridge.example/help/known-issues",
    "errors_url": "https://bookbridge.example/c/7/errors",
    "why_you": "You get this because books@harborpoint.example is a report address of Harbor Point IT.",
}
ROWS = [
    ("10449", "Summit & Vale <Accounting>", "Complete", "", "1214.00"),
    ("10476", "Silverline Freight", "Complete", "Posted as a credit memo", "-180.00"),
    ("10461", "Wrenfield Optics", "Fault", "Item “Backup 1TB” is not in QuickBooks", "960.00"),
]


@pytest.fixture(scope="module")
def mails() -> Environment:
    """The environment a worker needs: no Flask, only the filters of `domain.formats`."""
    env = Environment(
        loader=FileSystemLoader(ROOT / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(formats.FILTERS)
    return env


def report(**changes: Any) -> dict[str, Any]:
    problem = {
        "number": "10461", "customer": "Wrenfield Optics", "amount": Decimal("960.00"), "currency": "USD",
        "title": "Item “Backup 1TB” is not in QuickBooks", "text": "The billing code is new in Autotask. Create the item, then retry.",
        "button": "Open the problem", "url": "https://bookbridge.example/c/7/documents/3",
        "help_url": "https://bookbridge.example/help/errors/item_missing",
    }  # fmt: skip
    rows = [
        {"number": n, "customer": c, "status": s, "reason": r, "amount": Decimal(a), "currency": "USD", "url": f"https://bookbridge.example/d/{n}"}
        for n, c, s, r, a in ROWS
    ]  # fmt: skip
    return {
        **FRAME,
        "headline": "2 posted, 1 needs you",
        "run_title": "Sync Invoices Now",
        "asked_by": "Office",
        "found": 3,
        "found_totals": usd("1994.00"),
        "figures": ["3 rounding lines, USD 0.02 in all."],
        "outcomes": [
            {"status": "Complete", "count": 2, "totals": usd("1034.00")},
            {"status": "Fault", "count": 1, "totals": usd("960.00")},
        ],
        "message": "",
        "problems": [problem],
        "more_problems": 4,
        "rows": rows,
        "more_rows": 0,
        "csv_name": "harbor-point-it-2026-11-18-run-409.csv",
        "run_url": "https://bookbridge.example/c/7/runs/409",
        **changes,
    }


CONTEXTS: dict[str, dict[str, Any]] = {
    "report": report(),
    "notice": {
        **FRAME, "asked_by": "Office", "posted": 2, "needs": 1, "show_url": "https://bookbridge.example/mail/report/x.y",
        "until": FRAME["at"],
    },
    "problems": {
        **FRAME, "headline": "2 problems wait for you",
        "stopped": [{"title": "Run 409: Stopped", "text": "412 documents are more than 200.", "url": "https://bookbridge.example/c/7/runs/409"}],
        "causes": [{
            **report()["problems"][0], "count": 1, "totals": usd("960.00"), "more": 0, "documents": report()["rows"][2:],
        }],
        "rows": report()["rows"],
    },
    "invitation": {
        **FRAME, "inviter": "Office", "role": "staff", "url": "https://bookbridge.example/invitation/x", "expires_at": FRAME["at"],
        "words": QUICKBOOKS,
    },
    "problem": {
        **FRAME, "title": "Autotask refused the API user", "happened": "Posting waits since 13:40; nothing is lost.", "why": "",
        "todo": ["Open the connection.", "Paste a new secret."], "button": "Fix the connection", "url": "https://bookbridge.example/c/7/connections",
        "detail": "Reference 7f3c-19e2",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", CONTEXTS)
def test_a_mail_is_valid_and_loads_nothing(mails: Environment, name: str) -> None:
    html = mails.get_template(f"mail/{name}.html").render(CONTEXTS[name])
    root, errors = html_checks.parse(html)
    assert errors == []
    assert root.findtext("head/title") == FRAME["subject"]
    for tag in ("img", "link", "script", "style", "form", "iframe"):
        assert list(root.iter(tag)) == []
    assert len(list(root.iter("h1"))) == 1


@pytest.mark.parametrize("name", CONTEXTS)
def test_the_text_has_the_same_addresses_as_the_html(mails: Environment, name: str) -> None:
    html, text = (mails.get_template(f"mail/{name}.{kind}").render(CONTEXTS[name]) for kind in ("html", "txt"))
    root, _ = html_checks.parse(html)
    rows = {row["url"] for row in CONTEXTS[name].get("rows", [])}
    assert all(link.get("href", "") in text for link in root.iter("a") if link.get("href") not in rows)
    assert "<" not in text.replace("<Accounting>", "")


def test_html_and_text_report_the_same_figures_in_the_same_order(mails: Environment) -> None:
    html, text = (mails.get_template(f"mail/report.{kind}").render(report()) for kind in ("html", "txt"))
    root, _ = html_checks.parse(html)
    words = "".join(root.itertext())
    for needle in (
        "USD 1,034.00",
        "USD 960.00",
        "USD 1,214.00",
        "USD −180.00",
        "USD 1,994.00",
        *(row[0] for row in ROWS),
    ):
        assert needle in words and needle in text
    numbers = [row[0] for row in ROWS]
    listed = words[words.index("All 3 documents") :]
    assert sorted(numbers, key=listed.index) == sorted(numbers, key=text[text.index("ALL 3") :].index)


def test_a_customers_name_cannot_write_html(mails: Environment) -> None:
    html = mails.get_template("mail/report.html").render(report())
    assert "<Accounting>" not in html and "&lt;Accounting&gt;" in html


def test_a_failed_run_says_why_even_without_documents(mails: Environment) -> None:
    empty = report(
        message="Autotask refused the API user.",
        found=0,
        found_totals=[],
        figures=[],
        outcomes=[],
        problems=[],
        more_problems=0,
        rows=[],
        csv_name="",
    )
    for kind in ("html", "txt"):
        assert "Autotask refused the API user." in mails.get_template(f"mail/report.{kind}").render(empty)


def test_a_notice_has_no_name_and_no_amount(mails: Environment) -> None:
    for kind in ("html", "txt"):
        text = mails.get_template(f"mail/notice.{kind}").render(CONTEXTS["notice"])
        assert "USD" not in text and not any(customer in text for _, customer, *_ in ROWS)
        assert "2 posted" in text and "Office" in text
