"""What templates know beside their context: filters for money and time, the look of each status, asset addresses.

`register(app)` installs it. Pure presentation: nothing here reads the database or decides anything. The wording
of amounts and dates is in `domain/formats.py`, so that mails written by a worker say the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from flask import Flask, current_app, g, url_for
from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from domain import formats
from domain.ledger_words import NEUTRAL, Words, words_of


class Look(NamedTuple):
    """How a word is drawn: `kind` names the colour class, `icon` the symbol. The word itself is always shown."""

    kind: str
    icon: str


STATUS_LOOKS: dict[str, Look] = {
    "Pending Sync": Look("wait", "st-wait"),
    "Processing Now": Look("busy", "st-busy"),
    "Complete": Look("ok", "st-ok"),
    "Fault": Look("bad", "st-bad"),
    "Skipped Over": Look("skip", "st-skip"),
    "In process": Look("busy", "st-busy"),
    "Finished": Look("ok", "st-ok"),
    "Finished with problems": Look("warn", "st-warn"),
    "Failed": Look("bad", "st-bad"),
    "Stopped": Look("skip", "st-stop"),
    "Resubmitted": Look("skip", "st-redo"),
}

DOT_ICONS: dict[str, str] = {
    "ok": "dot-ok",
    "warn": "st-warn",
    "bad": "st-bad",
    "skip": "st-skip",
    "wait": "dot-off",
    "busy": "st-busy",
}

NOTE_ICONS: dict[str, str] = {
    "busy": "info-circle",
    "ok": "circle-check",
    "warn": "alert-triangle",
    "bad": "st-bad",
    "plain": "info-circle",
}


def register(app: Flask) -> None:
    """Add filters, globals and the strict rule for unknown names to an app's templates."""
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.finalize = in_ledger_words
    env.trim_blocks = True
    env.lstrip_blocks = True
    env.filters.update(formats.FILTERS)
    env.filters.update(figure=figure, when=when, clock=clock, stamp=stamp)
    env.globals.update(status_look=status_look, dot_icon=DOT_ICONS.__getitem__, note_icon=NOTE_ICONS.__getitem__)
    env.globals.update(asset=asset, brand=brand, icon_href=icon_href, chart_geometry=chart_geometry, col=Column)
    env.globals.update(company_field=company_field)


def words() -> Words:
    """The words of the ledger of the company on the page, or those a page chose; both ledgers' where there is none."""
    if "words" in g:
        return cast(Words, g.words)
    found = g.get("company")
    return words_of(found.ledger) if found is not None else NEUTRAL


@pass_context
def in_ledger_words(_context: Context, value: Any) -> Any:
    """Whatever a template prints, with the ledger's tokens filled. Asked at every rendering, never at compiling."""
    return words().fill(value) if isinstance(value, str) and "{" in value else value


def status_look(word: str) -> Look:
    """The look of a status or run word. Raises KeyError for a word outside the vocabulary."""
    return STATUS_LOOKS[str(word)]


def figure(amount: Decimal, currency: str) -> Markup:
    """A large amount with its cents set apart, for figures that are read at a glance."""
    text = formats.format_amount(amount, currency)
    whole, dot, cents = text.partition(".")
    return Markup("{}{}").format(whole, Markup('<span class="ct">{}{}</span>').format(dot, cents) if dot else "")


def when(value: datetime, seconds: bool = False) -> Markup:
    """A `<time>` in the company's zone (`g.zone`, IANA name, UTC when unset) with UTC on hover."""
    text = formats.format_moment(value, g.get("zone", "UTC"), seconds)
    return _time(value, text)


def stamp(value: datetime) -> Markup:
    return _time(value, formats.format_stamp(value, g.get("zone", "UTC")))


def clock(value: datetime, seconds: bool = False) -> Markup:
    """The time of day alone, for a moment whose date stands beside it."""
    return _time(value, formats.format_clock(value, g.get("zone", "UTC"), seconds))


def company_field() -> Markup:
    """The company a form was rendered for, so that a form of another tab cannot act on this one."""
    company_id = g.get("company_id")
    if company_id is None:
        return Markup("")
    return Markup('<input type="hidden" name="company_id" value="{}">').format(company_id)


def asset(name: str) -> str:
    """Address of a static file with a hash of its content, so that it may be kept for ever."""
    folder = _static_folder()
    return url_for("static", filename=name, v=_digest(folder, name, _changed(folder, name)))


def brand(name: str) -> str:
    """Address of a ledger's official button in static/brand/; empty where whoever runs this put none there. Such
    pictures are given to registered apps by their owners and are no part of the project."""
    file = f"brand/{name}.svg"
    return asset(file) if (Path(_static_folder()) / file).is_file() else ""


def icon_href(name: str) -> str:
    """Address of one symbol: the project's own (`st-*`, `dot-*`) or one of the vendor's sprite."""
    own = name.startswith(("st-", "dot-"))
    return f"{asset('status-icons.svg' if own else 'vendor/icons.svg')}#{name}"


class Column(NamedTuple):
    """One column of a list: `sort` is its key in the address, `hidden` keeps the head for readers only."""

    label: str
    sort: str = ""
    css: str = ""
    hidden: bool = False
    tick: bool = False


class Bar(NamedTuple):
    """One stacked bar: `x` and `width` in per cent of the plot, `parts` of (kind, y, height, count) in px."""

    x: float
    width: float
    parts: list[tuple[str, float, float, int]]


class Geometry(NamedTuple):
    bars: list[Bar]
    lines: list[tuple[int, float]]
    """Grid lines as (value, y); the first is the axis."""


def chart_geometry(days: Sequence[Mapping[str, int]], height: float = 142.0, top: float = 12.0) -> Geometry:
    """Place one stacked bar per day (`complete`, `fault`, `waiting`) on a plot `height` px high.

    At most four grid lines at round values; a small gap keeps the parts of a bar apart.
    """
    counts = [(day["complete"], day["fault"], day["waiting"]) for day in days]
    highest = max((sum(day) for day in counts), default=0)
    step = _round_step(highest)
    scale = (height - top) / max(highest, step)
    slot = 100 / max(len(counts), 1)
    bars = [
        Bar(round(index * slot + slot * 0.21, 2), round(slot * 0.58, 2), _stack(day, scale, height))
        for index, day in enumerate(counts)
    ]
    lines = [(value, round(height - value * scale, 1)) for value in range(0, max(highest, step) + 1, step)]
    return Geometry(bars, lines)


def _stack(day: tuple[int, int, int], scale: float, height: float) -> list[tuple[str, float, float, int]]:
    parts, base = [], height
    for kind, number in zip(("ok", "bad", "wait"), day, strict=True):
        if number:
            size = max(number * scale, 2.5)
            gap = 1.5 if base < height else 0
            parts.append((kind, round(base - size, 1), round(size - gap, 1), number))
            base -= size
    return parts


def _round_step(highest: int) -> int:
    step = 1
    while True:
        for factor in (1, 2, 5):
            if highest <= step * factor * 3:
                return step * factor
        step *= 10


def _time(value: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        value.isoformat(timespec="seconds"), formats.format_utc(value), text
    )


def _static_folder() -> str:
    return current_app.static_folder or ""


def _changed(folder: str, name: str) -> int:
    path = Path(folder, name)
    return path.stat().st_mtime_ns if path.exists() else 0


@cache
def _digest(folder: str, name: str, changed_ns: int) -> str:
    """Ten hex digits of the content. `changed_ns` is in the key, so an edited file gets a new address at once."""
    path = Path(folder, name)
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10] if changed_ns else "missing"
