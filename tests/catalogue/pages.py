"""The pages over the database of a stage: what a person reads of a problem there, and where its buttons lead."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.exceptions import HTTPException

from app import create_app
from domain.reasons import Reason, Turn
from models import User
from sync import access
from tests.catalogue.stage import Stage
from tests.web.site import BASE, Site, TestClock, config_for
from tools.demo import pages as read_pages
from workers.wiring import Services

DECISIONS = ("Retry", "Void in QuickBooks", "Void in QuickBooks, set the payment free", "Keep it", "It was sent",
             "Send again", "Compare")  # fmt: skip


@dataclass
class Pages:
    """One application for all stages, which share their tables."""

    app: Flask
    services: Services
    clock: TestClock

    def staff(self, stage: Stage) -> FlaskClient:
        """A browser with a member of the stage's company in it."""
        self.clock.at = stage.world.clock.now()
        with stage.world.sessions() as db, db.begin():
            user = User(name="Staff", email="staff@people.example", theme="auto", created_at=self.clock.at)
            db.add(user)
            db.flush()
            access.add_member(db, stage.world.company_id, user, "staff", self.clock.at)
            user_id = user.id
        client = self.app.test_client()
        Site(self.app, self.services, self.clock).sign_in(client, user_id)
        return client

    def leads_somewhere(self, client: FlaskClient, address: str, method: str) -> bool:
        """A link answers; a button's address takes a POST (it is not pressed here)."""
        if address.startswith(("http", "#")):
            return True
        if method == "get":
            return client.get(address, base_url=BASE).status_code == 200
        try:
            self.app.url_map.bind("app.test").match(address.partition("?")[0], method="POST")
        except HTTPException:
            return False
        return True


def make_pages(tables: sessionmaker[Session]) -> Pages:
    clock = TestClock()
    services = replace(
        Services.from_config(config_for("sqlite://"), short_calls=True), sessions=tables, clock=clock,  # type: ignore[arg-type]
    )
    app = create_app(services.config, services)
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    app.extensions["limits"].enabled = False
    return Pages(app, services, clock)


def complaints(pages: Pages, stage: Stage, why: Reason) -> list[str]:
    """What is missing on the document's page and, for a Fault, in Error Logs; empty when all is there."""
    client, row = pages.staff(stage), stage.row
    base = f"/c/{row.company_id}"
    paths = [f"{base}/documents/{row.id}", *([f"{base}/errors"] if row.status == "Fault" else [])]
    found = []
    for path in paths:
        answer = client.get(path, base_url=BASE)
        html = answer.get_data(as_text=True)
        if answer.status_code != 200:
            return [f"{path} answers {answer.status_code}"]
        if not row.before_start and str(escape(why.sentence("QuickBooks"))) not in html:
            found.append(f"{path} does not tell: {why.sentence('QuickBooks')}")
        page = read_pages.read(html)
        offered = [(text, address, "get") for text, address in page.links if address.startswith("/")]
        offered += [(button.label, button.action or form.action, form.method)
                    for form in page.forms for button in form.buttons]
        found += [f"{path}: “{text}” leads nowhere ({address})" for text, address, method in offered
                  if _mends(text, why) and not pages.leads_somewhere(client, address, method)]
        if why.turn is Turn.FAULT and not any(_mends(text, why) for text, _, _ in offered):
            found.append(f"{path} has no button for it, only {sorted({text for text, _, _ in offered})}")
    return found


def _mends(text: str, why: Reason) -> bool:
    """The button that the catalogue names, the Retry of a cause, or what the document's own page lets one decide."""
    label, key = why.entry.action
    decides = text in DECISIONS and key == "document"
    return text == label or decides or text.startswith("Retry ")
