"""The one HTTP server of the sandbox: every platform request passes the same five steps.

gate (rate limits) -> waiting time -> faults before -> handler, in one store transaction that commits ->
journal row -> faults after. Pages of people (/psa, /books, /mailbox) and /control pass straight through.
"""

import hashlib
import importlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from sandbox import jsonio
from sandbox.faults import Fault
from sandbox.journal import Entry
from sandbox.platforms import Platform
from sandbox.world import World, open_world

__all__ = ["World", "create_app", "open_world", "running", "serve"]

PARTS = (
    "sandbox.control",
    "sandbox.mailbox",
    "sandbox.autotask",
    "sandbox.psa_pages",
    "sandbox.intuit",
    "sandbox.qbo",
    "sandbox.xero_identity",
    "sandbox.xero",
    "sandbox.xero_pages",
    "sandbox.books_pages",
    "sandbox.home",
)
_LATE = "sandbox.delivered_late"
_HTML = "<html><head><title>Service Unavailable</title></head><body>Service Unavailable</body></html>"


class SandboxApp(Flask):
    """Flask with the five steps around every platform request."""

    world: World

    def dispatch_request(self) -> ResponseReturnValue:
        """Handle one request; an exception rolls its transaction back."""
        platform = _platform_of(self.world, request.path)
        if platform is None:
            with self.world.store.transaction():
                return self.make_response(super().dispatch_request())
        g.platform = platform
        g.started = time.monotonic()
        g.entry = entry = _entry(self.world, platform)
        refused = platform.gate(request)
        if refused is not None:
            return refused
        time.sleep(self.world.latency.draw(platform.name, entry.operation, platform.members(request)))
        g.faults = (
            [] if _LATE in request.environ else self.world.faults.due(platform.name, entry.operation, entry.tenant)
        )
        entry.faults = [fault.name for fault in g.faults]
        refused = _faults_before(self, platform, g.faults)
        if refused is not None:
            return refused
        with self.world.store.transaction():
            return self.make_response(super().dispatch_request())

    def process_response(self, response: Response) -> Response:
        """Write the journal row, then spoil the answer if a fault says so."""
        response = super().process_response(response)
        entry: Entry | None = g.get("entry")
        if entry is None:
            return response
        entry.status = response.status_code
        entry.seconds = round(time.monotonic() - g.started, 4)
        entry.response_bytes = response.content_length or 0
        self.world.journal.record(entry)
        for fault in g.get("faults", []):
            response = _fault_after(fault, g.platform, response)
        return response


def _platform_of(world: World, path: str) -> Platform | None:
    path = path.lower()
    return next((p for p in world.platforms.values() if path.startswith(p.prefix + "/")), None)


def _entry(world: World, platform: Platform) -> Entry:
    body = request.get_data(cache=True)  # read whole: an unread rest would be taken for the next request
    operation, tenant = platform.describe(request)
    return Entry(
        platform=platform.name,
        operation=operation,
        tenant=tenant,
        method=request.method,
        path=request.path,
        at=world.clock.now(),
        request_id=request.args.get("requestid") or request.headers.get("Idempotency-Key"),
        request_bytes=len(body),
        request_sha256=hashlib.sha256(body).hexdigest() if body else "",
    )


def _faults_before(app: SandboxApp, platform: Platform, faults: list[Fault]) -> Response | None:
    """Carry out what strikes before the handler; a response means the handler is not reached."""
    for fault in faults:
        if fault.name == "slow":
            time.sleep(float(fault.params.get("seconds", 1)))
        elif fault.name == "request_lost":
            return _hang_up()
        elif fault.name == "delivered_late":
            _deliver_later(app, float(fault.params.get("seconds", 1)))
            return _hang_up()
        elif fault.name == "status_503":
            return Response(_HTML, 503, mimetype="text/html")
        elif fault.name in ("status_401", "status_429", "error_500_before"):
            return platform.refusal({"status_401": 401, "status_429": 429}.get(fault.name, 500), fault.params)
    return None


def _fault_after(fault: Fault, platform: Platform, response: Response) -> Response:
    """Spoil an answer whose effects are already committed."""
    if fault.name == "response_lost":
        return _hang_up()
    if fault.name == "slow_after":
        time.sleep(float(fault.params.get("seconds", 1)))
    elif fault.name == "error_500_after":
        return platform.refusal(500, fault.params)
    elif fault.name == "cut_json":
        text = response.get_data()
        return Response(text[: len(text) // 2], 200, mimetype="application/json")
    elif fault.name == "html_200":
        return Response(_HTML, 200, mimetype="text/html")
    elif fault.name == "empty_200":
        return Response(b"", 200, mimetype="application/json")
    return response


def _hang_up() -> Response:
    """Close the client's connection; the response object only satisfies Flask, nobody receives it."""
    client: socket.socket | None = request.environ.get("werkzeug.socket")
    if client is not None:
        try:
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            g.gone = True  # the client left first: the same outcome
    return Response(b"", 500, headers={"Connection": "close"})


def _deliver_later(app: SandboxApp, seconds: float) -> None:
    environ = dict(request.environ)
    environ["wsgi.input"] = BytesIO(request.get_data())
    environ[_LATE] = True
    for name in ("werkzeug.socket", "werkzeug.request", "flask._preserve_context"):
        environ.pop(name, None)
    timer = threading.Timer(seconds, lambda: list(app.wsgi_app(environ, _nobody_listens)))
    timer.daemon = True
    timer.start()


def _nobody_listens(status: str, headers: Any, exc_info: Any = None) -> Callable[[bytes], object]:
    return lambda data: None


def create_app(world: World) -> SandboxApp:
    """Put the parts of the sandbox together; a part that is not there is left out."""
    app = SandboxApp("sandbox", template_folder="templates", static_folder="static", static_url_path="/sandbox-static")
    app.world = world
    app.json = jsonio.ExactJSON(app)
    app.url_map.strict_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = 100 * 1024 * 1024
    app.jinja_env.globals["world"] = world
    for name in PARTS:
        try:
            part = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        if hasattr(part, "blueprint"):
            app.register_blueprint(part.blueprint(world))
    return app


class _Handler(WSGIRequestHandler):
    """HTTP/1.1 with keep-alive; no line on the console per request, the journal has them."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave as two writes; waiting for an ACK would cost 40 ms

    def log_request(self, *args: Any, **kwargs: Any) -> None:
        """Say nothing: the journal holds every request."""


def serve(world: World, host: str = "127.0.0.1", port: int = 0) -> BaseWSGIServer:
    """A server ready for `serve_forever`; port 0 takes a free one (see its `server_port`)."""
    return make_server(host, port, create_app(world), threaded=True, request_handler=_Handler)


@contextmanager
def running(world: World, port: int = 0) -> Iterator[str]:
    """Run the sandbox in a thread of this process and give its address; `world.public_url` is set to it."""
    server = serve(world, port=port)
    world.public_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield world.public_url
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
