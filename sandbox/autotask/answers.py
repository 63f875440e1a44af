"""Answers of the REST API: its envelopes and the refusals it words, with their statuses.

Almost every refusal is a 500 with `errors`; 405 and 404 come from the web server in front and carry `Message`.
"""

from typing import Any

from flask import Response

from sandbox import jsonio


class Refused(Exception):
    """Ends a request with one of the answers below."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def answer(body: Any, status: int = 200) -> Response:
    """A JSON body with exact numbers."""
    return Response(jsonio.dumps(body), status, mimetype="application/json")


def errors(*texts: str, status: int = 500) -> Refused:
    """What the service itself refuses."""
    return Refused(answer({"errors": list(texts)}, status))


def wrong_verb(method: str) -> Refused:
    """405 of the web server."""
    text = f"The requested resource does not support http method '{method}'."
    return Refused(answer({"Message": text}, 405))


def no_route(url: str) -> Refused:
    """404 of the web server."""
    return Refused(answer({"Message": f"No HTTP resource was found that matches the request URI '{url}'."}, 404))


def no_permission(status: int, what: str) -> Refused:
    """A user without the right; 403 or 500 by switch."""
    text = f"The logged in Resource does not have the adequate permissions to {what}."
    return errors(text, status=status)


def injected(status: int, params: dict[str, Any]) -> Response:
    """The body of a refusal a fault plan asked for."""
    texts = {
        401: None,
        429: "The thread threshold of 3 threads has been exceeded for this integration.",
        500: str(params.get("text", "An error has occurred. Please try again later.")),
    }
    text = texts.get(status)
    response = Response(status=status) if text is None else answer({"errors": [text]}, status)
    if params.get("retry_after") is not None:
        response.headers["Retry-After"] = str(params["retry_after"])
    return response
