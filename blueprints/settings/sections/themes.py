"""More settings: the ledger's branding theme of each of Autotask's invoice templates, where the ledger has themes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from wtforms import SelectField, SelectMultipleField

from blueprints.settings.section import Scene, Section
from domain.matching import fold
from domain.settings import ThemeRule


class Themes(Section):
    key = "themes"
    title = "Branding theme"
    why = "How documents look when {ledger} prints or mails them. Themes of a template’s name are found by themselves."
    records: ClassVar = {"theme_default": "theme"}

    class Fields:
        theme_map = SelectMultipleField("Templates without a theme of their name", choices=[])
        theme_default = SelectField("Branding theme of all other documents", choices=[])

    def hidden(self, scene: Scene) -> Collection[str]:
        return () if scene.records("theme") else ("theme_map", "theme_default")

    def prepare(self, form: Any, scene: Scene) -> None:
        if "theme_map" not in form:
            return
        form.theme_default.choices = scene.choices("theme", "{The_ledgers} own default")
        form.theme_map.choices = [("", ""), *(pair for row in _rows(scene) for pair in row["choices"])]

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        """A drop-down for each template that the ledger has no theme of equal name of."""
        sent = (form.theme_map.data or []) if "theme_map" in form else []
        rows = [{**row, "chosen": next((v for v, _ in row["choices"] if v in sent), "")} for row in _rows(scene)]
        return {"theme_rows": rows, "has_themes": bool(scene.records("theme"))}

    def read(self, name: str, data: Any) -> Any:
        if name != "theme_map":
            return data
        parts = [each.split(">", 1) for each in data or () if each and ">" in each]
        return tuple(ThemeRule(template, theme) for template, theme in parts)

    def fill(self, name: str, value: Any) -> Any:
        return [f"{rule.template_id}>{rule.ledger_id}" for rule in value] if name == "theme_map" else value

    def words(self, name: str, value: Any, scene: Scene) -> str | None:
        if name != "theme_map":
            return None
        rules = [each if isinstance(each, dict) else {"template_id": each.template_id, "ledger_id": each.ledger_id}
                 for each in value]  # fmt: skip
        return "; ".join(
            f"{scene.name_of('template', str(r['template_id']))}: {scene.name_of('theme', str(r['ledger_id']))}"
            for r in rules
        )


def _rows(scene: Scene) -> list[dict[str, Any]]:
    offered = scene.records("theme")
    known = {fold(each.name) for each in offered}
    return [
        {
            "id": f"theme-{one.ledger_id}", "name": one.name,
            "choices": [(f"{one.ledger_id}>{each.ledger_id}", each.name) for each in offered],
        }
        for one in scene.records("template") if one.name and fold(one.name) not in known
    ]  # fmt: skip
