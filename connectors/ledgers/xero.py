"""Xero as a Ledger: one organisation (tenant), written in calls of fifty documents of one kind.

Shapes are in xero_payloads (out) and xero_records (in), refusals in xero_faults, look-ups in xero_lookup, the wire in
xero_http. Limits: Xero, "Limits".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from connectors import jsonbytes
from connectors.endpoints import Endpoints
from connectors.errors import NotSent, RetryLater, Unavailable
from connectors.http import Http, LostAnswer, PlatformSession, read_again
from connectors.ledgers import xero_faults as faults
from connectors.ledgers import xero_payloads as payloads
from connectors.ledgers import xero_records as records
from connectors.ledgers.base import (
    Alike,
    Answer,
    Batch,
    Change,
    Changes,
    Done,
    Kind,
    LedgerProfile,
    Member,
    Outcome,
    Record,
    Refused,
    Sought,
    Unknown,
)
from connectors.ledgers.xero_calls import (
    CAPABILITIES,
    DAY_CALLS,
    DAY_KNOWN_S,
    GET,
    GET_ONE,
    HISTORY,
    PAGED,
    PAGES,
    PAPERS,
    PRICED,
    WRITE,
    limits_for,
)
from connectors.ledgers.xero_http import PLATFORM, Access, Call, Connection, Faulted
from connectors.ledgers.xero_lookup import UNIT_DECIMALS, Lookup, stamp
from connectors.limits import Gate, Limit, Limiter, Used, Waiting
from domain.documents import AnyDraft
from domain.held import Held

T = TypeVar("T")

PAGE = 1000
_PAGES_MAX = 500
_OVERLAP = timedelta(minutes=5)
_WAIT = "Xero's limit of calls is reached."
_BUSY = "Xero takes five calls at a time, and all are taken."
_UNREADABLE = "Xero sent an answer of another shape."
class XeroLedger:
    """Implements `Ledger`. May be used by several threads at once: each call has its own client.

    `back` is the address of ours that documents link to, with their marker at its end; without one they have no link.
    """

    capabilities = CAPABILITIES

    def __init__(
        self,
        *,
        tenant: str,
        access: Access,
        http: Http,
        endpoints: Endpoints,
        limiter: Limiter,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
        back: str = "",
        profile: LedgerProfile | None = None,
        session: PlatformSession | None = None,
    ) -> None:
        self.tenant = tenant
        self._profile = profile
        self._back = back
        self._left = -1
        self._endpoints = endpoints
        self._limiter = limiter
        self._clock = clock
        self._waiting = Waiting(limiter, clock, pause)
        self._connection = Connection(
            session=(session := session or http.session(PLATFORM, endpoints.is_xero)),
            api_url=endpoints.xero_api,
            tenant=tenant,
            access=access,
            clock=clock,
            throttled=self._throttled,
            day_left=self._day_left,
        )
        self._flight = Gate(f"xero:{tenant}:flight", 5, session.over_after_s(bulk=True))

    # ---- reading ------------------------------------------------------------------------------------------

    def check(self) -> LedgerProfile:
        found = records.rows_of(self._ask("get_organisations"), "Organisations")
        if not found:
            raise Unavailable(_UNREADABLE, platform=PLATFORM)
        currencies = records.rows_of(self._ask("get_currencies"), "Currencies")
        return records.profile(found[0], currencies, self._categories(), self.tenant)

    def changes(self, kinds: Sequence[Kind], since: datetime) -> Changes:
        """By If-Modified-Since, one read per list; customers and vendors are one list. Xero keeps no terms."""
        return self._entries([kind for kind in kinds if kind in GET], stamp(since))

    def lists(self, kinds: Sequence[Kind]) -> Changes:
        whole = self._entries([kind for kind in kinds if kind in GET], None)
        found = list(whole.records)
        if Kind.TAX_CODE in kinds:
            found += records.tax_rates(records.rows_of(self._ask("get_tax_rates"), "TaxRates"))
        if Kind.THEME in kinds:
            found += records.themes(records.rows_of(self._ask("get_branding_themes"), "BrandingThemes"))
        if Kind.CLASS in kinds or Kind.LOCATION in kinds:
            categories = self._categories()
            for kind in (Kind.CLASS, Kind.LOCATION):
                found += records.tracking(categories, kind) if kind in kinds else []
        return Changes(tuple(found), (), whole.watermark, complete=True)

    def find(self, sought: Sequence[Sought]) -> Mapping[str, Sequence[Done]]:
        return Lookup(self._rows, self._one, self.tenant).find(sought)

    def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Held]:
        return Lookup(self._rows, self._one, self.tenant).read(kind, ids)

    def alike(self, sought: Sequence[Alike]) -> Mapping[str, Sequence[Held]]:
        return Lookup(self._rows, self._one, self.tenant).alike(sought)

    def original(self, kind: Kind, ledger_id: str) -> bytes:
        body = self._read(lambda call: call.raw(PAPERS[kind][0], ledger_id))
        if not body.startswith(b"%PDF"):
            raise Unavailable("Xero did not send a PDF.", platform=PLATFORM)
        return body

    def attached(self, kind: Kind, ledger_id: str, name: str) -> bool:
        rows = records.rows_of(self._ask(PAPERS[kind][1], ledger_id), "Attachments")
        return any(row.get("FileName") == file_name(name) for row in rows)

    # ---- writing ------------------------------------------------------------------------------------------

    def payload(self, draft: AnyDraft, references: Mapping[tuple[str, str], str]) -> bytes:
        return payloads.payload(draft, references, self._spelling)

    def change(self, change: Change) -> bytes:
        return payloads.change(change, self._spelling)

    def call_of(self, kind: Kind, operation: str) -> str:
        return payloads.call_of(kind, operation)

    def compose(self, members: Sequence[Member]) -> bytes:
        return payloads.compose(members)

    def slot(self, operation: str) -> float:
        return self._limiter.take(self._limits())

    def send(self, batch: Batch) -> Answer:
        """One call under the batch's key. The only repeat is the one after a 401, with the same key."""
        if batch.tenant != self.tenant:
            raise ValueError("this batch was frozen for another company")
        call = self._connection.call(bulk=True)
        alone = batch.members[0] if batch.members[0].operation == "send" else None
        try:
            self._count("send" if alone else "batch")
            with self._in_flight(patient=False):
                if alone:
                    return _same(batch, self._mail(call, batch.key, alone), call)
                answer = self._write(call, batch)
        except Faulted as refused:
            if faults.key_was_used(refused.reasons):
                return _same(batch, Unknown(refused.message), call)
            return _same(batch, Refused(refused.reasons, whole=len(batch.members) > 1), call)
        except LostAnswer as lost:
            return _same(batch, Unknown(lost.message), call)
        except Unavailable as away:
            # Ours, not Xero's: Redis went away before the call, or while noting a 429. Nothing was written.
            raise NotSent(away.message, platform=away.platform) from away
        return Answer(self._outcomes(batch, answer), call.status, call.request_id)

    def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
        """Xero overwrites a file of the same name, so that a second try leaves one file."""
        self._count("upload")
        _, _, method, _ = PAPERS[kind]
        with self._in_flight(patient=False):
            self._connection.call(bulk=True).ask(
                method, ledger_id, file_name(name), content, include_online=shown and kind is Kind.INVOICE
            )

    def noted(self, kind: Kind, ledger_id: str, marker: str) -> bool:
        rows = records.rows_of(self._ask(HISTORY[kind][0], ledger_id), "HistoryRecords")
        return any(marker in (records.text(row.get("Details")) or "") for row in rows)

    def note(self, kind: Kind, ledger_id: str, text: str) -> None:
        self._count("note")
        with self._in_flight(patient=False):
            body = {"HistoryRecords": [{"Details": text}]}
            self._connection.call(bulk=True).ask(HISTORY[kind][1], ledger_id, body)

    def link(self, kind: Kind, ledger_id: str) -> str:
        """Through Xero's own door, which chooses the organisation first. Source: Xero, "Deep linking to Xero"."""
        page = PAGES.get(kind, "/Dashboard/").format(ledger_id)
        code = quote(self._profile.short_code if self._profile else "", safe="")
        door = f"{self._endpoints.xero_web}/organisationlogin/default.aspx"
        return f"{door}?shortcode={code}&redirecturl={quote(page, safe='/')}"

    # ---- limits -------------------------------------------------------------------------------------------

    def usage(self) -> list[Used]:
        return self._limiter.used(self._limits())

    # ---- inside -------------------------------------------------------------------------------------------

    @property
    def _spelling(self) -> payloads.Spelling:
        return payloads.Spelling.of(self._profile, self._back)

    def _write(self, call: Call, batch: Batch) -> Mapping[str, Any]:
        meant = payloads.call_of(batch.members[0].kind, batch.members[0].operation)
        decimals = {"unitdp": UNIT_DECIMALS} if meant.partition(" ")[2] in PRICED else {}
        return call.ask(WRITE[meant], batch.body, summarize_errors=False, idempotency_key=batch.key, **decimals)

    def _mail(self, call: Call, key: str, member: Member) -> Done:
        """204 without a body. To whom it went only the contact says."""
        ledger_id = str(jsonbytes.load(member.payload)[payloads.ID[member.kind]])
        call.raw("email_invoice", ledger_id, b"{}", idempotency_key=key)
        return records.mailed(ledger_id, member.kind, self.tenant)

    def _outcomes(self, batch: Batch, answer: Mapping[str, Any]) -> dict[str, Outcome]:
        """By what each element says of itself (its id, number, name or our marker), never by its place."""
        rows = records.rows_of(answer, payloads.ENVELOPE[batch.members[0].kind])
        outcomes: dict[str, Outcome] = {}
        for member in batch.members:
            sent = jsonbytes.load(member.payload)
            mine = [row for row in rows if records.is_answer(row, sent, member.kind)]
            outcomes[member.short_id] = self._outcome(member, mine)
        return outcomes

    def _outcome(self, member: Member, rows: Sequence[Mapping[str, Any]]) -> Outcome:
        if len(rows) != 1:
            return Unknown("Xero's answer does not name this record." if not rows else "Xero's answer names it twice.")
        row = rows[0]
        if records.is_refused(row):
            return Refused(faults.element_faults(row))
        return records.done(row, member.kind, self.tenant) or Unknown(_UNREADABLE)

    def _entries(self, kinds: Sequence[Kind], since: datetime | None) -> Changes:
        found: list[Record] = []
        told: list[datetime] = []
        contacts: list[Mapping[str, Any]] | None = None
        for kind in kinds:
            if kind in records.PARTIES and contacts is not None:
                rows = contacts
            else:
                options: dict[str, Any] = {"include_archived": True} if kind in records.PARTIES else {}
                rows = self._rows(kind, told, if_modified_since=since, **options)
                contacts = rows if kind in records.PARTIES else contacts
            found += [entry for row in rows if (entry := records.record(row, kind)) is not None]
        watermark = min(told) - _OVERLAP if told else since or self._clock() - _OVERLAP
        return Changes(tuple(found), (), watermark, complete=True)

    def _rows(self, kind: Kind, told: list[datetime] | None = None, **options: Any) -> list[Mapping[str, Any]]:
        """A list whole. In the order of ids: pages ordered by time would skip what is changed while they are read."""
        wanted = {name: value for name, value in options.items() if value is not None}
        if payloads.ENVELOPE[kind] in PRICED:
            wanted["unitdp"] = UNIT_DECIMALS
        if kind not in PAGED:
            return self._page(kind, told, wanted)
        wanted |= {"order": f"{payloads.ID[kind]} ASC", "page_size": PAGE}
        rows: list[Mapping[str, Any]] = []
        for page in range(1, _PAGES_MAX + 1):
            got = self._page(kind, told, {**wanted, "page": page})
            rows += got
            if len(got) < PAGE:
                return rows
        raise Unavailable(f"Xero lists more than {_PAGES_MAX * PAGE:,} records.", platform=PLATFORM)

    def _one(self, kind: Kind, ident: str) -> list[Mapping[str, Any]]:
        """The record of an id or number, in a list of one; an empty one where Xero knows none."""
        try:
            return records.rows_of(self._ask(GET_ONE[kind], ident), payloads.ENVELOPE[kind])
        except Faulted as refused:
            if refused.status != 404:
                raise
            return []

    def _page(
        self, kind: Kind, told: list[datetime] | None, options: Mapping[str, Any]
    ) -> list[Mapping[str, Any]]:
        answer = self._ask(GET[kind], **options)
        moment = records.instant(answer.get("DateTimeUTC"))
        if told is not None and moment is not None:
            told.append(moment)
        return records.rows_of(answer, payloads.ENVELOPE[kind])

    def _categories(self) -> list[Mapping[str, Any]]:
        return records.rows_of(self._ask("get_tracking_categories"), "TrackingCategories")

    def _ask(self, method: str, *args: Any, **options: Any) -> Mapping[str, Any]:
        return self._read(lambda call: call.ask(method, *args, **options))

    def _read(self, ask: Callable[[Call], T]) -> T:
        def once() -> T:
            self._waiting.place(self._limits(), _WAIT, PLATFORM)
            self._count("read")
            with self._in_flight(patient=True):
                return ask(self._connection.call())

        return read_again(once)

    @contextmanager
    def _in_flight(self, *, patient: bool) -> Iterator[None]:
        """One of Xero's five places; a write does not wait for one, it goes a moment later."""
        token = self._limiter.enter(self._flight)
        if token is None and patient:
            token = self._waiting.gate(self._flight, _BUSY, PLATFORM)
        if token is None:
            raise RetryLater(_BUSY, self._waiting.later(1.0), platform=PLATFORM)
        try:
            yield
        finally:
            self._limiter.leave(self._flight, token)

    def _count(self, operation: str) -> None:
        self._limiter.tally(f"xero:{self.tenant}", operation, self._clock().astimezone(UTC).date().isoformat())

    def _limits(self) -> tuple[Limit, ...]:
        told = self._limiter.noted(f"xero:{self.tenant}:day:calls")
        return limits_for(self.tenant, int(told) if told else DAY_CALLS)

    def _day_left(self, left: int) -> None:
        """Learn the day's limit, shared by all workers for an hour: what we used and what is left. Xero's day begins
        at another moment than ours, so within the hour the smaller figure holds."""
        if left == self._left:
            return
        self._left = left
        used = next(one.used for one in self._limiter.used(limits_for(self.tenant)) if one.name.endswith(":day"))
        told = self._limiter.noted(f"xero:{self.tenant}:day:calls")
        calls = min(used + left, int(told) if told else DAY_CALLS)
        if told is None or calls < int(told):
            self._limiter.note(f"xero:{self.tenant}:day:calls", str(calls), DAY_KNOWN_S)

    def _throttled(self, limit: str, seconds: float) -> None:
        name = "day" if limit == "day" else "minute"
        self._limiter.penalise(f"xero:{self.tenant}:{name}", seconds)


def file_name(name: str) -> str:
    """What Xero takes as a file's name."""
    return "".join(sign if sign.isalnum() or sign in "._-" else "-" for sign in name)


def _same(batch: Batch, outcome: Outcome, call: Call) -> Answer:
    return Answer({member.short_id: outcome for member in batch.members}, call.status, call.request_id)

