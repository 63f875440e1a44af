"""Why something did not happen: one catalogue of codes with sentence, cause, fix and the action that mends it.

A `Reason` is a code with its parameters, so it can be stored and told again in any place and language. Every
code stands in `CATALOGUE`; a test proves that each has a cause, a fix and an action (U13, U20).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Stage(StrEnum):
    """The check stages in the order in which they are looked at; a column each in "Check Ready"."""

    SCOPE = "In scope"
    COMPLETE = "Complete in Autotask"
    CUSTOMER = "Customer"
    NUMBER = "Number"
    ITEMS = "Items"
    TAX = "Tax"
    TEXT = "Text"
    TOTALS = "Totals"
    LEDGER = "Ledger"


class Turn(StrEnum):
    """What a reason makes of the document."""

    FAULT = "fault"
    SKIP = "skip"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Entry:
    """`sentence`, `cause` and `fix` are format strings over the reason's parameters and `the_ledger`.

    `action` is (label, endpoint key).
    """

    stage: Stage
    turn: Turn
    sentence: str
    cause: str
    fix: str
    action: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.code]

    @property
    def turn(self) -> Turn:
        return self.entry.turn

    def sentence(self, ledger: str = "QuickBooks") -> str:
        return self.entry.sentence.format_map(_Blank(self.params, the_ledger=ledger))

    def cause(self, ledger: str = "QuickBooks") -> str:
        return self.entry.cause.format_map(_Blank(self.params, the_ledger=ledger))

    def fix(self, ledger: str = "QuickBooks") -> str:
        return self.entry.fix.format_map(_Blank(self.params, the_ledger=ledger))

    def to_json(self) -> dict[str, object]:
        return {"code": self.code, "params": dict(self.params)}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Reason:
        params = value.get("params")
        known = params if isinstance(params, Mapping) else {}
        return cls(str(value["code"]), {str(k): str(v) for k, v in known.items()})


class _Blank(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "–"


def reason(code: str, /, **params: object) -> Reason:
    if code not in CATALOGUE:
        raise KeyError(f"{code} is not in the catalogue of reasons")
    return Reason(code, {name: str(value) for name, value in params.items()})


_RETRY = ("Retry", "retry")
_DOCUMENT = ("Open the document", "document")
_SETTINGS = ("Open Settings", "settings")
_CONNECTIONS = ("Open Connections", "connections")


def _fault(stage: Stage, sentence: str, cause: str, fix: str, action: tuple[str, str] = _RETRY) -> Entry:
    return Entry(stage, Turn.FAULT, sentence, cause, fix, action)


def _wait(stage: Stage, sentence: str, cause: str, fix: str, action: tuple[str, str] = _DOCUMENT) -> Entry:
    return Entry(stage, Turn.WAIT, sentence, cause, fix, action)


def _skip(stage: Stage, sentence: str, cause: str, fix: str, action: tuple[str, str] = _DOCUMENT) -> Entry:
    return Entry(stage, Turn.SKIP, sentence, cause, fix, action)


CATALOGUE: dict[str, Entry] = {
    # -- scope ----------------------------------------------------------------------------------------------
    "zero_total": _skip(
        Stage.SCOPE,
        "The invoice total is 0.00, so there is nothing to book",
        "An invoice of 0.00 has no journal, and the setting for zero-total invoices is to skip them.",
        "Nothing needs doing. To post such invoices, change “Zero-total invoices” in Settings.",
        _SETTINGS,
    ),
    "zero_total_cancels": _skip(
        Stage.SCOPE,
        "The invoice total is 0.00, but its lines cancel out ({amounts})",
        "The lines add to nothing although they are not zero, and zero-total invoices are skipped.",
        "Check whether these lines belong to different accounts; if so, post zero-total invoices in Settings.",
        _SETTINGS,
    ),
    "voided_in_source": _skip(
        Stage.SCOPE,
        "The invoice was voided in Autotask before it was posted",
        "A void invoice bills nothing. Nothing was posted.",
        "Nothing needs doing: Autotask bills its items again under a new invoice.",
    ),
    "marked_elsewhere": _skip(
        Stage.SCOPE,
        "Another program marked this invoice as processed on {when}",
        "Autotask's Web Service Date was set by somebody else between our look and our posting.",
        "Check that it is in {the_ledger}. To let Bookbridge post it, clear the mark in Autotask.",
    ),
    "numbered_elsewhere": _skip(
        Stage.SCOPE,
        "Autotask has the number {number} for this invoice already",
        "The ledger numbers invoices here, and somebody else gave this one its number before it was posted.",
        "Check that it is in {the_ledger}. To let Bookbridge post it, clear the number in Autotask.",
    ),
    "already_posted": _skip(
        Stage.SCOPE,
        "It is in {the_ledger} already",
        "It was posted earlier; only its mark in Autotask is missing or was cleared.",
        "Nothing needs doing: it is never posted a second time.",
    ),
    "before_start": _wait(
        Stage.SCOPE,
        "Dated {date}, before the start date {start}",
        "History is never posted by itself, so that nothing already in the books is posted twice.",
        "Include it if it is not in {the_ledger} yet, or set an earlier start date.",
        _SETTINGS,
    ),
    "skipped_by_person": _skip(
        Stage.SCOPE,
        "Set aside by {who}: {why}",
        "A person decided that this document shall not be posted.",
        "Use Un-skip to bring it back.",
    ),
    # -- unfinished -----------------------------------------------------------------------------------------
    "still_building": _wait(
        Stage.COMPLETE,
        "Autotask is still building it: lines and tax make {found}, the invoice says {total}",
        "The lines read so far do not add up to the invoice's total.",
        "Nothing needs doing: it is read again at each look and becomes a Fault after ten minutes.",
    ),
    "young": _wait(
        Stage.COMPLETE,
        "Created moments ago: it is read a second time before it is posted",
        "An invoice younger than two minutes may still be in the making in Autotask.",
        "Nothing needs doing: it is read again within seconds.",
    ),
    "source_mismatch": _fault(
        Stage.COMPLETE,
        "Its lines and tax make {found}, but the invoice says {total} (difference {difference})",
        "Autotask's own figures do not agree, more than rounding can explain.",
        "Open the invoice in Autotask, check its lines; void and issue it again if they are wrong, then Retry.",
    ),
    "no_lines": _fault(
        Stage.COMPLETE,
        "The invoice has no lines",
        "Autotask shows a total but no billing items; the API user may not be allowed to see them.",
        "Give the API user access to all lines of business, or void the invoice in Autotask, then Retry.",
    ),
    # -- customer -------------------------------------------------------------------------------------------
    "no_customer": _fault(
        Stage.CUSTOMER,
        "The invoice names no customer",
        "Autotask has no company on this invoice, and a ledger document needs one.",
        "Choose the company in Autotask, then Retry.",
    ),
    "customer_unreadable": _fault(
        Stage.CUSTOMER,
        "Autotask did not show the company with id {party}",
        "The API user cannot see this company, or it was deleted.",
        "Give the API user access to it in Autotask, then Retry.",
    ),
    "customer_similar": _fault(
        Stage.CUSTOMER,
        "“{name}” looks like “{candidates}” in {the_ledger}",
        "The names differ only in case, punctuation, spacing or legal form, and a wrong merge cannot be undone.",
        "Say whether they are the same customer: Link This, or Create New.",
        ("Link or create", "link_customer"),
    ),
    "customer_twice_in_source": _fault(
        Stage.CUSTOMER,
        "“{name}” and “{other}” are two companies in Autotask, and neither is linked",
        "Their names are the same or nearly so, and Bookbridge never merges two companies by itself.",
        "Link each of them to its own customer, or rename one of them in Autotask, then Retry.",
        ("Link or create", "link_customer"),
    ),
    "customer_twice_in_ledger": _fault(
        Stage.CUSTOMER,
        "{the_ledger} has more than one customer called “{name}”",
        "Both names are the same once case and spacing are set aside.",
        "Choose the right one with Link This.",
        ("Link or create", "link_customer"),
    ),
    "customer_inactive": _fault(
        Stage.CUSTOMER,
        "Customer “{name}” is inactive in {the_ledger}",
        "An inactive customer accepts no new documents.",
        "Make it active in {the_ledger}, then Retry.",
    ),
    "customer_is_vendor": _fault(
        Stage.CUSTOMER,
        "“{name}” is a vendor in {the_ledger}, and a customer cannot have the same name",
        "{the_ledger} keeps one list of names for customers, vendors and employees.",
        "Rename the vendor in {the_ledger} (for example “{name} (V)”), then Retry.",
    ),
    "customer_currency": _fault(
        Stage.CUSTOMER,
        "The invoice is in {document}, but customer “{name}” is kept in {ledger}",
        "A customer's currency in {the_ledger} never changes.",
        "Create a customer in {document} in {the_ledger} and link it, then Retry.",
        ("Link or create", "link_customer"),
    ),
    "customer_exempt_here": _fault(
        Stage.CUSTOMER,
        "“{name}” is tax-exempt in Autotask but taxable in {the_ledger}",
        "Exempt on one side only: the next invoice typed by hand would be wrong as well.",
        "Make both sides agree, then Retry.",
    ),
    "customer_exempt_there": _fault(
        Stage.CUSTOMER,
        "“{name}” is tax-exempt in {the_ledger}, but Autotask charged tax",
        "{the_ledger} would drop the tax from this invoice.",
        "Make both sides agree, then Retry.",
    ),
    "link_gone": _fault(
        Stage.CUSTOMER,
        "The linked customer of “{name}” (AccsID {ledger_id}) is not in {the_ledger} any more",
        "The customer was merged or deleted in {the_ledger}.",
        "Link it to the right customer, then Retry.",
        ("Link or create", "link_customer"),
    ),
    # -- number ---------------------------------------------------------------------------------------------
    "number_too_long": _fault(
        Stage.NUMBER,
        "Number {number} has {length} characters; {the_ledger} takes {limit}",
        "A number is never cut, because the customer has it on paper.",
        "Change the number in Autotask, or number by Autotask's id in Settings, then Retry.",
        _SETTINGS,
    ),
    "number_repeats": _fault(
        Stage.NUMBER,
        "Number {number} is also on another Autotask invoice (id {other})",
        "Two invoices with one number cannot both be in {the_ledger} under it.",
        "Change one of the numbers in Autotask, then Retry.",
    ),
    "number_taken": _fault(
        Stage.NUMBER,
        "Number {number} is already used in {the_ledger} by a document that Bookbridge did not create",
        "Somebody typed it there, or another program transferred it. Nothing was posted.",
        "Compare both documents. Renumber or delete the wrong one in {the_ledger}, then Retry.",
    ),
    # -- items ----------------------------------------------------------------------------------------------
    "no_billing_code": _fault(
        Stage.ITEMS,
        "Line {line} (“{text}”) has no billing code",
        "Without a billing code no item, and so no account, can be chosen.",
        "Give the item a billing code in Autotask: void and issue the invoice again, then Retry.",
    ),
    "item_missing": _fault(
        Stage.ITEMS,
        "Item “{item}” is not in {the_ledger}",
        "No item has exactly this name, and Settings say not to create missing items.",
        "Create it in {the_ledger}, or let Bookbridge create missing items in Settings, then Retry.",
        _SETTINGS,
    ),
    "item_inactive": _fault(
        Stage.ITEMS,
        "Item “{item}” is inactive in {the_ledger}",
        "An inactive item accepts no new lines.",
        "Make it active in {the_ledger}, then Retry.",
    ),
    "item_unusable": _fault(
        Stage.ITEMS,
        "“{item}” in {the_ledger} is a {type} and takes no amount",
        "Only service, non-inventory and inventory items can stand on an invoice line.",
        "Rename the {type}, or choose another item, then Retry.",
    ),
    "no_item_account": _fault(
        Stage.ITEMS,
        "Item “{item}” is missing, and no account is chosen for created items",
        "A created item needs an account that its sales are booked on.",
        "Choose the account for created items in Settings, then Retry.",
        _SETTINGS,
    ),
    # -- tax ------------------------------------------------------------------------------------------------
    "tax_off": _fault(
        Stage.TAX,
        "Autotask charged {tax} tax, but sales tax is switched off in {the_ledger}",
        "{the_ledger} would drop the tax, and the total would differ.",
        "Switch sales tax on in {the_ledger}, then Retry.",
    ),
    "tax_not_set_up": _fault(
        Stage.TAX,
        "Autotask charged {tax} tax, but automated sales tax was never set up in {the_ledger}",
        "{the_ledger} has automated sales tax without an agency to owe it to.",
        "Finish Taxes → Sales tax in {the_ledger}, then Retry.",
    ),
    "tax_without_line": _fault(
        Stage.TAX,
        "The invoice has {tax} tax, but no line is taxed",
        "The tax would stand on nothing; {the_ledger} needs at least one taxable line.",
        "Check the tax settings of its items in Autotask, void and issue it again, then Retry.",
    ),
    "tax_unmapped": _fault(
        Stage.TAX,
        "Tax region “{region}” has no tax code in {the_ledger}",
        "No tax code has this name, nor the name of Autotask's tax for it.",
        "Create a tax code called “{region}” in {the_ledger}, then Retry.",
    ),
    "untaxed_code_missing": _fault(
        Stage.TAX,
        "No tax code is chosen for documents without tax",
        "Outside the US every line needs a tax code: zero-rated, exempt and out of scope are three things.",
        "Choose the tax code for untaxed documents in Settings, then Retry.",
        _SETTINGS,
    ),
    "tax_differs": _fault(
        Stage.TAX,
        "{the_ledger} would compute {ledger} tax, Autotask charged {source} (difference {difference})",
        "The rate of tax code “{code}” does not give Autotask's tax.",
        "Correct the rate on the side that is wrong, then Retry.",
    ),
    "too_many_taxed_lines": _fault(
        Stage.TAX,
        "The invoice has {lines} lines; {the_ledger} takes {limit} on a taxed document",
        "{the_ledger} refuses longer documents with tax.",
        "Split the invoice in Autotask, then Retry.",
    ),
    # -- text and totals ------------------------------------------------------------------------------------
    "blank_text": _fault(
        Stage.TEXT,
        "Line {line} has no text",
        "Settings say to hold invoices with a line without text.",
        "Change “A line without text” in Settings to take the item's name, then Retry.",
        _SETTINGS,
    ),
    "remainder": _fault(
        Stage.TOTALS,
        "Its rounded lines and tax make {found}, Autotask's total is {total} (difference {difference})",
        "Autotask rounded the total only, so the rounded lines differ by a remainder.",
        "Round billing items to cents in Autotask, or adjust one item; then Retry.",
    ),
    "closed_period": _fault(
        Stage.LEDGER,
        "Dated {date}: the books are closed through {closed}",
        "Whoever closed the books decides whether something is added to that period.",
        "Reopen the period in {the_ledger} or have the invoice dated later, then Retry.",
    ),
    "numbering_contradicted": _fault(
        Stage.LEDGER,
        "The numbering chosen in Settings does not fit {the_ledger}' own setting",
        "{the_ledger}' “Custom transaction numbers” was changed after Settings were saved.",
        "Switch it back in {the_ledger} or choose another numbering in Settings, then Retry.",
        _SETTINGS,
    ),
    # -- the ledger's answers -------------------------------------------------------------------------------
    "ledger_refused": _fault(
        Stage.LEDGER,
        "{the_ledger} refused it: {message}",
        "{the_ledger} checked the document and did not accept it (code {code}). Nothing was posted.",
        "Correct what the sentence names, then Retry.",
    ),
    "reference_refused": _fault(
        Stage.LEDGER,
        "{the_ledger} no longer accepts a record that this document uses: {message}",
        "A customer, item, account or tax code was made inactive or deleted after the lists were read.",
        "Make it active in {the_ledger} or change the mapping, then Retry.",
    ),
    "subscription": _fault(
        Stage.LEDGER,
        "The {the_ledger} subscription has ended or is blocked",
        "{the_ledger} takes no new data for this company: {message}",
        "Renew the subscription in {the_ledger}, then Retry.",
    ),
    "customer_refused": _fault(
        Stage.CUSTOMER,
        "Customer “{name}” could not be created: {message}",
        "{the_ledger} refused the new customer (code {code}). The invoice was not posted.",
        "Correct what the sentence names in Autotask or create the customer by hand, then Retry.",
    ),
    "item_refused": _fault(
        Stage.ITEMS,
        "Item “{name}” could not be created: {message}",
        "{the_ledger} refused the new item (code {code}). The invoice was not posted.",
        "Correct what the sentence names or create the item by hand, then Retry.",
    ),
    "echo_differs": _fault(
        Stage.LEDGER,
        "{the_ledger} stored it differently: {what}",
        "What {the_ledger} says it holds is not what was sent, so a person has to look.",
        "Compare both documents in {the_ledger}; correct or delete the wrong one there.",
        _DOCUMENT,
    ),
    "cannot_settle": _fault(
        Stage.LEDGER,
        "After {tries} look-ups it is still not certain whether {the_ledger} has it",
        "{the_ledger} keeps answering that the number is used but does not show the document.",
        "Look for number {number} in {the_ledger}, then Retry.",
        _DOCUMENT,
    ),
    # -- waiting --------------------------------------------------------------------------------------------
    "waits_for_sync": _wait(
        Stage.LEDGER,
        "Ready. It goes with the next Sync",
        "Nothing asked for it to be posted yet: syncing is off or was stopped.",
        "Press Sync Now, or switch syncing on in Settings.",
        ("Sync Now", "sync_now"),
    ),
    "queued": _wait(
        Stage.LEDGER,
        "Ready, in line to be posted",
        "It is released to a run and goes by itself.",
        "Nothing needs doing.",
    ),
    "waits_for_reading": _wait(
        Stage.COMPLETE,
        "Found; its lines have not been read yet",
        "Only the header was read so far.",
        "Nothing needs doing: the lines are read with the next Sync.",
        ("Sync Now", "sync_now"),
    ),
    "run_stopped": _wait(
        Stage.LEDGER,
        "The run was stopped before it was posted",
        "A person stopped the run, or its size was above the run limit. Nothing was posted for it.",
        "Press Sync Now to post it.",
        ("Sync Now", "sync_now"),
    ),
    "checking": _wait(
        Stage.LEDGER,
        "Checking: {the_ledger} did not answer; we look there first, so nothing is posted twice",
        "The answer to the posting was lost ({evidence}).",
        "Nothing needs doing: it settles by itself within minutes.",
    ),
    "in_hand": _wait(
        Stage.LEDGER,
        "Being sent to {the_ledger}",
        "It is in a batch that is on its way.",
        "Nothing needs doing.",
    ),
    "ledger_limit": _wait(
        Stage.LEDGER,
        "{the_ledger} limit, continues at {time}",
        "{the_ledger} allows a number of calls per minute, and they are used up.",
        "Nothing needs doing: it continues by itself.",
    ),
    "ledger_away": _wait(
        Stage.LEDGER,
        "{the_ledger} could not be reached; tried again at {time}",
        "No connection to {the_ledger} was made, so nothing was sent.",
        "Nothing needs doing: it continues by itself.",
    ),
    "billed_before": _wait(
        Stage.SCOPE,
        "Its items are already in {the_ledger} on {other}",
        "A billing item is never in two live documents; the earlier invoice must be gone from {the_ledger} first.",
        "Void or delete {other} in {the_ledger} if it is the wrong one, then Retry.",
    ),
    "reconnect": _wait(
        Stage.LEDGER,
        "Waits for {platform} to be connected again",
        "{platform} no longer accepts the connection.",
        "Reconnect {platform}; everything continues from where it stopped.",
        _CONNECTIONS,
    ),
}
