"""The demo's web application: the product's, and the page that pulls the plug. Production starts `app` alone."""

from __future__ import annotations

from flask import Flask

import app
from blueprints.access import Need
from config import Config
from tools.demo import plug
from workers.wiring import Services


def create_app(config: Config | None = None, services: Services | None = None) -> Flask:
    """As `app.create_app`. Raises ValueError without DEMO: what ends processes is offered to nobody else."""
    made = app.create_app(config, services)
    if not made.extensions["services"].config.demo:
        raise ValueError("the demo's web application needs DEMO=true and a sandbox")
    made.register_blueprint(plug.blueprint)
    made.extensions["further_roles"] = {"plug.show": Need.VIEWER, "plug.pull": Need.STAFF}
    return made
