"""Manually Copy's pages in the real application: the form, each kind of result, decisions and who may take them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import SyncState
from models import Audit, Run, ToolRow
from sync.copy_outcome import KIND, Asked
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions
from tests.tools_pages.test_manual_copy import copy, typed_by_hand
from tests.tools_pages.test_pages import get, post, runs
from tests.web.site import BASE, NOW, Site


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions, sync_state=SyncState.OFF)
    furnish(made)
    return made


def shown(site: Site, world: World, run: Run) -> int:
    """The result of a run of the engine's world, as a run of the site's company."""
    company_id = site.ids["A"]["company_id"]
    with world.sessions() as there:
        rows = [(row.outcome, row.data) for row in there.scalars(select(ToolRow).where(ToolRow.run_id == run.id))]
    invoice_ = {**run.summary.get("invoice", {}), "document_id": None}
    summary = {**run.summary, **({"invoice": invoice_} if run.summary.get("invoice") else {})}
    with site.db() as db, db.begin():
        made = Run(company_id=company_id, kind=KIND, trigger="button", state=run.state, phase="finished",
                   summary=summary, started_at=NOW, finished_at=NOW, requested_by_name="Robin")  # fmt: skip
        db.add(made)
        db.flush()
        db.add_all(ToolRow(company_id=company_id, run_id=made.id, outcome=each, data=data) for each, data in rows)
        return made.id


def page(site: Site, run_id: int, who: str = "A staff") -> str:
    answer = get(site, f"/tools/results/{run_id}", who)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def decide(site: Site, run_id: int, who: str = "A staff", **form: str) -> Any:
    return post(site, f"results/{run_id}/decide", who, **form)


def test_the_form_has_the_fields_of_the_seed(shared_site: Site) -> None:
    text = get(shared_site, "/tools/manual-copy?invoice=AT-7").get_data(as_text=True)
    for label in ("Autotask Invoice ID", "Overwrite", "Additional Email", "Do It Now", 'value="AT-7"'):
        assert label in text
    assert "Manually Copy an Invoice" in get(shared_site, "/tools").get_data(as_text=True)
    assert "/tools/manual-copy" in get(shared_site, "/settings/invoices").get_data(as_text=True)


@pytest.mark.parametrize("wrong", [
    {"invoice": ""}, {"invoice": "https://ww5.autotask.net/x?AccountID=7"}, {"invoice": "9" * 400},
    {"invoice": "1", "additional": "a@b.example\nBcc: x@y.example"},
    {"invoice": "1", "additional": ",".join(f"n{n}@people.example" for n in range(50))},
])  # fmt: skip
def test_a_wrong_answer_is_told_at_its_field(shared_site: Site, wrong: dict[str, str]) -> None:
    answer = post(shared_site, "manual-copy", **wrong)
    assert answer.status_code == 422 and "bb-err" in answer.get_data(as_text=True)
    assert runs(shared_site, KIND) == []


def test_do_it_now_asks_once_and_another_invoice_is_not_swallowed(site: Site) -> None:
    first = post(site, "manual-copy", invoice="AT-1", overwrite="y", additional="office@people.example")
    post(site, "manual-copy", invoice="AT-1", overwrite="y")
    [run] = runs(site, KIND)
    assert Asked.of(run) == Asked("AT-1", overwrite=True)
    other = site.client("A staff").post(
        f"/c/{site.ids['A']['company_id']}/tools/manual-copy", base_url=BASE, follow_redirects=True,
        data={"company_id": site.ids["A"]["company_id"], "invoice": "AT-2"},
    )
    assert "Another invoice is being copied at this moment" in other.get_data(as_text=True)
    assert len(runs(site, KIND)) == 1
    assert "In hand." in site.client("A viewer").get(first.headers["Location"], base_url=BASE).get_data(as_text=True)
    with site.db() as db:
        assert [row.action for row in db.scalars(select(Audit)) if "copy" in row.action] == ["manual copy"]


def test_a_foreign_document_is_shown_beside_ours_and_adopted_by_staff_only(site: Site, world: World) -> None:
    ledger_id = typed_by_hand(world, "AT-1", total="90.00")
    world.source.put(invoice("1"))
    run_id = shown(site, world, copy(world))
    text = page(site, run_id)
    for part in ("Both originals", "the total is 90.00, not 100.00", "although they differ", "Adopt", "By hand"):
        assert part in text
    assert "Adopt" not in page(site, run_id, "A viewer")
    assert decide(site, run_id, "A viewer", decision="adopt").status_code == 403
    decide(site, run_id, decision="replace")
    assert all(run.finished_at for run in runs(site, KIND))  # not offered by this result
    decide(site, run_id, decision="adopt", differences="yes")
    asked = Asked.of(runs(site, KIND)[-1])
    assert (asked.source_id, asked.adopt, asked.version, asked.differences) == ("1", ledger_id, "0", True)


def test_each_result_says_what_it_means_and_offers_its_decision(site: Site, world: World) -> None:
    world.source.put(
        invoice("1", number="7"), invoice("7", number="x"), invoice("2", party=None),
        invoice("3", document_date=world.clock.now().date().replace(year=2025)),
    )
    several = shown(site, world, copy(world, "7"))
    assert "Which invoice is meant?" in page(site, several)
    decide(site, several, decision="choose", source_id="99")
    decide(site, several, decision="choose", source_id="7")
    [run] = [each for each in runs(site, KIND) if each.finished_at is None]
    assert Asked.of(run).source_id == "7"
    with site.db() as db, db.begin():
        db.get_one(Run, run.id).finished_at = NOW
    refused = page(site, shown(site, world, copy(world, "2")))
    assert "was not copied" in refused and "What stands against it" in refused
    asking = shown(site, world, copy(world, "3"))
    assert "Copy it all the same" in page(site, asking) and "Copy it all the same" not in page(site, asking, "A viewer")
    decide(site, asking, decision="copy")
    assert Asked.of(runs(site, KIND)[-1]).confirmed == ("before_start",)
    done = page(site, shown(site, world, copy(world, "1", source_id="1")))
    assert "Invoice 7 was copied to QuickBooks" in done and "LAB-1" in done
    assert "has it already" in page(site, shown(site, world, copy(world, "1", source_id="1")))


def test_the_files_name_the_invoice_and_each_line(site: Site, world: World) -> None:
    world.source.put(invoice("1", number="=1+1"))
    run_id = shown(site, world, copy(world))
    text = get(site, f"/tools/results/{run_id}/result.csv").get_data(as_text=True)
    assert "'=1+1" in text and "LAB-1" in text and text.count("\n") == 2
    missing = shown(site, world, copy(world, "nothing"))
    assert "No invoice was found" in get(site, f"/tools/results/{missing}/result.csv").get_data(as_text=True)


def test_another_companys_result_is_not_found(site: Site, world: World) -> None:
    run_id = shown(site, world, copy(world, "nothing"))
    other = site.ids["B"]["company_id"]
    form = {"company_id": other, "decision": "again"}
    answer = site.client("B admin").post(f"/c/{other}/tools/results/{run_id}/decide", base_url=BASE, data=form)
    assert answer.status_code == 404


def test_taking_out_and_copying_again_needs_a_yes_and_names_the_version_shown(site: Site, world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    marked_at = world.source.contents["1"].header.marked_at
    world.source.put(invoice("1", party="176", marked_at=marked_at))
    run_id = shown(site, world, copy(world, "1", overwrite=True))
    text = page(site, run_id)
    assert "Yes, delete it there and copy it again" in text and "There are never two" in text
    assert "Yes, delete it there" not in page(site, run_id, "A viewer")
    decide(site, run_id, decision="anew")
    assert all(run.finished_at for run in runs(site, KIND)), "without the tick nothing is asked for"
    decide(site, run_id, decision="anew", differences="yes")
    asked = Asked.of(runs(site, KIND)[-1])
    assert (asked.source_id, asked.anew, asked.version, asked.replace) == ("1", True, "0", False)


def test_a_deleted_copy_can_be_copied_again(site: Site, world: World) -> None:
    world.source.put(invoice("1"))
    copy(world)
    world.books.entries.remove(world.books.documents()[0])
    run_id = shown(site, world, copy(world, "1", compare=True))
    text = page(site, run_id)
    assert "Yes, copy it again" in text and "There is no copy in QuickBooks any more" in text
    decide(site, run_id, decision="anew", differences="yes")
    asked = Asked.of(runs(site, KIND)[-1])
    assert (asked.anew, asked.version) == (True, "")
