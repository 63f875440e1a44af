"""Compare Lists: each state has its word, and what a person decides is kept once and never over a link."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from connectors.ledgers.base import Kind
from domain.documents import Catalog, Code, Party, TaxRule, Term
from models import Company, Link, Outbox, Run, ToolRow, User
from sync import gather, list_compare, list_decisions, requests, settings, tools
from sync.tool_report import TOOLS, csv_text, rows_of
from tests.engine.world import World, furnish, invoice, make_world
from tests.infra.database import Sessions

PARTIES = ("Acme Ltd", "Linked Co", "Exact One", "Nearby Limited", "Brand New", "Same Name", "Same Name", "Dormant")
VENDORS = ("Parts Inc", "Wholesale", "Twice There")


@pytest.fixture
def world(sessions: Sessions) -> World:
    made = make_world(sessions, match_by="name")
    furnish(made, parties=0)
    for n, name in enumerate(PARTIES):
        made.source.put_party(Party(str(200 + n), name))
        made.source.put(invoice(str(n + 1), party=str(200 + n), term_id="1"))
    for n, name in enumerate(VENDORS):
        made.source.put_party(Party(str(300 + n), name))
        made.source.vendor_ids.add(str(300 + n))
    terms = {"1": Term("1", "Net 30", 30), "2": Term("2", "Net Fifteen", 15)}
    made.source.lists = Catalog(
        {"1": Code("1", "Remote support"), "2": Code("2", "Hardware")}, terms,
        (TaxRule("Ontario", None, "HST ON", Decimal("0.13"), region_id="9"),), {"9": "Ontario"},
    )
    for name in ("Linked There", "exact one", "Nearby", "Acme Ltd"):
        made.books.add(Kind.CUSTOMER, name)
    made.books.void(made.books.add(Kind.CUSTOMER, "Dormant").id)
    for name in ("Parts Inc", "Twice There", "Twice There"):
        made.books.add(Kind.VENDOR, name)
    made.books.add(Kind.TERM, "Net 30")
    made.books.add(Kind.TERM, "Net 15")
    made.books.add(Kind.ITEM, "Hardware", type="Service", income_account_id="1")
    made.books.add(Kind.TAX_CODE, "HST ON")
    with made.sessions() as db, db.begin():
        db.add(User(name="Robin", email="robin@people.example", theme="auto", created_at=made.clock.now()))
        linked = next(e.id for e in made.books.entries if e.body.get("name") == "Linked There")
        db.add(Link(company_id=made.company_id, kind="customer", source_key="201", ledger_id=linked, how="before",
                    made_at=made.clock.now()))  # fmt: skip
    return made


def scan(world: World) -> int:
    """The first scan; returns the run of the comparison that it leaves."""
    with world.sessions() as db, db.begin():
        company, user = db.get_one(Company, world.company_id), db.scalars(select(User)).one()
        run, _ = requests.ask(
            db, company, kind="first_scan", trigger="button", now=world.clock.now(), user=user
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id, whole=True)
    return newest(world)


def newest(world: World) -> int:
    with world.sessions() as db:
        return db.scalars(select(func.max(Run.id)).where(Run.kind == list_compare.KIND)).one()


def carry_out(world: World) -> int:
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run, _ = tools.ask(db, company, list_compare.KIND, {}, now=world.clock.now(), user=None)
        run_id = run.id
    tools.read(world.rt, world.company_id, world.source, world.ledger, run_id)
    return run_id


def states(world: World, run_id: int, which: str) -> dict[str, str]:
    with world.sessions() as db:
        rows = db.scalars(select(ToolRow).where(ToolRow.run_id == run_id))
        return {row.data["key"]: row.data["state"] for row in rows if row.data["list"] == which}


def decide(world: World, run_id: int, key: str, wanted: str, which: str = "customer") -> int:
    with world.sessions() as db, db.begin():
        rows = db.scalars(select(ToolRow).where(ToolRow.run_id == run_id)).all()
        row = next(each for each in rows if each.data["list"] == which and each.data["key"] == key)
        company, user = db.get_one(Company, world.company_id), db.scalars(select(User)).one()
        return len(list_decisions.choose(db, company, row, wanted, now=world.clock.now(), user=user))


def accept(world: World, run_id: int, which: str) -> int:
    with world.sessions() as db, db.begin():
        company, user = db.get_one(Company, world.company_id), db.scalars(select(User)).one()
        run = db.get_one(Run, run_id)
        return list_decisions.accept_exact(db, company, run, which, now=world.clock.now(), user=user)


def links(world: World, kind: str) -> dict[str, str]:
    with world.sessions() as db:
        return {link.source_key: link.how for link in db.scalars(select(Link).where(Link.kind == kind))}


def test_each_state_of_each_list_has_its_word(world: World) -> None:
    scan(world)
    run_id = carry_out(world)
    assert states(world, run_id, "customer") == {
        "200": "exact", "201": "linked", "202": "exact", "203": "similar", "204": "new", "205": "twice",
        "206": "twice", "207": "unusable",
    }  # fmt: skip
    assert states(world, run_id, "vendor") == {"300": "exact", "301": "new", "302": "twice"}
    assert states(world, run_id, "term") == {"1": "exact", "2": "new"}
    assert states(world, run_id, "item") == {"1": "new", "2": "exact"}
    assert states(world, run_id, "tax_code") == {"9:Ontario:": "exact"}
    with world.sessions() as db:
        run = db.get_one(Run, run_id)
        rows = rows_of(db, run)
        assert TOOLS[run.kind].headline(run) == "5 of 16 names ask you"
        assert ("Terms", "1 exact, 1 new") in TOOLS[run.kind].figures(run)
        file = csv_text(run, rows, "QuickBooks")
    assert "Similar,Customers,203,Nearby Limited,,,Nearby," in file
    assert "Exact,Terms,1,Net 30," in file


def test_the_first_scan_leaves_customers_and_items_and_mails_them_once(world: World) -> None:
    first = scan(world)
    run = world.run(first)
    assert (run.state, set(run.summary["counts"])) == ("Finished", {"customer", "item"})
    assert states(world, first, "customer")["203"] == "similar" and states(world, first, "vendor") == {}
    world.clock.advance(timedelta(hours=1).total_seconds())
    again = scan(world)
    assert again > first and states(world, again, "item") == states(world, first, "item")
    with world.sessions() as db:
        told = db.execute(select(Outbox.run_id, Outbox.recipient)).all()
    assert [tuple(each) for each in told] == [(first, "robin@people.example")]


def test_accepting_the_exact_ones_links_them_once_and_never_over_a_link(world: World) -> None:
    scan(world)
    run_id = carry_out(world)
    with world.sessions() as db, db.begin():  # somebody linked one meanwhile
        db.add(Link(company_id=world.company_id, kind="customer", source_key="202", ledger_id="new", how="a person",
                    made_at=world.clock.now()))  # fmt: skip
    assert accept(world, run_id, "customer") == 1
    assert links(world, "customer") == {"201": "before", "202": "a person", "200": list_decisions.ACCEPTED}
    assert accept(world, run_id, "customer") == 0
    assert {states(world, run_id, "customer")[key] for key in ("200", "201", "202")} == {"linked"}
    assert accept(world, run_id, "tax_code") == 1 and accept(world, run_id, "tax_code") == 0
    with world.sessions() as db:
        [entry] = settings.load_invoices(db, world.company_id).tax_map.entries
    assert (entry.region, entry.code_name) == ("Ontario", "HST ON")
    assert states(world, carry_out(world), "tax_code") == {"9:Ontario:": "linked"}


def test_what_was_renamed_since_is_not_accepted(world: World) -> None:
    scan(world)
    run_id = carry_out(world)
    acme = next(e for e in world.books.entries if e.body.get("name") == "Acme Ltd")
    world.clock.advance(60)
    world.books.rename(acme.id, "Apex Ltd")
    carry_out(world)
    assert accept(world, run_id, "customer") == 1
    assert "200" not in links(world, "customer")


def test_link_this_and_create_new_are_kept_and_free_what_waited(world: World) -> None:
    scan(world)
    run_id = carry_out(world)
    assert decide(world, run_id, "203", "nearby") == 1  # by name; one invoice waited
    for key, wanted, text in (
        ("203", "new", "linked already"), ("204", "Nobody", "No active record"), ("207", "new", "cannot be created"),
        ("204", "", "Choose a record"),
    ):  # fmt: skip
        with pytest.raises(list_decisions.Refused, match=text):
            decide(world, run_id, key, wanted)
    assert decide(world, run_id, "205", "new") == 1
    assert links(world, "customer")["205"] == "create new, said a person"
    assert decide(world, run_id, "301", "new", "vendor") == 0
    with pytest.raises(list_decisions.Refused, match="2 records"):
        decide(world, run_id, "302", "Twice There", "vendor")
    with pytest.raises(list_decisions.Refused, match="Tax map"):
        decide(world, run_id, "9:Ontario:", "1", "tax_code")
    found = states(world, carry_out(world), "customer")
    assert (found["203"], found["205"]) == ("linked", "linked")


def test_terms_of_another_name_are_linked_in_the_settings(world: World) -> None:
    scan(world)
    run_id = carry_out(world)
    assert accept(world, run_id, "term") == 0  # equal names are used by themselves
    assert decide(world, run_id, "2", "net 15", "term") == 0
    with world.sessions() as db:
        [rule] = settings.load_invoices(db, world.company_id).term_map
    fifteen = next(e.id for e in world.books.entries if e.body.get("name") == "Net 15")
    assert (rule.term_id, rule.ledger_id) == ("2", fifteen)
    for key, wanted, text in (("2", "Net 30", "linked already"), ("1", fifteen, "by themselves")):
        with pytest.raises(list_decisions.Refused, match=text):
            decide(world, run_id, key, wanted, "term")
    assert states(world, carry_out(world), "term") == {"1": "exact", "2": "linked"}
