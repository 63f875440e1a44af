"""Error to-dos on the pages: the form's rules, the warning when somebody was deactivated, the line on Error Logs."""

from __future__ import annotations

from dataclasses import replace

from domain.todos import Choice, TodoLists
from models import Document, ErrorMark, ErrorMarkState, MirrorState, TodoRow, TodoState
from sync import codec, settings
from tests.web.site import BASE, NOW, Site
from tests.web.test_settings import save

LISTS = TodoLists(
    (Choice("29", "Billing Desk", True, "billing@acme.example"), Choice("30", "Ada Service", False)),
    (Choice("7", "To-Do: Phone Call"),),
)


def lists(site: Site, found: TodoLists) -> int:
    company_id = site.ids["A"]["company_id"]
    with site.services.sessions() as db, db.begin():
        db.get_one(MirrorState, company_id).todo_lists = codec.dump(found)
    return company_id


def test_only_people_who_can_own_one_are_offered_and_saved(site: Site) -> None:
    company_id = lists(site, LISTS)
    page = site.client("A admin").get(f"/c/{company_id}/settings/invoices", base_url=BASE).get_data(as_text=True)
    assert "Type of To-Do Action when there is an error." in page and "Ada Service" not in page
    assert '<option selected value="29">Billing Desk</option>' in page, "proposed"
    refused = save(site, error_todos="y", todo_action_type="7", todo_resource="30")
    assert refused.status_code == 422
    assert save(site, error_todos="y", todo_action_type="7", todo_resource="29").status_code == 302
    with site.services.sessions() as db:
        assert settings.load_invoices(db, company_id).error_todos
        assert db.get_one(TodoState, (company_id, "invoices")).wanted


def test_a_deactivated_person_is_told_on_settings_and_home(site: Site) -> None:
    company_id = lists(site, LISTS)
    save(site, error_todos="y", todo_action_type="7", todo_resource="29")
    lists(site, replace(LISTS, people=(Choice("29", "Billing Desk", active=False), Choice("31", "New Hand"))))
    with site.services.sessions() as db, db.begin():
        state = db.get_one(TodoState, (company_id, "invoices"))
        state.problem = {"code": "todo_resource_gone", "params": {"name": "Billing Desk"}}
    client = site.client("A admin")
    told = "Error to-dos cannot be assigned to Billing Desk any more"
    assert told in client.get(f"/c/{company_id}/settings/invoices", base_url=BASE).get_data(as_text=True)
    assert told in client.get(f"/c/{company_id}/", base_url=BASE).get_data(as_text=True)


def test_the_word_error_is_chosen_in_settings_and_told_on_the_document(site: Site) -> None:
    company_id = lists(site, LISTS)
    assert save(site, mark_errors="y").status_code == 302
    with site.services.sessions() as db, db.begin():
        assert settings.load_invoices(db, company_id).mark_errors
        assert db.get_one(ErrorMarkState, (company_id, "invoices")).wanted
        fault = db.query(Document).filter_by(company_id=company_id, status="Fault").first()
        assert fault is not None
        document_id = fault.id
        db.add(ErrorMark(
            document_id=fault.id, company_id=company_id, source_tenant=fault.source_tenant, area="invoices",
            kind=fault.kind, source_id=fault.source_id, state="marked", sends=1, tries=0, marked_at=NOW,
        ))
    page = site.client("A viewer").get(f"/c/{company_id}/documents/{document_id}", base_url=BASE).get_data(as_text=True)
    assert "ERROR in Autotask" in page and "stands as its number since" in page


def test_a_cause_names_its_todo(site: Site) -> None:
    company_id = site.ids["A"]["company_id"]
    with site.services.sessions() as db, db.begin():
        fault = db.query(Document).filter_by(company_id=company_id, status="Fault").first()
        assert fault is not None
        db.add(TodoRow(
            company_id=company_id, source_tenant=fault.source_tenant, area="invoices", cause=fault.reason_code,
            code=fault.reason_code, title="An item is missing: LAB-1", marker="[Bookbridge 1]", state="open", text="",
            digest="", todo_id="812", resource_name="Billing Desk", opened_at=NOW,
        ))
    page = site.client("A viewer").get(f"/c/{company_id}/errors", base_url=BASE).get_data(as_text=True)
    assert "To-do 812" in page and "assigned to Billing Desk, open in Autotask" in page
