"""QuickBooks Online as a Ledger: one company (realm), read through its own API, written in batches.

Shapes are in quickbooks_payloads (out) and quickbooks_records (in), refusals in quickbooks_faults, look-ups in
quickbooks_lookup, the wire in quickbooks_http. Limits: Intuit "Limits and throttles".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from connectors import jsonbytes
from connectors.endpoints import Endpoints
from connectors.errors import NotSent, Unavailable
from connectors.http import Http, LostAnswer, PlatformSession, read_again
from connectors.ledgers import quickbooks_faults as faults
from connectors.ledgers import quickbooks_payloads as payloads
from connectors.ledgers import quickbooks_purchases as purchases
from connectors.ledgers import quickbooks_records as records
from connectors.ledgers.base import (
    Alike,
    Answer,
    Batch,
    Capabilities,
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
from connectors.ledgers.quickbooks_http import PLATFORM, Access, Call, Connection, Faulted
from connectors.ledgers.quickbooks_lookup import Lookup, quote
from connectors.ledgers.quickbooks_spelling import MEMO_MAX, Spelling
from connectors.limits import Limit, Limiter, Used, Waiting
from domain.documents import AnyDraft
from domain.held import Held

T = TypeVar("T")

PAGE = 1000
_PAGES_MAX = 500
_CDC_OBJECTS_MAX = 1000
_CDC_DAYS = timedelta(days=30)
_OVERLAP = timedelta(minutes=5)
_FED = (Kind.CUSTOMER, Kind.VENDOR, Kind.ITEM, Kind.ACCOUNT, Kind.TERM)
"""Kinds that change data capture covers; tax codes and rates are not among them."""
_WAIT = "QuickBooks' limit of calls is reached."
_UNREADABLE = "QuickBooks sent an answer of another shape."


def limits_for(realm: str, operation: str) -> tuple[Limit, ...]:
    """Intuit's 10/s and 500/min per company, 40 batches/min. Windows are a little longer than Intuit's and one
    place of ten is left free, because the service counts arrivals and we count departures."""
    scope = f"quickbooks:{realm}"
    general = (Limit(f"{scope}:second", 9, 1.1), Limit(f"{scope}:minute", 490, 60.5))
    return (*general, Limit(f"{scope}:batch", 40, 60.5)) if operation == "batch" else general


def capabilities(profile: LedgerProfile | None) -> Capabilities:
    """`profile` decides whether invoice numbers are checked: only where the company accepts ours."""
    refuses = {Kind.CUSTOMER.value, Kind.VENDOR.value, Kind.ITEM.value}
    if profile is not None and profile.own_numbers:
        refuses.add(Kind.INVOICE.value)
    return Capabilities(
        name=PLATFORM,
        batch_members=30,
        batch_bytes=1_000_000,
        calls_in_flight=4,
        number_length=21,
        party_name_length=500,
        item_name_length=100,
        line_text_length=4000,
        memo_length=MEMO_MAX,
        quantity_decimals=5,
        taxed_lines=750,
        refuses_second_copy=frozenset(refuses),
        short_id_length=10,
        can_void=frozenset(kind.value for kind in payloads.VOIDED),
        can_delete=frozenset(kind.value for kind in payloads.VOIDED | payloads.DELETED),
        unlinks=frozenset({Kind.BILL.value}),
        can_update=frozenset(kind.value for kind in (Kind.INVOICE, Kind.CREDIT_MEMO, *purchases.KINDS)),
        can_mail=frozenset({Kind.INVOICE.value, Kind.CREDIT_MEMO.value}),
        can_attach=frozenset({Kind.INVOICE.value, Kind.CREDIT_MEMO.value}),
        attachment_bytes=10_000_000,
        originals=frozenset({Kind.INVOICE.value, Kind.CREDIT_MEMO.value, Kind.PURCHASE_ORDER.value}),
    )


class QuickBooksLedger:
    """Implements `Ledger`. May be used by several threads at once: each call has its own client.

    `profile` is what `check` found last; without it drafts are written for a US company. `count(operation)` hears
    of every call that leaves, for the company's counters.
    """

    def __init__(
        self,
        *,
        realm: str,
        access: Access,
        http: Http,
        endpoints: Endpoints,
        limiter: Limiter,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
        profile: LedgerProfile | None = None,
        session: PlatformSession | None = None,
    ) -> None:
        self.tenant = realm
        self.capabilities = capabilities(profile)
        self._profile = profile
        self._endpoints = endpoints
        self._limiter = limiter
        self._clock = clock
        self._waiting = Waiting(limiter, clock, pause)
        self._connection = Connection(
            session=session or http.session(PLATFORM, endpoints.is_intuit),
            api_url=endpoints.quickbooks_api,
            realm=realm,
            access=access,
            clock=clock,
            throttled=self._throttled,
        )

    # ---- reading ------------------------------------------------------------------------------------------

    def check(self) -> LedgerProfile:
        company = self._read("companyinfo", lambda call: call.get(f"companyinfo/{self.tenant}"))
        preferences = self._read("preferences", lambda call: call.get("preferences"))
        return records.profile(_object(company, "CompanyInfo"), _object(preferences, "Preferences"), self.tenant)

    def changes(self, kinds: Sequence[Kind], since: datetime) -> Changes:
        """Kinds without a feed (tax codes) are left out. Older than 30 days: not complete, without a call."""
        fed = [kind for kind in _FED if kind in kinds]
        if since < self._clock() - _CDC_DAYS:
            return Changes((), (), since, complete=False)
        if not fed:
            return Changes((), (), since, complete=True)
        entities = ",".join(payloads.ENTITY[kind] for kind in fed)
        stamp = since.astimezone(UTC).isoformat(timespec="seconds")
        answer = self._read("cdc", lambda call: call.cdc(entities, stamp))
        return _changes(answer, fed, since)

    def lists(self, kinds: Sequence[Kind]) -> Changes:
        found: list[Record] = []
        watermark: datetime | None = None
        for kind in kinds:
            rows, asked_at = self._whole(payloads.ENTITY[kind])
            watermark = min(asked_at, watermark or asked_at)
            if kind is Kind.TAX_CODE:
                rates, _ = self._whole("TaxRate")
                found += records.tax_codes(rows, rates)
            else:
                found += [entry for row in rows if (entry := records.record(row, kind)) is not None]
        return Changes(tuple(found), (), (watermark or self._clock()) - _OVERLAP, complete=True)

    def find(self, sought: Sequence[Sought]) -> Mapping[str, Sequence[Done]]:
        return Lookup(self._rows, self.tenant).find(sought)

    def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Held]:
        return Lookup(self._rows, self.tenant).read(kind, ids)

    def alike(self, sought: Sequence[Alike]) -> Mapping[str, Sequence[Held]]:
        return Lookup(self._rows, self.tenant).alike(sought)

    def original(self, kind: Kind, ledger_id: str) -> bytes:
        return self._read("pdf", lambda call: call.pdf(payloads.ENTITY[kind], str(int(ledger_id))))

    def attached(self, kind: Kind, ledger_id: str, name: str) -> bool:
        """By the file's name; to which record it belongs is compared here."""
        rows = self._rows("Attachable", f"SELECT * FROM Attachable WHERE FileName = {quote(name)}")  # noqa: S608
        return any(records.hangs_on(row, payloads.ENTITY[kind], ledger_id) for row in rows)

    # ---- writing ------------------------------------------------------------------------------------------

    def payload(self, draft: AnyDraft, references: Mapping[tuple[str, str], str]) -> bytes:
        return payloads.payload(draft, references, Spelling.of(self._profile))

    def change(self, change: Change) -> bytes:
        return payloads.change(change, Spelling.of(self._profile))

    def call_of(self, kind: Kind, operation: str) -> str:
        """A batch holds writes of any kind."""
        return ""

    def compose(self, members: Sequence[Member]) -> bytes:
        return payloads.compose(members)

    def slot(self, operation: str) -> float:
        return self._limiter.take(limits_for(self.tenant, operation))

    def send(self, batch: Batch) -> Answer:
        """One `POST /batch` under the batch's key. The only repeat is the one after a 401, with the same key."""
        if batch.tenant != self.tenant:
            raise ValueError("this batch was frozen for another company")
        call = self._connection.call(bulk=True)
        alone = batch.members[0] if batch.members[0].operation == "send" else None
        try:
            self._count("send" if alone else "batch")
            answer = self._mail(call, batch.key, alone) if alone else call.batch(batch.key, batch.body)
        except Faulted as refused:
            undecided = faults.outcome_of({"Error": [{"code": one.code} for one in refused.reasons]})
            open_ = isinstance(undecided, Unknown)
            outcome = Unknown(refused.message) if open_ else Refused(refused.reasons, whole=True)
            return _same(batch, outcome, call)
        except LostAnswer as lost:
            return _same(batch, Unknown(lost.message), call)
        except Unavailable as away:
            # Ours, not QuickBooks': Redis went away before the call, or while noting a 429. Nothing was written.
            raise NotSent(away.message, platform=away.platform) from away
        if alone:
            return _same(batch, self._outcome(alone, answer), call)
        items = answer.get("BatchItemResponse")
        if not isinstance(items, list):
            return _same(batch, Unknown(_UNREADABLE), call)
        by_id = {str(item.get("bId")): item for item in items if isinstance(item, Mapping)}
        outcomes = {one.short_id: self._outcome(one, by_id.get(one.short_id)) for one in batch.members}
        return Answer(outcomes, call.status, call.request_id)

    def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
        self._count("upload")
        self._connection.call(bulk=True).upload(payloads.attachment(kind, ledger_id, name, shown=shown), content)

    def noted(self, kind: Kind, ledger_id: str, marker: str) -> bool:
        return False

    def note(self, kind: Kind, ledger_id: str, text: str) -> None:
        raise ValueError("QuickBooks takes no notes: what we have to say stands in the private note")

    def link(self, kind: Kind, ledger_id: str) -> str:
        """Source of the real address: the one QuickBooks Online itself shows, with the company named."""
        if self._endpoints.sandbox is not None:
            page = kind.value.replace("_", "")
            return f"{self._endpoints.quickbooks_web}/{self.tenant}/{page}/{ledger_id}"
        page, name = _PAGES.get(kind, (kind.value, "txnId"))
        return f"{self._endpoints.quickbooks_web}/{page}?{name}={ledger_id}&companyId={self.tenant}"

    # ---- limits -------------------------------------------------------------------------------------------

    def usage(self) -> list[Used]:
        """Calls in the present windows against each limit."""
        return self._limiter.used(limits_for(self.tenant, "batch"))

    # ---- inside -------------------------------------------------------------------------------------------

    def _mail(self, call: Call, key: str, member: Member) -> Mapping[str, Any]:
        wanted = jsonbytes.load(member.payload)
        return call.mail(key, payloads.ENTITY[member.kind], str(int(wanted["Id"])), wanted["sendTo"])

    def _outcome(self, member: Member, item: Mapping[str, Any] | None) -> Outcome:
        if item is None:
            return Unknown("QuickBooks' answer does not mention this record.")
        fault = item.get("Fault")
        if isinstance(fault, Mapping):
            return faults.outcome_of(fault)
        body = item.get(payloads.ENTITY[member.kind])
        done = records.done(body, member.kind, self.tenant) if isinstance(body, Mapping) else None
        return done or Unknown(_UNREADABLE)

    def _read(self, operation: str, ask: Callable[[Call], T]) -> T:
        def once() -> T:
            self._waiting.place(limits_for(self.tenant, operation), _WAIT, PLATFORM)
            self._count(operation)
            return ask(self._connection.call())

        return read_again(once)

    def _rows(self, entity: str, statement: str) -> list[Mapping[str, Any]]:
        """All rows of a query, by pages of 1,000."""
        return self._paged(entity, statement)[0]

    def _whole(self, entity: str) -> tuple[list[Mapping[str, Any]], datetime]:
        """A list with inactive entries, and QuickBooks' own time before reading it."""
        # An item's Sku is left out of `*` (python-quickbooks' changelog); asking for it by name brings it.
        columns = "*, Sku" if entity == "Item" else "*"
        return self._paged(entity, f"SELECT {columns} FROM {entity} WHERE Active IN (true, false)")  # noqa: S608

    def _paged(self, entity: str, statement: str) -> tuple[list[Mapping[str, Any]], datetime]:
        rows: list[Mapping[str, Any]] = []
        asked_at: datetime | None = None
        for page in range(_PAGES_MAX):
            start = page * PAGE + 1
            full = f"{statement} ORDERBY Id STARTPOSITION {start} MAXRESULTS {PAGE}"
            answer = self._read("query", lambda call, text=full: call.query(text))  # type: ignore[misc]
            asked_at = asked_at or records.instant(answer.get("time")) or self._clock()
            got = answer.get(entity)
            batch = [row for row in got if isinstance(row, Mapping)] if isinstance(got, list) else []
            rows += batch
            if len(batch) < PAGE:
                return rows, asked_at
        raise Unavailable(f"QuickBooks lists more than {_PAGES_MAX * PAGE:,} records.", platform=PLATFORM)

    def _count(self, operation: str) -> None:
        self._limiter.tally(f"quickbooks:{self.tenant}", operation, self._clock().astimezone(UTC).date().isoformat())

    def _throttled(self, seconds: float) -> None:
        self._limiter.penalise(f"quickbooks:{self.tenant}:minute", seconds)


_PAGES = {
    Kind.INVOICE: ("invoice", "txnId"),
    Kind.CREDIT_MEMO: ("creditmemo", "txnId"),
    Kind.BILL: ("bill", "txnId"),
    Kind.PURCHASE_ORDER: ("purchaseorder", "txnId"),
    Kind.CUSTOMER: ("customerdetail", "nameId"),
    Kind.VENDOR: ("vendordetail", "nameId"),
    Kind.ITEM: ("items", "itemId"),
    Kind.ACCOUNT: ("register", "accountId"),
}


def _same(batch: Batch, outcome: Outcome, call: Call) -> Answer:
    return Answer({member.short_id: outcome for member in batch.members}, call.status, call.request_id)


def _object(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    body = answer.get(name)
    if not isinstance(body, Mapping):
        raise Unavailable(_UNREADABLE, platform=PLATFORM)
    return body


def _changes(answer: Mapping[str, Any], kinds: Sequence[Kind], since: datetime) -> Changes:
    """Read a CDC answer. A fault inside it, or a shape that is not one, must not look like "nothing changed"."""
    responses = answer.get("CDCResponse")
    if not isinstance(responses, list):
        raise Unavailable(_UNREADABLE, platform=PLATFORM)
    found: list[Record] = []
    removed: list[tuple[Kind, str]] = []
    count = 0
    for response in responses:
        if not isinstance(response, Mapping) or "Fault" in response:
            raise Unavailable("QuickBooks could not list what changed.", platform=PLATFORM)
        for part in response.get("QueryResponse") or []:
            if not isinstance(part, Mapping) or "Fault" in part:
                raise Unavailable("QuickBooks could not list what changed.", platform=PLATFORM)
            for kind in kinds:
                for row in part.get(payloads.ENTITY[kind]) or []:
                    count += 1
                    _sort(row, kind, found, removed)
    told = records.instant(answer.get("time"))
    watermark = told - _OVERLAP if told is not None else since
    return Changes(tuple(found), tuple(removed), watermark, complete=count < _CDC_OBJECTS_MAX)


def _sort(row: Any, kind: Kind, found: list[Record], removed: list[tuple[Kind, str]]) -> None:
    if not isinstance(row, Mapping):
        return
    entry = records.record(row, kind)
    if entry is None:
        return
    if row.get("status") == "Deleted":
        removed.append((kind, entry.id))
    else:
        found.append(entry)
