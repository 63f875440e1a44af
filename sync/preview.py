"""One document as it would be sent: the very draft, its journal, and what would be created. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Kind
from domain.documents import Draft, ItemDraft, PartyDraft
from domain.journal import JournalRow, journal
from domain.reasons import Reason
from models import Document, MirrorEntry
from sync.reading import plans_for
from sync.settings import load_invoices


@dataclass(frozen=True, slots=True)
class Preview:
    """`draft` None: it cannot be posted now, and `reasons` say why."""

    draft: Draft | None
    journal: tuple[JournalRow, ...]
    reasons: tuple[Reason, ...]
    creates: tuple[str, ...]
    notes: tuple[str, ...]


def preview(db: Session, document: Document, capabilities: Capabilities) -> Preview:
    """Plan the stored document against today's lists; sending uses the same draft and the same payload function."""
    [planned] = plans_for(db, document.company_id, [document], capabilities, load_invoices(db, document.company_id))
    if planned.draft is None:
        return Preview(None, (), planned.reasons, (), ())
    rows = draft_journal(db, document.company_id, planned.draft, planned.creations)
    creates = tuple(
        f"Creates the {'customer' if isinstance(made, PartyDraft) else 'item'} “{made.name}”."
        for made in planned.creations
    )
    return Preview(planned.draft, rows, (), creates, planned.draft.notes)


def draft_journal(
    db: Session, company_id: int, draft: Draft, creations: Sequence[PartyDraft | ItemDraft] = ()
) -> tuple[JournalRow, ...]:
    """Debits and credits by account. Account names come from the mirror."""
    accounts = {
        entry.ledger_id: entry for entry in db.scalars(select(MirrorEntry).where(
            MirrorEntry.company_id == company_id, MirrorEntry.kind == Kind.ACCOUNT.value
        ))
    }
    receivable = next(
        (a.name for a in accounts.values() if a.details.get("type") == "Accounts Receivable" and a.active),
        "Accounts Receivable",
    )
    return journal(
        draft, receivable=receivable, tax_account="Sales tax payable",
        income=_income(db, company_id, draft, creations, {key: entry.name for key, entry in accounts.items()}),
    )


def _income(
    db: Session, company_id: int, draft: Draft, creations: Sequence[PartyDraft | ItemDraft], names: Mapping[str, str]
) -> dict[str, str]:
    """Item reference key → the name of its income account."""
    income: dict[str, str] = {}
    for made in creations:
        if isinstance(made, ItemDraft) and made.account.ledger_id:
            income[made.key] = names.get(made.account.ledger_id, "Account of created items")
    ids = {line.item.ledger_id: line.item.key for line in draft.lines if line.item.ledger_id}
    rows = db.scalars(select(MirrorEntry).where(
        MirrorEntry.company_id == company_id, MirrorEntry.kind == Kind.ITEM.value, MirrorEntry.ledger_id.in_(list(ids)),
    ))
    for row in rows:
        account = row.details.get("income_account_id")
        if account in names:
            income[ids[row.ledger_id]] = names[account]
    return income
