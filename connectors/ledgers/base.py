"""The port through which ledger documents are composed, sent, looked up and mirrored.

A ledger is bound to one tenant and one access token supplier. `payload` and `compose` are pure: preview and
sending use the same bytes. `send` never splits, merges or retries a write; the key in the batch was committed
before the first byte leaves. One contract suite runs against every implementation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from connectors.ledgers.abilities import Capabilities as Capabilities
from connectors.ledgers.abilities import LedgerProfile as LedgerProfile
from connectors.limits import Used
from domain.documents import AnyDraft, Draft
from domain.held import Held

CLOSED = "closed"


class Kind(StrEnum):
    """Ledger record kinds that the mirror and postings speak of."""

    CUSTOMER = "customer"
    VENDOR = "vendor"
    ITEM = "item"
    ACCOUNT = "account"
    TERM = "term"
    TAX_CODE = "tax_code"
    CLASS = "class"
    LOCATION = "location"
    THEME = "theme"
    """How a document looks when it is printed or mailed."""
    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    BILL = "bill"
    PURCHASE_ORDER = "purchase_order"


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of a ledger list. `details` holds the few plain values rules need, by kind:

    customer: currency, email, taxable (bool), term_id, parent_id · vendor: currency, email, term_id · item: type,
    income_account_id, expense_account_id (a purchasable item has one), sku, taxable ·
    account: type, subtype, number, currency · term: days · tax_code: rate (percent as decimal text), taxable (bool),
    purchases (False when it cannot stand on a purchase),
    components ("<rate id>=<percent>" by blanks in the ledger's order, "+" behind one that applies on the net
    and the taxes before it, "*" behind one that applies on those taxes alone),
    rate_active (False when one of its rates is inactive).
    """

    kind: Kind
    id: str
    name: str
    version: str
    active: bool
    details: Mapping[str, str | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
    """An answer of the change feed. `complete` False means too many: read the lists whole instead.

    `watermark` is the ledger's own time for the next `since`. `removed` are (kind, id) pairs.
    """

    records: tuple[Record, ...]
    removed: tuple[tuple[Kind, str], ...]
    watermark: datetime
    complete: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A write to a record that exists: `void` takes it out of the books (deletes it where the kind cannot be void),
    `update` puts `draft` in its place under the same id, `promote` approves it as `draft` wants, `close` marks an order
    as billed, `send` mails it to the customer. `version` is the one that was read last; `address` is for a record that
    names none."""

    kind: Kind
    operation: str
    ledger_id: str
    version: str
    draft: Draft | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One write inside a batch. `payload` is frozen; `short_id` is the answer's key."""

    short_id: str
    kind: Kind
    operation: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Frozen and committed before `send` sees it. `key` is the idempotency key of every send of this body."""

    key: str
    tenant: str
    members: tuple[Member, ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Echo:
    """What the ledger says it holds: compared with the draft before anything counts as confirmed."""

    tenant: str
    kind: Kind
    party_id: str | None
    number: str | None
    currency: str | None
    total: Decimal | None
    lines: int | None
    marker: str | None
    """The text in which our marker stands (a private note, a reference, a link)."""
    name: str | None = None
    created_at: datetime | None = None
    live: bool = True
    status: str = ""
    """draft, submitted, approved, or closed (`CLOSED`: an order that is billed whole); empty where a ledger knows no
    such thing."""
    record: Record | None = None
    """For parties and items: the entry for the mirror."""
    version: str | None = None
    """Grows with every change of the record, whoever makes it. A change names the one it saw, so that it applies to
    that state of the record or not at all."""
    balance: Decimal | None = None
    """What of the total is still open: less than the total when payments or credits are applied."""
    date: date | None = None
    mailed: bool = False
    """The ledger says that it sent the document to the customer."""
    mailed_at: datetime | None = None
    email: str | None = None
    """Where the ledger would send it."""
    tax: Decimal | None = None
    """The document's tax as the ledger booked it."""
    nets: Mapping[str, Decimal] = field(default_factory=dict)
    """Net amounts by the lines' tax code ids; where lines are only taxable or not, by `domain.taxsums`' two words."""
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    """Tax by rate id, as far as the ledger tells."""
    rate: Decimal | None = None
    """Home units for one unit of the document's currency, as booked; None where the ledger tells none."""
    line_ids: tuple[str, ...] = ()
    """Of a purchase order: the ids of its lines in the order they were sent, for bills to link to."""
    warnings: tuple[str, ...] = ()
    """What the ledger took and found odd all the same, in its own words: shown, never acted on."""


@dataclass(frozen=True, slots=True)
class Done:
    ledger_id: str
    number: str | None
    echo: Echo


class Refusal(StrEnum):
    """Why a ledger said no, neutral of its codes."""

    DUPLICATE_NUMBER = "duplicate_number"
    DUPLICATE_NAME = "duplicate_name"
    BAD_REFERENCE = "bad_reference"
    CLOSED_PERIOD = "closed_period"
    TOO_LONG = "too_long"
    TAX = "tax"
    AMOUNT = "amount"
    DUE_DATE = "due_date"
    """The due date lies before the document's date."""
    FEATURE_OFF = "feature_off"
    SUBSCRIPTION = "subscription"
    STALE = "stale"
    """The record was changed since the version that the change named: nothing was changed."""
    UNSUPPORTED = "unsupported"
    """The ledger does not know the operation: nothing was changed."""
    NOT_CHANGEABLE = "not_changeable"
    """A record of this number or id is there and its state allows no change (paid, voided)."""
    CURRENCY = "currency"
    """The company does not keep this currency."""
    PLAN_LIMIT = "plan_limit"
    """The company's plan allows no more of these for now."""
    TRANSIENT = "transient"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LedgerFault:
    refusal: Refusal
    code: str
    message: str
    ledger_id: str | None = None
    """The record the ledger names in its refusal, where it does (duplicate number, duplicate name)."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A definite no. `whole`: the call was refused as a whole, which member is to blame is not told."""

    faults: tuple[LedgerFault, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The answer was lost or unreadable. Only a look-up decides."""

    evidence: str


Outcome = Done | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Answer:
    """All outcomes of one send by short id (every member has one), with the transport's evidence."""

    outcomes: Mapping[str, Outcome]
    http_status: int | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class Sought:
    """What to look for. By number where there is one, by name for parties and items, else by creation time.

    `marker` is compared by the caller; `since` bounds a search by creation time; `ledger_id` is asked directly
    when a refusal named it.
    """

    key: str
    kind: Kind
    number: str | None = None
    name: str | None = None
    since: datetime | None = None
    ledger_id: str | None = None


@dataclass(frozen=True, slots=True)
class Alike:
    """A document that may stand in the ledger already, made by somebody else: of this party, with this number (in any
    case and spacing), or of this total dated in the span. Totals are net of tax. `party_id` is the ledger's id."""

    key: str
    kind: Kind
    party_id: str
    number: str | None
    net: Decimal
    since: date
    until: date


def is_alike(sought: Alike, held: Held) -> bool:
    """Whether a document answers: its party, and its number or (in the span) its net amount."""
    if held.party_id != sought.party_id:
        return False
    if sought.number and held.number and _plain(held.number) == _plain(sought.number):
        return True
    in_span = held.date is not None and sought.since <= held.date <= sought.until
    return in_span and held.total - held.tax == sought.net


def _plain(number: str) -> str:
    return "".join(number.split()).casefold()


@runtime_checkable
class FindsAlike(Protocol):
    """The part of the port for kinds of which the ledger refuses no second copy, bills first of all (R73)."""

    def alike(self, sought: Sequence[Alike]) -> Mapping[str, Sequence[Held]]:
        """Live documents that answer each `Alike`, ours among them (the caller knows ours by id and note). Keys without
        any map to an empty list. As few metered reads as the ledger allows. Raises as reads do."""
        ...


class Ledger(FindsAlike, Protocol):
    @property
    def tenant(self) -> str:
        """The ledger company's id."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    def check(self) -> LedgerProfile:
        """Company and preferences now. Two metered reads."""
        ...

    def changes(self, kinds: Sequence[Kind], since: datetime) -> Changes:
        """Everything of these kinds changed since. One metered read for all kinds."""
        ...

    def lists(self, kinds: Sequence[Kind]) -> Changes:
        """The same kinds read whole, inactive ones included (for feeds that overflow, and lists no feed covers)."""
        ...

    def payload(self, draft: AnyDraft, references: Mapping[tuple[str, str], str]) -> bytes:
        """The frozen bytes of one record. Pure. `references` maps (kind, key) to ids for references without one.

        Raises KeyError when a reference is still without an id: a mistake of the caller.
        """
        ...

    def change(self, change: Change) -> bytes:
        """The frozen bytes of a change to an existing record. Pure. Raises ValueError where the kind cannot have it."""
        ...

    def call_of(self, kind: Kind, operation: str) -> str:
        """Writes of the same word may travel in one call. Pure."""
        ...

    def compose(self, members: Sequence[Member]) -> bytes:
        """The exact body of one batch; its length is what `batch_bytes` bounds. Pure."""
        ...

    def slot(self, operation: str) -> float:
        """Take a place in the shared limit for one call. 0 when granted, else seconds until asking again."""
        ...

    def send(self, batch: Batch) -> Answer:
        """One call, one answer, no retry. The caller took the slot.

        Raises NotSent, RetryLater, NeedsReconnect, NotAllowed only when nothing can have been written.
        """
        ...

    def find(self, sought: Sequence[Sought]) -> Mapping[str, Sequence[Done]]:
        """Look up what exists, one query per kind and way of asking. Keys without a find map to an empty list.

        Records that are void come back with `echo.live` False, deleted ones so or not at all. Documents carry
        `echo.version`, `balance` and `date`. Raises as reads do.
        """
        ...

    def read(self, kind: Kind, ids: Sequence[str]) -> Mapping[str, Held]:
        """Whole documents as they stand now, by id; voided ones with `live` False, deleted ones left out.

        One metered read per hundred ids. Raises as reads do.
        """
        ...

    def usage(self) -> Sequence[Used]:
        """Calls in the present windows against each limit we keep. Asks the shared store, not the platform."""
        ...

    def original(self, kind: Kind, ledger_id: str) -> bytes:
        """The ledger's own PDF, of the kinds in `capabilities.originals`."""
        ...

    def attached(self, kind: Kind, ledger_id: str, name: str) -> bool:
        """Whether a file of this name hangs on the record. One metered read."""
        ...

    def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
        """Hang a PDF on the record; `shown`: it goes with the mail to the customer. One call, no retry; the caller
        took the slot and looked first. A name is plain ASCII. `BadAnswer`: refused. Raises as `send` does, and
        LostAnswer when it may hang there."""
        ...

    def noted(self, kind: Kind, ledger_id: str, marker: str) -> bool:
        """Whether a note with our marker stands in the record's history. One metered read."""
        ...

    def note(self, kind: Kind, ledger_id: str, text: str) -> None:
        """Add a note to the history, of the kinds in `capabilities.can_note`. One call, no retry, and a second call
        makes a second note: the caller took the slot and looked first. Raises as `attach` does."""
        ...

    def link(self, kind: Kind, ledger_id: str) -> str:
        """The address at which a person opens the record. Pure."""
        ...
