"""Preview: ticked documents, all that are pending, or a customer's, added up first; and Post now for one document."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from blueprints.chosen import find, ticked
from blueprints.context import company, db, now, ring, services, the_user, writing
from blueprints.home.routes import blueprint
from blueprints.problems import Problem
from blueprints.rows import number_of
from connectors.errors import PlatformError
from connectors.ledgers.base import Capabilities
from domain import changes
from domain.order_documents import ORDER
from models import Company, Document, User
from sync import audit, mirror, previewing, release, tools
from sync.preview import preview as preview_one
from workers import enqueue

MOST_BYTES = 1_000_000


@blueprint.post("/c/<int:company_id>/documents/preview")
def preview(company_id: int) -> ResponseReturnValue:
    """A batch preview. Small ones are carried out at once, large ones by a worker; pressing twice joins."""
    asked = _asked()
    if asked is None:
        flash("No row was ticked.", "warn")
        return redirect(url_for("home.review"))
    if not mirror.ready(db(), company_id):
        return redirect(url_for("connect.first_scan"))
    capabilities, count = capabilities_of(company_id), len(previewing.chosen(db(), company_id, asked))
    with writing() as write:
        user = write.get_one(User, the_user().id)
        found = write.get_one(Company, company_id)
        run, new = tools.ask(write, found, previewing.KIND, asked, now=now(), user=user)
        small = new and count <= previewing.AT_ONCE
        if small:
            run.phase = "reading"
        run_id = run.id
    if small:
        previewing.at_once(services().runtime(), company_id, capabilities, run_id)
    elif new:
        ring(enqueue.tool, company_id, run_id)
    return redirect(url_for("tools.result", run_id=run_id, joined=None if new else 1))


def _asked() -> dict[str, Any] | None:
    """What is to be previewed; None when nothing was chosen."""
    if request.form.get("all") == "yes":
        return {"ids": None}
    if request.form.get("party"):
        return {"ids": None, "party": request.form["party"][:64]}
    rows = ticked(request.form.getlist("id"))
    return {"ids": [row.id for row in rows]} if rows else None


def capabilities_of(company_id: int) -> Capabilities:
    """What the company's ledger can do; asked outside of a transaction, as it opens one of its own. Raises Problem."""
    try:
        return services().ledger(company_id).capabilities
    except PlatformError as problem:
        raise Problem(409, "409", why=problem.message) from problem


@blueprint.post("/c/<int:company_id>/documents/<int:document_id>/post")
def post_now(company_id: int, document_id: int) -> ResponseReturnValue:
    """Post one document as its preview showed it. When it would be sent otherwise now, that is shown instead."""
    row = find(document_id)
    here = redirect(url_for("home.document", document_id=document_id))
    if company().first_posted_at is None and row.kind != ORDER:  # an order's preview is its first posting's look
        return redirect(url_for("connect.first_posting", document=document_id))
    capabilities = capabilities_of(company_id)
    digest, before = request.form.get("digest", ""), unpacked(request.form.get("seen", ""))
    with services().sessions() as own:
        own.connection(execution_options={"read_only": True})
        seen = _seen(own, row.id, capabilities)
    if seen is None or seen["digest"] != digest:
        told = changes.sentence(changes.differences(before, seen["face"])) if seen else "it cannot be posted any more"
        flash(f"Changed since the preview, so nothing was posted: {told or 'look at it as it is now'}.", "warn")
        return here
    with writing() as write:
        user = write.get_one(User, the_user().id)
        mine = write.get_one(Document, row.id)
        mine.reviewed = seen
        write.flush()
        run = release.ask(write, write.get_one(Company, company_id), [mine], now=now(), user=user, ahead=True)
        if run is not None:
            audit.record(write, company_id, now(), user.email, "posted by hand", number_of(mine), {"document": mine.id})
    if run is None:
        flash("It does not stand ready any more.", "warn")
    else:
        ring(enqueue.ring, company_id)
        flash("It is being posted, as the preview showed it.", "ok")
    return here


def _seen(own: Session, document_id: int, capabilities: Capabilities) -> dict[str, Any] | None:
    """The plan as it is now."""
    row = own.get_one(Document, document_id)
    if row.lines is None:
        return None
    with own.no_autoflush:  # planning touches the rows it reads; nothing of it is kept
        shown = preview_one(own, row, capabilities)
    return dict(shown.seen) if shown.seen else None


def packed(seen: Mapping[str, Any]) -> str:
    """What was looked at, small enough for a form: only used to say what changed."""
    return base64.b64encode(zlib.compress(json.dumps(seen, ensure_ascii=False).encode())).decode()


def unpacked(text: str) -> dict[str, str]:
    """The reverse; empty for anything that is not ours. Never more than a megabyte."""
    try:
        raw = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), MOST_BYTES)
        found = json.loads(raw)
    except (binascii.Error, zlib.error, ValueError):
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}
