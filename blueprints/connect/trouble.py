"""What ends a sign-in: the exception that carries a sentence of `pages.SENTENCES`, and the redirect to its page."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from blueprints.context import now, writing
from connectors.errors import NotAllowed, PlatformError
from connectors.oauth import GrantRejected, SignInRejected
from sync import audit

log = structlog.get_logger("web")


class SignInProblem(Exception):
    """`key` names the page's sentence; `detail` goes to the log and the audit trail, never to the page."""

    def __init__(self, key: str, detail: str = "") -> None:
        super().__init__(key)
        self.key, self.detail = key, detail


def led(go: Callable[[], str]) -> ResponseReturnValue:
    """To where a sign-in leads, or to the page that says why it leads nowhere."""
    try:
        return redirect(go())
    except SignInProblem as problem:
        return refuse(problem.key, problem.detail)
    except (GrantRejected, SignInRejected) as problem:
        return refuse("code" if isinstance(problem, GrantRejected) else "untrusted", problem.message)
    except NotAllowed as problem:
        return refuse("untrusted", problem.message)
    except PlatformError as problem:
        return refuse("away", problem.message)


def refuse(key: str, detail: str = "") -> ResponseReturnValue:
    """Remember why for the next page, and write it down: refused sign-ins are part of the audit trail."""
    session["sign_in_problem"] = key
    log.info("sign-in refused", why=key, detail=detail)
    with writing() as db:
        audit.record(db, None, now(), request.remote_addr or "", "sign-in refused", key, {"detail": detail[:200]})
    return redirect(url_for("connect.problem"))
