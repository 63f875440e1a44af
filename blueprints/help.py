"""Help on every reason of the catalogue, open to everybody: recipients of mails may never sign in."""

from __future__ import annotations

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from blueprints.causes import title
from blueprints.problems import Problem
from domain import help as texts
from domain.reasons import CATALOGUE, Stage

blueprint = Blueprint("help", __name__)


@blueprint.get("/help/errors")
def errors() -> ResponseReturnValue:
    """All reasons, by check stage."""
    groups = [
        {
            "stage": str(stage),
            "pages": [
                {"title": title(code), "url": url_for("help.error", code=code)}
                for code, entry in CATALOGUE.items()
                if entry.stage is stage
            ],
        }
        for stage in Stage
    ]
    return render_template("help/errors.html", groups=[group for group in groups if group["pages"]])


@blueprint.get("/help/errors/<code>")
def error(code: str) -> ResponseReturnValue:
    found = texts.page(code)
    if found is None:
        raise Problem(404, "404")
    related = [{"title": title(each), "url": url_for("help.error", code=each)} for each in found.related]
    return render_template("help/error.html", title=title(code), page=found, related=related)
