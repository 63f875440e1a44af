"""One document: what it is, what happened to it, both papers, the journal, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from blueprints.access import Need, may
from blueprints.causes import actions_for, first, problem, sentence
from blueprints.chosen import find
from blueprints.context import company, db, now, ring, services
from blueprints.home import approve, credits, delivery, differs, voiding
from blueprints.home.customer import kind_of
from blueprints.home.order import three_ways
from blueprints.home.preview import packed
from blueprints.home.reissue import chain
from blueprints.home.routes import blueprint
from blueprints.logs.steps import KINDS
from blueprints.papers import draft_paper, journal_table, kind_word, source_paper
from blueprints.rows import links, number_of
from blueprints.shell import ledger_names
from blueprints.todo_words import error_mark_facts, todo_facts_of
from connectors.errors import PlatformError
from domain.documents import Draft, Party
from domain.formats import format_day, format_money
from domain.order_documents import ORDER
from domain.order_parts import order_total
from domain.reasons import Reason, Turn
from domain.statuses import Flag, Status
from models import Document, Link, PartyEntry, Posting, Step
from sync import codec, holds, order_changes, voids
from sync.lists import source_document
from sync.preview import Preview, draft_journal, preview
from workers import enqueue

ICONS = {"ok": "check", "warn": "alert-triangle", "bad": "x", "wait": "clock"}


@blueprint.get("/c/<int:company_id>/documents/<int:document_id>")
def document(company_id: int, document_id: int) -> ResponseReturnValue:
    row = find(document_id)
    _long, short = ledger_names(company())
    if order_changes.worth_a_look(row, now()):
        ring(enqueue.order_opened, company_id, row.id)
    why = first(row.reasons)
    stands = why is not None and why.turn is not Turn.WAIT
    staff = may(g.role, Need.STAFF)
    return render_template(
        "home/document.html",
        document=_head(row, short),
        note=differs.note(row, staff=staff)
        or _note(row, short, staff)
        or voiding.corrected(row, company(), short)
        or delivery.note(row, staff=staff)
        or approve.note(row, staff=staff)
        or credits.note(row, company(), short),
        differs=differs.marked(row),
        reason=problem(why, short, actions_for(why, row.id, staff=staff)) if why and stands else None,
        waiting=_waiting(row, short) if not stands else "",
        **_papers(row, short),
        events=_events(row),
        chain=chain(row),
        ways=three_ways(row),
        facts=_facts(row),
        todos=todo_facts_of([why]) if why and row.status == Status.FAULT else [],
        actions=[],
        more=_more(row, staff),
        steps_url=url_for("logs.steps", document_id=row.id),
    )


def _head(row: Document, short: str) -> dict[str, Any]:
    hrefs = links(row.id, row.source_id, row.ledger_id)
    in_books = f"in {short} as {row.ledger_number or row.ledger_id}" if row.status == Status.COMPLETE else ""
    return {
        "id": row.id,
        "number": number_of(row),
        "kind": kind_word(row.ledger_kind, row.total, row.kind),
        "customer": row.party_name or "(no customer)",
        "status": row.status,
        "flags": row.flags or [],
        "amount": row.total,
        "currency": row.currency or "USD",
        "sentence": in_books,
        "source_url": hrefs["source_url"],
        "ledger_url": hrefs["ledger_url"],
        "ledger_number": row.ledger_number or "",
    }


def _waiting(row: Document, short: str) -> str:
    why = first(row.reasons)
    if why is None or row.status not in (Status.PENDING, Status.PROCESSING) or row.before_start:
        return ""
    return f"{sentence(row.reasons, short)}. {why.fix(short)}"


def _note(row: Document, short: str, staff: bool) -> dict[str, Any] | None:
    """Documents before the start date can be taken in, skipped ones taken back."""
    if row.before_start:
        action = {"label": "Include it", "url": url_for("home.include", document_id=row.id), "method": "post"}
        text = "It is dated before the start date: counted and listed, never posted by itself."
        return {"kind": "plain", "text": text, "actions": [action] if staff else []}
    if row.reason_code == "held":
        return _held_note(row, staff)
    if voids.decidable(row):
        return voiding.note(row, company(), short, staff=staff)
    if row.status == Status.SKIPPED:
        action = {"label": "Un-skip", "url": url_for("home.unskip", document_id=row.id), "method": "post"}
        return {
            "kind": "plain",
            "text": "It is set aside and will not be posted.",
            "actions": [action] if staff else [],
        }
    if str(Flag.MARK_CLEARED) in (row.flags or []):
        resync = url_for("home.resync", document_id=row.id)
        actions = [
            {"label": "Write the mark again", "url": url_for("home.mark_again", document_id=row.id), "method": "post"},
            {"label": "Compare", "url": resync, "method": "post"},
            {"label": "Replace…", "url": resync, "method": "post"},
        ]
        text = (
            "Its mark in Autotask was cleared by somebody. The document in the books stands: it is neither posted "
            "again nor marked again by itself."
        )
        return {"kind": "warn", "text": text, "actions": actions if staff else []}
    return None


def _held_note(row: Document, staff: bool) -> dict[str, Any]:
    """Which hold keeps it, and the button that ends it."""
    found = holds.of(db(), row.company_id, holds.DOCUMENT, str(row.id)) or holds.of(
        db(), row.company_id, holds.PARTY, row.party_id or ""
    )
    if found is None:
        return {"kind": "plain", "text": "The hold was released.", "actions": []}
    what = "This document is" if found.kind == holds.DOCUMENT else f"Everything of {found.name} is"
    label = "Release hold" if found.kind == holds.DOCUMENT else f"Release hold on {found.name}"
    action = {"label": label, "url": url_for("home.release_hold", hold_id=found.id), "method": "post"}
    text = f"{what} held by {found.placed_by} since {format_day(found.placed_at.date())}: {found.why}. "
    return {
        "kind": "warn",
        "text": text + "No tool posts it while the hold stands.",
        "actions": [action] if staff else [],
    }


def _papers(row: Document, short: str) -> dict[str, Any]:
    """The source's paper; the draft as the ledger booked it, or as it would be sent; its journal."""
    source = source_document(row)
    entry = (
        db()
        .scalars(
            select(PartyEntry).where(
                PartyEntry.company_id == row.company_id, PartyEntry.source_id == (row.party_id or "")
            )
        )
        .one_or_none()
    )
    party = codec.load(Party, entry.data) if entry else None
    if row.kind == ORDER:
        source = replace(source, header=replace(source.header, total=order_total(source)))
    ours = source_paper(source, party, row.currency or "USD", "Autotask") if row.lines else None
    draft, rows, shown = _draft(row)
    planned = shown is not None
    return {
        "first": [*credits.promises(shown.draft.kind, short), *shown.creates, *shown.notes]
        if shown and shown.draft
        else [],
        "writes_back": list(shown.writes_back) if shown and shown.draft else [],
        "others": [_told(why, row, short) for why in shown.reasons if why.code != row.reason_code] if shown else [],
        "post": _post(row, shown),
        "ours": ours,
        "theirs": _their_paper(draft, shown, short) if draft else None,
        "journal_planned": planned,
        "journal": journal_table(rows, draft.currency) if draft and rows else None,
    }


def _their_paper(draft: Draft, shown: Preview | None, short: str) -> dict[str, Any]:
    if shown is None:
        return draft_paper(draft, short)
    return draft_paper(draft, f"{short}, as it would be sent", shown.accounts)


def _told(why: Reason, row: Document, short: str) -> dict[str, Any]:
    """One of the further reasons, with its action."""
    return problem(why, short, actions_for(why, row.id, staff=may(g.role, Need.STAFF)))


def _post(row: Document, shown: Preview | None) -> dict[str, Any] | None:
    """Post now, with what was looked at, so that nothing else is posted in its place."""
    stands = shown is not None and shown.seen is not None and row.status == Status.PENDING and row.due_at is None
    if not stands or shown is None or shown.seen is None or row.before_start or row.reread_at is not None:
        return None
    if not may(g.role, Need.STAFF) or (company().first_posted_at is None and row.kind != ORDER):
        return None
    face = shown.seen["face"]
    return {
        "label": "Post now", "url": url_for("home.post_now", document_id=row.id), "method": "post",
        "fields": {"digest": shown.seen["digest"], "seen": packed(face if isinstance(face, dict) else {})},
    }  # fmt: skip


def _draft(row: Document) -> tuple[Draft | None, Any, Preview | None]:
    """(draft, journal rows, the preview where it is only planned)."""
    posting = db().get(Posting, row.posting_id) if row.posting_id else None
    if posting is not None and row.status in (Status.COMPLETE, Status.PROCESSING):
        sent = codec.load_draft(posting.ledger_kind, posting.draft)
        if not isinstance(sent, Draft):
            return None, (), None
        sent = differs.booked(row, sent)
        return sent, draft_journal(db(), row.company_id, sent), None
    shown = _preview(row)
    return (shown.draft, shown.journal, shown) if shown else (None, (), None)


def _preview(row: Document) -> Preview | None:
    """The plan as it is now; None where nothing is to be planned or the ledger is not connected."""
    if row.lines is None or row.status in (Status.COMPLETE, Status.PROCESSING) or not company().profile:
        return None
    try:
        capabilities = services().ledger(row.company_id).capabilities
    except PlatformError:
        return None
    with services().sessions() as own:
        own.connection(execution_options={"read_only": True})
        with own.no_autoflush:  # planning touches the rows it reads; nothing of it is kept
            return preview(own, own.get_one(Document, row.id), capabilities)


def _events(row: Document) -> list[dict[str, Any]]:
    """Newest first; the step log has all of it in order."""
    steps = (
        db()
        .scalars(
            select(Step)
            .where(Step.document_id == row.id, Step.company_id == row.company_id)
            .order_by(Step.id.desc())
            .limit(30)
        )
        .all()
    )
    events = []
    for step in steps:
        kind = KINDS.get(step.name, "ok")
        events.append(
            {
                "kind": kind,
                "icon": ICONS[kind],
                "title": step.name.replace("_", " ").capitalize(),
                "at": step.at,
                "who": step.who,
                "detail": step.text,
            }
        )
    events.append(
        {
            "kind": "wait",
            "icon": ICONS["wait"],
            "title": "Found in Autotask",
            "at": row.seen_at,
            "who": "",
            "detail": "",
        }
    )
    return events


def _facts(row: Document) -> list[tuple[str, str]]:
    _long, short = ledger_names(company())
    facts = [("Autotask ID", row.source_id), ("Found", format_day(row.seen_at.date()))]
    link = (
        db()
        .scalars(
            select(Link).where(
                Link.company_id == row.company_id, Link.kind == kind_of(row), Link.source_key == (row.party_id or "")
            )
        )
        .one_or_none()
    )
    if link is not None:
        told = f"AccsID {link.ledger_id}, {link.how}, {format_day(link.made_at.date())}"
        facts.append((f"{kind_of(row).capitalize()} link", told))
    if row.ledger_id:
        facts += [(f"{short} ID", row.ledger_id), (f"{short} number", row.ledger_number or "–")]
    if row.ledger_total is not None:
        facts.append((f"Total in {short}", format_money(row.ledger_total, row.currency)))
    facts += [*delivery.facts(row), *credits.dates(row), *error_mark_facts(row)]
    if row.run_id:
        facts.append(("Last run", f"Run {row.run_id}"))
    return facts


def _more(row: Document, staff: bool) -> list[dict[str, Any]]:
    more: list[dict[str, Any]] = [
        {
            "label": "Step log",
            "url": url_for("logs.steps", document_id=row.id),
            "icon": "history",
            "note": "Every step in order",
        },
    ]
    if row.run_id:
        more.append(
            {"label": f"Run {row.run_id}", "url": url_for("logs.run", run_id=row.run_id), "icon": "refresh", "note": ""}
        )
    if staff:
        url = url_for("home.trace", document_id=row.id)
        said = "Keeps what is asked and answered about it" if row.traced_since is None else "On: open the trace"
        more.append({"label": "Diagnostic Mode", "url": url, "icon": "route", "note": said})
        url = url_for("tools.troubleshoot", invoice=row.source_id)
        said = "Looks at both sides; writes nothing"
        more.append({"label": "Troubleshoot", "url": url, "icon": "search", "note": said})
    if staff and row.status == Status.COMPLETE:
        more.append(
            {
                "label": "Resync",
                "url": url_for("home.resync", document_id=row.id),
                "icon": "refresh",
                "note": "Reads both sides; shows what differs first",
                "method": "post",
            }
        )
    if staff and row.status in (Status.PENDING, Status.FAULT) and row.due_at is None:
        more.append(
            {
                "label": "Skip…",
                "url": url_for("home.skip", id=row.id),
                "icon": "player-pause",
                "note": "Asks for a reason",
            }
        )
    if staff and row.status in (Status.PENDING, Status.FAULT, Status.PROCESSING):
        more.append(
            {
                "label": "Hold…",
                "url": url_for("home.hold", id=row.id),
                "icon": "lock",
                "note": "Until somebody releases it",
            }
        )
        if row.party_id:
            more.append(
                {
                    "label": "Hold this customer…",
                    "url": url_for("home.hold_customer", document_id=row.id),
                    "icon": "lock",
                    "note": row.party_name,
                }
            )
    return more
