"""The bytes of an answer: envelopes, the three shapes of a refusal, and the headers of every response.

Business faults are JSON with upper-case keys; the gateway's 401 and 403 are JSON with lower-case keys or XML;
429 is JSON or XML (which of the two today is not documented, so the request's number decides, repeatably).
Shapes are those quoted in public issues of client libraries.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape

from flask import Response

from sandbox import jsonio
from sandbox.qbo.errors import QboFault

JSON = "application/json;charset=UTF-8"
_CODES = {
    401: ("003200", "AuthenticationFailed", "AUTHENTICATION", "Token expired: the access token is not valid"),
    403: (
        "003100",
        "ApplicationAuthorizationFailed",
        "AUTHORIZATION",
        "The application is not authorized for this company",
    ),
    429: ("003001", "ThrottleExceeded", "SERVICE", "The request limit was reached.  Try again later"),
    500: ("010000", "ApplicationError", "SERVICE", "An application error has occurred while processing your request"),
}


def moment(now: datetime) -> str:
    """Milliseconds and the offset, as in the ``time`` member of an answer."""
    return now.isoformat(timespec="milliseconds")


def answer(now: datetime, members: Mapping[str, Any], status: int = 200) -> Response:
    """An envelope: the members plus ``time``."""
    return text_answer(jsonio.dumps({**members, "time": moment(now)}), status)


def text_answer(body: str, status: int = 200) -> Response:
    """JSON text that is ready, for example a replayed one."""
    return finish(Response(body, status, content_type=JSON))


def fault_answer(now: datetime, problem: QboFault) -> Response:
    return answer(now, {"Fault": problem.as_json()}, problem.status)


def finish(response: Response) -> Response:
    """Headers every answer of the service carries."""
    response.headers["intuit_tid"] = f"1-{uuid.uuid4().hex[:8]}-{uuid.uuid4().hex[:24]}"
    response.headers["QBO-Version"] = "sandbox"
    response.headers["Cache-Control"] = "max-age=0, no-cache, no-store, must-revalidate, private"
    return response


def gateway(
    now: datetime, status: int, *, detail: str | None = None, code: str | None = None, xml: bool = False
) -> Response:
    """A refusal of the gateway before the company is reached: 401, 403, 429 or 500."""
    number, word, kind, text = _CODES[status]
    number = code.zfill(6) if code else number
    message = f"message={word}; errorCode={number}; statusCode={status}"
    detail = detail or text
    short = number.lstrip("0")
    if xml:
        body = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
            f'<IntuitResponse time="{moment(now)}" xmlns="http://schema.intuit.com/finance/v3"><Fault type="{kind}">'
            f'<Error code="{short}"><Message>{escape(message)}</Message><Detail>{escape(detail)}</Detail></Error>'
            "</Fault></IntuitResponse>"
        )
        return finish(Response(body, status, content_type="application/xml;charset=UTF-8"))
    fault = {"error": [{"message": message, "detail": detail, "code": short, "element": None}], "type": kind}
    body = jsonio.dumps(
        {
            "warnings": None,
            "intuitObject": None,
            "fault": fault,
            "report": None,
            "queryResponse": None,
            "batchItemResponse": [],
            "attachableResponse": [],
            "syncErrorResponse": None,
            "requestId": None,
            "time": int(now.timestamp() * 1000),
            "status": None,
            "cdcresponse": [],
        }
    )
    return finish(Response(body, status, content_type=JSON))


def coin(*parts: object) -> bool:
    """A choice that looks random and is the same for the same parts."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).digest()
    return bool(digest[0] & 1)
