"""Who is billed: the ledger customer of a source party, found, linked or to be created; never guessed. Pure (R34)."""

from __future__ import annotations

from collections.abc import Mapping

from domain.dates import find_term
from domain.documents import Party, PartyDraft, Reference, SourceHeader
from domain.known import Entry, Facts, Lists
from domain.matching import fold, ledger_name, loose, party_number
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings

CREATE_NEW = "new"
"""A link that says: a person decided that this party is not one of the ledger's customers."""


def stand_in(header: SourceHeader, settings: InvoiceSettings, links: Mapping[tuple[str, str], str]) -> Party | None:
    """Who stands in for the company that a document does not name (R35): chosen for it alone, else for all of them.

    Its id is the key under which the customer is linked or created; None: nobody was chosen yet.
    """
    alone = document_key(header.id)
    if ("customer", alone) in links:
        return Party(alone, "Invoices without a company")
    if settings.no_company_customer:
        return Party(f"no-company/id/{settings.no_company_customer}", "Invoices without a company")
    if settings.no_company_name:
        return Party(f"no-company/name/{fold(settings.no_company_name)[:150]}", settings.no_company_name)
    return None


def document_key(source_id: str) -> str:
    return f"no-company/document/{source_id}"


def choose_customer(
    header: SourceHeader, currency: str, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> tuple[Reference | None, PartyDraft | None]:
    party = lists.parties.get(header.party_id) if header.party_id else stand_in(header, settings, lists.links)
    if party is None:
        found = reason("customer_unreadable", party=header.party_id) if header.party_id else reason("no_customer")
        reasons.append(found)
        return None, None
    name = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    if lists.links.get(("customer", party.id)) == CREATE_NEW and _kept_in_another(name, currency, lists, facts):
        name = currency_name(party.name, currency, facts)
    chosen = None if header.party_id else settings.no_company_customer
    entry = _existing_customer(party, name, lists, facts, reasons, chosen)
    if entry is None and not _is_new(party, name, lists, facts, reasons):
        return None, None
    if not facts.multi_currency and currency != facts.currency:
        reasons.append(reason("foreign_currency", document=currency, ledger=facts.currency))
        return None, None
    if entry is not None:
        kept_in = entry.details.get("currency")
        if facts.multi_currency and kept_in and kept_in != currency:
            reasons.append(reason("customer_currency", name=entry.name, document=currency, ledger=kept_in))
            return None, None
        return Reference("customer", party.id, entry.name, entry.id), None
    draft = PartyDraft(
        key=party.id, name=name, email=party.email, phone=party.phone, address=party.address,
        term=find_term(header, settings.term_map, lists), currency=currency if facts.multi_currency else None,
        tax_exempt=party.tax_exempt, numbered=not _number_holders(party, lists, facts),
    )
    return Reference("customer", party.id, name), draft


def match_party(party: Party, lists: Lists, facts: Facts) -> tuple[Entry | None, list[Reason]]:
    """The customer that posting would take for a party, whatever the document. None and no reason: a new one."""
    name = ledger_name(party.name, facts.party_name_length, latin1_only=facts.latin1_only)
    reasons: list[Reason] = []
    entry = _existing_customer(party, name, lists, facts, reasons, None)
    if entry is None:
        _is_new(party, name, lists, facts, reasons)
    return entry, reasons


def currency_name(name: str, currency: str, facts: Facts) -> str:
    """What a second customer of a party is called: a customer's currency in the ledger never changes (R38)."""
    short = ledger_name(name, facts.party_name_length - 6, latin1_only=facts.latin1_only)
    return f"{short} ({currency})"


def _kept_in_another(name: str, currency: str, lists: Lists, facts: Facts) -> bool:
    """The ledger has this very name already, in another currency."""
    kept = [entry.details.get("currency") for entry in lists.customers_by_name.get(fold(name), ())]
    return facts.multi_currency and bool(kept) and all(each and each != currency for each in kept)


def _existing_customer(
    party: Party, name: str, lists: Lists, facts: Facts, reasons: list[Reason], chosen: str | None
) -> Entry | None:
    """By link, else by the number that we gave it, else by exact name. `chosen`: an id from Settings that stands where
    there is no link."""
    linked = lists.links.get(("customer", party.id), chosen)
    if linked == CREATE_NEW:
        return None
    if linked is not None:
        entry = lists.customers.get(linked)
        if entry is None:
            reasons.append(_merged(party, name, linked, lists))
        elif not entry.active:
            reasons.append(reason("customer_inactive", name=entry.name))
            return None
        return entry
    numbered = [entry for entry in _number_holders(party, lists, facts) if entry.active]
    if len(numbered) == 1:
        return numbered[0]
    if fold(party.name) in lists.twins:
        reasons.append(reason("customer_twice_in_source", name=party.name, other=party.name))
        return None
    found = lists.customers_by_name.get(fold(name), ())
    active = [entry for entry in found if entry.active]
    if len(active) > 1:
        reasons.append(reason("customer_twice_in_ledger", name=party.name))
        return None
    if not active and found:
        reasons.append(reason("customer_inactive", name=party.name))
        return None
    if active and lists.exact_names and _spaced(active[0].name) != _spaced(name):
        reasons.append(reason("customer_similar", name=party.name, candidates=active[0].name))
        return None
    return active[0] if active else None


def _spaced(name: str) -> str:
    return " ".join(name.split())


def _number_holders(party: Party, lists: Lists, facts: Facts) -> tuple[Entry, ...]:
    """Records that bear the number we give a party, archived ones too: a number is given once."""
    return lists.customers_by_number.get(party_number(facts.party_numbers, party.id) or "", ())


def _merged(party: Party, name: str, linked: str, lists: Lists) -> Reason:
    """A customer that is gone was merged: its documents stand under the one that survived, which is proposed."""
    there = lists.customers_by_name.get(fold(name), ()) or lists.customers_by_loose.get(loose(name), ())
    alive = [entry for entry in there if entry.active]
    if len(alive) != 1:
        return reason("link_gone", name=party.name, ledger_id=linked)
    return reason("customer_merged", name=party.name, ledger_id=linked, survivor=alive[0].name, survivor_id=alive[0].id)


def _is_new(party: Party, name: str, lists: Lists, facts: Facts, reasons: list[Reason]) -> bool:
    """True when nothing of that name or similar exists; else the reason was added (here or by the caller before)."""
    decided = lists.links.get(("customer", party.id))
    if reasons and any(why.code in ("link_gone", "customer_merged", "customer_inactive") for why in reasons):
        return False
    if decided == CREATE_NEW and not lists.customers_by_name.get(fold(name)):
        return True
    if decided not in (None, CREATE_NEW) or fold(party.name) in lists.twins:
        return False
    if lists.customers_by_name.get(fold(name)):
        if decided == CREATE_NEW:
            reasons.append(reason("customer_twice_in_ledger", name=party.name))
        return False
    if any(entry.active for entry in lists.vendors_by_name.get(fold(name), ())):
        reasons.append(reason("customer_is_vendor", name=party.name))
        return False
    others = lists.look_alikes.get(party.id, ())
    if others and decided != CREATE_NEW:
        reasons.append(reason("customer_twice_in_source", name=party.name, other="” and “".join(others[:3])))
        return False
    similar = [entry.name for entry in lists.customers_by_loose.get(loose(name), ()) if entry.active]
    if similar:
        shown = "” or “".join(similar[:3])
        reasons.append(reason("customer_similar", name=party.name, candidates=shown))
        return False
    archived = _number_holders(party, lists, facts)
    if archived and decided != CREATE_NEW:
        number = party_number(facts.party_numbers, party.id) or ""
        reasons.append(reason("customer_number_held", name=party.name, number=number, holder=archived[0].name))
        return False
    return True
