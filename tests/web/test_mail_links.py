"""Links in mails, without signing in: opening changes nothing, the button does; bounces need a signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest

from domain.mails import Event
from models import Outbox
from sync import addresses
from sync.mail_links import PREFERENCES, REPORT, Link, sign
from tests.web.site import BASE, NOW, Site, make_site

ADDRESS, SECRET = "new@else.example", "test" * 10


def token(site: Site, purpose: str, letter: str = "A") -> str:
    ids = site.ids[letter]
    return sign(SECRET, purpose, Link(ids["company_id"], ADDRESS, ids["run_id"], NOW))


def muted(site: Site) -> list[str]:
    with site.db() as db:
        row = addresses.find(db, site.ids["A"]["company_id"], ADDRESS)
        return list(row.muted) if row else []


def test_only_the_button_makes_a_stranger_known_and_for_one_company_and_seven_days(site: Site) -> None:
    page, client = f"/mail/report/{token(site, REPORT)}", site.client()
    for path in (page, f"{page}/report.csv", page):
        assert b"Backup 1TB" not in client.get(path, base_url=BASE).data
    assert client.post(page, base_url=BASE).status_code == 302
    assert "Backup 1TB" in client.get(page, base_url=BASE).get_data(as_text=True)
    assert client.get(f"{page}/report.csv", base_url=BASE).data.count(b"Acme Support") == 2
    other = client.get(f"/mail/report/{token(site, REPORT, 'B')}", base_url=BASE)
    assert b"Backup 1TB" not in other.data
    assert client.get(f"/mail/report/{token(site, PREFERENCES)}", base_url=BASE).status_code == 410
    with site.services.sessions() as db, db.begin():
        row = addresses.find(db, site.ids["A"]["company_id"], ADDRESS)
        assert row is not None
        addresses.remove(db, row, NOW)
    assert client.get(page, base_url=BASE).status_code == 410
    site.clock.advance(days=7, seconds=1)
    assert client.get(f"/mail/report/{token(site, REPORT, 'B')}", base_url=BASE).status_code == 410


def test_one_click_ends_mails_of_that_kind_and_opening_the_link_ends_none(site: Site) -> None:
    path, client = f"/mail/unsubscribe/{token(site, PREFERENCES)}?kind=problems", site.client()
    client.get(path, base_url=BASE)
    assert muted(site) == []
    assert client.post(path, base_url=BASE, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert muted(site) == [Event.PROBLEMS]
    client.post(f"/mail/preferences/{token(site, PREFERENCES)}", base_url=BASE, data={"event": ["runs"]})
    assert muted(site) == [event for event in Event if event is not Event.RUNS]


@pytest.mark.parametrize(("key", "age", "status"), [("b" * 20, 0, 200), ("c" * 20, 0, 401), ("b" * 20, 600, 401)])
def test_a_bounce_counts_only_with_a_fresh_signature(
    _migrated_sqlite: Path, tmp_path: Path, key: str, age: int, status: int
) -> None:
    site = make_site(_migrated_sqlite, tmp_path, bounce_secret="b" * 20)
    mail_id = site.ids["A"]["mail_id"]
    with site.services.sessions() as db, db.begin():
        row = db.get_one(Outbox, mail_id)
        row.state, row.message_id = "sent", "<1@app.example>"
    told = {"type": "bounce", "message_id": "<1@app.example>", "recipient": "else@where.example", "reason": "gone"}
    body, at = json.dumps(told).encode(), str(int(NOW.timestamp()) - age)
    mac = hmac.new(key.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    answer = site.client().post(
        "/webhooks/bounce", base_url=BASE, data=body, headers={"X-Bookbridge-Signature": f"t={at},v1={mac}"}
    )
    with site.db() as db:
        assert (answer.status_code, db.get_one(Outbox, mail_id).state == "bounced") == (status, status == 200)
    site.services.engine.dispose()
