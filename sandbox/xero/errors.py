"""How the simulated Accounting API refuses: a whole call, or one element of it.

Shapes are those of real recordings quoted in the project's fact sheet, section 5; error numbers 16 and 17 and
the texts marked "inferred" where they are raised are not confirmed by a source.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class CallRefused(Exception):
    """The whole call is refused. ``body`` None: an empty answer (404 of Xero).

    Nothing has been written unless ``keep_effects`` says that the sound elements beside the refused ones stay.
    """

    def __init__(self, status: int, body: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.keep_effects = False


def _exception(number: int, kind: str, message: str, status: int = 400) -> CallRefused:
    return CallRefused(status, {"ErrorNumber": number, "Type": kind, "Message": message})


def not_found() -> CallRefused:
    """404 without a body: an id that is not there, anywhere in the call."""
    return CallRefused(404)


def bad_data(message: str) -> CallRefused:
    """14: the body is not JSON, or a value has the wrong form."""
    return _exception(14, "PostDataInvalidException", message)


def bad_value(value: Any, path: str) -> CallRefused:
    """14 for one value: enumerations, dates, numbers."""
    return bad_data(f"Error converting value \"{value}\" Path '{path}'.")


def bad_query(message: str) -> CallRefused:
    """16: a filter or an order that cannot be read."""
    return _exception(16, "QueryParseException", message)


def no_data() -> CallRefused:
    """17: a write without a body."""
    return _exception(17, "NoDataProcessedException", "No data has been processed for this endpoint.")


def method_not_allowed() -> CallRefused:
    """405: the endpoint knows no such method."""
    return CallRefused(405)


def validation(elements: Iterable[dict[str, Any]]) -> CallRefused:
    """10: elements that were refused, each with its own ``ValidationErrors``."""
    return CallRefused(
        400,
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": list(elements),
        },
    )


class Invalid(Exception):
    """One element is refused. ``echo``: the element as it is answered, without its errors."""

    def __init__(self, messages: Iterable[str], echo: dict[str, Any] | None = None) -> None:
        self.messages = list(dict.fromkeys(messages))
        super().__init__("; ".join(self.messages))
        self.echo = echo or {}


class Problems:
    """Collects what is wrong with one element, so that it is told in one answer."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.warnings: list[str] = []

    def add(self, message: str) -> None:
        self.messages.append(message)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def check(self, echo: dict[str, Any] | None = None) -> None:
        """Raise ``Invalid`` when anything was wrong."""
        if self.messages:
            raise Invalid(self.messages, echo)
