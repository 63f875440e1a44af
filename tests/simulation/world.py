"""The companies of a seed: their books, their source, their documents and what must become of each.

`Wanted` is the checker's own reading of the source: whether a document must be posted, and with which totals it
may be (it can be edited on its way). The app never sees it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from connectors.ledgers.base import Kind
from connectors.sources.memory import MemorySource
from domain.documents import Catalog, Code, Party, SourceDocument
from domain.order_settings import Becomes, Freight
from domain.settings import ClosedPeriod, InitialStatus, InvoiceSettings, MissingItem, Numbering, SyncState, VoidPolicy
from models import Company, CompanyLease, Connection, ErrorMarkState, MirrorState, SettingsVersion, TodoState
from sync import codec, todo_state
from tests.engine.world import invoice, line
from tests.simulation.books import SimBooks
from tests.simulation.dialects import Dialect
from tests.simulation.faults import Faults
from tests.simulation.kernel import START, Kernel
from tests.simulation.platforms import Line

PARTIES = ("Harbor Point Clinic", "Blue Finch Bakery", "Kestrel Logistics", "Maple Street Dental")
UNREADABLE = "\N{REPLACEMENT CHARACTER}"
PARTY_NAMES = {str(175 + index): name for index, name in enumerate(PARTIES)} | {"181": "Grey Heron"}
BY_HAND = "typed by hand"
TODO_PERSON, TODO_ACTION = "29", "7"
"""Of the staff in `MemorySource`."""
CODES = (("1", "Remote support", "LAB-1"), ("2", "Hardware", "HW-2"), ("3", "Block hours", "BLK-3"))


@dataclass
class Wanted:
    """What must become of one source document. `posts` False: it must never reach the books."""

    id: str
    posts: bool
    totals: list[Decimal]
    voided: bool = False
    why: str = ""
    party: str = ""
    """The source party it belongs to."""
    instead_of: str | None = None
    """It bills the items of this voided invoice again: exactly one of the two may be in the books."""
    kind: str = "invoice"
    """The source's record type."""
    part: str = ""
    """Of an order: what it was received under."""
    late: bool = False
    """It came to be after the order it belongs to was approved: it may be noticed a day later."""

    @property
    def key(self) -> str:
        return f"{self.id}/{self.part}" if self.part else self.id

    @property
    def name(self) -> str:
        return f"{self.kind} {self.key}"


@dataclass
class Purchases:
    """What the office and the checker know of a company's orders."""

    becomes: Becomes
    freight_account: str
    freight: Freight
    numbered: bool = False
    """Orders bear the source's numbers in the ledger."""
    receipts: int = 0
    """Made so far: each has an id of its own."""
    sent_back: set[str] = field(default_factory=set)
    """Orders of which something that was received went back."""


@dataclass
class Tenant:
    """One company on both sides."""

    company_id: int
    books: SimBooks
    source: MemorySource
    ledger_line: Line
    source_line: Line
    members: int
    dialect: Dialect
    later: list[SourceDocument] = field(default_factory=list)
    wanted: dict[str, Wanted] = field(default_factory=dict)
    purchases: Purchases | None = None
    untaxed: str | None = None
    """The ledger's code of untaxed lines, where each line names one."""
    closes: bool = False
    """Its books are closed for the month of its invoices one day; later ones go on the first open day."""
    foreign: dict[str, Decimal] = field(default_factory=dict)
    """Documents that people typed into the ledger, and their totals: nobody else's business."""
    relinked_until: float = 0.0
    """Until then its connection leads to another company's books."""

    def want(self, wanted: Wanted) -> None:
        self.wanted[wanted.key] = wanted

    def name_of(self, key: str) -> str:
        return self.wanted[key].name if key in self.wanted else f"document {key}"

    def purchases_of(self) -> Purchases:
        assert self.purchases is not None
        return self.purchases

    def approve(self, document: SourceDocument, at: datetime) -> None:
        document = replace(document, header=replace(document.header, created_at=at))
        self.source.put(document)


def make_tenant(db: Session, number: int, kernel: Kernel, faults: Faults, rng: random.Random, dialect: Dialect, *,
                hard: bool = False, known: bool = False, most: int = 500) -> Tenant:  # fmt: skip
    """A connected company with `most` documents or fewer. `hard`: the ledger checks no number of its documents.
    `known`: it has every customer and item."""
    own_numbers = False if hard else rng.random() < 0.7
    books = dialect.books(clock=kernel.now, tenant=f"913000000000000{number}", own_numbers=own_numbers, kernel=kernel)
    source = MemorySource(tenant=f"5135{number:02}")
    closes = not hard and rng.random() < 0.3
    company_id, untaxed = _rows(db, number, books, source, own_numbers, rng, dialect, closes)
    books.company_id = company_id
    tenant = Tenant(
        company_id, books, source, Line(kernel, faults, company_id, dialect.ledger),
        Line(kernel, faults, company_id, "Autotask"), members=rng.choice((1, 2)) if hard else rng.randint(1, 30),
        dialect=dialect, untaxed=untaxed, closes=closes,
    )  # fmt: skip
    _furnish(tenant, rng, known)
    _documents(tenant, rng, hard, most)
    books.faults = faults  # From here on what is stored may show late.
    return tenant


def _rows(db: Session, number: int, books: SimBooks, source: MemorySource, own: bool, rng: random.Random,
          dialect: Dialect, closes: bool) -> tuple[int, str | None]:  # fmt: skip
    account = books.add(Kind.ACCOUNT, "Sales", type="Income").id
    settings = InvoiceSettings(
        start_date=date(2026, 1, 1),
        missing_item=MissingItem.CREATE,
        created_item_account=account,
        run_limit=5000,
        sync_state=SyncState.ON if rng.random() < 0.6 else SyncState.OFF,
        numbering=Numbering.SOURCE if own else Numbering.LEDGER, mark_errors=rng.random() < 0.5,
        voids=rng.choice((VoidPolicy.ASK, VoidPolicy.VOID)),
        mail_customers=rng.random() < 0.3,
        attach_pdf=rng.random() < 0.3,
        attach_shown=rng.random() < 0.5,
        closed_period=ClosedPeriod.OPEN_DAY if closes else ClosedPeriod.STOP,
        error_todos=rng.random() < 0.4, todo_action_type=TODO_ACTION, todo_resource=TODO_PERSON,
        initial_status=rng.choice((InitialStatus.DRAFT, InitialStatus.SUBMITTED, InitialStatus.APPROVED)),
        history_note=number % 3 == 0,
    )
    if books.drafts:  # every line of a Xero document names a tax code
        untaxed = books.add(Kind.TAX_CODE, "No tax", rate="0", taxable=False).id
        settings = replace(settings, untaxed_code=untaxed, rounding_account=account)
    company = Company(
        name=f"Company {number}",
        ledger=dialect.ledger,
        ledger_tenant=books.tenant,
        source_tenant=source.tenant,
        country="GB" if books.drafts else "US",
        currency="USD",
        created_at=START,
        profile={},
        setup_step="ready",
        first_posted_at=START,
    )
    db.add(company)
    db.flush()
    db.add_all([
        CompanyLease(company_id=company.id, fence=0, step=""), MirrorState(company_id=company.id, progress={}),
        SettingsVersion(company_id=company.id, area="invoices", version=1, values=codec.dump(settings), changes=[],
                        saved_at=START),
        ErrorMarkState(company_id=company.id, area="invoices", wanted=settings.mark_errors),
        Connection(company_id=company.id, side="ledger", platform=dialect.ledger, tenant=books.tenant,
                   state="connected"),
        Connection(company_id=company.id, side="source", platform="autotask", tenant=source.tenant,
                   state="connected"),
    ])  # fmt: skip
    todo_state.choose(db, company.id, "invoices", TodoState, settings.error_todos, START)
    return company.id, settings.untaxed_code


def _furnish(tenant: Tenant, rng: random.Random, known: bool) -> None:
    """Parties and codes; some are in the ledger already, one name is similar, one belongs to a vendor."""
    for index, name in enumerate(PARTIES):
        tenant.source.put_party(Party(str(175 + index), name, email=f"office-{index}@customer.invalid"))
        if known or rng.random() < 0.4:
            tenant.books.add(Kind.CUSTOMER, name)
    tenant.source.put_party(Party("180", "Acme Ltd"), Party("181", "Grey Heron"), Party("182", "Refused Partners"))
    tenant.books.add(Kind.CUSTOMER, "ACME Limited")
    tenant.books.add(Kind.VENDOR, "Grey Heron")
    tenant.books.refused_names = frozenset({"Refused Partners"})
    tenant.source.lists = Catalog({id: Code(id, name, number) for id, name, number in CODES})
    there = CODES if known else CODES[:1] if rng.random() < 0.5 else ()
    for _, _, number in there:
        tenant.books.add(Kind.ITEM, number, type="Service")


def _documents(tenant: Tenant, rng: random.Random, hard: bool, most: int) -> None:
    count = min(most, rng.randrange(6, 14) if hard else rng.choice((8, 60, 250, 500)))
    for n in range(1, count + 1):
        document, posts, why = _document(str(n), tenant, rng, hard)
        header = document.header
        tenant.wanted[header.id] = Wanted(
            header.id, posts, [header.total], why=why, party=str(PARTY_NAMES.get(header.party_id or "", ""))
        )
        if rng.random() < 0.6:
            tenant.source.put(document)
        else:
            tenant.later.append(document)


def _document(id: str, tenant: Tenant, rng: random.Random, hard: bool) -> tuple[SourceDocument, bool, str]:
    draw = 1.0 if hard else rng.random() ** (0.6)  # problems are rarer than healthy documents
    party = str(175 + rng.randrange(len(PARTIES)))
    cents = rng.randrange(100, 90_000)
    if draw < 0.04:
        return made(id, tenant, [0], party), False, "zero total"
    if draw < 0.08:
        return made(id, tenant, [cents], None), False, "no customer"
    if draw < 0.12:
        whose = rng.choice(("180", "181", "182"))
        alone = whose == "181" and not tenant.dialect.one_name_list  # a vendor of that name is no clash there
        return made(id, tenant, [cents], whose), alone, "customer needs a person"
    if draw < 0.16:
        tenant.books.refused_numbers |= {f"AT-{id}"}
        return made(id, tenant, [cents], party), not tenant.books.own_numbers, "number refused"
    if draw < 0.19:
        document = made(id, tenant, [cents], party)
        return replace(document, lines=(line(f"{id}-1", "0.50"),)), False, "never complete"
    if draw < 0.23 and tenant.books.own_numbers:
        _foreign(tenant, f"AT-{id}")
        return made(id, tenant, [cents], party), False, "number taken by somebody else"
    if draw < 0.27:
        tenant.books.unreadable = UNREADABLE
        document = made(id, tenant, [cents], party)
        line_ = replace(document.lines[0], text=f"item {id}-0 {UNREADABLE}")
        return replace(document, lines=(line_,)), False, "the call it is in is refused as a whole"
    codes = (rng.choice(CODES)[0], "2")
    if draw < 0.42 or (hard and rng.random() < 0.5):
        return made(id, tenant, [-cents], party, codes), True, "credit"
    if draw < 0.6:
        return made(id, tenant, [cents, 1050], party, codes), True, "two lines"
    return made(id, tenant, [cents], party, codes), True, "plain"


def made(
    id: str, tenant: Tenant, cents: list[int], party: str | None, codes: tuple[str, ...] = ("1", "2")
) -> SourceDocument:
    """A finished invoice with one line for each amount; the text of a line names its billing item."""
    lines = tuple(
        line(f"{id}-{n}", f"{amount / 100:.2f}", code=codes[n], text=f"item {id}-{n}") for n, amount in enumerate(cents)
    )
    document = invoice(id, f"{sum(cents) / 100:.2f}", party=party, lines=lines)
    if not tenant.books.own_numbers:  # The ledger numbers: what has no number yet is unsynced.
        document = replace(document, header=replace(document.header, number=None))
    return document


def _foreign(tenant: Tenant, number: str) -> None:
    """Somebody typed an invoice with this number."""
    books = tenant.books
    customer = books.add(Kind.CUSTOMER, f"Walk-in {number}").id
    entry = books._store(Kind.INVOICE, {
        "party": customer, "number": number, "date": "2026-11-01", "currency": "USD", "tax": Decimal(0),
        "status": "approved", "marker": BY_HAND, "lines": [{"item": "0", "text": "Walk-in", "amount": Decimal("5.00")}],
    })  # fmt: skip
    tenant.foreign[entry.id] = Decimal("5.00")
