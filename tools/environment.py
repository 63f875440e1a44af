"""The environment of a Bookbridge that talks to a sandbox: for the demo and for tests with real processes.

Here: every variable config.py asks for, with secrets made on the spot. Not here: production, which brings its
own secrets and refuses to start without them.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The sandbox's app registration: visibly fake, worth nothing anywhere else.
CLIENT_ID = "SANDBOX-CLIENT-ID"
CLIENT_SECRET = "SANDBOX-CLIENT-SECRET-NOT-REAL"  # noqa: S105 - visibly fake


@dataclass(frozen=True)
class Ports:
    """Where the site, the sandbox and the sandbox's mailbox listen, all on 127.0.0.1."""

    web: int
    sandbox: int
    smtp: int

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox}"


def app_environment(
    *, ports: Ports, redis_url: str, database_url: str, secrets_path: Path, demo: bool = False,
    limits: str = "on",
) -> dict[str, str]:
    """Variables for web, workers, scheduler and the release step, to be laid over os.environ."""
    return {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PUBLIC_URL": ports.web_url,
        "PORT": str(ports.web),
        "SANDBOX_URL": ports.sandbox_url,
        "INTUIT_CLIENT_ID": CLIENT_ID,
        "INTUIT_CLIENT_SECRET": CLIENT_SECRET,
        "INTUIT_ENVIRONMENT": "sandbox",
        "XERO_CLIENT_ID": CLIENT_ID,
        "XERO_CLIENT_SECRET": CLIENT_SECRET,
        "SMTP_URL": f"smtp://127.0.0.1:{ports.smtp}",
        "MAIL_FROM": "Bookbridge <reports@bookbridge.invalid>",
        "DEMO": "true" if demo else "false",
        "PLATFORM_LIMITS": limits,
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        # The Procfile's `python` and `gunicorn` are those of this virtualenv.
        "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        **own_secrets(secrets_path),
    }


def own_secrets(path: Path) -> dict[str, str]:
    """The signing key and the encryption key ring kept at path; made on the first call (mode 600)."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ENCRYPTION_KEYS": "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(made, file)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def sandbox_command(ports: Ports, state: Path) -> list[str]:
    """Arguments after `python` that start the sandbox for this app."""
    return [
        "-m", "sandbox", "--port", str(ports.sandbox), "--smtp-port", str(ports.smtp), "--state", str(state),
        "--public-url", ports.sandbox_url, "--app-url", ports.web_url,
        "--redirect-uri", f"{ports.web_url}/connect/intuit/callback",
        "--redirect-uri", f"{ports.web_url}/connect/xero/callback",
    ]  # fmt: skip
