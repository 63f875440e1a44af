"""Who supplies: the ledger vendor of a source company, found, linked or to be created; never guessed. Pure (R82).

Where the ledger keeps one list of names, a vendor called like a customer gets a suffix; the preview says so before.
Where one record can be both, the customer of a company is its vendor as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.customers import CREATE_NEW
from domain.documents import Party, PartyDraft, Reference
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name, loose, party_number
from domain.order_settings import OrderSettings
from domain.reasons import Reason, reason


def vendor_names(party: Party, settings: OrderSettings, facts: Facts) -> tuple[str, ...]:
    """The names under which a vendor is looked for: its own, and with the suffix where one may have been needed."""
    own = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    if not facts.one_name_list:
        return (own,)
    return tuple(dict.fromkeys((own, _suffixed(party, settings, facts))))


def choose_vendor(
    party: Party | None, party_id: str | None, settings: OrderSettings, lists: Lists, facts: Facts,
    reasons: list[Reason], notes: list[str],
) -> tuple[Reference | None, PartyDraft | None, Entry | None]:
    """The vendor (None: the reason was added), what must be created, and the entry where it exists."""
    if party is None:
        reasons.append(reason("vendor_unreadable", party=party_id) if party_id else reason("no_vendor"))
        return None, None, None
    if not party.active:
        notes.append(f"“{party.name}” is inactive in Autotask.")
    entry, why = _existing(party, settings, lists, facts)
    if why is not None:
        reasons.append(why)
        return None, None, None
    if entry is not None:
        return Reference("vendor", party.id, entry.name, entry.id), None, entry
    name, why = _new_name(party, settings, lists, facts, notes)
    if why is not None:
        reasons.append(why)
        return None, None, None
    draft = PartyDraft(
        key=party.id, name=name, email=party.email, phone=party.phone, address=party.address, kind="vendor",
        company_name=party.name, currency=(party.currency or facts.currency) if facts.multi_currency else None,
        numbered=not _holders(party, lists, facts),
    )
    return Reference("vendor", party.id, name), draft, None


def _existing(party: Party, settings: OrderSettings, lists: Lists, facts: Facts) -> tuple[Entry | None, Reason | None]:
    linked = lists.links.get(("vendor", party.id))
    if linked == CREATE_NEW:
        return None, None
    if linked is not None:
        entry = lists.vendors.get(linked)
        if entry is None:
            return None, reason("vendor_link_gone", name=party.name, ledger_id=linked)
        return (entry, None) if entry.active else (None, reason("vendor_inactive", name=entry.name))
    known = _known_otherwise(party, lists, facts)
    if known is not None:
        return known, None
    if fold(party.name) in lists.twins:
        return None, reason("vendor_twice_in_source", name=party.name)
    for name in vendor_names(party, settings, facts):
        found = lists.vendors_by_name.get(fold(name), ())
        active = [entry for entry in found if entry.active]
        if len(active) > 1:
            return None, reason("vendor_twice_in_ledger", name=name)
        if active:
            return active[0], None
        if found:
            return None, reason("vendor_inactive", name=found[0].name)
    return None, None


def _known_otherwise(party: Party, lists: Lists, facts: Facts) -> Entry | None:
    """The record that is its customer, where one record can be both; else the one that bears our number for it."""
    if not facts.one_name_list:
        same = lists.vendors.get(lists.links.get(("customer", party.id), ""))
        if same is not None and same.active:
            return same
    numbered = [entry for entry in _holders(party, lists, facts) if entry.active]
    return numbered[0] if len(numbered) == 1 else None


def _holders(party: Party, lists: Lists, facts: Facts) -> Sequence[Entry]:
    """Records that bear our number of the company, those set aside too: it can be given to no other one."""
    return lists.vendors_by_number.get(party_number(facts.party_numbers, party.id) or "", ())


def _new_name(
    party: Party, settings: OrderSettings, lists: Lists, facts: Facts, notes: list[str]
) -> tuple[str, Reason | None]:
    own = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    similar = [entry.name for entry in lists.vendors_by_loose.get(loose(own), ()) if entry.active]
    if similar and lists.links.get(("vendor", party.id)) != CREATE_NEW:
        return "", reason("vendor_similar", name=party.name, candidates="” or “".join(similar[:3]))
    if facts.one_name_list and lists.customers_by_name.get(fold(own)):
        name = _suffixed(party, settings, facts)
        notes.append(f"A customer is called “{own}”, so the new vendor will be called “{name}”.")
        return name, None
    return own, None


def _suffixed(party: Party, settings: OrderSettings, facts: Facts) -> str:
    room = facts.party_name_length - len(settings.vendor_suffix)
    return ledger_name(party.name, room, latin1_only=facts.latin1_only) + settings.vendor_suffix


def vendor_currency(
    party: Party, entry: Entry | None, settings: OrderSettings, lists: Lists, facts: Facts
) -> tuple[str, bool, Reason | None]:
    """The order's currency, whether a person confirmed a rate of 1 for it, and why it cannot go (R39).

    Without multi-currency in the source its amounts name no currency: they are the ledger's home currency, and a vendor
    that the ledger keeps in another one would silently be booked at 1.00.
    """
    several = lists.catalog.multi_currency
    if several and not facts.multi_currency:
        return party.currency or facts.currency, False, reason("orders_need_currencies", ledger=facts.currency)
    kept = str(entry.details.get("currency") or "") if entry is not None else ""
    theirs = (party.currency if several else None) or facts.currency
    if not facts.multi_currency or not kept or kept == theirs:
        return theirs, False, None
    name = entry.name if entry is not None else party.name
    if several:
        return theirs, False, reason("vendor_currency", name=name, document=theirs, ledger=kept)
    rule = settings.rule(party.id)
    if rule is not None and rule.home_currency_confirmed:
        return kept, True, None
    return kept, False, reason("vendor_rate_one", name=name, ledger=kept, home=facts.currency)
