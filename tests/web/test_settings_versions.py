"""Settings as data: any two versions compared, a file out and in again, and what other answers would have changed."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from domain.documents import Catalog, Code, Party, SourceLine
from domain.settings import InvoiceSettings, MatchBy
from models import Company, Document, MirrorEntry, MirrorState, PartyEntry, Posting, Run, SettingsVersion
from sync import codec, settings, wanted, what_if
from tests.web.site import BASE, Site, document
from tests.web.test_settings import current, save


def get(site: Site, path: str, who: str = "A admin") -> TestResponse:
    return site.client(who).get(f"/c/{site.ids['A']['company_id']}/{path}", base_url=BASE)


def post(site: Site, path: str, who: str = "A admin", **form: Any) -> TestResponse:
    a = site.ids["A"]["company_id"]
    return site.client(who).post(f"/c/{a}/{path}", base_url=BASE, data={"company_id": str(a), **form})


def upload(site: Site, content: bytes) -> TestResponse:
    a = site.ids["A"]["company_id"]
    return site.client("A admin").post(
        f"/c/{a}/settings/import", base_url=BASE, content_type="multipart/form-data",
        data={"company_id": str(a), "file": (io.BytesIO(content), "settings.json")},
    )  # fmt: skip


def changed_file(site: Site, **values: Any) -> bytes:
    save(site)
    data = json.loads(get(site, "settings/export").data)
    return json.dumps({**data, "values": {**data["values"], **values}}).encode()


def kept(site: Site, letter: str = "A") -> InvoiceSettings | None:
    with site.db() as db:
        row = wanted.kept(db, site.ids[letter]["company_id"])
        return wanted.settings_of(row) if row else None


# ---- versions ------------------------------------------------------------------------------------------------


def test_any_two_versions_are_compared_in_words(site: Site) -> None:
    save(site, start_date="2026-11-23")
    save(site, start_date="2026-11-24", look_back_days="30", memo_comments="y")
    text = get(site, "settings/history/compare?before=1&after=3", "A viewer").get_data(as_text=True)
    assert "22 November 2026" in text and "24 November 2026" in text and "Sales of services" in text
    assert re.search(r"Comments</td>.*No</del>.*Yes</ins>", text)
    assert "23 November" not in text
    listed = get(site, "settings/history", "A viewer").get_data(as_text=True)
    assert "24 November 2026" in listed and "2026-11-24" not in listed


@pytest.mark.parametrize("versions", ["before=1&after=99", "before=x&after=1", "before=", "before=-1&after=1"])
def test_a_version_that_is_none_is_not_found(shared_site: Site, versions: str) -> None:
    assert get(shared_site, f"settings/history/compare?{versions}").status_code == 404
    assert get(shared_site, "settings/export?version=99x").status_code == 404


# ---- a file out and in again ----------------------------------------------------------------------------------


def test_a_file_brings_back_what_was_exported_and_saves_nothing_before_it_is_asked(site: Site) -> None:
    save(site, look_back_days="30", recipients="a@acme.example\nb@acme.example", memo_comments="y")
    content = get(site, "settings/export").data
    told = json.loads(content)
    assert told["schema"] == 1
    assert told["names"]["created_item_account"] == {"list": "account", "names": {"79": "Sales of services"}}
    exported = current(site)
    save(site, look_back_days="7", recipients="")
    assert upload(site, content).status_code == 302
    assert kept(site) == exported
    assert current(site).look_back_days == 7
    text = get(site, "settings/wanted").get_data(as_text=True)
    assert "Answers that differ" in text and "a@acme.example" in text
    assert post(site, "settings/wanted/save").status_code == 302
    assert (current(site), kept(site)) == (exported, None)


def test_in_another_company_ids_are_found_by_their_names_and_the_page_says_whose_they_are(site: Site) -> None:
    content = changed_file(site)
    b = site.ids["B"]["company_id"]
    with site.db() as db, db.begin():
        account = db.scalars(select(MirrorEntry).where(
            MirrorEntry.company_id == b, MirrorEntry.kind == "account", MirrorEntry.ledger_id == "79"
        )).one()  # fmt: skip
        account.ledger_id = "1001"
        other = db.scalars(select(MirrorEntry).where(MirrorEntry.company_id == b, MirrorEntry.ledger_id == "35")).one()
        other.ledger_id, other.details = "79", {"type": "Income"}
    client = site.client("B admin")
    data = {"company_id": str(b), "file": (io.BytesIO(content), "s.json")}
    path = f"/c/{b}/settings/import"
    assert client.post(path, base_url=BASE, data=data, content_type="multipart/form-data").status_code == 302
    found = kept(site, "B")
    assert found is not None and found.created_item_account == "1001"
    page = client.get(f"/c/{b}/settings/wanted", base_url=BASE).get_data(as_text=True)
    assert "comes from another company, Acme Support" in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"look_back_days": 10_000}, "from 1 to 400"),
        ({"look_back_days": "many"}, "is no answer here"),
        ({"numbering": "mine"}, "is no answer here"),
        ({"recipients": ["a@x.example\nBcc: b@x.example"]}, "is not an e-mail address"),
        ({"recipients": [f"u{n}@x.example" for n in range(50)]}, "50 addresses"),
        ({"created_item_account": "4711"}, "is not in QuickBooks"),
        ({"start_date": "soon"}, "is no answer here"),
    ],
)
def test_what_is_wrong_in_a_file_stands_at_its_field(site: Site, values: dict[str, Any], words: str) -> None:
    answer = upload(site, changed_file(site, **values))
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and words in text and "Settings for invoices" in text
    assert kept(site) is None


def test_what_a_file_says_more_is_told_and_left_out(site: Site) -> None:
    content = changed_file(site, moon_phase="full", look_back_days=21)
    a, client = site.ids["A"]["company_id"], site.client("A admin")
    data = {"company_id": str(a), "file": (io.BytesIO(content), "s.json")}
    client.post(f"/c/{a}/settings/import", base_url=BASE, data=data, content_type="multipart/form-data")
    assert "Moon phase" in client.get(f"/c/{a}/settings/wanted", base_url=BASE).get_data(as_text=True)
    found = kept(site)
    assert found is not None and found.look_back_days == 21


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe\x00", b"[]", b"{}", b'{"format": "bookbridge-invoice-settings", "values": {}}', b"[" * 90_000,
     b'{"format": "bookbridge-invoice-settings", "schema": 2, "values": {}}'],
)  # fmt: skip
def test_what_is_no_settings_file_is_refused_in_words(site: Site, content: bytes) -> None:
    answer = upload(site, content)
    assert answer.status_code == 422 and "<title>Error: " in answer.get_data(as_text=True)


# ---- what would change ---------------------------------------------------------------------------------------


def books(site: Site) -> None:
    """A customer, a billing code with its item, and invoices whose lines were read."""
    a = site.ids["A"]["company_id"]
    with site.db() as db, db.begin():
        company = db.get_one(Company, a)
        codes = {"1": Code("1", "Managed services"), "2": Code("2", "Backup", number="Managed services")}
        catalog = Catalog(codes=codes)
        db.get_one(MirrorState, a).catalog = codec.dump(catalog)
        db.add(PartyEntry(
            company_id=a, source_id="7", name="Acme Support", folded="acme support", loose="acme support",
            data=codec.dump(Party("7", "Acme Support")), read_at=datetime(2026, 11, 22, tzinfo=UTC),
        ))  # fmt: skip
        for number, code, changes in (
            ("2001", "1", {}),
            ("2002", "2", {}),
            ("2003", "1", {"document_date": date(2026, 9, 1)}),
            ("2004", None, {}),
        ):
            one, price, tax = Decimal(1), Decimal(120), Decimal(0)
            line = SourceLine("l" + number, "service", "Help", "Help", one, price, price, tax, code)
            lines = codec.dump_text((line,), tuple[SourceLine, ...])
            row = document(company, number, "Acme Support", lines=lines, **changes)
            row.header = {**row.header, "document_date": row.document_date.isoformat(), "order_number": "PO 7"}
            db.add(row)


def count(site: Site) -> Run:
    a = site.ids["A"]["company_id"]
    with site.db() as db:
        runs = select(Run).where(Run.company_id == a, Run.kind == what_if.KIND)
        run = db.scalars(runs.order_by(Run.id.desc())).first()
        assert run is not None
    what_if.run(site.services.runtime(), a, site.services.ledger(a).capabilities, run.id)
    with site.db() as db:
        return db.get_one(Run, run.id)


def test_other_answers_are_counted_over_thirty_days_before_they_are_saved(site: Site) -> None:
    books(site)
    save(site, start_date="2026-11-01", confirm_start_date="y", missing_item="hold", created_item_account="")
    answers = {"start_date": "2026-11-01", "missing_item": "hold", "created_item_account": "", "match_by": "name"}
    assert save(site, action="try", numbering="source_id", **answers).status_code == 302
    assert "Counting" in get(site, "settings/wanted").get_data(as_text=True)
    sums = {effect: by["USD"] for effect, by in count(site).summary["sums"].items()}
    assert sums["changed"] == {"count": 1, "amount": "120.00"}  # 2001 takes its id as number
    assert sums["would_wait"] == {"count": 1, "amount": "120.00"}  # 2002 has no item of its code's name
    assert sums["same"]["count"] == 1  # 2004 has no billing code, then as now; 2003 is too old to count
    text = get(site, "settings/wanted", "A viewer").get_data(as_text=True)
    assert "92001" in text and "Backup" in text and "Save these settings" not in text
    rows = get(site, "settings/wanted.csv").get_data(as_text=True)
    assert "2001" in rows and "Number: 2001 → 92001" in rows and "would wait" in rows
    with site.db() as db:
        assert db.scalars(select(Posting)).all() == []
        rows_now = db.scalars(select(Document).where(Document.number.like("20%")))
        assert {row.status for row in rows_now} == {"Pending Sync"}
    assert current(site).match_by is MatchBy.NUMBER
    assert post(site, "settings/wanted/save").status_code == 302
    assert current(site).match_by is MatchBy.NAME
    assert get(site, "settings/wanted").status_code == 302


def test_saving_does_not_wait_for_the_count_and_dropping_ends_it(site: Site) -> None:
    books(site)
    save(site, action="try", look_back_days="30")
    assert post(site, "settings/wanted/drop").status_code == 302
    assert count(site).state == "Stopped"
    assert current(site).look_back_days == 14
    save(site, action="try", look_back_days="30")
    assert post(site, "settings/wanted/save").status_code == 302
    assert current(site).look_back_days == 30


def test_the_newest_answers_are_the_ones_that_are_counted(site: Site) -> None:
    books(site)
    save(site, action="try", numbering="source")
    save(site, action="try", numbering="source_id")
    run = count(site)
    with site.db() as db:
        a = site.ids["A"]["company_id"]
        assert len(db.scalars(select(Run).where(Run.company_id == a, Run.kind == what_if.KIND)).all()) == 1
        row = wanted.kept(db, a)
        assert row is not None and run.summary["wanted"] == row.version
        versions = db.scalars(select(SettingsVersion).where(SettingsVersion.company_id == a)).all()
        assert [each.area for each in versions].count(wanted.AREA) == 1


def test_an_account_that_went_away_since_is_refused_when_tried_answers_are_saved(site: Site) -> None:
    save(site, action="try", look_back_days="30")
    with site.db() as db, db.begin():
        entries = select(MirrorEntry).where(MirrorEntry.company_id == site.ids["A"]["company_id"])
        for row in db.scalars(entries.where(MirrorEntry.ledger_id == "79")):
            row.active = False
    answer = post(site, "settings/wanted/save")
    assert answer.status_code == 422 and "Not a valid choice" in answer.get_data(as_text=True)
    found = kept(site)
    assert found is not None and replace(found, look_back_days=14) != found
    with site.db() as db:
        assert settings.load_invoices(db, site.ids["A"]["company_id"]).look_back_days == 14
