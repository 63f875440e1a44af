"""Intuit's own pages, walked as a browser does: authorize, sign in, choose a company, allow or cancel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.web.site import BASE, Site


@dataclass
class Visit:
    """One browser at our site (`client`) and at Intuit (`session`)."""

    site: Site
    client: FlaskClient
    session: requests.Session

    @classmethod
    def of(cls, site: Site, client: FlaskClient | None = None) -> Visit:
        session = requests.Session()
        session.trust_env = False
        return cls(site, client or site.app.test_client(), session)

    def begin(self, **form: str) -> str:
        """Press the button of ours that leads to Intuit; returns Intuit's address."""
        answer = self.client.post("/connect", base_url=BASE, data=form)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return answer.headers["Location"]

    def consent(self, url: str, *, user: str = "sandbox-admin", realm: str = "", allow: bool = True) -> str:
        """Sign in at Intuit and answer its consent page; returns the address Intuit sends the browser back to."""
        page = self.session.get(url, timeout=10)
        if "/intuit/signin" in page.text:
            page = self._post(page, "/intuit/signin", user=user)
        if page.headers.get("Location", "").startswith(BASE):
            return page.headers["Location"]
        page = self._post(page, "/intuit/consent", realm=realm, decision="allow" if allow else "deny")
        return page.headers["Location"]

    def _post(self, page: requests.Response, path: str, **form: str) -> requests.Response:
        ident = re.search(r'name="request" value="([^"]+)"', page.text)
        assert ident is not None, page.text
        origin = f"{urlsplit(page.url).scheme}://{urlsplit(page.url).netloc}"
        answer = self.session.post(
            origin + path, data={"request": ident.group(1), **form}, timeout=10, allow_redirects=False
        )
        if answer.status_code == 303 and not answer.headers["Location"].startswith(BASE):
            return self.session.get(origin + answer.headers["Location"], timeout=10, allow_redirects=False)
        return answer

    def come_back(self, url: str) -> TestResponse:
        """Follow Intuit's redirect to our callback."""
        parts = urlsplit(url)
        assert url.startswith(f"{BASE}/connect/intuit/callback")
        return self.client.get(parts.path, query_string=dict(parse_qsl(parts.query)), base_url=BASE)

    def connect(self, realm: str, *, user: str = "sandbox-admin", **form: str) -> TestResponse:
        """The whole way: press, consent, come back."""
        return self.come_back(self.consent(self.begin(**form), user=user, realm=realm))

    def page(self, path: str) -> str:
        answer = self.client.get(path, base_url=BASE, follow_redirects=True)
        return answer.get_data(as_text=True)
