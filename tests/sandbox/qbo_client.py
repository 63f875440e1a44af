"""A plain HTTP client of the simulated QuickBooks API, for the sandbox's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from sandbox import jsonio
from sandbox.intuit import tokens
from sandbox.qbo import profiles
from sandbox.server import World, open_world, running


class Company:
    """One simulated company and a session that may use it."""

    def __init__(self, world: World, base: str, realm: str) -> None:
        self.world, self.base, self.realm = world, base, realm
        self.url = f"{base}/qbo/v3/company/{realm}"
        self.http = requests.Session()
        self.http.headers["Accept"] = "application/json"
        self.http.headers["Authorization"] = f"Bearer {tokens.access_token(world, realm)}"

    def post(self, path: str, body: Any, **params: str) -> requests.Response:
        headers = {"Content-Type": "application/json"}
        return self.http.post(f"{self.url}/{path}", jsonio.dumps(body), params=params, headers=headers)

    def get(self, path: str, **params: str) -> requests.Response:
        return self.http.get(f"{self.url}/{path}", params=params)

    def make(self, kind: str, **body: Any) -> dict[str, Any]:
        """Create one record that must be accepted; the entity of the answer, decimals exact."""
        response = self.post(kind.lower(), body)
        assert response.status_code == 200, response.text
        entity: dict[str, Any] = jsonio.loads(response.content)[kind]
        return entity

    def query(self, statement: str) -> dict[str, Any]:
        response = self.get("query", query=statement)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = jsonio.loads(response.content)["QueryResponse"]
        return answer

    def fault(self, response: requests.Response) -> tuple[int, str]:
        """(HTTP status, code) of a refusal that carries a JSON fault."""
        return response.status_code, response.json()["Fault"]["Error"][0]["code"]

    def account(self, name: str) -> dict[str, str]:
        return {"value": self.query(f"SELECT * FROM Account WHERE Name = '{name}'")["Account"][0]["Id"]}

    def code(self, name: str) -> dict[str, str]:
        return {"value": self.query(f"SELECT * FROM TaxCode WHERE Name = '{name}'")["TaxCode"][0]["Id"]}


def line(item: dict[str, Any], amount: Any, code: str | None = None, **detail: Any) -> dict[str, Any]:
    """One sales line."""
    inner: dict[str, Any] = {"ItemRef": {"value": item["Id"]}, **detail}
    if code is not None:
        inner["TaxCodeRef"] = {"value": code}
    return {"Amount": amount, "Description": "work", "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": inner}


@contextmanager
def company(profile: str, world: World | None = None, **switches: Any) -> Iterator[Company]:
    """A running sandbox with one company of a profile, rate limits off."""
    world = world or open_world()
    world.limits.switch(on=False)
    realm = profiles.create_company(world, "test", profile, "Test Company", **switches)
    with running(world) as base:
        yield Company(world, base, realm)
    world.close()
