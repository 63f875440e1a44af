"""Tax where people look: Home after the first answer that differs, and the map's changes in the settings' history."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from blueprints.home import differs
from blueprints.papers import draft_paper
from domain.documents import Draft, Reference
from domain.taxmap import TaxEntry, TaxMap
from models import Company, Document, MirrorEntry
from sync import settings
from tests.web.site import BASE, Site, document


def page(site: Site, path: str = "") -> str:
    answer = site.client("A viewer").get(f"/c/{site.ids['A']['company_id']}/{path}", base_url=BASE)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_home_warns_once_the_ledger_did_not_repeat_the_tax(site: Site) -> None:
    assert "books a tax of its own" not in page(site)
    with site.db() as db, db.begin():
        company = db.get_one(Company, site.ids["A"]["company_id"])
        row = document(company, "2001", "Example Dental", status="Complete", flags=["Differs"])
        row.tax_total, row.ledger_tax, row.tax_sums = Decimal("41.25"), Decimal(40), {"sent": True, "rows": []}
        db.add(row)
    text = page(site)
    assert re.search(r"books a tax of its own.*1 document although.*2001.*40\.00 instead of.*41\.25", text, re.DOTALL)
    assert "#section-tax" in text


def test_a_change_of_the_tax_map_is_told_by_its_entries(site: Site) -> None:
    company_id = site.ids["A"]["company_id"]
    same = TaxEntry("Harbour City", "", "7", "Harbour")
    with site.db() as db, db.begin():
        db.add(MirrorEntry(
            company_id=company_id, kind="tax_code", ledger_id="9", name="20.0% S", folded="20.0% s", loose="20.0% s",
            version="0", active=True, details={}, read_at=site.services.now(),
        ))
        for code in ("8", "9"):
            fresh = TaxMap((same, TaxEntry("UK VAT", "Standard", code, "Old standard")), exempt="9")
            settings.change(
                db, company_id, now=site.services.now(), user=None, start_date=date(2026, 11, 1), tax_map=fresh
            )
    history = page(site, "settings/history")
    row = re.search(r"UK VAT, Standard: Old standard</del>.*?UK VAT, Standard: 20\.0% S</ins>", history, re.DOTALL)
    assert row is not None and "Harbour City" not in row.group()
    assert "Exempt: none" in history and "region_id" not in history


def test_the_ledgers_paper_shows_what_the_ledger_booked() -> None:
    sent = Draft(
        "credit_memo", Reference("customer", "x", "X", "1"), "7", date(2026, 11, 1), None, None, "USD", (),
        Decimal("41.25"), True, Decimal("541.25"), "", "[1]",
    )  # fmt: skip
    row = Document(total=Decimal("-541.25"), tax_total=Decimal("-41.25"), ledger_total=Decimal(540), flags=["Differs"],
                   ledger_tax=Decimal(40))  # fmt: skip
    paper = draft_paper(differs.booked(row, sent), "Books")
    assert (paper["tax"], paper["total"], differs.marked(row)) == (40, 540, ["tax", "total"])
    row.flags, row.ledger_total, row.ledger_tax = [], sent.total, sent.tax_total
    assert differs.booked(row, sent) is sent and differs.marked(row) == []
