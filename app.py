"""The web application: `create_app()` puts configuration, services, pages and guards together.

Rules are in `sync` and `domain`, pages in `blueprints`, the wiring of services in `workers/wiring.py`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from blueprints import (
    access,
    account,
    connect,
    context,
    guard,
    headers,
    health,
    help,
    home,
    logs,
    mails,
    presentation,
    problems,
    settings,
    setup,
    shell,
    tools,
)
from blueprints.limits import LIMITS
from blueprints.sessions import DatabaseSessions
from config import Config, get_config
from sync.logs import configure as configure_logs
from workers.wiring import Services

FORM_BYTES = 256 * 1024
OUTSIDE = (
    "blueprints.mails.preferences.unsubscribe_now", "blueprints.mails.bounce.bounce", "blueprints.setup.page.enter",
)  # fmt: skip
"""Views without the session's token: other programs post to them and sign address or header, and /setup, which works
before there are sessions, asks for a token of its own."""


class RowId(IntegerConverter):
    """A number in an address. What no row can have as its id is not found, instead of an error of the database."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**31 - 1)


def create_app(config: Config | None = None, services: Services | None = None) -> Flask:
    """A ready application. Raises when the configuration or the table of roles is wrong, before any request."""
    config = config or get_config()
    configure_logs(config.log_level)
    app = Flask("bookbridge", root_path=str(context.ROOT))
    app.url_map.converters["int"] = RowId
    app.extensions["services"] = services or Services.from_config(config, short_calls=True)
    _configure(app, config)
    presentation.register(app)
    headers.register(app, config, consent_origins(config))
    app.session_interface = DatabaseSessions(app.extensions["services"])
    guard.register(app)
    _protect(app, config)
    problems.register(app)
    shell.register(app)
    app.teardown_appcontext(context.stop_reading)
    for part in (health, help, connect, home, settings, tools, logs, mails, account, setup):
        app.register_blueprint(part.blueprint)
    for endpoint, rule in LIMITS.items():
        app.view_functions[endpoint] = app.extensions["limits"].limit(rule)(app.view_functions[endpoint])
    access.check(app)
    return app


def consent_origins(config: Config) -> tuple[str, ...]:
    """Where the identity services' consent pages are: forms of ours are redirected there."""
    if config.sandbox_url:
        return (headers.origin_of(config.sandbox_url),)
    return ("https://appcenter.intuit.com", *(["https://login.xero.com"] if config.xero_client_id else []))


def _configure(app: Flask, config: Config) -> None:
    app.config.update(
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=FORM_BYTES,
        MAX_FORM_PARTS=2000,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives and dies with the session
        WTF_CSRF_SSL_STRICT=config.secure_cookies,
        PREFERRED_URL_SCHEME=urlsplit(config.public_url).scheme,
        HOST=urlsplit(config.public_url).netloc.lower(),
        TEMPLATES_AUTO_RELOAD=False,
    )
    if config.secure_cookies:
        # TLS ends in front of us; that proxy's last word on scheme and client address counts.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]


def _protect(app: Flask, config: Config) -> None:
    csrf = CSRFProtect(app)
    for view in OUTSIDE:
        csrf.exempt(view)
    login = LoginManager(app)
    login.session_protection = None  # sessions are server-side and end by themselves
    login.user_loader(context.load_user)
    limiter = Limiter(
        get_remote_address,
        app=app,
        storage_uri="memory://",
        default_limits=[],
        headers_enabled=False,
    )
    app.extensions["limits"] = limiter
