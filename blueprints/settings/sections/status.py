"""More settings: as what documents begin, where the ledger knows drafts, and whether they are shown as sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from wtforms import BooleanField, RadioField

from blueprints.settings.section import Scene, Section, text_choices
from domain.settings import InitialStatus

STATUS = (
    (InitialStatus.DRAFT, "Draft"),
    (InitialStatus.SUBMITTED, "Submitted, waiting for approval"),
    (InitialStatus.APPROVED, "Approved"),
)


class InitialStatuses(Section):
    key = "status"
    title = "Status of new documents"
    why = "In which state invoices and credits arrive."

    class Fields:
        initial_status = RadioField("Documents arrive as", choices=text_choices(STATUS))
        mark_sent = BooleanField("Show approved invoices as sent")

    def hidden(self, scene: Scene) -> Collection[str]:
        return () if scene.capabilities.can_promote else ("initial_status", "mark_sent")

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        return {"knows_drafts": bool(scene.capabilities.can_promote)}
