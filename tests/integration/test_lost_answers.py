"""Mail, PDF, class and location over HTTP: answers are lost, and the simulated books and mailbox say how often."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from domain.settings import TrackBy
from domain.statuses import OPEN_STATES, Flag, PostingState, Status
from models import CompanyLease, Document, Posting
from sandbox import mailbox
from sandbox.autotask.tenants import Tenant
from sandbox.qbo import books, lists
from sandbox.qbo.realm import Realm
from sandbox.seeds import msp
from sandbox.world import World
from sync import delivery
from sync.apply import serve
from tests.infra.company import config_for, connect, sync_in_process
from workers.wiring import Services

INVOICES = 4


@pytest.fixture
def services(sandbox: str, migrated_sqlite_url: str, redis_url: str, smtp_port: int) -> Services:
    return Services.from_config(config_for(
        sandbox, database_url=migrated_sqlite_url, redis_url=redis_url, smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        time_factor=60, guard_young_seconds=0.0, guard_give_up_seconds=0.0,
    ))  # fmt: skip


def seeded(world: World, slug: str) -> dict[str, Any]:
    return msp.generate(world, seed=4, invoices=INVOICES, region="us", lines=2, slug=slug)


def sync(services: Services, company_id: int) -> None:
    """A whole Sync Now, and what follows the documents: a run does not wait for mails and attachments."""
    sync_in_process(services, company_id)
    source, ledger = services.source(company_id), services.ledger(company_id)
    for _ in range(60):
        serve(services.runtime(), company_id, source, ledger)
        with services.sessions() as db:
            wake = db.get_one(CompanyLease, company_id).wake_at
            if not db.scalars(select(Posting.id).where(Posting.state.in_(OPEN_STATES)).limit(1)).first():
                return
        services.runtime().pause(min(2.0, max(0.05, (wake - services.now()).total_seconds() if wake else 0.05)))
    raise AssertionError("what follows the documents never comes to rest")


def documents(services: Services, company_id: int) -> list[Document]:
    with services.sessions() as db:
        return list(db.scalars(select(Document).where(Document.company_id == company_id).order_by(Document.id)))


def mails(world: World, realm: str) -> Counter[str]:
    """Document number → mails that really left the books for its customer."""
    ours = {str(each["DocNumber"]) for each in books.documents(world, realm)}
    words = [word for mail in mailbox.messages(world) for word in str(mail["subject"]).split()]
    return Counter(word for word in words if word in ours)


@pytest.mark.parametrize("fault", ["response_lost", "cut_json"])
def test_a_mail_whose_answer_is_lost_left_once(services: Services, sandbox_world: World, fault: str) -> None:
    made = seeded(sandbox_world, "mailing")
    company_id = connect(services, sandbox_world, made, mail_customers=True)
    sandbox_world.faults.plan(fault, "qbo", operation="*send*", times=2)
    sync(services, company_id)
    invoices = [row for row in documents(services, company_id) if row.status == Status.COMPLETE and row.total > 0]
    assert len(invoices) > 2
    assert mails(sandbox_world, str(made["realm"])) == Counter({str(row.ledger_number): 1 for row in invoices})
    assert not [row for row in invoices if Flag.NOT_MAILED in row.flags]


def test_a_mail_that_never_arrived_is_not_sent_again_by_itself(services: Services, sandbox_world: World) -> None:
    """Nothing proves that it did not leave: a person decides, and then it leaves once."""
    made = seeded(sandbox_world, "unsure")
    company_id = connect(services, sandbox_world, made, mail_customers=True)
    sandbox_world.faults.plan("request_lost", "qbo", operation="*send*", times=1)
    sync(services, company_id)
    rows = documents(services, company_id)
    asked = [row for row in rows if row.reason_code == delivery.UNSURE]
    assert len(asked) == 1 and asked[0].status == Status.FAULT
    assert mails(sandbox_world, str(made["realm"]))[str(asked[0].ledger_number)] == 0
    with services.sessions() as db:
        [posting] = db.scalars(select(Posting).where(
            Posting.document_id == asked[0].id, Posting.operation == delivery.SEND
        ))
        assert (posting.state, posting.sends) == (PostingState.NEEDS_HUMAN, 1)


@pytest.mark.parametrize("fault", ["response_lost", "request_lost"])
def test_an_attachment_whose_answer_is_lost_hangs_there_once(
    services: Services, sandbox_world: World, fault: str
) -> None:
    made = seeded(sandbox_world, "attaching")
    company_id = connect(services, sandbox_world, made, attach_pdf=True)
    sandbox_world.faults.plan(fault, "qbo", operation="*upload*", times=2)
    sync(services, company_id)
    posted = [row for row in documents(services, company_id) if row.status == Status.COMPLETE]
    held: Counter[str] = Counter()
    for file in Realm(sandbox_world, str(made["realm"])).records("Attachable"):
        held.update(str(each["EntityRef"]["value"]) for each in file["entity"].get("AttachableRef", []))
    assert len(posted) > 2 and held == Counter({str(row.ledger_id): 1 for row in posted})
    assert not [row for row in posted if Flag.NOT_ATTACHED in row.flags]


def test_class_and_location_stand_in_the_books_by_name_by_row_and_by_default(
    services: Services, sandbox_world: World
) -> None:
    """Classes by the billing codes' departments, the location by default where the company has no territory."""
    made = seeded(sandbox_world, "tracked")
    realm, tenant = Realm(sandbox_world, str(made["realm"])), Tenant(sandbox_world, int(made["ci"]))
    with sandbox_world.store.transaction():
        kinds = {name: lists.seed(realm, "Class", Name=name) for name in ("Service", "Everything else")}
        west = lists.seed(realm, "Department", Name="West")
        [department] = [row["id"] for row in tenant.rows("Departments")]
        for code in tenant.rows("BillingCodes"):
            if str(code["externalNumber"]).startswith("MS-"):
                tenant.save("BillingCodes", {**code, "department": department})
    company_id = connect(
        services, sandbox_world, made, class_by=TrackBy.DEPARTMENT, class_default=kinds["Everything else"],
        location_by=TrackBy.TERRITORY, location_default=west,
    )  # fmt: skip
    sync_in_process(services, company_id)
    posted = {row.ledger_id: row for row in documents(services, company_id) if row.status == Status.COMPLETE}
    assert len(posted) > 2
    seen: Counter[str] = Counter()
    for record in (row for kind in ("Invoice", "CreditMemo") for row in realm.records(kind)):
        if record["id"] not in posted:
            continue
        assert record["entity"]["DepartmentRef"]["value"] == west
        for each in record["entity"]["Line"]:
            detail = each.get("SalesItemLineDetail")
            if detail:
                managed = str(detail["ItemRef"]["name"]).startswith(("MS-", "Managed"))
                assert detail["ClassRef"]["value"] == kinds["Service" if managed else "Everything else"]
                seen[detail["ClassRef"]["name"]] += 1
    assert set(seen) == {"Service", "Everything else"}
