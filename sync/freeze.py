"""Freezing one batch: payloads, short ids, key and body become rows together with SENDING, before the first byte.

A re-send keeps its key, short ids and bytes. Within the caller's transaction; nothing here talks to a platform.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.ledgers.base import Batch, Kind, Ledger, Member
from domain.reasons import reason
from domain.statuses import PostingState, Status
from models import Attempt, BatchRow, Document, Posting
from sync import alike, due
from sync.documents import drop, set_status, step
from sync.documents import load as load_documents
from sync.looking import FRESH
from sync.operations import rule_of


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch in flight."""

    attempt_id: int
    postings: tuple[tuple[int, str], ...]
    """(posting id, short id)"""


@dataclass(slots=True)
class Freezing:
    db: Session
    ledger: Ledger
    company_id: int
    now: datetime
    fence: int
    worker: str

    def batch(self, ids: Sequence[int], new_key: str) -> tuple[Batch, Sent] | None:
        """The batch of these postings, as many as fit; `new_key` is for those never sent. None: none is to go."""
        states = (PostingState.NEW, PostingState.READY)
        postings = [p for p in by_ids(self.db, ids) if p.state in states and p.next_action_at is not None]
        postings = [p for p in postings if not self._looks_again(p)]
        if not postings:
            return None
        key = postings[0].batch_key or new_key
        if postings[0].batch_key and not self._key_holds(postings, key):
            key = new_key
        members = self._members(postings, key)
        body = self.ledger.compose(members)
        while len(body) > self.ledger.capabilities.batch_bytes and len(members) > 1:
            dropped = postings.pop()
            members.pop()
            if dropped.sends == 0 and dropped.state == PostingState.NEW:
                dropped.payload = dropped.payload_sha256 = dropped.batch_key = dropped.short_id = None
            body = self.ledger.compose(members)
        documents = load_documents(self.db, [p.document_id for p in postings if p.document_id])
        for posting in postings:
            self._intend(posting, documents[posting.document_id] if posting.document_id else None)
        sent = Sent(self._attempt(postings, key, body), tuple((p.id, p.short_id or "") for p in postings))
        return Batch(key, self.ledger.tenant, tuple(members), body), sent

    def _looks_again(self, posting: Posting) -> bool:
        """It was held up since the ledger was asked before its first send: that is asked again."""
        return self._number_again(posting) or self._alike_again(posting)

    def _alike_again(self, posting: Posting) -> bool:
        """A bill that was never sent, and that somebody may have typed in since: it is prepared again."""
        if posting.ledger_kind != Kind.BILL or posting.operation != "create" or posting.sends:
            return False
        document = self.db.get_one(Document, posting.document_id)
        if document.due_at is None or not alike.out_of_date(document, self.now):
            return False
        if posting.state == PostingState.READY:
            drop(self.db, posting, PostingState.REJECTED, [], self.now)
        posting.next_action_at = None
        alike.look_again(document)
        return True

    def _number_again(self, posting: Posting) -> bool:
        """A creation that would change what bears its number, and was looked up too long ago: it is asked for again."""
        by_number = posting.operation == "create" and posting.base_version is not None
        if not by_number or self.now - posting.changed_at < FRESH:
            return False
        if posting.state == PostingState.NEW:
            posting.base_version = None
            return True
        posting.state, posting.next_action_at = PostingState.UNKNOWN, self.now
        posting.fence, posting.changed_at = self.fence, self.now
        if posting.document_id is not None:
            document = self.db.get_one(Document, posting.document_id)
            why = reason("looked_for", evidence="what bears its number was looked up too long ago")
            set_status(self.db, document, Status.PROCESSING, [why], self.now)
        return True

    def _key_holds(self, postings: Sequence[Posting], key: str) -> bool:
        """Whether these may go again under their key: for ever and in any part, or whole and for so long, as the ledger
        keeps its answers. Otherwise a new one is taken: they were looked up, or certainly not sent."""
        lasts = self.ledger.capabilities.key_lasts_s
        if lasts is None:
            return True
        first = self.db.scalars(
            select(BatchRow).where(BatchRow.company_id == self.company_id, BatchRow.key == key).order_by(BatchRow.id)
        ).first()
        if first is None or self.now >= first.created_at + timedelta(seconds=lasts):
            return False
        return [list(each) for each in first.members] == [[p.id, p.short_id] for p in postings]

    def _members(self, postings: Sequence[Posting], key: str) -> list[Member]:
        created = due.created_ids(self.db, [p.id for p in postings if p.payload is None])
        members: list[Member] = []
        for index, posting in enumerate(postings):
            if posting.payload is None:
                self._payload(posting, created)
            if posting.batch_key != key:
                posting.batch_key, posting.short_id = key, str(index)
            members.append(Member(
                posting.short_id or str(index), Kind(posting.ledger_kind),
                rule_of(posting).wire(self.ledger.capabilities, posting), posting.payload or b"",
            ))
        return members

    def _payload(self, posting: Posting, created: dict[tuple[str, str], str]) -> None:
        posting.payload = rule_of(posting).payload(self.ledger, posting, created)
        posting.payload_sha256 = hashlib.sha256(posting.payload).hexdigest()

    def _intend(self, posting: Posting, document: Document | None) -> None:
        posting.state, posting.sends = PostingState.SENDING, posting.sends + 1
        posting.first_sent_at = posting.first_sent_at or self.now
        posting.last_sent_at, posting.next_action_at = self.now, None
        posting.fence, posting.changed_at = self.fence, self.now
        if document is not None:
            if not rule_of(posting).follows:
                set_status(self.db, document, Status.PROCESSING, [reason("in_hand")], self.now)
            step(self.db, document, self.now, "sent", rule_of(posting).sent, key=posting.batch_key,
                 member=posting.short_id)

    def _attempt(self, postings: Sequence[Posting], key: str, body: bytes) -> int:
        """The rows of this send: what is on the wire, and that it was begun. Returns the attempt's id."""
        row = BatchRow(
            company_id=self.company_id, key=key, ledger_tenant=self.ledger.tenant, body=body,
            body_sha256=hashlib.sha256(body).hexdigest(), created_at=self.now,
            members=[[p.id, p.short_id] for p in postings],
        )
        self.db.add(row)
        self.db.flush()
        attempt = Attempt(
            company_id=self.company_id, batch_id=row.id, fence=self.fence, worker=self.worker, started_at=self.now,
        )
        self.db.add(attempt)
        self.db.flush()
        return attempt.id


def by_ids(db: Session, ids: Sequence[int]) -> list[Posting]:
    return list(db.scalars(select(Posting).where(Posting.id.in_(ids)).order_by(Posting.id)))
