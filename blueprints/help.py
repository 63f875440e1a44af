"""Help on every reason of the catalogue, open to everybody: recipients of mails may never sign in."""

from __future__ import annotations

from flask import Blueprint, g, render_template, request, url_for
from flask.typing import ResponseReturnValue

from blueprints.causes import title
from blueprints.problems import Problem
from domain import help as texts
from domain.known_issues import ISSUES
from domain.ledger_words import LEDGERS, NEUTRAL, Words, words_of
from domain.reasons import CATALOGUE, Stage

blueprint = Blueprint("help", __name__)


@blueprint.get("/help/errors")
def errors() -> ResponseReturnValue:
    """All reasons, by check stage."""
    _choose_words()
    groups = [
        {
            "stage": str(stage),
            "pages": [
                {"title": title(code), "url": url_for("help.error", code=code, ledger=_asked())}
                for code, entry in CATALOGUE.items()
                if entry.stage is stage
            ],
        }
        for stage in Stage
    ]
    return render_template("help/errors.html", groups=[group for group in groups if group["pages"]])


@blueprint.get("/help/errors/<code>")
def error(code: str) -> ResponseReturnValue:
    """One reason, in the words of the ledger that the address names (`?ledger=`), or of both."""
    chosen = _choose_words()
    found = texts.page(code, chosen.the_ledger)
    if found is None:
        raise Problem(404, "404")
    related = [
        {"title": title(each), "url": url_for("help.error", code=each, ledger=_asked())} for each in found.related
    ]
    return render_template("help/error.html", title=title(code), page=found, related=related)


@blueprint.get("/help/known-issues")
def known() -> ResponseReturnValue:
    """What people may meet, and where the platforms tell of their own incidents."""
    tokens = _choose_words().tokens()
    issues = [
        {
            "key": each.key,
            "title": each.title.format_map(tokens),
            "what": each.what.format_map(tokens),
            "do": each.do.format_map(tokens),
            "reasons": [
                {"title": title(code), "url": url_for("help.error", code=code, ledger=_asked())} for code in each.codes
            ],
        }
        for each in ISSUES
    ]
    return render_template("help/known.html", issues=issues)


def _choose_words() -> Words:
    """For the whole page, its titles and links too."""
    ledger = request.args.get("ledger", "")
    g.words = words_of(ledger) if ledger in LEDGERS else NEUTRAL
    return g.words


def _asked() -> str | None:
    """The ledger goes along with every link."""
    return request.args["ledger"] if request.args.get("ledger") in LEDGERS else None
