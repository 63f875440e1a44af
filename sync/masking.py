"""What leaves the program for somebody who helps: secrets gone, mail addresses masked, at any depth.

Used for everything a diagnosis or a trace stores, before it is stored, so that no page, mail or bundle has to think
of it. Names of fields, shapes of secrets, and the secrets of this company that are known word for word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from sync.logs import HIDDEN, SHAPES

_NAMES = re.compile(
    r"(?i)(token|secret|password|passwd|authorization|cookie|credential|api_?key|integration_?code|verifier|nonce)"
)
# Bounded and begun only where a word begins: a long text without any address must not cost its square.
_MAIL = re.compile(r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]{1,320}@[A-Za-z0-9.-]{1,255}")
LONGEST = 16_000
"""Characters of one text; the rest is left out and said so."""


def mask(value: Any, secrets: Collection[str] = ()) -> Any:
    """The value as it may be shown: plain JSON values, secrets replaced, mail addresses as `a***@example.com`."""
    return _mask(value, "", tuple(secret for secret in secrets if len(secret) >= 4))


def _mask(value: Any, name: str, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, Mapping):
        return {_text(str(key), secrets): _mask(each, str(key), secrets) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_mask(each, name, secrets) for each in value]
    if isinstance(value, str):
        return HIDDEN if value and _NAMES.search(name) else _text(value, secrets)
    return value


def _text(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for shape in SHAPES:
        text = shape.sub(HIDDEN, text)
    text = _MAIL.sub(_address, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"


def _address(found: re.Match[str]) -> str:
    user, _, host = found.group().rpartition("@")
    return f"{user[:1]}***@{host}"
