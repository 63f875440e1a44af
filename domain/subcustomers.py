"""A document billed to a parent whose lines all belong to one sub-company: to whom it goes. Pure (R37).

Never one customer per line: lines of several companies go to the company the source bills, named in their texts (R36).
A sub-customer stands under its parent and is billed with it, so the receivable stays with who pays.
"""

from __future__ import annotations

from domain.dates import find_term
from domain.documents import Party, PartyDraft, Reference, SourceDocument
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name, loose
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, SubCustomers


def sub_key(party_id: str, parent_id: str) -> str:
    """The link's key: the same company may be billed by itself as well, under another customer."""
    return f"{party_id}/under/{parent_id}"


def sub_company(document: SourceDocument, settings: InvoiceSettings, lists: Lists) -> Party | None:
    """The one sub-company of the billed company that all lines are for, where that was chosen."""
    billed = document.header.party_id
    if settings.sub_customers is SubCustomers.OFF or billed is None:
        return None
    owners = {line.party_id or billed for line in document.lines}
    party = lists.parties.get(next(iter(owners))) if len(owners) == 1 else None
    return party if party is not None and party.id != billed and party.parent_id == billed else None


def bill_below(
    document: SourceDocument, parent: Reference, currency: str, settings: InvoiceSettings, lists: Lists, facts: Facts
) -> tuple[Reference, PartyDraft | None] | Reason | None:
    """The sub-customer and what to create for it, or why it cannot be; None: the document stays with its parent."""
    party = sub_company(document, settings, lists)
    if party is None:
        return None
    key = sub_key(party.id, parent.key)
    name = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    linked = lists.customers.get(lists.links.get(("customer", key), ""))
    found = [*([linked] if linked else []), *lists.customers_by_name.get(fold(name), ())]
    fits = [entry for entry in found if _fits(entry, parent, currency, facts)]
    if fits:
        return Reference("customer", key, fits[0].name, fits[0].id), None
    why = _in_the_way(name, found, currency, lists, facts)
    if why:
        return reason("sub_customer_unfit", name=name, parent=parent.name, why=why)
    payer = lists.parties.get(parent.key, party)
    draft = PartyDraft(
        key=key, name=name, email=payer.email, phone=payer.phone, address=payer.address,
        term=find_term(document.header, settings.term_map, lists), currency=currency if facts.multi_currency else None,
        tax_exempt=payer.tax_exempt, parent=parent,
    )
    return Reference("customer", key, name), draft


def _fits(entry: Entry, parent: Reference, currency: str, facts: Facts) -> bool:
    below = parent.ledger_id is not None and entry.details.get("parent_id") == parent.ledger_id
    kept_in = entry.details.get("currency")
    return entry.active and below and (not facts.multi_currency or kept_in in (None, currency))


def _in_the_way(name: str, found: list[Entry], currency: str, lists: Lists, facts: Facts) -> str:
    """Why no sub-customer of this name can be made; blank when nothing of the kind exists."""
    if any(not entry.active for entry in found):
        return "it is inactive there"
    if found and facts.multi_currency and found[0].details.get("currency") not in (None, currency):
        return f"it is kept in {found[0].details.get('currency')} there"
    if found:
        return "it stands under another customer" if found[0].details.get("parent_id") else "it stands alone there"
    if any(entry.active for entry in lists.vendors_by_name.get(fold(name), ())):
        return "a vendor has that name there"
    similar = [entry.name for entry in lists.customers_by_loose.get(loose(name), ()) if entry.active]
    return f"“{similar[0]}” has nearly the same name there" if similar else ""
