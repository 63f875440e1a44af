"""The tax map in people's words, for the overview and the history: which region takes which code. No database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blueprints.settings.section import Scene
from domain.taxmap import TaxMap
from sync import codec

UNTAXED = (("zero_rated", "Zero-rated"), ("exempt", "Exempt"), ("out_of_scope", "Out of scope"))


def said(value: Any, scene: Scene) -> str:
    """A whole map, typed or as JSON stores it: "UK VAT, Standard: 20.0% S; Exempt: Exempt"; empty for none."""
    return _joined(_parts(value, scene))


def differing(before: Any, after: Any, scene: Scene) -> tuple[str, str]:
    """What two maps do not share, said of each; an entry one of them lacks is "none" there."""
    old, new = _parts(before, scene), _parts(after, scene)
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    told = [_joined({key: each.get(key, "none") for key in changed}) for each in (old, new)]
    return told[0], told[1]


def _parts(value: Any, scene: Scene) -> dict[str, str]:
    """Region and category, or the kind of untaxed sale → the code's name."""
    found = codec.load(TaxMap, value) if isinstance(value, Mapping) else value
    if not isinstance(found, TaxMap):
        return {}
    parts: dict[str, str] = {}
    for entry in found.entries:
        known = scene.bare_name("tax_code", entry.code)
        parts[f"{entry.region or '(no region)'}, {entry.category or 'every category'}"] = (
            scene.name_of("tax_code", entry.code) if known else entry.code_name or f"id {entry.code}"
        )
    for name, label in UNTAXED:
        code = getattr(found, name)
        if code:
            parts[label] = scene.name_of("tax_code", code)
    return parts


def _joined(parts: Mapping[str, str]) -> str:
    return "; ".join(f"{what}: {code}" for what, code in parts.items())
