"""Settings in people's words: labels as on the form, choices by their labels, ids by names, dates as dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from blueprints.settings import tax_words
from blueprints.settings.fields import SECTION_OF
from blueprints.settings.section import Scene
from domain.formats import format_count, format_long_day

EMPTY = "–"
ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def label(name: str) -> str:
    """The label of a setting's field; the bare name of one that no version of the form asks any more."""
    found = _options(name)
    return str(found["label"]) if found else name.replace("_", " ").capitalize()


def shown(name: str, value: Any, scene: Scene) -> str:
    """A value, typed or as JSON stores it, in words."""
    if name == "tax_map":
        return tax_words.said(value, scene) or EMPTY
    section = SECTION_OF.get(name)
    if value in (None, "", [], (), {}):
        return EMPTY
    special = section.words(name, value, scene) if section else None
    if special is not None:
        return special
    labels = dict(_options(name).get("choices") or ())
    if str(value) in labels:
        return str(labels[str(value)])
    if section and name in section.records:
        kind = section.records[name]
        ids = value if isinstance(value, list | tuple) else [value]
        return ", ".join(scene.name_of(kind, str(each)) for each in ids)
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int):
        return format_count(value)
    if isinstance(value, date):
        return format_long_day(value)
    if isinstance(value, str) and ISO_DATE.fullmatch(value):
        return format_long_day(date.fromisoformat(value))
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_plain(each)}" for key, each in value.items())
    return ", ".join(_plain(each) for each in value) if isinstance(value, list | tuple) else str(value)


def _options(name: str) -> dict[str, Any]:
    """Label and choices of an unbound field; empty for a setting without one."""
    section = SECTION_OF.get(name)
    if section is None:
        return {}
    unbound = getattr(section.Fields, name)
    return {"label": unbound.args[0], **unbound.kwargs}
