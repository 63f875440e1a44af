"""Whether new invoices are posted by themselves."""

from __future__ import annotations

from wtforms import RadioField
from wtforms.validators import InputRequired

from blueprints.settings.section import Section
from domain.settings import SyncState


class SyncStates(Section):
    key = "sync_state"
    title = "Sync state"
    why = "What happens when an invoice is finished in Autotask."

    class Fields:
        sync_state = RadioField(
            "Invoice sync status",
            [InputRequired("Choose what happens to new invoices.")],
            choices=[(str(each), str(each)) for each in SyncState],
        )
