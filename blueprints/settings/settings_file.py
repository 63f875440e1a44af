"""The exported file: what is written, and how a file is read back. Nothing here saves.

`{"format", "schema", "company", "ledger_tenant", "version", "exported_at", "values", "names"}`; `names` gives for each
id of a ledger list its list and name, so that a file can be read in a company whose ids are others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from blueprints.settings.fields import SECTION_OF, TYPES
from blueprints.settings.section import Scene
from domain.settings import InvoiceSettings
from models import SettingsVersion
from sync import codec

FORMAT = "bookbridge-invoice-settings"
SCHEMA = 1
MAPS = frozenset({"tax_map", "line_map", "theme_map"})
"""Many ids of both sides' lists, without their names: they mean nothing in another company and are left out there."""


class NotASettingsFile(Exception):
    """The file is none of ours, or a newer one; the message says what to do."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """The settings a file asks for. What is wrong in it keeps its present value and is told in `problems`."""

    wanted: InvoiceSettings
    problems: dict[str, str]
    unknown: list[str]
    other_company: str


def written(row: SettingsVersion, scene: Scene, now: datetime) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, kind in _records().items():
        value = row.values.get(name)
        ids = value if isinstance(value, list) else [value]
        for each in filter(None, ids):
            names.setdefault(name, {"list": kind, "names": {}})["names"][str(each)] = scene.bare_name(kind, str(each))
    return {
        "format": FORMAT, "schema": SCHEMA, "company": scene.company.name, "ledger_tenant": scene.company.ledger_tenant,
        "version": row.version, "exported_at": now.isoformat(), "values": row.values, "names": names,
    }  # fmt: skip


def read(content: bytes, scene: Scene) -> FileRead:
    """Raises NotASettingsFile. Ids are taken where id and name agree, else by name."""
    data = _parsed(content)
    known = {each.name for each in fields(InvoiceSettings)}
    sent: Mapping[str, Any] = data["values"]
    same = data.get("ledger_tenant") == scene.company.ledger_tenant
    good: dict[str, Any] = {}
    problems: dict[str, str] = {}
    taken = known & set(sent) - (frozenset() if same else MAPS)
    for name in sorted(taken):
        try:
            value = codec.load(TYPES[name], sent[name])
        except (ValidationError, TypeError, ValueError):
            problems[name] = f"“{str(sent[name])[:60]}” is no answer here. The present one is shown; choose another."
            continue
        if name in _records() and value:
            value, missing = _found(value, _names(data, name), _records()[name], scene, same=same)
            if missing:
                problems[name] = f"“{missing}” is not in {scene.ledger}. Choose another, or create it there first."
                continue
        good[name] = value
    return FileRead(
        replace(scene.current, **good), problems, sorted(set(sent) - taken),
        "" if same else str(data.get("company") or "unknown")[:100],
    )  # fmt: skip


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise NotASettingsFile("This file cannot be read. Choose the .json file that was exported.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("values"), dict):
        raise NotASettingsFile("This is no file of exported settings. Export them under Settings, Invoices.")
    if not isinstance(data.get("schema"), int) or data["schema"] > SCHEMA:
        raise NotASettingsFile("This file comes from a newer version of Bookbridge. Bring this one up to date first.")
    return data


def _records() -> dict[str, str]:
    return {name: section.records[name] for name, section in SECTION_OF.items() if name in section.records}


def _names(data: Mapping[str, Any], name: str) -> dict[str, str]:
    every = data.get("names")
    entry = every.get(name) if isinstance(every, dict) else None
    told = entry.get("names") if isinstance(entry, dict) else None
    return {str(key): str(each) for key, each in told.items()} if isinstance(told, dict) else {}


def _found(value: Any, names: Mapping[str, str], kind: str, scene: Scene, *, same: bool) -> tuple[Any, str]:
    """The ids of this company for those of the file, and the first that is not here."""
    here = {each.ledger_id: each.name for each in scene.records(kind)}
    by_name = {name.casefold(): ledger_id for ledger_id, name in here.items()}
    many = isinstance(value, list | tuple)
    ids = []
    for each in value if many else [value]:
        told = names.get(str(each))
        if each in here and (same or told is None or here[each].casefold() == told.casefold()):
            ids.append(each)
        elif told is not None and told.casefold() in by_name:
            ids.append(by_name[told.casefold()])
        else:
            return value, told or f"id {each}"
    return (tuple(ids) if many else ids[0]), ""
