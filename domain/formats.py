"""How amounts, counts, dates and spans of time are written, the same in pages, mails and CSV names.

Pure text from values: English month names, a true minus sign, no locale of the machine. Colours, icons and
HTML are in `blueprints/presentation.py`; which words a status has is in `statuses.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.money import minor_units, plain

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def format_amount(amount: Decimal, currency: str = "USD") -> str:
    """`1,234.50` or `−1,234.50` (U+2212), with the currency's own number of decimals and without its code."""
    return plain(amount, currency)


def format_money(amount: Decimal, currency: str) -> str:
    """`USD 1,234.50`; the sign stands at the figure: `USD −1,234.50`."""
    return f"{currency} {plain(amount, currency)}"


def format_rate(rate: Decimal, currency: str) -> str:
    """A price or cost per unit: `1,234.50`, with all the decimals it has where those are more than the currency's."""
    kept = rate.normalize()
    places = max(minor_units(currency), -int(kept.as_tuple().exponent))
    return f"{kept:,.{places}f}".replace("-", "\N{MINUS SIGN}")


def format_totals(totals: Iterable[tuple[str, Decimal]]) -> str:
    """Sums per currency in one phrase: `GBP 10.00 and USD 3.00`. Currencies are never added together."""
    parts = [format_money(amount, currency) for currency, amount in totals]
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def format_count(number: int) -> str:
    return f"{number:,}".replace("-", "\N{MINUS SIGN}")


def format_plural(number: int, one: str, many: str | None = None) -> str:
    """`1 invoice`, `2,025 invoices`. `many` is for words that do not just take an s."""
    return f"{format_count(number)} {one if number == 1 else many or one + 's'}"


def format_day(value: date) -> str:
    """`19 Nov 2026`: no order of digits to guess."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def format_long_day(value: date) -> str:
    return f"{value.day} {_LONG_MONTHS[value.month - 1]} {value.year}"


def format_full_day(value: date) -> str:
    return f"{_WEEKDAYS[value.weekday()]}, {format_long_day(value)}"


def format_short_day(value: date) -> str:
    """`19 Nov`, for axes and subjects where the year is known."""
    return f"{value.day} {_MONTHS[value.month - 1]}"


def format_moment(value: datetime, zone: str, seconds: bool = False) -> str:
    """`19 Nov 2026, 13:58` in the given IANA zone. `value` must be aware."""
    local = _local(value, zone)
    return f"{format_day(local)}, {_clock(local, seconds)}"


def format_until(value: datetime, now: datetime, zone: str) -> str:
    """`14:05`, or with its day where that is another one than now in the given IANA zone."""
    same = _local(value, zone).date() == _local(now, zone).date()
    return format_clock(value, zone, seconds=(value - now).total_seconds() < 60) if same else format_moment(value, zone)


def format_stamp(value: datetime, zone: str) -> str:
    """`19 Nov, 13:58:07`, for events in a row whose year is clear; the full moment belongs on hover."""
    local = _local(value, zone)
    return f"{format_short_day(local)}, {_clock(local, seconds=True)}"


def format_clock(value: datetime, zone: str, seconds: bool = False) -> str:
    """`13:58` in the given IANA zone."""
    return _clock(_local(value, zone), seconds)


def format_utc(value: datetime) -> str:
    return f"{format_moment(value, 'UTC', seconds=True)} UTC"


def format_span(span: timedelta) -> str:
    """A duration in its two largest units: `0.4 s`, `12 s`, `4 min 12 s`, `3 h 5 min`, `2 d 4 h`."""
    seconds = max(span.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    for size, unit, small, small_unit in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            return f"{whole // size} {unit} {rest} {small_unit}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def format_age(span: timedelta) -> str:
    """A waiting time in one unit, rounded down: `40 s`, `4 min`, `3 h`, `12 d`."""
    seconds = max(int(span.total_seconds()), 0)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


FILTERS: dict[str, Callable[..., str]] = {
    "amount": format_amount,
    "money": format_money,
    "totals": format_totals,
    "count": format_count,
    "plural": format_plural,
    "day": format_day,
    "long_day": format_long_day,
    "full_day": format_full_day,
    "short_day": format_short_day,
    "moment": format_moment,
    "utc": format_utc,
    "span": format_span,
    "age": format_age,
}
"""Filters by the names templates use: pages add theirs in `blueprints/presentation.py`, mails need only these."""


def _local(value: datetime, zone: str) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be shown")
    return value.astimezone(ZoneInfo(zone))


def _clock(local: datetime, seconds: bool) -> str:
    return local.strftime("%H:%M:%S" if seconds else "%H:%M")
