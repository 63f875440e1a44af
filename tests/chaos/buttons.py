"""A person at two browsers who presses every button twice at once: real sessions, forms and tokens over HTTP."""

from __future__ import annotations

import random
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
from sqlalchemy import func, select

from blueprints.sessions import DEMO_NAME, id_hash
from models import Document, Membership, Run, WebSession
from sync.copy_outcome import KIND as COPY
from tools.demo.pages import Form, read
from tools.demo.walker import fill
from workers.wiring import Services

PRESSED = re.compile(
    r"/(sync-now|sync-one|reconcile|check|lists|stop|resubmit|retry|resync|clear|approve|mark|post|include|attach|all)$"
)
"""The ends of addresses whose buttons are pressed: what reads, posts, repeats and stops. Not what a person decides
against a document (skip, void, hold), nor what disconnects."""
PAGES = ("", "tools/sync-now", "tools/reconcile", "tools/check", "tools/compare/lists", "tools/in-process", "errors",
         "orders", "orders/sync-one", "documents", "review", "settings/lists")  # fmt: skip


@dataclass
class Person:
    """An admin of one company, with a session on each web process. `sites`: where they listen."""

    services: Services
    company_id: int
    rng: random.Random
    answers: Counter[str] = field(default_factory=Counter)
    """What was pressed, and how it was answered."""

    def press_something_twice(self, sites: tuple[str, ...]) -> str:
        """Open a page, press one of its buttons in both browsers at once; returns what it was ("" when none)."""
        cookie, forms = self._sign_in(), []
        pages = [*PAGES, *self._records()]
        for path in self.rng.sample(pages, 6):
            page = self._get(sites[0], cookie, f"/c/{self.company_id}/{path}")
            forms = [form for form in read(page).forms if _is_pressed(form)]
            if forms:
                break
        else:
            return ""
        form = self.rng.choice(forms)
        self._press_twice(sites, cookie, form)
        return urlsplit(form.action).path

    def resync_twice(self, sites: tuple[str, ...], document_id: int) -> bool:
        """Resync of one document; False where its page offers none."""
        return self._find_and_press_twice(sites, f"documents/{document_id}", _resyncs)

    def agree_twice(self, sites: tuple[str, ...]) -> bool:
        """Replace what the last Resync found to differ; False where nothing is offered."""
        with self.services.sessions() as db:
            run = db.execute(
                select(func.max(Run.id)).where(Run.company_id == self.company_id, Run.kind == COPY)
            ).scalar_one()
        return run is not None and self._find_and_press_twice(sites, f"tools/results/{run}", _replaces)

    def _find_and_press_twice(self, sites: tuple[str, ...], path: str, wanted: Callable[[Form], bool]) -> bool:
        cookie = self._sign_in()
        page = read(self._get(sites[0], cookie, f"/c/{self.company_id}/{path}"))
        form = next(filter(wanted, page.forms), None)
        if form is not None:
            self._press_twice(sites, cookie, form)
        return form is not None

    def _press_twice(self, sites: tuple[str, ...], cookie: dict[str, str], form: Form) -> None:
        presses = [threading.Thread(target=self._press, args=(site, cookie, form)) for site in sites]
        for press in presses:
            press.start()
        for press in presses:
            press.join(timeout=30)

    def _records(self) -> list[str]:
        """Pages of this company's last run and of a few documents."""
        with self.services.sessions() as db:
            run = db.scalars(
                select(Run.id).where(Run.company_id == self.company_id).order_by(Run.id.desc()).limit(1)
            ).first()
            rows = db.scalars(select(Document.id).where(Document.company_id == self.company_id).limit(40)).all()
        documents = [f"documents/{id}" for id in self.rng.sample(rows, min(3, len(rows)))]
        return [*([f"runs/{run}", f"runs/{run}", f"runs/{run}/stop"] if run else []), *documents]

    def _sign_in(self) -> dict[str, str]:
        raw, now = secrets.token_urlsafe(16), self.services.now()
        with self.services.sessions() as db, db.begin():
            user = db.scalars(select(Membership.user_id).where(Membership.company_id == self.company_id)).first()
            data = {"_user_id": str(user), "signed_in_at": now.isoformat(), "agent": "Firefox Linux"}
            db.add(WebSession(
                id_hash=id_hash(raw), user_id=user, created_at=now, seen_at=now, signed_in_at=now, data=data
            ))  # fmt: skip
        return {"Cookie": f"{DEMO_NAME}={raw}", "Host": urlsplit(self.services.config.public_url).netloc}

    def _get(self, site: str, cookie: dict[str, str], path: str) -> str:
        answer = requests.get(site + path, headers=cookie, timeout=20)
        return answer.text if answer.status_code == 200 else ""

    def _press(self, site: str, cookie: dict[str, str], form: Form, *, again: bool = True) -> None:
        name, data = urlsplit(form.action).path.rpartition("/")[2], fill(form, {}, form.action)
        data += [(button.name, button.value) for button in form.buttons[:1] if button.name]
        try:
            answer = requests.post(
                site + urlsplit(form.action).path, data=data, headers=cookie, timeout=25, allow_redirects=False
            )
        except requests.RequestException as error:
            self.answers[f"{name} {type(error).__name__}"] += 1
            return
        self.answers[f"{name} {answer.status_code}"] += 1
        if answer.status_code == 200 and again:  # it asks whether that is meant
            for asked in read(answer.text).forms:
                if urlsplit(asked.action).path == urlsplit(form.action).path:
                    self._press(site, cookie, asked, again=False)
                    return


def _resyncs(form: Form) -> bool:
    return form.action.endswith("/resync")


def _replaces(form: Form) -> bool:
    return any((control.name, control.value) == ("decision", "replace") for control in form.controls)


def _is_pressed(form: Form) -> bool:
    return form.method == "post" and bool(form.buttons) and bool(PRESSED.search(urlsplit(form.action).path))
