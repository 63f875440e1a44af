"""One document as it would be sent: the very draft, its journal, what is created first and written back. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Kind
from domain.documents import Draft, ItemDraft, PartyDraft
from domain.journal import JournalRow, journal, journal_of_purchase
from domain.order_settings import OrderSettings
from domain.plan import Plan
from domain.reasons import Reason
from domain.settings import InvoiceSettings, Numbering
from models import Document, MirrorEntry
from sync.areas import area_of
from sync.reading import plans_for
from sync.release import looked_at

RECEIVABLE = "Accounts Receivable"
PURCHASES = (Kind.BILL, Kind.PURCHASE_ORDER)
TAX_SUBTYPES = ("SalesTaxPayable", "GlobalTaxPayable")


@dataclass(frozen=True, slots=True)
class Preview:
    """`draft` None: it cannot be posted now, and `reasons` say why. `accounts`: item key → account of its lines."""

    draft: Draft | None
    journal: tuple[JournalRow, ...]
    reasons: tuple[Reason, ...]
    creates: tuple[str, ...]
    notes: tuple[str, ...]
    accounts: Mapping[str, str] = field(default_factory=dict)
    writes_back: tuple[str, ...] = ()
    seen: Mapping[str, object] | None = None
    """{digest, face} of the plan, so that posting from the preview posts this plan (`sync/release.py`)."""


def preview(db: Session, document: Document, capabilities: Capabilities) -> Preview:
    """Plan the stored document against today's lists; sending uses the same draft and the same payload function."""
    settings = area_of(document.kind).load(db, document.company_id)
    [planned] = plans_for(db, document.company_id, [document], capabilities, settings)
    if planned.draft is None:
        return Preview(None, (), planned.reasons, (), ())
    accounts = Accounts.of(db, document.company_id)
    return Preview(
        planned.draft, accounts.journal(db, planned.draft, planned.creations), (), creates(planned),
        planned.draft.notes, accounts.of_items(db, planned.draft, planned.creations),
        writes_back(document, settings), looked_at(planned),
    )


def creates(planned: Plan) -> tuple[str, ...]:
    """What is created in the ledger before the document, as sentences."""
    return tuple(
        f"Creates the {made.kind if isinstance(made, PartyDraft) else 'item'} “{made.name}”."
        for made in planned.creations
    )


def writes_back(document: Document, settings: InvoiceSettings | OrderSettings) -> tuple[str, ...]:
    """What Autotask gets once the document is in the books, as sentences."""
    number = document.number or document.source_id
    if isinstance(settings, OrderSettings):
        return (
            f"External P.O. Number of order {number} gets the ledger's number, or “{settings.external_prefix}” and its "
            "id where it has none.",
        )
    told = [f"Invoice {number} is marked as processed, with the moment of posting."]
    if settings.numbering is Numbering.LEDGER:
        told.append("The invoice number becomes the one the ledger gives.")
    return tuple(told)


def draft_journal(
    db: Session, company_id: int, draft: Draft, creations: Sequence[PartyDraft | ItemDraft] = ()
) -> tuple[JournalRow, ...]:
    """Debits and credits by account. Account names come from the mirror."""
    return Accounts.of(db, company_id).journal(db, draft, creations)


@dataclass(frozen=True, slots=True)
class Accounts:
    """The ledger's accounts as the mirror has them, read once for any number of journals."""

    company_id: int
    entries: Mapping[str, MirrorEntry]

    @classmethod
    def of(cls, db: Session, company_id: int) -> Accounts:
        rows = db.scalars(select(MirrorEntry).where(
            MirrorEntry.company_id == company_id, MirrorEntry.kind == Kind.ACCOUNT.value
        ))
        return cls(company_id, {row.ledger_id: row for row in rows})

    def journal(
        self, db: Session, draft: Draft, creations: Sequence[PartyDraft | ItemDraft] = ()
    ) -> tuple[JournalRow, ...]:
        if draft.kind in PURCHASES:
            return journal_of_purchase(draft, self.of_items(db, draft, creations))
        return journal(
            draft, receivable=self._receivable(draft.currency), tax_account=self._tax_account(),
            income=self.of_items(db, draft, creations),
        )

    def of_items(
        self, db: Session, draft: Draft, creations: Sequence[PartyDraft | ItemDraft] = ()
    ) -> dict[str, str]:
        """Item reference key → the name of the account its lines book on."""
        names = {key: entry.name for key, entry in self.entries.items()}
        income = {line.item.key: line.account.name for line in draft.lines if line.account and line.account.name}
        for made in creations:
            if isinstance(made, ItemDraft) and made.account.ledger_id:
                income[made.key] = names.get(made.account.ledger_id, "Account of created items")
        ids = {line.item.ledger_id: line.item.key for line in draft.lines if line.item.ledger_id}
        rows = db.scalars(select(MirrorEntry).where(
            MirrorEntry.company_id == self.company_id, MirrorEntry.kind == Kind.ITEM.value,
            MirrorEntry.ledger_id.in_(list(ids)),
        ))
        for row in rows:
            account = row.details.get("expense_account_id" if draft.kind in PURCHASES else "income_account_id")
            if account in names:
                income[ids[row.ledger_id]] = names[account]
        return income

    def _receivable(self, currency: str) -> str:
        """Receivables have one account per currency; the home currency's names none or its own."""
        found = [e for e in self.entries.values() if e.active and e.details.get("type") == RECEIVABLE]
        same = [e for e in found if e.details.get("currency") == currency]
        return (same or found)[0].name if found else RECEIVABLE

    def _tax_account(self) -> str:
        found = (e.name for e in self.entries.values() if e.active and e.details.get("subtype") in TAX_SUBTYPES)
        return next(found, "Sales tax payable")
