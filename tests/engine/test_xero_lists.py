"""What Xero's lists do to a document: contacts by link, number and name, items that are deleted, tracking categories.

The judge is the simulated organisation's own books.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from connectors.ledgers.base import Kind
from domain.settings import MatchBy
from domain.statuses import Status
from models import Company, MirrorEntry
from sandbox.server import World as Sandbox
from sandbox.xero import contacts, items, lists
from sandbox.xero.elements import Call
from sync import decisions, gather, mirror
from tests.connectors.xero_bench import XeroOrganisation
from tests.engine.test_xero import Bridge
from tests.engine.world import invoice, line
from tests.infra.database import Sessions

Bridges = Callable[..., Bridge]


@pytest.fixture
def at(sandbox_world: Sandbox, sandbox: str) -> XeroOrganisation:
    return XeroOrganisation(sandbox_world, sandbox, "xero-uk")


@pytest.fixture
def bridge(sessions: Sessions, at: XeroOrganisation) -> Bridges:
    return lambda own=sessions, **changes: Bridge(own, at, **changes)


def contact(it: Bridge, name: str, **more: Any) -> str:
    return str(contacts.store(it.at.org, {"Name": name, **more}, creating=True)["id"])


def archive(it: Bridge, ident: str, number: str) -> None:
    found = it.at.org.record("Contact", ident)
    assert found is not None
    it.at.org.replace(found, {**found["entity"], "ContactStatus": "ARCHIVED"}, {"number": number})


def billed(it: Bridge) -> dict[str, str]:
    return {row["entity"]["InvoiceNumber"]: row["entity"]["ContactID"] for row in it.at.org.records("Invoice")}


def complete(it: Bridge) -> None:
    rows = it.sync()
    assert {row.status for row in rows.values()} == {Status.COMPLETE}, [row.reasons for row in rows.values()]


def test_a_contact_is_found_by_link_then_number_then_name_and_never_when_archived(
    bridge: Bridges, any_sessions: Sessions
) -> None:
    it = bridge(any_sessions)
    renamed = contact(it, "Renamed by the bookkeeper", ContactNumber="AT-175")
    contact(it, "Customer 175")
    gone = contact(it, "Long gone", ContactNumber="AT-176")
    archive(it, gone, "AT-176")
    named = contact(it, "Customer 176")
    linked = contact(it, "Somebody else entirely")
    contact(it, "Numbered, but not meant", ContactNumber="AT-177")
    with it.world.sessions() as db, db.begin():
        company = db.get_one(Company, it.world.company_id)
        decisions.link_customer(db, company, "177", "", linked, now=it.world.clock.now(), user=None)
    before = len(list(it.at.org.records("Contact")))
    it.world.source.put(invoice("1", party="175"), invoice("2", party="176"), invoice("3", party="177"))
    complete(it)
    assert billed(it) == {"AT-1": renamed, "AT-2": named, "AT-3": linked}
    assert len(list(it.at.org.records("Contact"))) == before


def test_our_number_on_an_archived_contact_waits_for_a_person_and_is_not_given_twice(
    bridge: Bridges, any_sessions: Sessions
) -> None:
    it = bridge(any_sessions)
    archive(it, contact(it, "Long gone", ContactNumber="AT-175"), "AT-175")
    it.world.source.put(invoice("1", party="175"))
    stopped = it.sync()["1"]
    assert (stopped.status, stopped.reason_code) == (Status.FAULT, "customer_number_held") and it.at.documents() == []
    with it.world.sessions() as db, db.begin():
        company = db.get_one(Company, it.world.company_id)
        decisions.link_customer(db, company, "175", "", None, now=it.world.clock.now(), user=None)
    complete(it)
    [made] = [row["entity"] for row in it.at.org.records("Contact") if row["entity"]["Name"] == "Customer 175"]
    assert not made.get("ContactNumber") and len(it.at.documents()) == 1


def test_a_name_in_another_case_waits_where_case_counts(bridge: Bridges) -> None:
    it = bridge(exact_names=True)
    contact(it, "CUSTOMER 175")
    it.world.source.put(invoice("1", party="175"))
    assert it.sync()["1"].reason_code == "customer_similar" and it.at.documents() == []


def item(it: Bridge, code: str) -> str:
    with it.at.world.store.transaction():
        items.write(Call(it.at.org, "PUT", {}), {"Code": code, "Name": code, "IsSold": True})
    return str(items.by_code(it.at.org, code)[0]["id"])


def known_items(it: Bridge) -> list[str]:
    with it.world.sessions() as db:
        return sorted(db.scalars(select(MirrorEntry.ledger_id).where(MirrorEntry.kind == Kind.ITEM.value)))


@pytest.mark.parametrize("noticed", ["by the day's reading", "by a refusal"])
def test_an_item_that_was_deleted_in_xero_is_forgotten_and_lines_go_without_it(bridge: Bridges, noticed: str) -> None:
    it = bridge(match_by=MatchBy.NUMBER)
    ident = item(it, "LAB-1")
    mirror.refresh(it.world.rt, it.world.company_id, it.at.ledger, it.world.source)
    assert known_items(it) == ["LAB-1"]
    items.delete(it.at.org, ident)
    if noticed == "by the day's reading":
        it.world.clock.advance(mirror.DAY.total_seconds() + 1)
        gather.scan(it.world.rt, it.world.company_id, it.world.source, it.at.ledger, None)
        assert known_items(it) == []
    it.world.source.put(invoice("1"))
    complete(it)
    [held] = [row["entity"] for row in it.at.org.records("Invoice")]
    assert "ItemCode" not in held["LineItems"][0] and known_items(it) == []


def test_both_tracking_categories_stand_on_every_line(bridge: Bridges, at: XeroOrganisation) -> None:
    with at.world.store.transaction():
        made = lists.write_tracking(Call(at.org, "PUT", {}), {"Name": "Region"})["TrackingCategoryID"]
        for name in ("West", "East"):
            lists.write_option(Call(at.org, "PUT", {}), made, {"Name": name})
    at.profile = at.ledger.check()
    at.ledger = at.connect(profile=at.profile)
    by = {"Department": "department", "Region": "line of business"}
    first, second = at.profile.tracking
    it = bridge(class_by=by[first], location_by=by[second])
    known = it.world.source.lists
    codes = {key: replace(code, department_id="9") for key, code in known.codes.items()}
    names = {"departments": {"9": "Service"}, "businesses": {"b1": "West"}}
    it.world.source.lists = replace(known, codes=codes, **names)
    mirror.refresh(it.world.rt, it.world.company_id, it.at.ledger, it.world.source, whole=True)
    lines = tuple(replace(line(f"1-{n}", "50.00"), business_id="b1") for n in (1, 2))
    it.world.source.put(invoice("1", "100.00", lines=lines))
    complete(it)
    [held] = [row["entity"] for row in it.at.org.records("Invoice")]
    told = [{(each["Name"], each["Option"]) for each in one["Tracking"]} for one in held["LineItems"]]
    assert told == [{("Department", "Service"), ("Region", "West")}] * 2
