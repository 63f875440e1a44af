"""The form of Settings, Invoices: all sections in one, its choices, its rules, and the settings it says.

Field names are those of `domain.settings.InvoiceSettings`. The sections are in `registry`.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from enum import StrEnum
from typing import Any, get_args, get_type_hints

from werkzeug.datastructures import MultiDict

from blueprints.forms import Form
from blueprints.settings.registry import SECTIONS
from blueprints.settings.section import Scene, Section
from domain.settings import InvoiceSettings

TYPES = get_type_hints(InvoiceSettings)
InvoicesForm: Any = type("InvoicesForm", (*(each.Fields for each in SECTIONS), Form), {"__doc__": "All sections."})
SECTION_OF: dict[str, Section] = {name: each for each in SECTIONS for name in each.names()}
"""Setting → the section that asks for it."""


PAGES_OF_THEIR_OWN = {"tax_map"}


def filled(scene: Scene, *, sent: bool, **options: Any) -> Any:
    """The form with its choices. `sent`: what came with the request is laid over the settings that hold now."""
    form = InvoicesForm(**({} if sent else {"formdata": None}), data=shown(scene.current), **options)
    for section in SECTIONS:
        for name in section.hidden(scene):
            del form[name]
        section.prepare(form, scene)
    return form


def shown(current: InvoiceSettings) -> dict[str, Any]:
    """Settings as the form's fields take them."""
    filled_in = {name: section.fill(name, getattr(current, name)) for name, section in SECTION_OF.items()}
    return {name: "" if value is None and TYPES[name] == str | None else value for name, value in filled_in.items()}


def as_sent(wanted: InvoiceSettings, scene: Scene) -> Any:
    """The form as if somebody had answered it with these settings: what is kept or imported meets the same rules."""
    sent: MultiDict[str, str] = MultiDict()
    for name, value in shown(wanted).items():
        for each in value if isinstance(value, list | tuple) else [value]:
            if each is not False:
                sent.add(name, "y" if each is True else each.isoformat() if isinstance(each, date) else str(each))
    return filled(scene, sent=True, formdata=sent, meta={"csrf": False})


def check(form: Any, scene: Scene, *, lists_ready: bool) -> bool:
    """The fields' own rules, then those of the sections. Errors stand at their fields."""
    form.validate()
    if not lists_ready:
        form.form_errors.append("The lists of the ledger are still being read. Save again in a moment.")
        return False
    for section in SECTIONS:
        section.check(form, scene)
    return not form.errors


def values(form: Any, current: InvoiceSettings) -> InvoiceSettings:
    """The settings of a valid form; what it does not ask stays as it is."""
    asked = {name: section for name, section in SECTION_OF.items() if name in form}
    return replace(current, **{name: _typed(name, each.read(name, form[name].data)) for name, each in asked.items()})


def _typed(name: str, data: Any) -> Any:
    """What a field holds as the setting's type; an empty choice is None where the setting may be none."""
    kind = TYPES[name]
    if type(None) in get_args(kind):
        if data in (None, ""):
            return None
        kind = next(each for each in get_args(kind) if each is not type(None))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(data)
    return tuple(data) if getattr(kind, "__origin__", None) is tuple else data


def differing(names: list[str], scene: Scene) -> int:
    """How many of these settings are not at their default."""
    return sum(getattr(scene.current, name) != SECTION_OF[name].default(name, scene) for name in names)


def unasked() -> set[str]:
    """Settings without a field on the page (kept here for the test that wants none, or a page of their own)."""
    return {each.name for each in fields(InvoiceSettings)} - set(SECTION_OF) - PAGES_OF_THEIR_OWN
