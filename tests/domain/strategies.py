"""Generated source documents, lists and facts: whatever Autotask might hold, mess included."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import strategies as st

from domain.documents import Catalog, Code, Party, SourceDocument, SourceHeader, SourceLine
from domain.known import Entry, Facts, Lists
from domain.matching import fold, loose
from domain.settings import BlankText, InvoiceSettings, MatchBy, MissingItem, Numbering, ZeroTotal
from domain.taxes import TaxModel

CREATED = dt.datetime(2026, 11, 13, 8, 0, tzinfo=dt.UTC)
CURRENCIES = ("USD", "GBP", "JPY", "KWD")

cents = st.integers(-5_000_000, 5_000_000).map(lambda n: Decimal(n) / 100)
fine = st.integers(-50_000_000, 50_000_000).map(lambda n: Decimal(n) / 10_000)
"""Amounts with four decimals, as Autotask can keep labour."""
quantities = st.one_of(
    st.integers(-500, 500).map(Decimal), st.integers(-10**9, 10**9).map(lambda n: Decimal(n) / 10**7)
)
texts = st.text(max_size=40)
names = st.text(min_size=1, max_size=30).filter(lambda name: name.strip() != "")
company_names = st.builds(
    lambda words, digits, form: " ".join([*words, digits, form]).strip(),
    st.lists(st.sampled_from(("Acme", "Harbor", "Blue", "Finch", "Müller", "O'Neil", "A.B.")), min_size=1, max_size=3),
    st.sampled_from(("", "2", "3", "24")), st.sampled_from(("", "Ltd", "Limited", "Inc.", "GmbH & Co. KG", "LLC")),
)  # fmt: skip


@st.composite
def source_lines(draw: st.DrawFn, number: int, amounts: st.SearchStrategy[Decimal] = cents) -> SourceLine:
    return SourceLine(
        id=f"L{number}", line_type="Labor", name=draw(texts), text=draw(texts), quantity=draw(quantities),
        rate=draw(fine), extended_price=draw(amounts), tax=Decimal(0),
        code_id=draw(st.sampled_from(("1", "2", "3", "missing", None))),
        party_id=draw(st.sampled_from((None, "175", "176"))),
    )  # fmt: skip


@st.composite
def documents(draw: st.DrawFn, *, healthy: bool = False) -> SourceDocument:
    """`healthy`: the figures agree to the cent, and customer and billing codes are there."""
    amounts = cents if healthy else st.one_of(cents, fine)
    lines = tuple(draw(source_lines(n, amounts)) for n in range(1, draw(st.integers(1 if healthy else 0, 5)) + 1))
    if healthy:
        lines = tuple(_coded(line, draw(st.sampled_from(("1", "2")))) for line in lines)
    total = sum((line.extended_price for line in lines), Decimal(0))
    off = Decimal(0) if healthy else draw(st.sampled_from((Decimal(0), Decimal("0.01"), Decimal("5"))))
    numbers = st.one_of(st.none(), st.text("AT-0123456789", min_size=1, max_size=30))
    header = SourceHeader(
        kind="invoice", id=str(draw(st.integers(1, 10**6))), number=draw(numbers),
        party_id="175" if healthy else draw(st.sampled_from(("175", "176", "999", None))),
        document_date=dt.date(2026, 11, 13), created_at=CREATED, due_date=dt.date(2026, 12, 13),
        total=total + off, tax_total=Decimal(0), voided=False if healthy else draw(st.booleans()),
    )  # fmt: skip
    return SourceDocument(header, lines)


def _coded(line: SourceLine, code: str) -> SourceLine:
    return SourceLine(
        line.id, line.line_type, line.name, line.text, line.quantity, line.rate, line.extended_price, line.tax, code,
        line.party_id,
    )  # fmt: skip


@st.composite
def all_settings(draw: st.DrawFn, *, healthy: bool = False) -> InvoiceSettings:
    if healthy:
        return InvoiceSettings(
            start_date=dt.date(2026, 1, 1), missing_item=MissingItem.CREATE, created_item_account="9",
            numbering=Numbering.SOURCE_ID, match_by=draw(st.sampled_from(MatchBy)),
            zero_total=ZeroTotal.POST,
        )  # fmt: skip
    return InvoiceSettings(
        start_date=dt.date(2026, 1, 1), numbering=draw(st.sampled_from(Numbering)),
        match_by=draw(st.sampled_from(MatchBy)), missing_item=draw(st.sampled_from(MissingItem)),
        created_item_account=draw(st.sampled_from((None, "9"))), zero_total=draw(st.sampled_from(ZeroTotal)),
        blank_text=draw(st.sampled_from(BlankText)),
    )  # fmt: skip


@st.composite
def lists(draw: st.DrawFn) -> Lists:
    """Two parties and three codes; some customers and items are in the ledger already, some only similar."""
    parties = {id: Party(id, draw(company_names), tax_exempt=draw(st.booleans())) for id in ("175", "176")}
    codes = {id: Code(id, f"Code {id}", draw(st.sampled_from((None, f"C-{id}")))) for id in ("1", "2", "3")}
    there = [Entry("50", draw(company_names), draw(st.booleans())), Entry("51", draw(company_names), True)]
    items = [Entry("60", "C-1", draw(st.booleans()), {"type": draw(st.sampled_from(("Service", "Group")))})]
    return Lists(
        parties=parties, catalog=Catalog(codes), accounts={"9": Entry("9", "Sales", True, {"type": "Income"})},
        customers={e.id: e for e in there},
        customers_by_name=_by(there, fold), customers_by_loose=_by(there, loose), items={e.id: e for e in items},
        items_by_name=_by(items, fold),
    )  # fmt: skip


def _by(entries, key):  # type: ignore[no-untyped-def]
    grouped: dict[str, tuple[Entry, ...]] = {}
    for entry in entries:
        grouped[key(entry.name)] = (*grouped.get(key(entry.name), ()), entry)
    return grouped


@st.composite
def facts(draw: st.DrawFn, *, healthy: bool = False) -> Facts:
    return Facts(
        ledger="QuickBooks", currency="USD" if healthy else draw(st.sampled_from(CURRENCIES)), country="US",
        multi_currency=False, tax_model=TaxModel.EXPLICIT_TOTAL, own_numbers=True,
        closed_through=None if healthy else draw(st.sampled_from((None, dt.date(2026, 11, 30)))),
        latin1_only=draw(st.booleans()), number_length=21, party_name_length=500, item_name_length=100,
        line_text_length=4000 if healthy else draw(st.sampled_from((30, 4000))), quantity_decimals=5, taxed_lines=750,
    )  # fmt: skip


def empty_ledger(lists: Lists) -> Lists:
    """The same source with nothing in the ledger yet and parties that nobody mixes up."""
    parties = {"175": Party("175", "Harbor Point"), "176": Party("176", "Blue Finch")}
    return Lists(parties=parties, catalog=lists.catalog, accounts=lists.accounts)
