"""Single values of a platform's JSON, read the same way whoever sent them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation


def text(value: object) -> str | None:
    """A text or number as text; None when absent or blank."""
    if value is None or isinstance(value, bool | Mapping | list):
        return None
    return str(value).strip() or None


def decimal(value: object) -> Decimal | None:
    """A number, or its text, exactly; None when absent, unreadable or not finite."""
    if value is None or isinstance(value, bool):
        return None
    try:
        number = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
