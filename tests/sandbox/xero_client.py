"""A plain HTTP client of the simulated Xero Accounting API, for the sandbox's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import requests

from sandbox import jsonio
from sandbox.server import World, open_world, running
from sandbox.xero import ledger, profiles
from sandbox.xero.api import BASE
from sandbox.xero.organisation import Organisation
from sandbox.xero_identity import tokens


class Xero:
    """One simulated organisation and a session that may use it."""

    def __init__(self, world: World, base: str, tenant: str) -> None:
        self.world, self.base, self.tenant = world, base, tenant
        self.url = f"{base}{BASE}"
        self.http = requests.Session()
        self.http.headers.update(
            {
                "Accept": "application/json",
                "Authorization": f"Bearer {tokens.access_token(world, tenant)}",
                "xero-tenant-id": tenant,
            }
        )

    @property
    def org(self) -> Organisation:
        return Organisation(self.world, self.tenant)

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **params: str) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        data = None if body is None else jsonio.dumps(body)
        return self.http.request(method, f"{self.url}/{path}", params=params, data=data, headers=headers, timeout=10)

    def get(self, path: str, *, since: str | None = None, **params: str) -> Any:
        """A read that must succeed; decimals exact."""
        headers = {"If-Modified-Since": since} if since else {}
        answer = self.http.get(f"{self.url}/{path}", params=params, headers=headers, timeout=10)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return jsonio.loads(answer.content)

    def put(self, envelope: str, *elements: dict[str, Any], **params: str) -> list[dict[str, Any]]:
        """A write of elements that must answer 200; the elements of the answer."""
        answer = self.call("PUT", envelope, {envelope: list(elements)}, **params)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        rows: list[dict[str, Any]] = jsonio.loads(answer.content)[envelope]
        return rows

    def refused(self, answer: Any) -> list[str]:
        """The texts of a refused call, in order."""
        assert answer.status_code == 400, (answer.status_code, answer.text)
        return messages(answer.json()["Elements"])

    def contact(self, name: str = "Acme Ltd", **more: Any) -> str:
        return str(self.put("Contacts", {"Name": name, **more})[0]["ContactID"])

    def invoice(self, **more: Any) -> dict[str, Any]:
        """A sales invoice of one line that is complete; `more` overrides."""
        body: dict[str, Any] = {
            "Type": "ACCREC", "Date": "2026-11-02", "DueDate": "2026-11-30", "Status": "AUTHORISED",
            "LineItems": [line()],
        }  # fmt: skip
        return {**body, **more}

    def balances(self) -> dict[str, Decimal]:
        """Account code -> balance, debit positive."""
        rows = ledger.trial_balance(self.org)
        return {row["code"]: row["debit"] - row["credit"] for row in rows}


def line(amount: Any = "10.50", quantity: Any = 2, **more: Any) -> dict[str, Any]:
    """One sales line at 20 % (UK)."""
    body = {"Description": "Managed service", "Quantity": quantity, "UnitAmount": Decimal(str(amount))}
    return {**body, "AccountCode": "200", "TaxType": "OUTPUT2", **more}


def messages(elements: list[dict[str, Any]]) -> list[str]:
    return [each["Message"] for element in elements for each in element.get("ValidationErrors", [])]


@contextmanager
def organisation(profile: str = "xero-uk", world: World | None = None, **switches: Any) -> Iterator[Xero]:
    """A running sandbox with one organisation, rate limits off, answers in the order they were sent."""
    world = world or open_world()
    world.limits.switch(on=False)
    switches = {"shuffle_elements": False} | switches
    tenant = profiles.create_organisation(world, "test", profile, "Test Company", **switches)
    with running(world) as base:
        yield Xero(world, base, tenant)
    world.close()
