"""The one exception that ends a sign-in with a sentence of `pages.SENTENCES`."""

from __future__ import annotations


class SignInProblem(Exception):
    """`key` names the page's sentence; `detail` goes to the log and the audit trail, never to the page."""

    def __init__(self, key: str, detail: str = "") -> None:
        super().__init__(key)
        self.key, self.detail = key, detail
