"""The app that renders templates without the product: documented endpoints, shell, demo strip.

To look at a page while working on it: `python -m tests.web.pages.stage`, then open `/page/style-guide`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, g, render_template
from jinja2 import ChoiceLoader, FileSystemLoader

from blueprints import presentation
from tests.web.pages import samples

ROOT = Path(__file__).parents[3]
ROW = re.compile(r"^\| ([a-z_.,  ]+) \| ([^|]+) \|", re.MULTILINE)
FRAGMENTS = {
    "run": "logs/_run_live.html",
    "scan": "connect/_scan_live.html",
    "settings-reading": "settings/_lists.html",
    "check-running": "tools/_check_result.html",
    "lists-running": "tools/_lists_result.html",
    "copy-running": "tools/_compare_result.html",
}
DOORS = [
    {"ledger": "quickbooks", "service": "Intuit", "name": "QuickBooks", "url": "/page/consent",
     "connect": "Sign in with Intuit", "connect_picture": "quickbooks-sign-in"},
    {"ledger": "xero", "service": "Xero", "name": "Xero", "url": "/page/consent", "connect": "Connect to Xero",
     "connect_picture": "xero-connect"},
]
CSP = (
    "default-src 'self'; script-src 'self' 'nonce-stage'; style-src 'self'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
)


def documented_endpoints() -> list[str]:
    """Endpoint names of the table in templates/README.md."""
    text = (ROOT / "templates" / "README.md").read_text(encoding="utf-8")
    names = [name.strip() for match in ROW.finditer(text) for name in match.group(1).split(",")]
    return [name for name in names if "." in name]


def make_app() -> Flask:
    """An app that serves `/page/<name>` for every sample and knows exactly the documented endpoints."""
    app = Flask("stage", root_path=str(ROOT), static_folder="static", template_folder="templates")
    app.config.update(SECRET_KEY="stage-not-real", TESTING=True)
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(ROOT / "templates"), FileSystemLoader(Path(__file__).parent / "templates")]
    )
    presentation.register(app)
    app.jinja_env.globals.update(csrf_token=lambda: "stage-token", csp_nonce=lambda: "stage", doors=DOORS)
    for endpoint in documented_endpoints():
        app.add_url_rule(_address(endpoint), endpoint, lambda **_: "", methods=["GET", "POST"])
    app.add_url_rule("/page/<name>", "page", _page)
    app.add_url_rule("/live/<name>", "live", _live)
    app.after_request(_headers)
    return app


def _address(endpoint: str) -> str:
    parts = {"run": "<int:run_id>", "stop": "<int:run_id>", "resubmit": "<int:run_id>"}
    people = {
        "role": "<member_id>",
        "remove": "<member_id>",
        "ask_remove": "<member_id>",
        "withdraw": "<invitation_id>",
        "end_session": "<session_id>",
    }
    name = endpoint.rpartition(".")[2]
    return f"/stage/{endpoint}/{parts.get(name) or people.get(name) or ''}"


def _page(name: str) -> str:
    if name not in samples.PAGES:
        abort(404)
    template, context = samples.PAGES[name]
    return render(template, context())


def _live(name: str) -> str:
    """The fragment a page asks for while it polls."""
    return render(FRAGMENTS[name], samples.PAGES[name][1]())


def render(template: str, context: dict[str, Any]) -> str:
    """Render inside a request of the stage app, in the company's time zone."""
    g.zone, g.company_id = "America/Chicago", 7
    return render_template(template, **{"shell": samples.shell(), "demo": None, **context})


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP
    return response


if __name__ == "__main__":
    make_app().run(port=8390, debug=False)
