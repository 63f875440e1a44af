"""What became of one Manually Copy: the fields asked with, the outcome, and how the report's figures are kept.

The run's summary holds all of it as JSON: `asked`, `outcome`, `invoice`, and what the outcome needs (`reasons`,
`source`, `draft`, `held`, `changes`, `hits`). Reading and deciding is in `copying`; words are in `copy_report`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.documents import Draft, SourceDocument
from domain.money import round_money
from domain.statuses import Flag, PostingState, RunState, Status
from models import Document, Posting, Run, ToolRow
from sync import claims, operations
from sync.documents import set_flag

KIND = "manual_copy"
LINE = "line"
"""The outcome of a `ToolRow` that is one line of the invoice."""


class Outcome(StrEnum):
    COPIED = "copied"
    REPLACED = "replaced"
    ANEW = "anew"
    """The copy was taken out of the ledger, or was gone, and the invoice was posted again."""
    ADOPTED = "adopted"
    MARKED = "marked"
    SAME = "same"
    EXISTS = "exists"
    """A copy of ours is in the ledger and Overwrite was not chosen: nothing is written."""
    FOREIGN = "foreign"
    """The ledger holds a document of this number that we did not create: offered for adoption."""
    COMPARE = "compare"
    """What differs is shown; nothing is written before a person says so."""
    CHOOSE = "choose"
    ASK = "ask"
    """It can be copied when a person confirms what stands against it."""
    NOT_FOUND = "not_found"
    REFUSED = "refused"
    WAITING = "waiting"
    CHANGED = "changed"
    """The ledger's document changed after it was shown: it is shown again, nothing is written."""


GOOD = (Outcome.COPIED, Outcome.REPLACED, Outcome.ANEW, Outcome.ADOPTED, Outcome.MARKED, Outcome.SAME)
OPEN = (Outcome.COMPARE, Outcome.CHOOSE, Outcome.ASK, Outcome.WAITING)
QUIET = (Outcome.CHOOSE,)
"""Outcomes of which no mail is sent: the page asks which invoice is meant."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form, and what a person decided on the page of an earlier result.

    `confirmed` are the codes of the reasons that were shown and accepted. `adopt` is the ledger id to link;
    `version` the version of the ledger's document that was shown, `differences` that its differences were accepted.
    """

    wanted: str
    source_id: str = ""
    overwrite: bool = False
    compare: bool = False
    confirmed: tuple[str, ...] = ()
    adopt: str = ""
    replace: bool = False
    anew: bool = False
    """Take the copy out of the ledger, unless it is gone, and post the invoice again."""
    version: str = ""
    differences: bool = False
    mail: bool = True

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "confirmed": list(self.confirmed)}

    @classmethod
    def of(cls, run: Run) -> Asked:
        kept = dict((run.summary or {}).get("asked") or {"wanted": ""})
        return cls(**{**kept, "confirmed": tuple(kept.get("confirmed") or ())})


def outcome_of(run: Run) -> Outcome | None:
    """None while it runs, and when it failed."""
    kept = (run.summary or {}).get("outcome")
    return Outcome(kept) if kept in set(Outcome) else None


def is_quiet(kept: Mapping[str, Any]) -> bool:
    """No mail: the page asks which invoice is meant, or a comparison was asked for on a document's page."""
    asked = kept.get("asked") or {}
    return kept.get("outcome") in QUIET or asked.get("mail") is False


def invoice_data(document: SourceDocument, party: str, currency: str, document_id: int | None) -> dict[str, Any]:
    """The invoice's details as page, mail and CSV show them."""
    header = document.header
    return {
        "source_id": header.id, "number": header.number or "", "customer": party, "party_id": header.party_id or "",
        "date": header.document_date.isoformat(), "due": header.due_date.isoformat() if header.due_date else "",
        "total": str(round_money(header.total, currency)), "tax": str(round_money(header.tax_total, currency)),
        "currency": currency, "region": header.tax_region or "", "order": header.order_number or "",
        "document_id": document_id,
    }


def add_lines(db: Session, run: Run, document: SourceDocument, currency: str, draft: Draft | None) -> None:
    """One row per line of the invoice, with the item it is booked on."""
    drafted = draft.lines if draft is not None and len(draft.lines) == len(document.lines) else ()
    for number, line in enumerate(document.lines, 1):
        data = {
            "number": number, "text": line.text or line.name, "type": line.line_type, "quantity": _plain(line.quantity),
            "rate": _plain(line.rate), "amount": str(round_money(line.extended_price, currency)),
            "tax": _plain(line.tax), "item": drafted[number - 1].item.name if drafted else "",
        }
        db.add(ToolRow(company_id=run.company_id, run_id=run.id, outcome=LINE, data=data))


def settle(db: Session, run: Run, kept: Mapping[str, Any]) -> tuple[dict[str, Any], RunState]:
    """The outcome of a run that ends: what was released says it by its document's status."""
    told = dict(kept)
    document_id = told.get("released")
    if document_id is not None and not told.get("outcome"):
        told |= _of_document(db, db.get_one(Document, document_id), told)
    outcome = told.get("outcome")
    if run.stop_requested:
        return told, RunState.STOPPED
    good = outcome in GOOD or outcome in OPEN
    return told, RunState.FINISHED if good else RunState.PROBLEMS


def _of_document(db: Session, document: Document, told: Mapping[str, Any]) -> dict[str, Any]:
    ledger = {"ledger_id": document.ledger_id or "", "ledger_number": document.ledger_number or ""}
    invoice = {**told.get("invoice", {}), **ledger, "document_id": document.id}
    posting = _newest(db, told.get("posting"))
    again = posting is not None and posting.operation == operations.REMOVE and posting.state == PostingState.DONE
    if posting is not None and not again:  # an operation on a document that is in the books whatever became of it
        ended = posting.state in ("CONFIRMED", "DONE")
        if ended:
            claims.keep_only(db, document, [line["id"] for line in (told.get("source") or {}).get("lines", ())])
            for flag in (Flag.CHANGED_SOURCE, Flag.CHANGED_LEDGER):
                set_flag(document, flag, False)
        return {
            "outcome": Outcome.REPLACED if ended else Outcome.REFUSED, "invoice": invoice,
            "reasons": posting.reasons or [],
        }
    copied = Outcome.ANEW if again else Outcome.COPIED
    outcome = {Status.COMPLETE: copied, Status.PENDING: Outcome.WAITING, Status.PROCESSING: Outcome.WAITING}
    return {
        "outcome": outcome.get(Status(document.status), Outcome.REFUSED), "invoice": invoice,
        "reasons": document.reasons or [],
    }


def _newest(db: Session, posting_id: int | None) -> Posting | None:
    """The write that was asked for, in its newest generation: a call that was divided makes another."""
    first = db.get(Posting, posting_id) if posting_id else None
    return first and db.scalars(select(Posting).where(
        Posting.document_id == first.document_id, Posting.operation == first.operation
    ).order_by(Posting.generation.desc()).limit(1)).first()


def _plain(value: Any) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
