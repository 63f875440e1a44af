"""What a company chose, as typed values with their defaults. Defaults and reasons: accounting reference, section 3.

Storage, versions and forms live elsewhere (`sync/store`, `blueprints/settings`); this is what rules read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.mails import Rhythm
from domain.taxmap import TaxMap


class SyncState(StrEnum):
    ON = "Sync invoices"
    REVIEW = "Review first"
    """Read and checked by themselves; a person releases what stands ready."""
    OFF = "Do not sync invoices"
    NEXT_BATCH = "Sync next batch of invoices and then turn off sync"


class Numbering(StrEnum):
    """Whose number the ledger document carries, and with it what "unsynced" means in the source."""

    LEDGER = "ledger"
    SOURCE = "source"
    SOURCE_ID = "source_id"


class MatchBy(StrEnum):
    """The billing code's field that is compared with the name of the ledger's item."""

    NAME = "name"
    ID = "id"
    NUMBER = "number"


class MissingItem(StrEnum):
    CREATE = "create"
    HOLD = "hold"


class ZeroTotal(StrEnum):
    SKIP = "skip"
    POST = "post"


class VoidPolicy(StrEnum):
    """What becomes of the ledger's copy when the source voids an invoice. Paid and credited ones are always asked."""

    ASK = "ask"
    VOID = "void"


class BillTo(StrEnum):
    """Whether every company that a line is billed for must be known (the check stage of the bill-to link)."""

    IGNORE = "ignore"
    CHECK = "check"


class BlankText(StrEnum):
    NAME = "name"
    HOLD = "hold"


class PennyPolicy(StrEnum):
    """What happens when the rounded lines miss the total by what rounding can explain."""

    LINE = "line"
    STOP = "stop"


class SubCustomers(StrEnum):
    """Whom a document goes to whose lines all belong to one sub-company of the company that is billed (R37)."""

    OFF = "parent"
    ON = "sub_customer"


class LineDetail(StrEnum):
    """How many lines a document has in the ledger. Lines join only where item, account and tax agree (R06)."""

    EVERY = "every"
    PRINTED = "printed"
    ITEM = "item"
    DOCUMENT = "document"


class ClosedPeriod(StrEnum):
    """What happens to a document dated in a period that the ledger closed."""

    STOP = "stop"
    OPEN_DAY = "open_day"


class DueDate(StrEnum):
    """Where an invoice's due date comes from."""

    SOURCE = "source"
    TERMS = "terms"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class TermRule:
    """Terms of the source that the ledger calls by another name."""

    term_id: str
    ledger_id: str


@dataclass(frozen=True, slots=True)
class LineRule:
    """Where lines of a billing code and kind go: to an item, or to an account. A blank code or kind is any."""

    code_id: str
    kind: str
    item: str | None = None
    account: str | None = None


NO_TAX_MAP = TaxMap()


class TaxSource(StrEnum):
    """Whose tax a document ends with. Net amounts are sent whatever is chosen."""

    SOURCE = "source"
    LEDGER = "ledger"
    NONE = "none"


class TrackBy(StrEnum):
    """What of the source decides the class of a line or the location of a document."""

    NONE = "nothing"
    DEPARTMENT = "department"
    BUSINESS = "line of business"
    TERRITORY = "territory"


@dataclass(frozen=True, slots=True)
class TrackRule:
    """The class or location of a department, line of business or territory that has none of its name."""

    by: TrackBy
    source_id: str
    ledger_id: str


@dataclass(frozen=True, slots=True)
class ThemeRule:
    """The ledger's branding theme of an invoice template of the source."""

    template_id: str
    ledger_id: str


class InitialStatus(StrEnum):
    """As what documents begin in a ledger that knows such states (values are those of `Draft.status`)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"


class RateSource(StrEnum):
    """Whose exchange rate a document in a foreign currency is booked with."""

    LEDGER = "ledger"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class InvoiceSettings:
    """Settings → Invoices. Account, item and tax code ids are the ledger's ids."""

    start_date: date
    sync_state: SyncState = SyncState.OFF
    look_back_days: int = 14
    numbering: Numbering = Numbering.SOURCE
    number_prefix: str = ""
    """Before the source's id where that is the number. It stays once a document bears it."""
    match_by: MatchBy = MatchBy.NUMBER
    exact_names: bool = False
    """A customer's name must agree with the source's in upper and lower case too."""
    missing_item: MissingItem = MissingItem.HOLD
    created_item_account: str | None = None
    zero_total: ZeroTotal = ZeroTotal.SKIP
    blank_text: BlankText = BlankText.NAME
    bill_to: BillTo = BillTo.IGNORE
    untaxed_code: str | None = None
    """Stands for zero-rated, exempt and out of scope until the tax map says more."""
    tax_source: TaxSource = TaxSource.SOURCE
    tax_map: TaxMap = NO_TAX_MAP
    line_map: tuple[LineRule, ...] = ()
    line_detail: LineDetail = LineDetail.EVERY
    long_service_months: int = 1
    """A service billed for more months than these at once asks for an account (R29)."""
    no_company_customer: str | None = None
    """The ledger customer of documents that name no company."""
    no_company_name: str | None = None
    """Instead: the name of a customer to create for them."""
    sub_customers: SubCustomers = SubCustomers.OFF
    penny_policy: PennyPolicy = PennyPolicy.LINE
    rounding_account: str | None = None
    voids: VoidPolicy = VoidPolicy.ASK
    void_window_days: int = 14
    """Voids are looked for that far back, whatever the look-back of new invoices is; so are re-issues of them."""
    closed_period: ClosedPeriod = ClosedPeriod.STOP
    due_date: DueDate = DueDate.SOURCE
    term_map: tuple[TermRule, ...] = ()
    """Only for terms of which the ledger has none of equal name."""
    rate_source: RateSource = RateSource.LEDGER
    class_by: TrackBy = TrackBy.NONE
    class_map: tuple[TrackRule, ...] = ()
    class_default: str | None = None
    location_by: TrackBy = TrackBy.NONE
    location_map: tuple[TrackRule, ...] = ()
    location_default: str | None = None
    theme_map: tuple[ThemeRule, ...] = ()
    """Only for templates of which the ledger has no theme of equal name."""
    theme_default: str | None = None
    """The theme of all other documents; None: the ledger's own default."""
    initial_status: InitialStatus = InitialStatus.DRAFT
    mark_sent: bool = False
    """Approved invoices are shown as sent to the customer; the ledger sends nothing."""
    run_limit: int = 200
    time_zone: str = "UTC"
    source_time_zone: str = "UTC"
    recipients: tuple[str, ...] = ()
    memo_order_number: bool = True
    memo_tax_group: bool = False
    memo_invoice_date: bool = False
    memo_comments: bool = False
    mail_customers: bool = False
    """The ledger mails each posted invoice to its customer."""
    attach_pdf: bool = False
    """The source's PDF hangs on each posted document."""
    attach_shown: bool = False
    """It goes with the ledger's mail to the customer."""
    history_note: bool = False
    """A note in the history of each posted document says where it comes from."""
    scheduled_mails: Rhythm = Rhythm.DAILY
    mail_hour: int = 7
    """The daily report's hour, 0 to 23, in the company's time zone."""
    problem_recipients: tuple[str, ...] = ()
    connection_recipients: tuple[str, ...] = ()
    silence_recipients: tuple[str, ...] = ()
    """Addresses of these alarms; empty: those of the reports."""
    error_todos: bool = False
    todo_action_type: str | None = None
    todo_resource: str | None = None
    """Ids of the source's action type and person."""
    mark_errors: bool = False
    """`ERROR` is written where the source has no number for a document that could not be posted."""
