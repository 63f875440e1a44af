"""Command line of the sandbox: `python -m sandbox --port 8400 --state var/sandbox.sqlite`."""

import argparse
import signal
import sys
import threading

from sandbox.server import serve
from sandbox.world import open_world


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Simulated Intuit, QuickBooks Online, Xero, "
        "Autotask and a mailbox, for demos and tests. Nothing in it is real.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8400, help="HTTP port (default 8400)")
    parser.add_argument("--smtp-port", type=int, default=8425, help="mail port (default 8425; 0: no mail server)")
    parser.add_argument("--state", default="var/sandbox.sqlite", help="state file (default var/sandbox.sqlite)")
    parser.add_argument("--public-url", help="address others reach it at (default http://HOST:PORT)")
    parser.add_argument("--app-url", default="http://127.0.0.1:8300", help="address of the app under test")
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        help="registered OAuth redirect URI; may be given several times "
        "(default: APP_URL/connect/intuit/callback and APP_URL/connect/xero/callback)",
    )
    return parser.parse_args()


def main() -> int:
    """Serve until told to stop."""
    args = _arguments()
    world = open_world(
        args.state, args.public_url or f"http://{args.host}:{args.port}", args.app_url, args.redirect_uri
    )
    server = serve(world, args.host, args.port)
    mail = None
    if args.smtp_port:
        from sandbox.mailbox import start_smtp

        mail = start_smtp(world, args.host, args.smtp_port)
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"sandbox ready on {world.public_url}", flush=True)
    stop.wait()
    server.shutdown()
    if mail is not None:
        mail.stop()
    world.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
