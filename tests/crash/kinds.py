"""What is written when the worker dies: one row per kind of document or change, and how the books are judged after it.

A kind says what is seeded and chosen, what happened before (in this process), what is asked for, at which points the
worker may die, and what the books must hold in the end. The judge is the sandbox: books, journal and mailbox.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import requests
from sqlalchemy import or_, select

from domain.order_settings import Becomes
from domain.settings import InitialStatus, Numbering, VoidPolicy
from domain.statuses import PostingState, Status
from models import Document, Posting
from sandbox import ledgers, mailbox
from sandbox.autotask.tenants import Tenant
from sandbox.qbo.realm import Realm
from sandbox.xero.organisation import Organisation
from sync import codec, decisions, delivery, gather, operations, replacing
from sync.operations.base import kind_of
from tests.crash.story import Story
from tests.infra.company import sync_in_process
from tests.infra.orders import ask_orders, choose_orders
from workers import enqueue

RESERVING = ("after_reserve",)
CALL = ("after_freeze", "after_intent", "before_send", "after_send", "after_confirm")
MARKS = ("after_write_back", "before_done")
CREATION = (*RESERVING, *CALL, "after_look_up", *MARKS)
CHANGE = ("after_look_up", *CALL)
"""A change of a record begins with a look at it, and marks nothing in the source."""
MARKER = re.compile(r"ref:[A-Z2-7]{8}")
CHANGED = "as agreed with the customer"
FEW = 3


@dataclass(frozen=True)
class Crashing:
    """One kind. `before` and `ask` act on the story; `judge` raises AssertionError; `calls`: which call of the points
    of a call is the kind's own (vendors and items are made first)."""

    points: tuple[str, ...]
    ask: Callable[[Story], None]
    judge: Callable[[Story], None]
    ledgers: tuple[str, ...] = ("quickbooks", "xero")
    before: Callable[[Story], None] = lambda story: None
    seeded: Mapping[str, Any] = field(default_factory=dict)
    chosen: Mapping[str, Any] = field(default_factory=dict)
    calls: int = 1


# ---- what is asked for --------------------------------------------------------------------------------------


def press(story: Story) -> None:
    story.press()


def press_orders(story: Story) -> None:
    enqueue.scan(story.services, story.company_id, ask_orders(story.services, story.company_id))


def post_all(story: Story) -> None:
    """The month is in the books already."""
    sync_in_process(story.services, story.company_id)


def only(kind: Callable[[Document], bool]) -> Callable[[Story], None]:
    """Everything else is set aside by a person before the press."""

    def leave(story: Story) -> None:
        services = story.services
        source, ledger = services.source(story.company_id), services.ledger(story.company_id)
        gather.scan(services.runtime(), story.company_id, source, ledger, None)
        with services.sessions() as db, db.begin():
            for row in db.scalars(select(Document).where(Document.company_id == story.company_id)):
                if not kind(row):
                    assert decisions.skip(db, row, why="another time", now=services.now(), who="a person")

    return leave


def without_numbers(story: Story) -> None:
    """Autotask leaves them blank: the ledger numbers."""
    for row in Tenant(story.world, int(story.made["ci"])).rows("Invoices"):
        _act(story, "edit", invoice=row["id"], changes={"invoiceNumber": ""})


def _act(story: Story, name: str, **body: Any) -> None:
    """A person does something in the simulated Autotask."""
    address = f"{story.url}/control/actions/{story.made['slug']}/{name}"
    answer = requests.post(address, json=body, timeout=30)
    assert answer.status_code == 200, answer.text


def void_some(story: Story) -> None:
    """Autotask voids a few invoices, which the setting voids in the ledger too."""
    for row in chosen(story):
        _act(story, "void", invoice=int(row.source_id))
    story.press()


def replace_some(story: Story) -> None:
    """A person confirms that a few documents are replaced by what is to stand there now."""
    services, rows = story.services, chosen(story)
    ledger = services.ledger(story.company_id)
    for row in rows:
        held = ledger.read(kind_of(_posting(story, row)), [str(row.ledger_id)])[str(row.ledger_id)]
        with services.sessions() as db, db.begin():
            fresh = db.get_one(Document, row.id)
            draft = replacing.last_written(db, fresh)
            assert draft is not None
            first, *rest = draft.lines
            draft = replace(draft, lines=(replace(first, text=CHANGED), *rest))
            operations.reserve(db, fresh, operations.UPDATE, codec.dump(draft), now=services.now(), interactive=1,
                               terms={"by": "a person", "version": str(held.version)})  # fmt: skip
    enqueue.ring(services, story.company_id)


def chosen(story: Story) -> list[Document]:
    """The first few invoices that are in the books."""
    with story.services.sessions() as db:
        rows = db.scalars(
            select(Document).where(Document.company_id == story.company_id, Document.ledger_id.is_not(None),
                                   Document.total > 0).order_by(Document.id)
        ).all()  # fmt: skip
    return list(rows[:FEW])


def _posting(story: Story, row: Document) -> Posting:
    with story.services.sessions() as db:
        return db.get_one(Posting, row.posting_id)


# ---- how it is judged ---------------------------------------------------------------------------------------


def records(story: Story) -> list[dict[str, Any]]:
    """Every document in the books that bears a marker of ours, dead ones too."""
    realm = str(story.made["realm"])
    books = ledgers.kind_of(story.world, realm).books
    found = [*books.documents(story.world, realm), *books.purchases(story.world, realm)]
    return [{**each, "marker": marked.group()} for each in found
            if (marked := MARKER.search(f"{each['PrivateNote'] or ''} {each.get('url') or ''}"))]  # fmt: skip


def once_each(story: Story, *, dead: int = 0, asked: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    """Every document that the product calls complete stands in the books once, under the id it holds, and everything
    of ours that stands there belongs to one. `dead`: how many records may have been voided; `asked`: reasons for which
    one document that is in the books may ask a person. Returns what lives."""
    everything = records(story)
    live = [each for each in everything if each["live"]]
    with story.services.sessions() as db:
        rows = db.execute(
            select(Posting.marker, Posting.ledger_id, Posting.state).join(Document, Document.id == Posting.document_id)
            .where(Document.company_id == story.company_id, Posting.operation == "create",
                   or_(Document.status == Status.COMPLETE, Document.reason_code.in_(asked)))
        ).all()  # fmt: skip
        unsettled = db.scalars(select(Document.reason_code).where(
            Document.company_id == story.company_id, Document.status.not_in((Status.COMPLETE, Status.SKIPPED))
        )).all()  # fmt: skip
    assert unsettled == [] or (len(unsettled) == 1 and set(unsettled) <= asked), unsettled
    assert {state for _, _, state in rows} == {PostingState.DONE}
    assert len(everything) - len(live) == dead
    held = {marker: str(id) for marker, id, _ in rows}
    standing = {each["marker"]: str(each["id"]) for each in live}
    assert len(standing) == len(live), "one document stands there twice"
    if dead == 0:
        assert held == standing
    else:
        assert standing.items() <= held.items() and len(held) - len(standing) == dead
    return live


def created(story: Story) -> None:
    live = once_each(story)
    assert live, "nothing was posted"
    verdict = requests.get(f"{story.url}/control/audit", params=_query(story), timeout=30).json()
    assert (verdict["duplicates"], verdict["unmarked"]) == (0, 0)
    assert verdict["posted"] + verdict["credit_memos"] == len(live)


def bought(story: Story) -> None:
    live = once_each(story)
    verdict = requests.get(f"{story.url}/control/audit/orders", params=_query(story), timeout=30).json()
    wrong = {name: verdict[name] for name in ("missing", "duplicates", "unmarked", "strays", "wrong")}
    assert wrong == {"missing": 0, "duplicates": 0, "unmarked": 0, "strays": [], "wrong": {}}
    assert len(live) == verdict["eligible"] > 0


def voided(story: Story) -> None:
    once_each(story, dead=FEW)
    assert _effects(story, ("void", "delete")) == FEW


def replaced(story: Story) -> None:
    live = once_each(story)
    texts = [[line["description"] for line in each["lines"]] for each in live]
    assert sum(CHANGED in each for each in texts) == FEW
    assert _effects(story, ("update",)) == FEW, "a replacement was applied twice"


def mailed(story: Story) -> None:
    """Each customer has at most one mail; exactly one where the product says that it left. Of the one that was under
    way without a proof a person decides."""
    live = once_each(story, asked=frozenset({delivery.UNSURE}))
    words = Counter(word for mail in mailbox.messages(story.world) for word in str(mail["subject"]).split())
    left = {str(each["DocNumber"]): words[str(each["DocNumber"])] for each in live if each["type"] == "Invoice"}
    assert max(left.values()) == 1, left
    with story.services.sessions() as db:
        rows = db.execute(select(Posting.ledger_number, Posting.state).where(Posting.operation == "send")).all()
    assert len(rows) == len(left)
    assert {state for _, state in rows} <= {PostingState.DONE, PostingState.NEEDS_HUMAN}
    assert all(left[str(number)] == 1 for number, state in rows if state == PostingState.DONE)
    assert sum(state == PostingState.NEEDS_HUMAN for _, state in rows) <= 1, "more than the one mail under way"


def attached(story: Story) -> None:
    held, realm = Counter[str](), str(story.made["realm"])
    live = once_each(story)
    if story.made["ledger"] == "qbo":
        for file in Realm(story.world, realm).records("Attachable"):
            held.update(str(each["EntityRef"]["value"]) for each in file["entity"].get("AttachableRef", []))
    else:
        for kind in ("Invoice", "CreditNote"):
            for record in Organisation(story.world, realm).records(kind):
                held[str(record["id"])] += len(record.get("attachments", []))
    assert +held == Counter({str(each["id"]): 1 for each in live})


def approved(story: Story) -> None:
    assert {each["state"] for each in once_each(story)} == {"AUTHORISED"}


def _query(story: Story) -> dict[str, Any]:
    return {"ci": story.made["ci"], "realm": story.made["realm"]}


def _effects(story: Story, actions: tuple[str, ...]) -> int:
    """How many sales documents of the ledger's journal were changed so, by calls that were carried out."""
    kind = ledgers.kind_of(story.world, str(story.made["realm"]))
    rows = story.world.journal.rows(kind.platform, str(story.made["realm"]))
    return sum(effect["action"] in actions and effect["kind"] in (kind.invoice, kind.credit)
               for row in rows for effect in row["effects"])  # fmt: skip


MONTH = {"invoices": 9, "known_customers": True}
KINDS: dict[str, Crashing] = {
    "invoice": Crashing(CREATION, press, created, seeded=MONTH, before=only(lambda row: row.total > 0)),
    "credit": Crashing(CREATION, press, created, seeded={**MONTH, "invoices": 20},
                       before=only(lambda row: row.total < 0)),
    "void": Crashing(CHANGE, void_some, voided, before=post_all, seeded=MONTH, chosen={"voids": VoidPolicy.VOID}),
    "replacement": Crashing(CHANGE, replace_some, replaced, before=post_all, seeded=MONTH),
    # New customers bring their address along; the mails go one by one after customers and documents, of no drafts.
    "mail": Crashing(CHANGE, press, mailed, seeded={"invoices": 4, "known_customers": False},
                     chosen={"mail_customers": True, "initial_status": InitialStatus.APPROVED}, calls=3),
    "attachment": Crashing(("before_attach", "after_attach"), press, attached, seeded=MONTH,
                           chosen={"attach_pdf": True}),
    "promotion": Crashing(CHANGE, press, approved, ledgers=("xero",), before=without_numbers, seeded=MONTH, calls=2,
                          chosen={"numbering": Numbering.LEDGER, "initial_status": InitialStatus.APPROVED}),
    "bill": Crashing(CREATION, press_orders, bought, calls=2,
                     seeded={"invoices": 0, "orders": 12},
                     before=lambda story: choose_orders(story.services, story.company_id, story.made)),
    "purchase order": Crashing(
        CREATION, press_orders, bought, calls=2, seeded={"invoices": 0, "orders": 12},
        before=lambda story: choose_orders(
            story.services, story.company_id, story.made, becomes=Becomes.ORDER),
    ),
}  # fmt: skip
