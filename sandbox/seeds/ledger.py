"""The door from the seeds to the simulated QuickBooks: make a company there, put customers and items into it."""

import importlib
from typing import Any

from sandbox.world import World


def create_company(world: World, slug: str, profile: str, name: str, currency: str) -> str:
    """Make a QuickBooks company and give its realm id."""
    profiles = importlib.import_module("sandbox.qbo.profiles")
    return str(profiles.create_company(world, slug=slug, profile=profile, name=name, currency=currency))


def access(world: World, laid: Any, realm: str, counts: dict[str, int]) -> dict[str, Any]:
    """What a caller needs to use a seeded pair: addresses, fake credentials, counts."""
    tenant = laid.tenant
    return {"slug": tenant.slug, "ci": tenant.ci, "realm": realm, "counts": counts,
            "autotask": {"user": f"api@{tenant.slug}.sandbox.invalid", "secret": f"SANDBOX-SECRET-{tenant.slug}",
                         "integration_code": "SANDBOXINTEGRATIONCODE00001"},
            "pages": {"psa": f"{world.public_url}/psa/{tenant.ci}", "books": f"{world.public_url}/books/{realm}"}}
