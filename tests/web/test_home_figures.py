"""What Home says of this month's and last month's rounding, and a credit's page of the invoice it corrects."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from domain.documents import SourceLine
from domain.statuses import Flag, Status
from models import Company, Grant
from sync import codec
from tests.web import html_checks
from tests.web.site import BASE, Site, document


def test_home_sums_rounding_of_this_month_and_of_the_one_before(site: Site) -> None:
    a = site.ids["A"]["company_id"]
    days = {
        "901": (datetime(2026, 11, 5, 12, tzinfo=UTC), "0.01"), "902": (datetime(2026, 10, 30, 12, tzinfo=UTC), "0.02"),
        "903": (datetime(2026, 10, 2, 12, tzinfo=UTC), "-0.01"), "904": (datetime(2026, 9, 29, 12, tzinfo=UTC), "0.04"),
    }  # fmt: skip
    with site.db() as db, db.begin():
        company = db.get_one(Company, a)
        for number, (at, pennies) in days.items():
            db.add(document(company, number, "Acme", status=Status.COMPLETE, completed_at=at, rounded=Decimal(pennies)))
    page = site.client("A viewer").get(f"/c/{a}/", base_url=BASE).get_data(as_text=True)
    assert "This month: 1 rounding line, USD 0.01 in all." in page
    assert "Last month: 2 rounding lines, USD 0.01 in all." in page


@pytest.mark.parametrize(("named", "leads"), [("9000", True), ("8999", False)])
def test_a_credits_page_leads_to_the_invoice_that_it_names(site: Site, named: str, leads: bool) -> None:
    """Invoice 8999 is another customer's."""
    a = site.ids["A"]["company_id"]
    text = f"Correction of invoice {named}"
    lines = (SourceLine("1", "Labor", "Support", text, Decimal(1), Decimal(-120), Decimal(-120), Decimal(0), "7"),)
    there = {"status": Status.COMPLETE, "document_date": date(2026, 11, 2)}
    with site.db() as db, db.begin():
        company = db.get_one(Company, a)
        billed = {
            number: document(company, number, "Acme", ledger_id=number, ledger_kind="invoice", ledger_number=number,
                             party_id=party, **there)
            for number, party in (("9000", "7"), ("8999", "8"))
        }  # fmt: skip
        header = {**billed["9000"].header, "id": "99100", "number": "9100", "total": "-120.00"}
        credit = document(company, "9100", "Acme", ledger_id="9100", ledger_kind="credit_memo", total=Decimal(-120),
                          header=header, lines=codec.dump_text(lines, tuple[SourceLine, ...]), **there)  # fmt: skip
        db.add_all([*billed.values(), credit])
        db.flush()
        id, other = credit.id, billed[named].id
    page = site.client("A viewer").get(f"/c/{a}/documents/{id}", base_url=BASE).get_data(as_text=True)
    assert (f'href="/c/{a}/documents/{other}"' in page, f"names {named} as what it corrects" in page) == (leads, leads)
    assert html_checks.problems(page) == []


def test_home_offers_to_approve_all_drafts_once_ten_wait(site: Site) -> None:
    """Admins get the button; others see where the drafts are."""
    a = site.ids["A"]["company_id"]

    def drafts(numbers: range) -> None:
        with site.db() as db, db.begin():
            company = db.get_one(Company, a)
            for number in map(str, numbers):
                there = {"status": Status.COMPLETE, "ledger_id": number, "flags": [str(Flag.DRAFT)]}
                db.add(document(company, number, "Acme", **there))

    def home(who: str) -> str:
        return site.client(who).get(f"/c/{a}/", base_url=BASE).get_data(as_text=True)

    drafts(range(3000, 3009))
    assert "Approve all" not in home("A admin")
    drafts(range(3009, 3010))
    text = home("A admin")
    assert "10 drafts of ours wait in QuickBooks" in text
    assert f'action="/c/{a}/drafts/approve"' in text and "Approve all 10, and post as approved from now on" in text
    text = home("A staff")
    assert "Approve all" not in text and "flag=DRAFT" in text and html_checks.problems(text) == []


@pytest.mark.parametrize(("days", "told"), [(31, False), (30, True), (7, True)])
def test_a_consent_that_ends_for_good_is_told_a_month_before(site: Site, days: int, told: bool) -> None:
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        for grant in db.query(Grant):
            grant.hard_expires_at = site.clock.now() + timedelta(days=days)
    page = site.client("A admin").get(f"/c/{a}/", base_url=BASE).get_data(as_text=True)
    assert ("The consent in QuickBooks ends on" in page) is told
