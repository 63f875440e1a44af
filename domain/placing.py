"""Where each line goes: by the table of billing code and kind of line, else by its code's item. Pure (R26 to R31).

Where the account of a line is its item's (QuickBooks), a rule that names an account takes the code's own item where
that books on this account, and else an item that stands for the account, created when it is first needed. Where a line
names its account (Xero), no item is needed: the account itself stands in the item's place, and none is created.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from domain.accounts import INCOME_TYPES, account_of, usable_account
from domain.documents import Code, ItemDraft, Reference, SourceDocument
from domain.items import UNUSABLE_ITEM_TYPES, created_item, existing_item, item_name, item_on_account, may_create
from domain.known import Facts, Lists
from domain.line_kinds import LONG_SERVICES, PREPAID, kinds_of
from domain.matching import fold
from domain.reasons import Reason, reason
from domain.settings import InvoiceSettings, LineRule, MissingItem


@dataclass(frozen=True, slots=True)
class Place:
    """Item (or account in its stead) and account of one line. `by_default`: nothing but the account for created items
    was chosen for it."""

    item: Reference
    account: Reference | None = None
    by_default: bool = False
    by_rule: bool = False
    creation: ItemDraft | None = None


def find_rule(rules: Sequence[LineRule], code_id: str, kinds: Sequence[str]) -> LineRule | None:
    """The most particular row: of code and kind, of the code, of the kind. A longer period asks before all of them:
    one code may bill a month and a year."""
    wanted = [(code, kind) for kind in kinds if kind == LONG_SERVICES for code in (code_id, "")]
    usual = [kind for kind in kinds if kind != LONG_SERVICES]
    wanted += [*((code_id, kind) for kind in usual), (code_id, ""), *(("", kind) for kind in usual)]
    known = {(rule.code_id, rule.kind): rule for rule in reversed(rules)}
    return next((known[each] for each in wanted if each in known), None)


def place_lines(
    document: SourceDocument, settings: InvoiceSettings, lists: Lists, facts: Facts, reasons: list[Reason]
) -> tuple[list[Place | None], tuple[ItemDraft, ...]]:
    """The place of each line (None: the reason was added, once per cause), and the items to create."""
    known: dict[tuple[str, tuple[str, ...]], Place | Reason] = {}
    places: list[Place | None] = []
    created: dict[str, ItemDraft] = {}
    for number, line in enumerate(document.lines, 1):
        code = lists.catalog.codes.get(line.code_id or "")
        kinds = kinds_of(line, settings.long_service_months) if code is not None else ()
        key = (line.code_id or "", kinds)
        if key not in known:
            known[key] = (
                _place(code, kinds, settings, lists, facts) if code is not None
                else reason("no_billing_code", line=number, text=line.text[:60] or line.name[:60])
            )  # fmt: skip
        found = known[key]
        if isinstance(found, Place) and line.extended_price != 0:
            found = _too_early(found, kinds, lists) or found
        if isinstance(found, Reason):
            if found not in reasons:
                reasons.append(found)
            places.append(None)
            continue
        places.append(found)
        if found.creation is not None:
            created.setdefault(found.creation.key, found.creation)
    return places, tuple(created.values())


def _place(code: Code, kinds: tuple[str, ...], settings: InvoiceSettings, lists: Lists, facts: Facts) -> Place | Reason:
    rule = find_rule(settings.line_map, code.id, kinds)
    if rule is not None and (rule.item or rule.account):
        kind = kinds[0] if kinds else ""
        if rule.item:
            found = _on_item(rule.item, code, lists)
        elif facts.lines_on_accounts:
            found = _without_item(rule.account or "", _lines_of(code, kind), lists)
        else:
            found = _on_account(rule.account or "", code, kind, settings, lists, facts)
        # A row for the code or for services says nothing about those that are billed for a year.
        asked = LONG_SERVICES in kinds and rule.kind != LONG_SERVICES
        return replace(found, by_rule=not asked) if isinstance(found, Place) else found
    name = item_name(code, settings.match_by, facts)
    problem, entry = existing_item(code.id, name, lists)
    if entry is not None:
        account = account_of(entry, "income", lists)
        defaulted = account is not None and account.ledger_id == settings.created_item_account
        return Place(Reference("item", fold(name), entry.name, entry.id), account, defaulted)
    if facts.lines_on_accounts and problem is None:
        return _on_default_account(code, kinds[0] if kinds else "", settings, lists)
    problem = problem or may_create(name, settings)
    if problem is not None:
        return problem
    usable = usable_account(settings.created_item_account or "", "created items", lists)
    if isinstance(usable, Reason):
        return usable
    made = created_item(code, name, usable, facts)
    return Place(Reference("item", made.key, made.name), usable, True, creation=made)


def _on_item(item_id: str, code: Code, lists: Lists) -> Place | Reason:
    entry = lists.items.get(item_id)
    if entry is None:
        return reason("mapped_item_gone", code=code.name, item=item_id)
    if not entry.active:
        return reason("item_inactive", item=entry.name)
    if entry.details.get("type") in UNUSABLE_ITEM_TYPES:
        return reason("item_unusable", item=entry.name, type=str(entry.details.get("type")).lower())
    return Place(Reference("item", fold(entry.name), entry.name, entry.id), account_of(entry, "income", lists))


def _on_default_account(
    code: Code, kind: str, settings: InvoiceSettings, lists: Lists
) -> Place | Reason:
    """What has neither a rule nor an item: the account chosen for such lines, or a person's turn."""
    if settings.missing_item is MissingItem.HOLD or not settings.created_item_account:
        return reason("account_missing", code=_lines_of(code, kind))
    return _without_item(settings.created_item_account, "lines without another choice", lists, by_default=True)


def _without_item(account_id: str, purpose: str, lists: Lists, *, by_default: bool = False) -> Place | Reason:
    account = usable_account(account_id, purpose, lists)
    if isinstance(account, Reason):
        return account
    return Place(account, account, by_default=by_default)


def _lines_of(code: Code, kind: str) -> str:
    return f"“{code.name}”" + (f", {kind}" if kind else "")


def _on_account(
    account_id: str, code: Code, kind: str, settings: InvoiceSettings, lists: Lists, facts: Facts
) -> Place | Reason:
    account = usable_account(account_id, _lines_of(code, kind), lists)
    if isinstance(account, Reason):
        return account
    name = item_name(code, settings.match_by, facts)
    _, entry = existing_item(code.id, name, lists)
    if entry is not None and entry.details.get("income_account_id") == account.ledger_id:
        return Place(Reference("item", fold(name), entry.name, entry.id), account)
    own = item_on_account(account.name, account, f"Lines booked on {account.name}", lists, facts)
    return own if isinstance(own, Reason) else Place(own.reference, account, creation=own.creation)


def _too_early(place: Place, kinds: tuple[str, ...], lists: Lists) -> Reason | None:
    """Prepaid work and services of later months never fall to income unasked (R28, R29); a row of the table that says
    income is a choice."""
    if not kinds or kinds[0] not in (*PREPAID, LONG_SERVICES) or place.by_rule or place.account is None:
        return None
    entry = lists.accounts.get(place.account.ledger_id or "")
    if entry is None or entry.details.get("type") not in INCOME_TYPES:
        return None
    code = "long_service_account" if kinds[0] == LONG_SERVICES else "prepaid_account"
    return reason(code, kind=kinds[0], item=place.item.name, account=entry.name)
