"""The customer's mail and the PDF on a document's page: their states, and a person's decisions."""

from __future__ import annotations

from sqlalchemy import select
from werkzeug.test import TestResponse

from domain.reasons import reason
from domain.statuses import PostingState, Status
from models import Company, Posting
from tests.web.site import BASE, Site, document


def test_a_doubtful_mail_is_decided_on_the_documents_page(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        row = document(db.get_one(Company, a), "900", "Acme", status=Status.FAULT, reason_code="mail_unsure",
                       reasons=[reason("mail_unsure", number="900", address="ap@acme.example").to_json()],
                       ledger_id="77", ledger_kind="invoice")  # fmt: skip
        db.add(row)
        db.flush()
        for operation, state in (("send", PostingState.NEEDS_HUMAN), ("attach", PostingState.REJECTED)):
            db.add(Posting(
                company_id=a, document_id=row.id, ledger_tenant="1", source_tenant=row.source_tenant, kind=row.kind,
                source_id=row.source_id, operation=operation, part="", generation=1, ledger_kind="invoice",
                state=state, draft={"name": "x.pdf"}, terms={"to": "ap@acme.example"}, target_id="77", sends=1,
                lookups=1, created_at=site.clock.now(), changed_at=site.clock.now(), marker="",
                reasons=[reason("not_attached", number="900", message="no PDF").to_json()],
            ))  # fmt: skip
        id = row.id
    client = site.client("A staff")

    def press(path: str) -> TestResponse:
        return client.post(path, base_url=BASE, data={"company_id": str(a)})

    page = client.get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    assert "It was sent" in page and "Send again" in page
    assert "not known whether it was sent, to ap@acme.example" in page and "not attached" in page
    assert press(f"/c/{a}/documents/{id}/mail/sent").status_code == 302
    page = client.get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    assert "sent, said a person" in page and "Attach again" in page and ">It was sent<" not in page
    assert press(f"/c/{a}/documents/{id}/attach").status_code == 302
    with site.db() as db:
        states = {one.operation: one.state for one in db.scalars(select(Posting).where(Posting.document_id == id))}
    assert states == {"send": PostingState.DONE, "attach": PostingState.NEW}
