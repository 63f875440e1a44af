"""What forms share: strict e-mail addresses, lists of them, safe ways back. Fields of one page are with its views."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from flask_wtf import FlaskForm
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from wtforms.validators import ValidationError

from domain.mails import is_address

MAX_ADDRESSES = 10
FAR = 10**12


class Form(FlaskForm):
    """A form of ours. Text is taken without the blanks around it."""

    class Meta(FlaskForm.Meta):
        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            if issubclass(unbound_field.field_class, _stripped()):
                options["filters"] = [*options.get("filters", []), _strip]
            if issubclass(unbound_field.field_class, _numbers()):
                options["filters"] = [*options.get("filters", []), _within_reach]
            return super().bind_field(form, unbound_field, options)


def _stripped() -> tuple[type, ...]:
    from wtforms import EmailField, StringField, TextAreaField

    return (StringField, EmailField, TextAreaField)


def _numbers() -> tuple[type, ...]:
    from wtforms import IntegerField

    return (IntegerField,)


def _within_reach(value: Any) -> Any:
    """A number of hundreds of digits as one that a range refuses in words: comparing it as it is overflows."""
    return max(-FAR, min(value, FAR)) if isinstance(value, int) else value


def _strip(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def address_trouble(text: str) -> str:
    """What is wrong with one address, in a sentence; empty when it is one."""
    if is_address(text):
        return ""
    if not text.isascii() and is_address(text.encode("ascii", "replace").decode().replace("?", "x")):
        return f"“{text[:80]}” has letters that mail servers do not all take. Write its domain in the form xn--…."
    return f"“{text[:80]}” is not an e-mail address. Write it like name@company.example."


def split_addresses(text: str | None) -> list[str]:
    """Addresses from a field that takes several, each once, in their order."""
    parts = [part.strip() for part in re.split(r"[\s,;]+", text or "") if part.strip()]
    return list({part.casefold(): part for part in reversed(parts)}.values())[::-1]


class Address:
    """Validator: one strict address, or nothing."""

    def __call__(self, form: Any, field: Any) -> None:
        if field.data and (trouble := address_trouble(field.data)):
            raise ValidationError(trouble)


class Addresses:
    """Validator: up to ten strict addresses, separated by commas or lines."""

    def __call__(self, form: Any, field: Any) -> None:
        found = split_addresses(field.data)
        wrong = next(filter(None, map(address_trouble, found)), "")
        if wrong:
            raise ValidationError(wrong)
        if len(found) > MAX_ADDRESSES:
            raise ValidationError(f"These are {len(found)} addresses; a company may have {MAX_ADDRESSES}.")


def safe_path(path: str | None, allowed: Sequence[str] = ("GET",)) -> str | None:
    """A path inside this site that a GET can open; None for anything else (S06)."""
    if not path or not re.fullmatch(r"/[A-Za-z0-9/_.~?&=%+,:-]*", path) or path.startswith("//"):
        return None
    parts = urlsplit(path)
    if parts.scheme or parts.netloc:
        return None
    try:
        endpoint, _ = current_app.url_map.bind("").match(parts.path, method=allowed[0])
    except (HTTPException, RequestRedirect):
        return None
    return None if endpoint == "static" else path
