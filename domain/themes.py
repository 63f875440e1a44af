"""Which branding theme a document is printed in: by the source's invoice template. Pure.

A rule of the map wins, then an equal name, then the default; without any the ledger prints in its own default.
"""

from __future__ import annotations

from domain.documents import Reference, SourceHeader
from domain.known import Facts, Lists
from domain.matching import fold
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings

THEME = "theme"


def choose_theme(
    header: SourceHeader, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> Reference | None:
    """A chosen theme that is gone adds a reason: the document would look otherwise than somebody decided."""
    if not facts.themes:
        return None
    rule = next((each for each in settings.theme_map if each.template_id == header.template_id), None)
    name = lists.catalog.templates.get(header.template_id or "", "")
    same = [each for each in lists.themes.values() if name and each.active and fold(each.name) == fold(name)]
    if rule is None and len(same) == 1:
        return Reference(THEME, same[0].id, same[0].name, same[0].id)
    chosen = rule.ledger_id if rule else settings.theme_default
    if chosen is None:
        return None
    entry = lists.themes.get(chosen)
    if entry is None or not entry.active:
        reasons.append(reason("theme_gone", name=entry.name if entry else f"id {chosen}"))
        return None
    return Reference(THEME, entry.id, entry.name, entry.id)
