"""The start page: what this sandbox holds, and links to its simulators."""

from flask import Blueprint, render_template

from sandbox import ledgers
from sandbox.autotask.tenants import all_tenants
from sandbox.world import World


def blueprint(world: World) -> Blueprint:
    """`/`."""
    bp = Blueprint("home", __name__)

    @bp.get("/")
    def home() -> str:
        books = [(kind, kind.books.companies(world)) for kind in ledgers.ALL]
        return render_template("home.html", tenants=all_tenants(world), books=books)

    return bp
