"""Review, release and hold as people press them. What the engine does with it is in tests/engine/test_review.py."""

from __future__ import annotations

import re
from decimal import Decimal

from sqlalchemy import select

from domain.settings import SyncState
from models import Audit, Document, Hold, Run
from sync import settings
from tests.web.site import BASE, NOW, Site
from tests.web.test_tools import add, page, post, runs


def ready(site: Site, number: str, **changes: object) -> int:
    return add(site, number, reason_code="waits_for_release", lines="[]", reviewed={"digest": number, "face": {}},
               reasons=[{"code": "waits_for_release", "params": {}}], **changes)


def review_first(site: Site) -> None:
    with site.db() as db, db.begin():
        settings.change(db, site.ids["A"]["company_id"], now=NOW, user=None, sync_state=SyncState.REVIEW)


def hidden(html: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, name
    return found.group(1)


def test_release_shows_count_and_sum_then_releases_exactly_these(site: Site) -> None:
    review_first(site)
    one, two = ready(site, "2001", total=Decimal("100.25")), ready(site, "2002", total=Decimal("-10.00"))
    left = ready(site, "2003")
    text = post(site, "documents/bulk", action="release", id=[str(one), str(two)]).get_data(as_text=True)
    assert "Release 2 documents to QuickBooks?" in text and "USD 90.25" in text
    assert runs(site, "release") == []
    token = hidden(text, "token")
    post(site, "documents/release", id=[str(one), str(two)], confirmed="yes", token=token)
    assert len(runs(site, "release")) == 1
    with site.db() as db:
        due = {row.id: row.due_at is not None for row in db.scalars(select(Document))}
    assert (due[one], due[two], due[left]) == (True, True, False)
    again = post(site, "documents/release", id=[str(one), str(two)], confirmed="yes", token=token)
    assert again.headers["Location"].endswith("/review") and len(runs(site, "release")) == 1


def test_what_changed_since_the_confirmation_was_shown_is_shown_again(site: Site) -> None:
    review_first(site)
    one = ready(site, "2001")
    text = post(site, "tools/sync-now").get_data(as_text=True)
    assert "Release 1 document to QuickBooks?" in text
    with site.db() as db, db.begin():
        db.get_one(Document, one).reviewed = {"digest": "another", "face": {}}
    answer = post(site, "documents/release", all="yes", confirmed="yes", token=hidden(text, "token"))
    assert "Something changed since this page was shown" in answer.get_data(as_text=True)
    assert runs(site, "release") == []


def test_sync_now_under_review_with_nothing_ready_reads(site: Site) -> None:
    review_first(site)
    post(site, "tools/sync-now")
    assert [run.kind for run in runs(site)] == ["sync"]


def test_a_hold_asks_why_is_audited_listed_and_released(site: Site) -> None:
    one = ready(site, "2001")
    assert "Hold 2001?" in page(site, f"documents/hold?id={one}")
    assert post(site, "documents/hold", id=str(one), reason="").status_code == 422
    post(site, "documents/hold", id=str(one), reason="waits for the order")
    shown = page(site, f"documents/{one}")
    assert "waits for the order" in shown and "Release hold" in shown and "Un-skip" not in shown
    assert "2001" in page(site, "review")
    assert post(site, f"documents/{one}/unskip").status_code == 302
    with site.db() as db:
        assert db.get_one(Document, one).reason_code == "held"
        hold = db.scalars(select(Hold).where(Hold.kind == "document")).one()
        assert db.scalars(select(Audit).where(Audit.action == "held")).one().detail["why"] == "waits for the order"
    post(site, f"holds/{hold.id}/release")
    with site.db() as db:
        assert (db.get_one(Document, one).status, db.get_one(Hold, hold.id).released_by) == ("Pending Sync", "A staff")


def test_a_hold_that_comes_too_late_says_so(site: Site) -> None:
    gone = site.ids["A"]["document_id"]
    answer = site.client("A staff")
    a = site.ids["A"]["company_id"]
    sent = {"company_id": str(a), "id": str(gone), "reason": "too late"}
    text = answer.post(f"/c/{a}/documents/hold", base_url=BASE, data=sent, follow_redirects=True)
    assert "came too late for 1001" in text.get_data(as_text=True)


def test_a_customer_is_held_with_what_is_open(site: Site) -> None:
    one = ready(site, "2001")
    other = ready(site, "2002", party_id="8")
    assert "Hold Globex?" in page(site, f"documents/{one}/hold-customer")
    post(site, f"documents/{one}/hold-customer", reason="in dispute")
    with site.db() as db:
        assert db.get_one(Document, one).reason_code == "held"
        assert db.get_one(Document, other).reason_code == "waits_for_release"
        assert db.scalars(select(Run).where(Run.kind == "release")).all() == []


def test_a_preview_opens_with_sums_and_its_press_releases_what_it_showed(site: Site) -> None:
    one, other = ready(site, "2001"), ready(site, "2002")
    answer = post(site, "documents/bulk", action="preview", id=[str(one), str(other)])
    shown = site.client("A staff").get(answer.headers["Location"], base_url=BASE).get_data(as_text=True)
    assert "2001" in shown and "Nothing was posted" in shown
    with site.db() as db:
        [run] = db.scalars(select(Run).where(Run.kind == "preview")).all()
        assert (run.state, run.summary["counts"]) == ("Finished", {"stopped": 2})
        assert db.get_one(Document, one).party_name == "Globex", "a preview changes no document"
    assert post(site, "documents/release", all="yes", preview=str(run.id)).headers["Location"].endswith("/review")


def test_post_now_of_another_plan_posts_nothing_and_says_so(site: Site) -> None:
    one = ready(site, "2001")
    a = site.ids["A"]["company_id"]
    sent = {"company_id": str(a), "digest": "0" * 64, "seen": "not ours"}
    answer = site.client("A staff").post(
        f"/c/{a}/documents/{one}/post", base_url=BASE, data=sent, follow_redirects=True)
    assert "Changed since the preview, so nothing was posted" in answer.get_data(as_text=True)
    assert runs(site, "release") == []
