"""What planning may look up, prefetched for a page of documents in a handful of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from sqlalchemy import Text, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from connectors.ledgers.base import Capabilities, Kind, LedgerProfile
from domain import rounding
from domain.customers import CREATE_NEW, currency_name, document_key, stand_in
from domain.documents import Catalog, Party, SourceDocument, SourceHeader, SourceLine
from domain.items import item_name, own_names
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name, loose, party_number
from domain.plan import effective_number
from domain.settings import InvoiceSettings, Numbering
from domain.statuses import Status
from domain.subcustomers import sub_company, sub_key
from models import Document, Link, MirrorEntry, PartyEntry
from sync import codec, currencies, reissues
from sync.corrected import posted_under


def facts(profile: LedgerProfile, capabilities: Capabilities) -> Facts:
    return Facts(
        ledger=capabilities.name, currency=profile.currency, country=profile.country,
        multi_currency=profile.multi_currency, tax_model=profile.tax_model, own_numbers=profile.own_numbers,
        closed_through=date.fromisoformat(profile.closed_through) if profile.closed_through else None,
        fiscal_month=profile.fiscal_month, takes_early_due=profile.takes_early_due,
        latin1_only=profile.latin1_only, number_length=capabilities.number_length,
        party_name_length=capabilities.party_name_length, item_name_length=capabilities.item_name_length,
        line_text_length=capabilities.line_text_length, quantity_decimals=capabilities.quantity_decimals,
        taxed_lines=capabilities.taxed_lines, classes=profile.classes, locations=profile.locations,
        bills=profile.bills, purchase_orders=profile.purchase_orders, own_order_numbers=profile.own_order_numbers,
        bill_number_length=capabilities.bill_number_length, purchases_by_customer=profile.purchases_by_customer,
        purchase_tax=profile.purchase_tax, one_name_list=capabilities.one_name_list,
        party_numbers=capabilities.party_numbers,
        lines_on_accounts=capabilities.lines_on_accounts, negative_quantities=capabilities.negative_quantities,
        tax_per_line=capabilities.tax_per_line, rounding_most=capabilities.rounding_most,
        can_promote=bool(capabilities.can_promote), keeps_memos=capabilities.keeps_memos,
        themes=capabilities.themes,
        keeps_terms=capabilities.keeps_terms, chooses_payable=capabilities.chooses_payable,
    )


def source_document(row: Document) -> SourceDocument:
    """The stored snapshot as a value; lines are empty while they were not read."""
    header = codec.load(SourceHeader, row.header)
    lines = codec.load_text(tuple[SourceLine, ...], row.lines) if row.lines else ()
    return SourceDocument(header, lines, row.part or "")


def prefetch(
    db: Session, company_id: int, documents: Sequence[SourceDocument], catalog: Catalog,
    settings: InvoiceSettings, facts: Facts,
) -> Lists:
    """Everything the plans of these documents look up. Reads only."""
    party_ids = {d.header.party_id for d in documents if d.header.party_id}
    line_parties = {line.party_id for d in documents for line in d.lines if line.party_id}
    parties = parties_of(db, company_id, party_ids | line_parties)
    billed = [party for key, party in parties.items() if key in party_ids]
    unnamed = [d.header for d in documents if not d.header.party_id]
    keys = party_ids | {document_key(header.id) for header in unnamed}
    standing = stand_in(unnamed[0], settings, {}) if unnamed else None
    keys |= {standing.id} if standing else set()
    below = [(one, d.header.party_id) for d in documents if (one := sub_company(d, settings, Lists(parties=parties)))]
    keys |= {sub_key(one.id, parent) for one, parent in below if parent}
    codes = {line.code_id for d in documents for line in d.lines if line.code_id}
    links = _links(db, company_id, keys, codes)
    sought = (*billed, *([standing] if standing else []), *(one for one, _ in below))
    names = [ledger_name(p.name, facts.party_name_length, latin1_only=facts.latin1_only) for p in sought]
    names += [currency_name(p.name, p.currency, facts) for p in billed if facts.multi_currency and p.currency]
    folded = {fold(name) for name in names}
    customers = entries_of(db, company_id, Kind.CUSTOMER, folded=folded, loose={loose(name) for name in names},
                         ids={value for (kind, _), value in links.items() if kind == "customer"}
                         | ({settings.no_company_customer} if settings.no_company_customer else set()))
    unlinked = [party.id for party in billed if links.get(("customer", party.id), CREATE_NEW) == CREATE_NEW]
    known = {entry.id for entry in customers}
    customers += [one for one in numbered(db, company_id, Kind.CUSTOMER, facts, unlinked) if one.id not in known]
    vendors = entries_of(db, company_id, Kind.VENDOR, folded=folded)
    accounts = {e.id: e for e in entries_of(db, company_id, Kind.ACCOUNT)}
    own = _own_items(settings, accounts, facts)
    items = entries_of(
        db, company_id, Kind.ITEM, folded=_item_names(documents, catalog, settings, facts) | own,
        ids={value for (kind, _), value in links.items() if kind == "item"}
        | {rule.item for rule in settings.line_map if rule.item},
    )
    terms = entries_of(db, company_id, Kind.TERM)
    tax_codes = entries_of(db, company_id, Kind.TAX_CODE)
    voided = reissues.voided(db, company_id, party_ids)
    return Lists(
        parties=parties, catalog=catalog, links=links,
        customers={e.id: e for e in customers}, customers_by_name=by_name(customers, fold),
        customers_by_number=by_number(customers),
        customers_by_loose=by_name(customers, loose), vendors_by_name=by_name(vendors, fold),
        exact_names=settings.exact_names,
        accounts=accounts, items={e.id: e for e in items}, items_by_name=by_name(items, fold),
        terms_by_name=by_name(terms, fold),
        tax_codes={e.id: e for e in tax_codes},
        twins=twins_of(db, company_id, {fold(p.name) for p in billed}),
        look_alikes=_look_alikes(db, company_id, billed),
        voided=voided, answered=reissues.answered(db, company_id, documents) if voided else frozenset(),
        numbers=_numbers(db, company_id, documents, settings),
        classes={e.id: e for e in entries_of(db, company_id, Kind.CLASS)} if facts.classes else {},
        locations={e.id: e for e in entries_of(db, company_id, Kind.LOCATION)} if facts.locations else {},
        themes={e.id: e for e in entries_of(db, company_id, Kind.THEME)} if facts.themes else {},
        currencies=currencies.remembered(db, company_id),
        posted=frozenset((row.party_id, number) for row, number in posted_under(db, company_id, documents)),
    )


def by_name(entries: Iterable[Entry], key: Callable[[str], str]) -> dict[str, tuple[Entry, ...]]:
    grouped: dict[str, tuple[Entry, ...]] = {}
    for entry in entries:
        named = key(entry.name)
        grouped[named] = (*grouped.get(named, ()), entry)
    return grouped


def by_number(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    grouped: dict[str, tuple[Entry, ...]] = {}
    for entry in entries:
        number = str(entry.details.get("number") or "")
        if number:
            grouped[number] = (*grouped.get(number, ()), entry)
    return grouped


def numbered(db: Session, company_id: int, kind: Kind, facts: Facts, ids: Iterable[str]) -> list[Entry]:
    """Customers or vendors that bear the number of one of these source parties, whatever their name is now."""
    prefix = facts.party_numbers
    wanted = {number for each in ids if (number := party_number(prefix, each))}
    if not wanted:
        return []
    bears = type_coerce(MirrorEntry.details, Text).contains(f'"number":"{prefix}', autoescape=True)
    kept = (MirrorEntry.company_id == company_id, MirrorEntry.kind == kind.value)
    return [entry for row in db.scalars(select(MirrorEntry).where(*kept, bears))
            if (entry := _entry(row)).details.get("number") in wanted]


def parties_of(db: Session, company_id: int, ids: Iterable[str | None]) -> dict[str, Party]:
    wanted = [i for i in ids if i]
    found: dict[str, Party] = {}
    for start in range(0, len(wanted), 500):
        rows = db.scalars(
            select(PartyEntry).where(
                PartyEntry.company_id == company_id, PartyEntry.source_id.in_(wanted[start : start + 500])
            )
        )
        found.update({row.source_id: codec.load(Party, row.data) for row in rows})
    return found


def _links(
    db: Session, company_id: int, party_ids: Iterable[str | None], code_ids: Iterable[str | None]
) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for kind, keys in (("customer", party_ids), ("item", code_ids)):
        found |= links_of(db, company_id, kind, keys)
    return found


def links_of(db: Session, company_id: int, kind: str, keys: Iterable[str | None]) -> dict[tuple[str, str], str]:
    """(kind, key) → ledger id of what was linked."""
    found: dict[tuple[str, str], str] = {}
    wanted = [key for key in keys if key]
    for start in range(0, len(wanted), 500):
        rows = db.execute(
            select(Link.source_key, Link.ledger_id).where(
                Link.company_id == company_id, Link.kind == kind, Link.source_key.in_(wanted[start : start + 500]),
            )
        )
        found.update({(kind, key): ledger_id for key, ledger_id in rows})
    return found


def entries_of(
    db: Session, company_id: int, kind: Kind, *, folded: set[str] | None = None,
    loose: set[str] | None = None, ids: set[str] | None = None,
) -> list[Entry]:
    """Entries of a kind: all of a small list, or those with one of these names or ids."""
    query = select(MirrorEntry).where(MirrorEntry.company_id == company_id, MirrorEntry.kind == kind.value)
    if folded is None:
        return [_entry(row) for row in db.scalars(query)]
    found: dict[str, Entry] = {}
    columns = ((MirrorEntry.folded, folded), (MirrorEntry.loose, loose), (MirrorEntry.ledger_id, ids))
    for column, values in columns:
        wanted = sorted(values or ())
        for start in range(0, len(wanted), 500):
            rows = db.scalars(query.where(column.in_(wanted[start : start + 500])))
            found.update({row.ledger_id: _entry(row) for row in rows})
    return list(found.values())


def _entry(row: MirrorEntry) -> Entry:
    return Entry(row.ledger_id, row.name, row.active, row.details or {})


def _item_names(
    documents: Sequence[SourceDocument], catalog: Catalog, settings: InvoiceSettings, facts: Facts
) -> set[str]:
    names: set[str] = set()
    for code_id in {line.code_id for d in documents for line in d.lines if line.code_id}:
        code = catalog.codes.get(code_id)
        if code is not None:
            names.add(fold(item_name(code, settings.match_by, facts)))
    return names


def _own_items(settings: InvoiceSettings, accounts: Mapping[str, Entry], facts: Facts) -> set[str]:
    """Names of the items that stand for an account."""
    wanted = [(rounding.NAME, settings.rounding_account)]
    for rule in settings.line_map:
        mapped = accounts.get(rule.account or "")
        wanted += [(mapped.name, mapped.id)] if mapped else []
    names: set[str] = set()
    for name, account_id in wanted:
        account = accounts.get(account_id or "")
        if account is not None:
            names.update(fold(one) for one in own_names(name, account.name, facts))
    return names


def twins_of(db: Session, company_id: int, folded: set[str]) -> frozenset[str]:
    twins: set[str] = set()
    wanted = sorted(folded)
    for start in range(0, len(wanted), 500):
        rows = db.scalars(
            select(PartyEntry.folded)
            .where(PartyEntry.company_id == company_id, PartyEntry.folded.in_(wanted[start : start + 500]))
            .group_by(PartyEntry.folded).having(func.count() > 1)
        )
        twins.update(rows)
    return frozenset(twins)


def _look_alikes(db: Session, company_id: int, billed: Sequence[Party]) -> dict[str, tuple[str, ...]]:
    """Other source parties with a similar name, linked ones left out: those were told apart already."""
    keys = {party.id: loose(party.name) for party in billed}
    linked = select(Link.source_key).where(Link.company_id == company_id, Link.kind == "customer")
    by_key: dict[str, list[tuple[str, str]]] = {}
    wanted = sorted(set(keys.values()))
    for start in range(0, len(wanted), 500):
        rows = db.execute(select(PartyEntry.loose, PartyEntry.source_id, PartyEntry.name).where(
            PartyEntry.company_id == company_id, PartyEntry.loose.in_(wanted[start : start + 500]),
            PartyEntry.source_id.not_in(linked),
        ))
        for key, source_id, name in rows:
            by_key.setdefault(key, []).append((source_id, name))
    return {
        party_id: others for party_id, key in keys.items()
        if (others := tuple(name for source_id, name in by_key.get(key, ()) if source_id != party_id))
    }


def _numbers(
    db: Session, company_id: int, documents: Sequence[SourceDocument], settings: InvoiceSettings
) -> dict[str, str]:
    """Effective number → the first document that bears it. Documents set aside do not count."""
    if settings.numbering is not Numbering.SOURCE:
        return {}
    wanted = sorted({n for d in documents if (n := effective_number(d.header, settings))})
    found: dict[str, tuple[int, str]] = {}
    for start in range(0, len(wanted), 400):
        part = wanted[start : start + 400]
        rows = db.execute(
            select(Document.id, Document.source_id, Document.number).where(
                Document.company_id == company_id, Document.status != Status.SKIPPED,
                or_(Document.number.in_(part), Document.source_id.in_(part)),
            )
        )
        for row_id, source_id, number in rows:
            shown = number or source_id
            if shown in part and (shown not in found or row_id < found[shown][0]):
                found[shown] = (row_id, source_id)
    return {number: source_id for number, (_, source_id) in found.items()}


def item_lists(db: Session, company_id: int, catalog: Catalog) -> Lists:
    """All items with the links of all billing codes: what comparing the two lists looks up. Reads only."""
    items = entries_of(db, company_id, Kind.ITEM)
    links = _links(db, company_id, (), catalog.codes)
    return Lists(catalog=catalog, links=links, items={e.id: e for e in items}, items_by_name=by_name(items, fold))


def billed_parties(db: Session, company_id: int) -> list[Party]:
    """Who the stored documents bill, as last read."""
    ids = db.scalars(select(Document.party_id).where(Document.company_id == company_id).distinct())
    return list(parties_of(db, company_id, ids).values())


def customer_lists(db: Session, company_id: int, parties: Sequence[Party]) -> Lists:
    """All customers and vendors with the links of these parties: what comparing the two lists looks up. Reads only."""
    customers = entries_of(db, company_id, Kind.CUSTOMER)
    return Lists(
        links=links_of(db, company_id, "customer", [party.id for party in parties]),
        customers={e.id: e for e in customers}, customers_by_name=by_name(customers, fold),
        customers_by_number=by_number(customers),
        customers_by_loose=by_name(customers, loose),
        vendors_by_name=by_name(entries_of(db, company_id, Kind.VENDOR), fold),
        twins=twins_of(db, company_id, {fold(party.name) for party in parties}),
        look_alikes=_look_alikes(db, company_id, parties),
    )
