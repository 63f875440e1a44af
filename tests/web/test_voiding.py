"""A void in a closed period on the document's page: the offered correction, pressed, and what took it back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from domain.documents import Draft, DraftLine, Reference
from domain.reasons import reason
from domain.statuses import Flag, PostingState, Status
from models import Company, Document, Posting
from sync import codec, voids
from tests.web import html_checks
from tests.web.site import BASE, NOW, Site, document


def posted(site: Site, kind: str, **changes: object) -> int:
    """A document in the ledger under the id 77, with the draft that was written."""
    a = site.ids["A"]["company_id"]
    lines = (DraftLine(Reference("item", "lab", "LAB", "60"), "Support", 1, 120, 120, False),)  # type: ignore[arg-type]
    draft = Draft(
        kind, Reference("customer", "7", "Acme", "50"), "900", NOW.date(), None, None, "USD", lines, 0, True, 120,  # type: ignore[arg-type]
        "Autotask invoice 900", "ref:ABCD1234",
    )  # fmt: skip
    with site.db() as db, db.begin():
        row = document(db.get_one(Company, a), "900", "Acme", ledger_id="77", ledger_kind=kind, ledger_number="900",
                       voided_at=NOW, **changes)  # fmt: skip
        db.add(row)
        db.flush()
        posting = Posting(
            company_id=a, document_id=row.id, ledger_tenant="1", source_tenant=row.source_tenant, kind=row.kind,
            source_id=row.source_id, operation="create", part="", generation=1, ledger_kind=kind, sends=1, lookups=0,
            state=PostingState.DONE, draft=codec.dump(draft), marker="", created_at=NOW, changed_at=NOW,
        )  # fmt: skip
        db.add(posting)
        db.flush()
        row.posting_id = posting.id
        return row.id


@pytest.mark.parametrize(("kind", "other"), [("invoice", "credit_memo"), ("credit_memo", "invoice")])
def test_the_correction_is_offered_pressed_once_and_never_the_void(site: Site, kind: str, other: str) -> None:
    a, why = site.ids["A"]["company_id"], reason("void_closed", number="900", date="20 Nov 2026")
    id = posted(site, kind, status=Status.FAULT, reason_code=why.code, reasons=[why.to_json()])
    client, viewer = site.client("A staff"), site.client("A viewer")
    page = client.get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    offered = f"Post {'an invoice' if other == 'invoice' else 'a credit memo'} on the first open day"
    assert offered in page and ">Void in QuickBooks<" not in page and html_checks.problems(page) == []
    assert offered not in viewer.get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    form = {"company_id": str(a)}
    assert viewer.post(f"/c/{a}/documents/{id}/correct", base_url=BASE, data=form).status_code == 403
    for _ in range(2):
        assert client.post(f"/c/{a}/documents/{id}/correct", base_url=BASE, data=form).status_code == 302
    with site.db() as db:
        [asked] = db.scalars(select(Posting).where(Posting.document_id == id, Posting.operation == "correct"))
        assert (asked.state, asked.ledger_kind, asked.target_id) == (PostingState.NEW, other, "77")
        assert db.get_one(Document, id).reason_code == "correct_queued"


@pytest.mark.parametrize("code", [*voids.DECIDABLE, *voids.CORRECTABLE])
def test_trying_again_is_not_offered_where_a_person_decides_about_a_void(site: Site, code: str) -> None:
    a, why = site.ids["A"]["company_id"], reason(code, number="900", date="20 Nov 2026", when="", message="no")
    id = posted(site, "invoice", status=Status.FAULT, reason_code=code, reasons=[why.to_json()])
    page = site.client("A staff").get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    assert f"/documents/{id}/retry" not in page and f"/documents/{id}/keep" in page


def test_what_took_it_back_stands_on_its_page_with_the_way_there(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    id = posted(site, "invoice", status=Status.COMPLETE, flags=[str(Flag.CORRECTED)])
    with site.db() as db, db.begin():
        made = db.scalars(select(Posting).where(Posting.document_id == id)).one()
        db.add(Posting(
            company_id=a, document_id=id, ledger_tenant="1", source_tenant=made.source_tenant, kind=made.kind,
            source_id=made.source_id, operation="correct", part="", generation=1, ledger_kind="credit_memo", sends=1,
            lookups=0, state=PostingState.DONE, draft={**made.draft, "date": "2026-12-01"}, marker="",
            ledger_id="78", ledger_number="900-C", created_at=NOW, changed_at=NOW,
        ))  # fmt: skip
    page = site.client("A viewer").get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    assert "taken back by credit memo 900-C of 1 Dec 2026" in page and "Open it in QuickBooks" in page
    assert "78" in page and html_checks.problems(page) == []
