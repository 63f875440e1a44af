"""The start page: what this sandbox holds, and links to its simulators."""

from importlib import import_module

from flask import Blueprint, render_template

from sandbox.autotask.tenants import all_tenants
from sandbox.world import World


def blueprint(world: World) -> Blueprint:
    """`/`."""
    bp = Blueprint("home", __name__)

    @bp.get("/")
    def home() -> str:
        companies = import_module("sandbox.qbo.books").companies(world)
        return render_template("home.html", tenants=all_tenants(world), companies=companies)

    return bp
