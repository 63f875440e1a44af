"""Check Which Invoices are Ready for Billing: every invoice of a window, each check stage and each reason.

Reads both platforms and writes to neither; no document of ours changes either, so asking with another numbering or
a longer window never widens what is synced. The lines of the result are `ToolRow`s of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind, Ledger, Sought
from connectors.sources.base import Source
from domain.documents import SourceDocument, SourceHeader
from domain.known import Lists
from domain.money import round_money
from domain.plan import Plan, effective_number, marker, plan, source_reason
from domain.reasons import Reason, Stage, reason
from domain.settings import InvoiceSettings, Numbering
from domain.stages import Outcome, cells, outcome_of
from domain.statuses import Status
from models import Company, Document, ItemClaim, Posting, Run, ToolRow
from sync import mirror
from sync.invoices import window
from sync.lists import facts, prefetch
from sync.passes import Scan
from sync.reading import KIND
from sync.runtime import Runtime
from sync.settings import load_invoices


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form. They hold for this check only; Settings stay as they are."""

    numbering: Numbering
    max_age_days: int

    def to_json(self) -> dict[str, Any]:
        return {"numbering": str(self.numbering), "max_age_days": self.max_age_days}

    @classmethod
    def of(cls, run: Run, settings: InvoiceSettings) -> Asked:
        """What the run was asked with; Settings where it does not say."""
        kept = (run.summary or {}).get("asked") or {}
        return cls(
            Numbering(kept.get("numbering", settings.numbering)),
            int(kept.get("max_age_days", settings.look_back_days)),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """One invoice with every reason against posting it now."""

    planned: Plan
    reasons: tuple[Reason, ...]
    customer: str
    currency: str
    document_id: int | None


@dataclass(slots=True)
class Check:
    """One pass over the source. `scan` reads; nothing of it is stored but the parties' names."""

    rt: Runtime
    company_id: int
    source: Source
    ledger: Ledger
    run_id: int
    settings: InvoiceSettings
    scan: Scan
    checked: int = 0
    numbers: dict[str, str] = field(default_factory=dict)
    """Effective number → the first document of this pass that bears it."""
    sums: dict[Outcome, dict[str, tuple[int, Decimal]]] = field(default_factory=dict)

    def read(self) -> None:
        """All pages of the window; each is judged, stored as rows and forgotten."""
        for headers in self.source.headers(KIND, window(self.settings, self.rt.clock.now())):
            for page in self.source.documents(headers):
                self._page(page)
                self.scan.progress(f"Checking invoices of Autotask: {self.checked:,} checked")

    def _page(self, page: Sequence[SourceDocument]) -> None:
        parties = {d.header.party_id for d in page} | {line.party_id for d in page for line in d.lines}
        self.scan.read_parties({party for party in parties if party})
        with self.rt.sessions() as db:
            judged = self._judge(db, page)
        judged = self._asked_ledger(judged)
        with self.rt.sessions() as db, db.begin():
            for one in judged:
                self._store(db, one)
        self.checked += len(judged)

    def _judge(self, db: Session, page: Sequence[SourceDocument]) -> list[Judged]:
        company = db.get_one(Company, self.company_id)
        the_facts = facts(mirror.profile_of(company), self.ledger.capabilities)
        lists = prefetch(db, self.company_id, page, mirror.catalog_of(db, self.company_id), self.settings, the_facts)
        lists = self._with_numbers(lists, page)
        rows = self._known(db, page)
        claimed = self._claims(db, page)
        judged = []
        for document in page:
            row = rows.get(document.header.id)
            mark = marker(str(company.id), company.ledger_tenant, self.source.tenant, KIND, document.header.id)
            planned = plan(document, self.settings, lists, the_facts, marker=mark)
            party = lists.parties.get(document.header.party_id or "")
            currency = (party.currency if party else None) or the_facts.currency
            holders = [claimed[line.id] for line in document.lines if line.id in claimed]
            held = next((holder for holder in holders if holder[0] != _id(row)), None)
            reasons = (*self._kept(row), *self._scope(planned, row, currency))
            if held is not None and not any(r.code == "already_posted" for r in reasons):
                reasons = (*reasons, reason("billed_before", other=held[1]))
            judged.append(Judged(planned, reasons, party.name if party else "", currency, _id(row)))
        return judged

    def _with_numbers(self, lists: Lists, page: Sequence[SourceDocument]) -> Lists:
        """Numbers that repeat within this pass count as well as those of stored documents."""
        for document in page:
            number = effective_number(document.header, self.settings)
            if number is not None:
                self.numbers.setdefault(number, document.header.id)
        return replace(lists, numbers={**self.numbers, **lists.numbers})

    def _known(self, db: Session, page: Sequence[SourceDocument]) -> dict[str, Document]:
        rows = db.scalars(select(Document).where(
            Document.company_id == self.company_id, Document.source_tenant == self.source.tenant,
            Document.kind == KIND, Document.source_id.in_([d.header.id for d in page]),
        ))
        return {row.source_id: row for row in rows}

    def _claims(self, db: Session, page: Sequence[SourceDocument]) -> dict[str, tuple[int | None, str]]:
        """Billing items that are in the ledger already → the document that holds them, and its number."""
        ids = [line.id for document in page for line in document.lines]
        found: dict[str, tuple[int | None, str]] = {}
        for start in range(0, len(ids), 500):
            rows = db.execute(
                select(ItemClaim.item_id, Document.id, Document.ledger_number, Document.number, Document.source_id)
                .join(Posting, Posting.id == ItemClaim.posting_id).join(Document, Document.id == Posting.document_id)
                .where(ItemClaim.company_id == self.company_id, ItemClaim.source_tenant == self.source.tenant,
                       ItemClaim.item_id.in_(ids[start : start + 500]))
            )
            found.update({item: (owner, there or number or source) for item, owner, there, number, source in rows})
        return found

    def _kept(self, row: Document | None) -> tuple[Reason, ...]:
        """What is already decided about a document of ours: posted, in hand, or set aside by a person."""
        if row is None:
            return ()
        if row.status == Status.COMPLETE:
            return (reason("already_posted"),)
        if row.status == Status.PROCESSING or row.reason_code == "skipped_by_person":
            return tuple(Reason.from_json(value) for value in row.reasons)
        return ()

    def _scope(self, planned: Plan, row: Document | None, currency: str) -> tuple[Reason, ...]:
        """The plan's reasons, with the start date and the guard against unfinished invoices."""
        header = planned.document.header
        reasons = list(planned.reasons)
        if header.document_date < self.settings.start_date and (row is None or row.included_at is None):
            reasons.insert(0, reason("before_start", date=header.document_date, start=self.settings.start_date))
        age = self.rt.clock.now() - header.created_at
        if planned.turn is None and age < timedelta(seconds=self.rt.times.young):
            reasons.append(reason("young"))
        mismatch = source_reason(planned.document, currency)
        if mismatch is not None and mismatch in reasons and age < timedelta(seconds=self.rt.times.give_up):
            building = reason("still_building", found=mismatch.params.get("found", "–"), total=header.total)
            reasons[reasons.index(mismatch)] = building
        return tuple(reasons)

    def _asked_ledger(self, judged: list[Judged]) -> list[Judged]:
        """Is the number free? Asked of the ledger for what could be posted; one query for up to 100 numbers."""
        sought = [
            Sought(one.planned.document.header.id, Kind(one.planned.draft.kind), number=one.planned.draft.number)
            for one in judged if one.planned.draft is not None and one.planned.draft.number and not one.reasons
        ]
        found = self.ledger.find(sought) if sought else {}
        told = []
        for one in judged:
            draft = one.planned.draft
            there = [done for done in found.get(one.planned.document.header.id, ()) if done.echo.live]
            if draft is not None and there:
                ours = any(draft.marker in (done.echo.marker or "") for done in there)
                why = reason("already_posted") if ours else reason("number_taken", number=draft.number)
                one = replace(one, reasons=(why,))
            told.append(one)
        return told

    def _store(self, db: Session, one: Judged) -> None:
        header = one.planned.document.header
        outcome = outcome_of(one.reasons)
        amount = round_money(header.total, one.currency)
        count, total = self.sums.setdefault(outcome, {}).get(one.currency, (0, Decimal(0)))
        self.sums[outcome][one.currency] = (count + 1, total + amount)
        db.add(ToolRow(
            company_id=self.company_id, run_id=self.run_id, outcome=outcome, data=row_data(one, header, amount),
        ))


def _id(row: Document | None) -> int | None:
    return row.id if row is not None else None


def row_data(one: Judged, header: SourceHeader, amount: Decimal) -> dict[str, Any]:
    """A line of the result: what page, mail and CSV show."""
    stages = cells(one.reasons, taxed=header.tax_total != 0)
    return {
        "source_id": header.id, "number": header.number or header.id, "customer": one.customer,
        "day": header.document_date.isoformat(), "amount": str(amount), "currency": one.currency,
        "stages": {str(stage): str(stages[stage]) for stage in Stage},
        "reasons": [why.to_json() for why in one.reasons], "document_id": one.document_id,
        "notes": list(one.planned.draft.notes) if one.planned.draft is not None else [],
    }


def check(rt: Runtime, company_id: int, source: Source, ledger: Ledger, run_id: int) -> Mapping[str, Any]:
    """Read, judge, store the rows; returns the summary to keep. Raises PlatformError; started again it begins anew."""
    scan = Scan(rt, company_id, source, ledger.capabilities, run_id)
    scan.progress("Reading lists that changed in the ledger")
    mirror.refresh(rt, company_id, ledger, source, profile_within=mirror.CLOSING_DATE_AGE)
    with rt.sessions() as db:
        current = load_invoices(db, company_id)
        asked = Asked.of(db.get_one(Run, run_id), current)
    settings = replace(current, numbering=asked.numbering, look_back_days=asked.max_age_days)
    scan.progress("Reading invoices from Autotask")
    checking = Check(rt, company_id, source, ledger, run_id, settings, scan)
    checking.read()
    sums = {
        str(outcome): {currency: {"count": n, "amount": str(total)} for currency, (n, total) in by.items()}
        for outcome, by in checking.sums.items()
    }
    return {"asked": asked.to_json(), "sums": sums}
