"""Writing many elements in one call: bodies, ``summarizeErrors`` both ways, the form of refused elements.

Source: Xero, requests-and-responses and the entity pages; real recordings quoted in the fact sheet, 2.5 and 5.1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.xero import wire
from sandbox.xero.errors import Invalid, bad_data, no_data, validation
from sandbox.xero.organisation import Organisation
from sandbox.xero.reading import truth

Element = dict[str, Any]


@dataclass
class Call:
    """What the writers of one call know of it. ``query``: parameters by lower-case name."""

    org: Organisation
    method: str
    query: dict[str, str]
    items: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def decimals(self) -> int:
        """Decimal places unit prices keep: 2, or 4 with ``unitdp=4``."""
        return 4 if self.query.get("unitdp", "").strip() == "4" else 2

    @property
    def creating(self) -> bool:
        """PUT creates; POST creates or updates."""
        return self.method == "PUT"


Writer = Callable[[Call, Element], Element]
"""Writes one element and gives it as it is answered. Raises ``Invalid``, or ``CallRefused`` for the whole call."""


@dataclass(frozen=True)
class Plural:
    """An endpoint that takes many elements: its envelope, and the member that tells of errors on an element."""

    envelope: str
    id: str
    write: Writer
    errors: str = "HasErrors"


def read(body: Any, envelope: str) -> list[Element]:
    """The elements of a body: the envelope whatever its case, a bare list, or one bare object."""
    if body is None or body in ({}, []):
        raise no_data()
    if isinstance(body, dict):
        inside = next((value for name, value in body.items() if name.lower() == envelope.lower()), None)
        body = [body] if inside is None else inside
    if not isinstance(body, list) or not all(isinstance(each, dict) for each in body):
        raise bad_data(f"The body must hold {envelope}")
    if not body:
        raise no_data()
    return [_without_nulls(each) for each in body]


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def write(call: Call, plural: Plural, sent: list[Element]) -> dict[str, Any]:
    """Write every element; members of the answer's envelope. Raises 400 when errors are summarised and there are any.

    One refused element undoes only itself when ``summarizeErrors`` is false, and everything when it is not.
    """
    call.items = len(sent)
    summarise = truth(call.query.get("summarizeerrors"), default=True)
    told = [_one(call, plural, element) for element in sent]
    refused = [answer for answer, wrong in told if wrong]
    if summarise and refused:
        problem = validation(refused)
        problem.keep_effects = bool(call.org.switch("good_siblings_saved"))
        raise problem
    answers = [answer for answer, _ in told]
    if not summarise and call.org.switch("status_attribute_shown"):
        answers = [_with_state(answer, wrong) for answer, wrong in told]
    return {plural.envelope: _shuffled(call.org, answers)}


def _one(call: Call, plural: Plural, element: Element) -> tuple[Element, bool]:
    noted = len(call.org.effects)
    call.warnings = []
    try:
        with call.org.store.transaction():
            written = plural.write(call, element)
    except Invalid as problem:
        del call.org.effects[noted:]
        return _refused(plural, element, problem), True
    if call.warnings:
        written = {**written, "Warnings": [{"Message": text} for text in call.warnings]}
    return written, False


def _refused(plural: Plural, element: Element, problem: Invalid) -> Element:
    """The submitted element with its errors; a new one carries the zero id."""
    return {
        **element,
        **problem.echo,
        plural.id: problem.echo.get(plural.id) or element.get(plural.id) or wire.ZERO_GUID,
        plural.errors: True,
        "ValidationErrors": [{"Message": text} for text in problem.messages],
    }


def _with_state(answer: Element, wrong: bool) -> Element:
    state = "ERROR" if wrong else "WARNING" if answer.get("Warnings") else "OK"
    return {**answer, "StatusAttributeString": state}


def _shuffled(org: Organisation, answers: list[Element]) -> list[Element]:
    """Another order, the same each time, where the organisation's switch says so."""
    if not org.switch("shuffle_elements") or len(answers) < 2:
        return answers
    keyed = [(hashlib.sha256(f"{org.id}/{place}".encode()).digest(), each) for place, each in enumerate(answers)]
    return [each for _, each in sorted(keyed, key=lambda pair: pair[0])]
