"""A plain HTTP client of the simulated Autotask, for the sandbox's own tests."""

from __future__ import annotations

from typing import Any

import requests

from sandbox import jsonio
from sandbox.seeds import msp
from sandbox.world import World

EVERY = {"op": "gte", "field": "id", "value": 0}


class Autotask:
    """A session with the headers of one API user."""

    def __init__(self, base: str, seeded: dict[str, Any]) -> None:
        self.base, self.seeded = base, seeded
        self.http = requests.Session()
        access = seeded["autotask"]
        self.http.headers.update(
            {"UserName": access["user"], "Secret": access["secret"], "ApiIntegrationCode": access["integration_code"]}
        )
        self.url = f"{base}/autotask/ATServicesRest/V1.0"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        data = None if body is None else jsonio.dumps(body)
        return self.http.request(method, f"{self.url}/{path}", data=data, timeout=20, **more)

    def query(self, entity: str, *filters: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
        """The first page of a query that must be accepted, decimals exact."""
        answer = self.call("POST", f"{entity}/query", {"filter": list(filters) or [EVERY], **options})
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = jsonio.loads(answer.content)["items"]
        return items

    def one(self, entity: str, id: int) -> Any:
        return jsonio.loads(self.call("GET", f"{entity}/{id}").content)["item"]

    def refusal(self, answer: requests.Response) -> tuple[int, str]:
        """(status, first text) of a refusal."""
        return answer.status_code, answer.json()["errors"][0]


def seeded(world: World, base: str, **options: Any) -> Autotask:
    """A small generated provider (no invoices unless asked) and a client of it."""
    return Autotask(base, msp.generate(world, **{"seed": 1, "invoices": 0, "region": "us", **options}))
