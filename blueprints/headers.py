"""Headers of every answer, the request's id and its one log line.

The content security policy allows our own files only; a nonce covers the two scripts of the base templates.
"""

from __future__ import annotations

import secrets
from time import monotonic
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request

from config import Config

log = structlog.get_logger("web")
YEAR_S = 31_536_000


def register(app: Flask, config: Config, consent_origins: tuple[str, ...]) -> None:
    """`consent_origins`: where forms may lead (the identity service redirects after our POST)."""
    forms = " ".join(("'self'", *consent_origins))
    secure = config.secure_cookies

    @app.before_request
    def begin() -> None:
        g.request_id = secrets.token_hex(8)
        g.started = monotonic()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @app.after_request
    def finish(response: Response) -> Response:
        _policy(response, forms)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers["X-Request-Id"] = g.get("request_id", "")
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if secure:
            response.headers["Strict-Transport-Security"] = f"max-age={YEAR_S}; includeSubDomains"
        if request.endpoint == "static":
            _keep_static(response)
        else:
            response.headers["Cache-Control"] = "no-store"
        _log(response)
        return response

    app.jinja_env.globals["csp_nonce"] = csp_nonce


def csp_nonce() -> str:
    """One random value per answer."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _policy(response: Response, forms: str) -> None:
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    response.headers["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self'{nonce}",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action {forms}",
        )
    )


def _keep_static(response: Response) -> None:
    """Addresses carry a hash of the content (`asset`), so such a file never changes under its address."""
    if request.args.get("v"):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"


def _log(response: Response) -> None:
    """One line per request: the rule, not the address, because addresses can hold invitations."""
    if request.endpoint in ("static", "health.healthz", "health.readyz"):
        return
    user = g.get("user")
    log.info(
        "request",
        method=request.method,
        rule=str(request.url_rule or "-"),
        status=response.status_code,
        ms=round((monotonic() - g.get("started", monotonic())) * 1000),
        company=g.get("company_id"),
        user=user.id if user else None,
    )
