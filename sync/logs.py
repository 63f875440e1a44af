"""Structured logs without secrets: one JSON object a line, redacted before it is written.

The web process and the workers call `configure` once. What is a secret is decided here by name and by shape, so
that a careless log line cannot leak one.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any

import structlog

HIDDEN = "[hidden]"
_NAMES = re.compile(
    r"(?i)(token|secret|password|passwd|authorization|cookie|credential|api_?key|integration_?code|verifier|nonce"
    r"|^code$|^state$|_state$|^body$|^payload$|^data$|^form$)"
)
# Values that give themselves away wherever they stand: bearer tokens, JWTs, Intuit refresh tokens, query secrets.
SHAPES = (
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_.-]+"),
    re.compile(r"\bAB11[A-Za-z0-9]{20,}"),
    re.compile(r"(?i)\b(code|state|token|secret|password|refresh_token|access_token|id_token)=[^&\s\"']+"),
    re.compile(r"/invitation/[A-Za-z0-9._~-]{16,}"),
)


def redact(value: Any, name: str = "") -> Any:
    """The value with secrets replaced, at any depth. Numbers and short words under harmless names stay."""
    if name and _NAMES.search(name) and value not in (None, "", True, False):
        return HIDDEN
    if isinstance(value, Mapping):
        return {key: redact(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [redact(each) for each in value]
    if isinstance(value, str):
        for shape in SHAPES:
            value = shape.sub(HIDDEN, value)
    return value


def _redacted(_logger: Any, _method: str, event: Any) -> Any:
    plain = ("event", "level", "timestamp")
    return {key: redact(value, "" if key in plain else key) for key, value in event.items()}


class _Plain(logging.Formatter):
    """Lines of other libraries, redacted as ours."""

    def format(self, record: logging.LogRecord) -> str:
        return str(redact(super().format(record)))


def configure(level: str = "INFO") -> None:
    """Set structlog and the standard library's logging up. Repeating is safe."""
    number = logging.getLevelName(level.upper())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(handlers=[handler], level=number if isinstance(number, int) else logging.INFO, force=True)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redacted,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number if isinstance(number, int) else logging.INFO),
        cache_logger_on_first_use=False,
    )
