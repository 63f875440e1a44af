"""What is written when the worker dies: one row per kind of write, and how the books are judged after it.

A kind says what is seeded and chosen, what happened before (in this process), what is asked for, at which points the
worker may die, and what the books must hold in the end. The judge is the sandbox: source, books, journal and mailbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from domain.order_settings import Becomes
from domain.settings import InitialStatus, MissingItem, Numbering, VoidPolicy
from domain.statuses import PostingState, Status
from models import Document, Posting, TodoRow
from sandbox import mailbox
from sandbox.autotask import todos
from sandbox.qbo.realm import Realm
from sandbox.xero import papers
from sandbox.xero.organisation import Organisation
from sync import delivery
from tests.crash.asking import (
    CHANGED,
    FEW,
    at_fault,
    billed_and_cancelled,
    buying,
    correct_some,
    expired,
    in_a_closed_month,
    nothing,
    only,
    ordered_and_cancelled,
    ordered_and_received,
    post_all,
    press,
    press_orders,
    remove_some,
    replace_some,
    several,
    take_out_bills,
    take_out_orders,
    void_some,
    with_todos,
    without_numbers,
)  # fmt: skip
from tests.crash.judging import (
    INVOICE,
    MARKER,
    ORDER,
    Books,
    corrections,
    effects,
    invoices,
    live,
    mark_of,
    orders,
    problems,
    records,
    tenant,
)  # fmt: skip
from tests.crash.story import Story

CALL = ("after_freeze", "after_intent", "before_send", "after_send", "after_confirm")
SENT = CALL[1:]
"""Where the call that dies stands in the database."""
CHANGE = ("after_look_up", *CALL)
"""A change of a record begins with a look at it, and marks nothing in the source."""
NEEDED = CHANGE
"""What a document needs is made in a call of its own before it, and looked up by its name."""
CREATION = ("after_reserve", *CHANGE, "after_write_back", "before_done")
BOTH = ("quickbooks", "xero")


@dataclass(frozen=True)
class Crashing:
    """One kind: which `operation` it is about and what that `writes` (kinds of the ledger's records). `before` and
    `ask` act on the story; `judge` raises AssertionError; `call`: which call of the points of a call is the kind's
    own, as customers and items go first."""

    operation: str
    writes: tuple[str, ...]
    points: tuple[str, ...]
    ask: Callable[[Story], None]
    judge: Callable[[Story], None]
    ledgers: tuple[str, ...] = BOTH
    before: Callable[[Story], None] = nothing
    seeded: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    call: int | Mapping[str, int] = 1
    lost: bool = False
    """It is looked up only after an answer was lost."""
    rung: bool = False
    """It is written a while after the run, when the scheduler rings."""

    def call_on(self, ledger: str) -> int:
        return self.call if isinstance(self.call, int) else self.call[ledger]


# ---- how it is judged ---------------------------------------------------------------------------------------


def agrees(story: Story, wanted: Books, *, dead: int = 0, asked: frozenset[str] = frozenset()) -> None:
    """Nothing is wrong, and no more documents of ours than `dead` were ever taken out."""
    wrong = problems(story, wanted, asked=asked)
    assert wanted and not wrong, wrong
    assert sum(not each["live"] for each in records(story)) == dead


def created(story: Story) -> None:
    agrees(story, invoices(story))


def bought(story: Story) -> None:
    agrees(story, orders(story))


def needed(story: Story) -> None:
    """The parties and items that the documents need were made once each."""
    created(story) if tenant(story).rows("Invoices") else bought(story)
    realm = str(story.made["realm"])
    if story.made["ledger"] == "qbo":
        kinds = {"Customer": "DisplayName", "Vendor": "DisplayName", "Item": "Name"}
        found: Any = Realm(story.world, realm)
    else:
        kinds, found = {"Contact": "Name", "Item": "Code"}, Organisation(story.world, realm)
    for kind, name in kinds.items():
        names = Counter(str(each["entity"][name]).casefold() for each in found.records(kind))
        assert [each for each, count in names.items() if count > 1] == [], kind


def voided(story: Story) -> None:
    agrees(story, invoices(story), dead=FEW)
    assert effects(story, ("void", "delete")) == FEW


def replaced(story: Story) -> None:
    agrees(story, invoices(story))
    texts = [[line["description"] for line in each["lines"]] for each in live(story)]
    assert sum(CHANGED in each for each in texts) == FEW
    assert effects(story, ("update",)) == FEW, "a replacement was applied twice"


def removed(story: Story) -> None:
    """Each of them was taken out once and made once more."""
    agrees(story, invoices(story), dead=FEW)
    assert effects(story, ("void", "delete")) == FEW
    assert effects(story, ("create",)) == len(live(story)) + FEW


def corrected(story: Story) -> None:
    """The corrected documents stand as they were, and the opposite of each beside it."""
    taken_back = corrections(story)
    assert len(taken_back) == 2 * FEW
    agrees(story, invoices(story) | taken_back)
    kinds = Counter(each["type"] for each in live(story) if each["marker"] in taken_back)
    assert sorted(kinds.values()) == [FEW, FEW], kinds
    assert effects(story, ("void", "delete", "update")) == 0, "a document of a closed month was touched"


def unbilled(story: Story) -> None:
    """The orders stand, and the bills of a few of them were deleted once each. That a bill is taken off its order may
    be repeated: it names the version it saw and leaves the same bill."""
    agrees(story, orders(story), dead=FEW)
    if story.made["ledger"] == "qbo":
        assert effects(story, ("delete",), "Bill") == FEW <= effects(story, ("update",), "Bill") <= 2 * FEW


def unordered(story: Story) -> None:
    """A few orders are gone, each taken out once, and the others stand."""
    gone = {mark_of(story, ORDER, id) for id in several(story)}
    agrees(story, {mark: one for mark, one in orders(story).items() if mark not in gone}, dead=FEW)


def closed(story: Story) -> None:
    """A few orders are billed whole, by one bill each, and closed."""
    bills = {mark_of(story, ORDER, id, f"V-9{place}"): orders(story)[mark_of(story, ORDER, id)]
             for place, id in enumerate(several(story))}  # fmt: skip
    agrees(story, orders(story) | bills)
    states = Counter(each["state"] for each in live(story) if each["type"] == "PurchaseOrder")
    assert states["BILLED"] == len(bills) == FEW and len(states) == 2, states


def mailed(story: Story) -> None:
    """Each customer has at most one mail; exactly one where the product says that it left. Of the one that was under
    way without a proof a person decides."""
    agrees(story, invoices(story), asked=frozenset({delivery.UNSURE}))
    words = Counter(word for mail in mailbox.messages(story.world) for word in str(mail["subject"]).split())
    left = {str(each["DocNumber"]): words[str(each["DocNumber"])] for each in live(story) if each["type"] == "Invoice"}
    assert max(left.values()) == 1, left
    with story.services.sessions() as db:
        rows = db.execute(select(Posting.ledger_number, Posting.state).where(Posting.operation == "send")).all()
    assert len(rows) == len(left)
    assert {state for _, state in rows} <= {PostingState.DONE, PostingState.NEEDS_HUMAN}
    assert all(left[str(number)] == 1 for number, state in rows if state == PostingState.DONE)
    assert sum(state == PostingState.NEEDS_HUMAN for _, state in rows) <= 1, "more than the one mail under way"


def attached(story: Story) -> None:
    created(story)
    held, realm = Counter[str](), str(story.made["realm"])
    if story.made["ledger"] == "qbo":
        for file in Realm(story.world, realm).records("Attachable"):
            held.update(str(each["EntityRef"]["value"]) for each in file["entity"].get("AttachableRef", []))
    else:
        for kind in ("Invoice", "CreditNote"):
            for record in Organisation(story.world, realm).records(kind):
                held[str(record["id"])] += len(record.get("attachments", []))
    assert +held == Counter({str(each["id"]): 1 for each in live(story)})


def noted(story: Story) -> None:
    created(story)
    organisation = Organisation(story.world, str(story.made["realm"]))
    for record in live(story):
        notes = [row["Details"] for row in papers.history(organisation, record["type"], str(record["id"]))]
        ours = [found.group() for text in notes if (found := MARKER.search(text))]
        assert ours == [record["marker"]], notes


def approved(story: Story) -> None:
    """The ledger's numbers stand in Autotask, too."""
    created(story)
    numbers = {mark_of(story, INVOICE, row["id"]): row["invoiceNumber"] for row in tenant(story).rows("Invoices")}
    assert [each for each in live(story) if numbers[each["marker"]] != each["DocNumber"]] == []
    assert {each["state"] for each in live(story)} == {"AUTHORISED"}


def told_by_todos(story: Story) -> None:
    """Nothing could be posted, and each cause is one open to-do, under the id that is kept of it."""
    with story.services.sessions() as db:
        kept = {row.marker: row.todo_id for row in db.scalars(select(TodoRow).where(TodoRow.ended_at.is_(None)))}
    there = {mark: str(row["id"]) for row in todos.listed(tenant(story)) for mark in kept if mark in row["text"]}
    assert records(story) == [] and at_fault(story) and kept == there
    assert todos.account(tenant(story)) == {"all": len(kept), "open": len(kept), "duplicates": 0}


def told_by_marks(story: Story) -> None:
    """Nothing could be posted, and the word stands on all of it, and nowhere else."""
    assert records(story) == []
    with story.services.sessions() as db:
        faults = set(db.scalars(select(Document.source_id).where(Document.status == Status.FAULT)))
    rows = tenant(story).rows("Invoices")
    assert faults == {str(row["id"]) for row in rows if row.get("invoiceNumber") == "ERROR"} and faults


# ---- the kinds ----------------------------------------------------------------------------------------------

MONTH = {"invoices": 9, "known_customers": True}
STRANGERS = {"invoices": 6, "known_customers": False}
"""Customers that the ledger does not know: they, and items, are made first; a new one brings its address along."""
AFTER_ITEMS = {"quickbooks": 2, "xero": 1}
"""Lines on QuickBooks need items, of which one or the other is new; on Xero they stand on accounts."""
ORDERS = {"invoices": 0, "orders": 12}
UNKNOWN_ITEMS = {"missing_item": MissingItem.HOLD}
LEDGER_NUMBERS = {"numbering": Numbering.LEDGER}
APPROVED = {"initial_status": InitialStatus.APPROVED}
SALES = ("invoice", "credit_memo")

KINDS: dict[str, Crashing] = {
    "customer": Crashing("create", ("customer", "item"), NEEDED, press, needed, seeded=STRANGERS, lost=True),
    "vendor": Crashing("create", ("vendor", "item"), NEEDED, press_orders, needed, seeded=ORDERS, before=buying(),
                       lost=True),
    "invoice": Crashing("create", ("invoice",), CREATION, press, created, seeded=MONTH, lost=True,
                        before=only(lambda row: row.total > 0), call=AFTER_ITEMS),
    "credit": Crashing("create", ("credit_memo",), CREATION, press, created, seeded={**MONTH, "invoices": 20},
                       before=only(lambda row: row.total < 0), lost=True, call=AFTER_ITEMS),
    "bill": Crashing("create", ("bill",), CREATION, press_orders, bought, seeded=ORDERS, before=buying(), call=2,
                     lost=True),
    "purchase order": Crashing("create", ("purchase_order",), CREATION, press_orders, bought, seeded=ORDERS, call=2,
                               before=buying(becomes=Becomes.ORDER), lost=True),
    "void": Crashing("void", SALES, CHANGE, void_some, voided, before=post_all, seeded=MONTH,
                     chosen={"voids": VoidPolicy.VOID}),
    "bill void": Crashing("void", ("bill",), CHANGE, take_out_bills, unbilled, before=billed_and_cancelled,
                          seeded=ORDERS, call={"quickbooks": 2, "xero": 1}),
    "unlinking": Crashing("unlink", ("bill",), CHANGE, take_out_bills, unbilled, before=billed_and_cancelled,
                          seeded=ORDERS, ledgers=("quickbooks",)),
    "order void": Crashing("void", ("purchase_order",), CHANGE, take_out_orders, unordered, seeded=ORDERS,
                           before=ordered_and_cancelled),
    "replacement": Crashing("update", SALES, CHANGE, replace_some, replaced, before=post_all, seeded=MONTH),
    "removal": Crashing("remove", SALES, CHANGE, remove_some, removed, before=post_all, seeded=MONTH),
    "correction": Crashing("correct", SALES, CHANGE, correct_some, corrected, before=in_a_closed_month, seeded=MONTH,
                           chosen={"voids": VoidPolicy.VOID}),
    # The mails go one by one after customers and documents, of no drafts.
    "mail": Crashing("send", ("invoice",), CHANGE, press, mailed, seeded={**STRANGERS, "invoices": 4}, call=3,
                     chosen={"mail_customers": True, **APPROVED}),
    "promotion": Crashing("promote", SALES, CHANGE, press, approved, ledgers=("xero",), before=without_numbers,
                          seeded=MONTH, call=2, chosen={**LEDGER_NUMBERS, **APPROVED}),
    "closing": Crashing("close", ("purchase_order",), CHANGE, press_orders, closed, ledgers=("xero",), seeded=ORDERS,
                        before=ordered_and_received(lambda items: None), call=2),
    "attachment": Crashing("attach", SALES, ("before_attach", "after_attach"), press, attached, seeded=MONTH,
                           chosen={"attach_pdf": True}),
    "note": Crashing("note", SALES, ("before_note", "after_note"), press, noted, ledgers=("xero",), seeded=MONTH,
                     chosen={"history_note": True}),
    "to-do": Crashing("to-do", (), ("after_todo_intent", "after_todo_sent"), press, told_by_todos, seeded=STRANGERS,
                      before=with_todos, chosen=UNKNOWN_ITEMS, rung=True),
    "error mark": Crashing("error mark", (), ("after_error_mark_intent", "after_error_mark_sent"), press, told_by_marks,
                           seeded=STRANGERS, before=without_numbers,
                           chosen={**UNKNOWN_ITEMS, **LEDGER_NUMBERS, "mark_errors": True}, rung=True),
    "renewal": Crashing("renew", (), ("in_refresh",), press, created, seeded=MONTH, before=expired),
}  # fmt: skip
