"""Talk to the sandbox's control interface: seed worlds, set limits and latency, mark the journal, ask the judge.

Everything the demo's last line says comes from here: the sandbox's books, journal and mailbox.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import requests

from tools.demo.story import INTUIT, XERO, Company

SEED_S = 300.0


class SandboxError(Exception):
    """The sandbox refused; the message is its own sentence."""


@dataclass
class SandboxApi:
    """The control interface at one address."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False

    def seed(self, kind: str, **options: Any) -> tuple[Company, dict[str, Any]]:
        """Make a company on both platforms (`retail` or `msp`) and return it with what the sandbox said."""
        made = self.post(f"seed/{kind}", **options)
        access = made["autotask"]
        company = Company(
            slug=str(made["slug"]),
            realm=str(made["realm"]),
            user=str(access["user"]),
            secret=str(access["secret"]),
            integration_code=str(access["integration_code"]),
            door=XERO if made["ledger"] == "xero" else INTUIT,
        )
        return company, made

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self.session.get(f"{self.url}/control/{path}", params=query, timeout=SEED_S))

    def post(self, path: str, **body: Any) -> Any:
        return self._answer(self.session.post(f"{self.url}/control/{path}", json=body, timeout=SEED_S))

    @staticmethod
    def _answer(answer: requests.Response) -> Any:
        if answer.status_code >= 400:
            raise SandboxError(f"the sandbox answered {answer.status_code}: {answer.text[:500].strip()}")
        return answer.json()
