"""Settings, Invoices and People: refusals with their words, versions, and what a start date lets in."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from domain.documents import Catalog, Party
from models import (
    Company,
    Document,
    Invitation,
    Membership,
    MirrorEntry,
    MirrorState,
    Outbox,
    PartyEntry,
    Posting,
    Run,
    SettingsVersion,
    WebSession,
)
from sync import codec, settings
from tests.web.site import BASE, SECRET_OF_B, Site, document

GOOD: dict[str, str] = {
    "sync_state": "Do not sync invoices", "start_date": "2026-11-22", "numbering": "source", "match_by": "number",
    "missing_item": "create", "created_item_account": "79", "recipients": "books@acme.example", "look_back_days": "14",
    "void_window_days": "14",
    "long_service_months": "1",
    "zero_total": "skip", "blank_text": "name", "run_limit": "200", "time_zone": "America/Chicago",
    "source_time_zone": "America/Chicago", "tax_source": "source",
}  # fmt: skip


def save(site: Site, client: FlaskClient | None = None, **changed: str) -> TestResponse:
    a = site.ids["A"]["company_id"]
    sent = {key: value for key, value in {**GOOD, **changed, "company_id": str(a)}.items() if value is not None}
    return (client or site.client("A admin")).post(f"/c/{a}/settings/invoices", base_url=BASE, data=sent)


def current(site: Site) -> Any:
    with site.db() as db:
        return settings.load_invoices(db, site.ids["A"]["company_id"])


def test_a_form_posted_empty_lists_every_error_with_a_link_to_its_field(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    answer = site.client("A admin").post(f"/c/{a}/settings/invoices", base_url=BASE, data={"company_id": str(a)})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "<title>Error: " in text and 'role="alert"' in text
    linked = re.findall(r'<a href="#([a-z_0-9-]+)">', text)
    assert {"start_date", "look_back_days", "run_limit"} <= set(linked)
    ids = set(re.findall(r'id="([^"]+)"', text))
    assert set(linked) <= ids
    assert current(site).look_back_days == 14


def test_what_was_typed_is_still_there_after_a_refusal(site: Site) -> None:
    text = save(site, look_back_days="9999", recipients="one@acme.example\ntwo@acme.example").get_data(as_text=True)
    assert 'value="9999"' in text and "two@acme.example" in text
    assert "from 1 to 400" in text


def test_a_save_makes_a_version_that_says_who_changed_what(site: Site) -> None:
    assert save(site, look_back_days="30").status_code == 302
    assert current(site).look_back_days == 30
    text = site.client("A viewer").get(f"/c/{site.ids['A']['company_id']}/settings/history", base_url=BASE)
    words = text.get_data(as_text=True)
    assert "Version 2" in words and "A admin" in words and "Calendar days in the past" in words
    assert "Sales of services" in words  # accounts by name, not by id


def test_saving_the_same_twice_makes_one_version(site: Site) -> None:
    save(site, look_back_days="30")
    save(site, look_back_days="30")
    with site.db() as db:
        a = site.ids["A"]["company_id"]
        assert len(db.scalars(select(SettingsVersion).where(SettingsVersion.company_id == a)).all()) == 2


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"created_item_account": ""}, "Choose the account on which created items are booked"),
        ({"created_item_account": "35"}, "Not a valid choice"),  # a bank account is none for sales
        ({"run_limit": "0"}, "from 1 to 100,000"),
        ({"start_date": "31/31/2026"}, "Not a valid date"),
        ({"recipients": "Bob <bob@x.example>"}, "is not an e-mail address"),
        ({"recipients": "a@x.example\r\nBcc: b@x.example"}, "is not an e-mail address"),
        ({"recipients": "\n".join(f"u{n}@x.example" for n in range(11))}, "11 addresses"),
        ({"numbering": "ledger"}, "switch it off"),
        ({"time_zone": "Mars/Olympus"}, "Not a valid choice"),
    ],
)
def test_a_wrong_answer_is_refused_in_words(site: Site, changed: dict[str, str], words: str) -> None:
    answer = save(site, **changed)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    with site.db() as db:
        newest = settings.newest(db, site.ids["A"]["company_id"])
        assert newest is not None and newest.version == 1


def test_numbering_that_the_ledger_contradicts_is_refused_with_how_to_change_it(site: Site) -> None:
    with site.db() as db, db.begin():
        company = db.get_one(Company, site.ids["A"]["company_id"])
        company.profile = {**company.profile, "own_numbers": False}
    answer = save(site, numbering="source")
    assert answer.status_code == 422 and "Custom transaction numbers" in answer.get_data(as_text=True)
    assert save(site, numbering="ledger").status_code == 302


def test_a_prefix_stays_once_a_document_bears_it(site: Site) -> None:
    a, chosen = site.ids["A"]["company_id"], {"numbering": "source_id"}
    assert save(site, **chosen, number_prefix="A B").status_code == 422
    assert save(site, **chosen, number_prefix="X-").status_code == 302
    assert save(site, **chosen, number_prefix="INV:").status_code == 302, "nothing bears the first one"
    with site.db() as db, db.begin():
        db.add(Posting(
            company_id=a, ledger_tenant="1", source_tenant="1", kind="invoice", source_id="4711", operation="create",
            part="", generation=1, ledger_kind="invoice", state="DONE", draft={}, terms={}, sends=1, lookups=0,
            created_at=site.clock.now(), changed_at=site.clock.now(), marker="", ledger_number="INV:4711",
        ))  # fmt: skip
    for other in ("INV-", ""):
        answer = save(site, **chosen, number_prefix=other)
        assert answer.status_code == 422 and "It stays, so that every one" in answer.get_data(as_text=True)
    assert save(site, **chosen, number_prefix="INV:", look_back_days="20").status_code == 302
    assert current(site).number_prefix == "INV:"


@pytest.mark.parametrize(
    ("ledger", "country", "model", "asked"),
    [
        ("quickbooks", "GB", "code_per_line", True), ("xero", "US", "code_per_line", True),
        ("quickbooks", "US", "explicit_total", False), ("quickbooks", "GB", "none", False),
        ("quickbooks", "GB", None, True),
    ],
)  # fmt: skip
def test_a_code_for_untaxed_documents_is_asked_where_lines_take_codes(
    site: Site, ledger: str, country: str, model: str | None, asked: bool
) -> None:
    with site.db() as db, db.begin():
        company = db.get_one(Company, site.ids["A"]["company_id"])
        company.ledger, company.country = ledger, country
        company.profile = {**company.profile, "tax_model": model} if model else {}
    page = save(site, tax_source="ledger").get_data(as_text=True)
    assert ("Choose the tax code for documents without tax" in page) is asked


def test_no_empty_drop_down_is_shown_while_the_lists_are_read(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        for row in db.scalars(select(MirrorEntry).where(MirrorEntry.company_id == a)):
            db.delete(row)
        state = db.get_one(MirrorState, a)
        state.watermark = state.whole_at = None
        state.progress = {"reading": "{the_ledger} items", "at": site.clock.now().isoformat()}
    text = site.client("A admin").get(f"/c/{a}/settings/invoices", base_url=BASE).get_data(as_text=True)
    assert "QuickBooks items" in text and "are being read" in text
    assert 'name="created_item_account"' not in text
    fragment = site.client("A viewer").get(f"/c/{a}/settings/lists", base_url=BASE).get_data(as_text=True)
    assert "4 of 8 read" in fragment and "hx-trigger" in fragment
    assert save(site).status_code == 422


def test_an_earlier_start_date_shows_how_many_and_how_much_first(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        company = db.get_one(Company, a)
        old = document(company, "900", "Old Ltd", before_start=True, reason_code="before_start",
                       document_date=date(2026, 11, 3), total=Decimal("75.50"))  # fmt: skip
        db.add(old)
        db.flush()
        old_id = old.id
    answer = save(site, start_date="2026-11-01")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "USD 75.50" in text and "Nothing was saved yet" in text and 'name="confirm_start_date"' in text
    assert current(site).start_date == date(2026, 11, 22)
    assert save(site, start_date="2026-11-01", confirm_start_date="y").status_code == 302
    assert current(site).start_date == date(2026, 11, 1)
    with site.db() as db:
        row = db.get_one(Document, old_id)
        assert (row.before_start, row.status, row.reason_code) == (False, "Pending Sync", "waits_for_reading")
    save(site, start_date="2026-11-10")
    with site.db() as db:
        assert db.get_one(Document, old_id).before_start is True


def test_saving_during_set_up_scans_again(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        db.get_one(Company, a).first_posted_at = None
    save(site, look_back_days="30")
    with site.db() as db:
        assert db.scalars(select(Run).where(Run.company_id == a, Run.kind == "first_scan")).one().finished_at is None


# ---- people --------------------------------------------------------------------------------------------------


def post(site: Site, path: str, who: str = "A admin", **form: str) -> TestResponse:
    a = site.ids["A"]["company_id"]
    return site.client(who).post(f"/c/{a}/{path}", base_url=BASE, data={"company_id": str(a), **form})


def members(site: Site) -> dict[str, str]:
    with site.db() as db:
        rows = db.scalars(select(Membership).where(Membership.company_id == site.ids["A"]["company_id"])).all()
        return {row.user.name: row.role for row in rows}


def member_id(site: Site, name: str) -> int:
    with site.db() as db:
        rows = db.scalars(select(Membership).where(Membership.company_id == site.ids["A"]["company_id"])).all()
        return next(row.id for row in rows if row.user.name == name)


def test_a_change_of_role_ends_the_persons_sessions(site: Site) -> None:
    staff = site.client("A staff")
    assert post(site, f"people/{member_id(site, 'A staff')}/role", role="viewer").status_code == 302
    assert members(site)["A staff"] == "viewer"
    assert staff.get("/companies", base_url=BASE).status_code == 302
    with site.db() as db:
        assert not db.scalars(select(WebSession).where(WebSession.user_id == site.users["A staff"])).all()


def test_removing_somebody_asks_first_and_says_what_stays(site: Site) -> None:
    a, viewer = site.ids["A"]["company_id"], member_id(site, "A viewer")
    save(site, recipients="a.viewer@people.example")
    text = site.client("A admin").get(f"/c/{a}/people/{viewer}/remove", base_url=BASE).get_data(as_text=True)
    assert "Remove A viewer?" in text and "Keep A viewer" in text and "still gets the report" in text
    assert "A viewer" in members(site)
    own = site.client("A admin").get(f"/c/{a}/people/{member_id(site, 'A admin')}/remove", base_url=BASE)
    assert own.status_code == 302


def test_a_removed_member_is_out(site: Site) -> None:
    assert post(site, f"people/{member_id(site, 'A viewer')}/remove").status_code == 302
    assert "A viewer" not in members(site)
    assert site.client("A viewer").get(f"/c/{site.ids['A']['company_id']}/", base_url=BASE).status_code == 404


@pytest.mark.parametrize("action", ["role", "remove"])
def test_a_company_keeps_an_admin(site: Site, action: str) -> None:
    post(site, f"people/{member_id(site, 'A admin')}/{action}", role="viewer")
    assert members(site)["A admin"] == "admin"


def test_a_role_that_does_not_exist_is_refused(site: Site) -> None:
    assert post(site, f"people/{member_id(site, 'A staff')}/role", role="owner").status_code == 400


def test_an_invitation_is_mailed_with_its_link_and_kept_as_a_hash(site: Site) -> None:
    assert post(site, "people/invite", email="new@people.example", role="staff").status_code == 302
    with site.db() as db:
        mail = db.scalars(select(Outbox).where(Outbox.kind == "invitation")).one()
        token = mail.data["url"].rsplit("/", 1)[1]
        assert mail.recipient == "new@people.example" and mail.data["url"].startswith(BASE)
        rows = db.scalars(select(Invitation).where(Invitation.company_id == site.ids["A"]["company_id"])).all()
        assert all(row.token_hash != token for row in rows)
        assert [row.withdrawn_at is None for row in rows] == [False, True]  # an address has one open link


def test_an_address_with_more_in_it_is_refused(site: Site) -> None:
    for wrong in ("", "x", "a@b", "a@x.example, b@x.example", "A <a@x.example>", "a@x.example\nBcc: b@x.example"):
        answer = post(site, "people/invite", email=wrong, role="staff")
        assert answer.status_code == 422 and "<title>Error: " in answer.get_data(as_text=True)


def test_the_switcher_names_only_ones_own_companies(site: Site) -> None:
    text = site.client("A viewer").get("/companies", base_url=BASE).get_data(as_text=True)
    assert "Acme Support" in text and SECRET_OF_B not in text


def test_mail_to_customers_is_switched_on_with_who_would_get_two_in_view(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    asked = save(site, mail_customers="y")
    assert asked.status_code == 422 and "Autotask did not tell which companies" in asked.get_data(as_text=True)
    with site.db() as db, db.begin():
        for number, mailed in enumerate((True, True, False)):
            party = Party(f"90{number}", f"Mailed {number}", mailed=mailed)
            folded = party.name.casefold()
            db.add(PartyEntry(company_id=a, source_id=party.id, name=party.name, folded=folded, loose=folded,
                              data=codec.dump(party), read_at=site.clock.now()))  # fmt: skip
    assert "2 customers would get two" in save(site, mail_customers="y").get_data(as_text=True)
    assert current(site).mail_customers is False
    assert save(site, mail_customers="y", confirm_mail_customers="y").status_code == 302
    assert current(site).mail_customers is True
    assert save(site, mail_customers="y", attach_pdf="y").status_code == 302  # asked once


def test_services_that_autotask_does_not_show_are_told_where_they_matter(site: Site) -> None:
    a, said = site.ids["A"]["company_id"], "does not show its API user services and service bundles"
    where = f"/c/{a}/settings/invoices"
    assert said not in site.client("A admin").get(where, base_url=BASE).text
    with site.db() as db, db.begin():
        db.get_one(MirrorState, a).catalog = codec.dump(Catalog(unreadable=("Services",)))
    assert said in site.client("A admin").get(where, base_url=BASE).text
