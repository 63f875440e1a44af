"""A plain HTTP client that uses the site like a person without JavaScript: look, fill in, press, follow.

It knows no route that a page does not offer and posts no field that a form does not have: a field, choice or
button that is missing stops the walk with a sentence naming the page. Not here: what to press (story.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

import requests

from tools.demo.pages import Button, Control, Form, Page, read
from tools.waiting import wait_until

TIMEOUT_S = 30.0
Values = Mapping[str, str | bool | list[str]]


class WalkError(Exception):
    """The page does not offer what the walk needs, or the site refused; the message says where and what."""


@dataclass
class Walker:
    """One person with one browser: cookies, the current page and its address."""

    session: requests.Session = field(default_factory=requests.Session)
    url: str = ""
    page: Page = field(default_factory=lambda: read(""))

    def __post_init__(self) -> None:
        self.session.headers.update({"Accept": "text/html", "User-Agent": "demo-walker"})
        # The machine's proxy settings are for the outside; everything here is on this machine.
        self.session.trust_env = False

    def get(self, url: str) -> Page:
        """Open an address (absolute, or relative to the current page) and follow redirects."""
        target = urljoin(self.url, url)
        return self._arrive(self.session.get(target, timeout=TIMEOUT_S))

    def follow(self, label: str) -> Page:
        """Follow the first link whose text contains label, ignoring case."""
        for text, href in self.page.links:
            if label.lower() in text.lower():
                return self.get(href)
        raise WalkError(f"{self._here()} has no link “{label}”; it has: {self._names(self.page.links)}")

    def has_button(self, label: str) -> bool:
        return any(_matches(label, button.label) for form in self.page.forms for button in form.buttons)

    def has_link(self, label: str) -> bool:
        return any(label.lower() in text.lower() for text, _ in self.page.links)

    def press(self, label: str, values: Values | None = None, *, among: str = "") -> Page:
        """Fill in the form that has this button and press it.

        values: field name or label → text, a choice's value or label, True/False for a tick, or a list of
        values for ticks that share a name. among: a text the form's fields or button values must contain,
        where several forms have a button of that label.
        """
        form, button = self._find(label, among)
        data = fill(form, values or {}, self._here())
        if button.name:
            data.append((button.name, button.value))
        target = urljoin(self.url, button.action or form.action or self.url)
        if form.method == "post":
            headers = {"Referer": self.url}
            return self._arrive(self.session.post(target, data=data, headers=headers, timeout=TIMEOUT_S))
        return self._arrive(self.session.get(target, params=data, timeout=TIMEOUT_S))

    def json(self, url: str) -> Any:
        """Ask an address of the site for JSON without leaving the page."""
        answer = self.session.get(urljoin(self.url, url), timeout=TIMEOUT_S, headers={"Accept": "application/json"})
        if answer.status_code != 200:
            raise WalkError(f"{answer.url} answered {answer.status_code}")
        try:
            return answer.json()
        except json.JSONDecodeError as error:
            raise WalkError(f"{answer.url} did not answer with JSON") from error

    def reload_until(self, ready: Callable[[Page], bool], *, what: str, timeout_s: float) -> Page:
        """Reload the current page until ready says so, as its own refresh would."""

        def look() -> bool:
            return ready(self.get(self.url))

        wait_until(look, timeout_s=timeout_s, what=f"{what} (at {self.url})", every_s=0.5)
        return self.page

    def _find(self, label: str, among: str) -> tuple[Form, Button]:
        for form in self.page.forms:
            for button in form.buttons:
                if _matches(label, button.label) and (not among or among in _contents(form, button)):
                    return form, button
        offered = self._names([(b.label, "") for form in self.page.forms for b in form.buttons])
        raise WalkError(f"{self._here()} has no button “{label}”; it has: {offered}")

    def _arrive(self, answer: requests.Response) -> Page:
        self.url = answer.url
        self.page = read(answer.text) if "html" in answer.headers.get("Content-Type", "") else read("")
        if answer.status_code >= 400:
            said = "; ".join([*self.page.headings[:1], *self.page.notes]) or self.page.text[:300]
            raise WalkError(f"{self._here()} answered {answer.status_code}: {said}")
        return self.page

    def _here(self) -> str:
        return f"the page “{self.page.title or self.url}” ({self.url.split('?')[0]})"

    @staticmethod
    def _names(pairs: list[tuple[str, str]]) -> str:
        return ", ".join(f"“{text}”" for text, _ in pairs if text) or "none"


def _matches(wanted: str, label: str) -> bool:
    return wanted.lower() in label.lower()


def _contents(form: Form, button: Button) -> str:
    return " ".join([form.action, button.value, *(f"{c.name} {c.value} {c.label}" for c in form.controls)])


def fill(form: Form, values: Values, here: str) -> list[tuple[str, str]]:
    """The pairs a browser would send: what the form holds already, with values laid over it."""
    chosen: dict[int, str | bool | list[str]] = {}
    for wanted, value in values.items():
        controls = [c for c in form.controls if c.name == wanted] or [
            c for c in form.controls if c.kind != "hidden" and wanted.lower() in c.label.lower()
        ]
        if not controls:
            names = ", ".join(dict.fromkeys(c.name for c in form.controls))
            raise WalkError(f"{here} has no field “{wanted}” in that form; it has: {names}")
        for control in controls:
            chosen[id(control)] = value
    pairs: list[tuple[str, str]] = []
    for control in form.controls:
        pairs += _pairs(control, chosen.get(id(control)), here)
    return pairs


def _pairs(control: Control, value: str | bool | list[str] | None, here: str) -> list[tuple[str, str]]:
    if control.kind == "checkbox":
        ticked = control.ticked if value is None else _ticks(control, value)
        return [(control.name, control.value)] if ticked else []
    if control.kind in {"radio", "select"}:
        if value is None:
            empty = control.kind == "radio" and not control.ticked
            return [] if empty else [(control.name, control.value)]
        return [(control.name, _choice(control, str(value), here))]
    if control.kind in {"file", "button", "reset"}:
        return []
    return [(control.name, control.value if value is None else str(value))]


def _ticks(control: Control, value: str | bool | list[str]) -> bool:
    if isinstance(value, bool):
        return value
    return control.value in ([value] if isinstance(value, str) else value)


def _choice(control: Control, wanted: str, here: str) -> str:
    """The value of the option meant: by value, else by label, else by the only label that contains it."""
    for value, label in control.options:
        if wanted in {value, label}:
            return value
    close = [value for value, label in control.options if wanted.lower() in label.lower()]
    if len(close) == 1:
        return close[0]
    offered = ", ".join(f"“{label or value}”" for value, label in control.options) or "none"
    raise WalkError(f"{here} offers no choice “{wanted}” for {control.name}; it offers: {offered}")
