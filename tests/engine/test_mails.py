"""When mails go, and to whom: collected reports, problems, silence, strangers. On the engine's virtual clock."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from connectors.errors import NeedsReconnect
from domain.mails import Event, Rhythm, is_address, next_digest, own_domain
from models import Company, MailRun, Outbox
from sync import addresses, alerts, bounces, credentials, gather, mail, mail_links, requests, resending, settings
from sync.connection import needs_reconnect
from sync.mail_compose import Post
from sync.outbox import queue_mail
from tests.engine.test_scanning import look, switch_on
from tests.engine.world import World, invoice

POST = Post("smtp://127.0.0.1:9", "Bookbridge <reports@app.example>", "https://app.example", "s" * 40)
BOOKS = "books@msp.example"


class Server:
    """Takes every mail as an SMTP server does. `dies`: the process ends after the server has it. `breaks`: the step at
    which the connection breaks. `goodbye`: what it says to QUIT."""

    taken: list[EmailMessage]
    asked: int = 0
    """Connections that were tried."""
    silent: Callable[[], None] | None = None
    """It swallows connections: what happens while somebody waits for one."""
    dies: bool = False
    breaks: str = ""
    goodbye: int = 221

    def __init__(self, *args: object, **kwargs: object) -> None:
        Server.asked += 1
        if Server.silent is not None:
            Server.silent()
            raise TimeoutError("timed out")

    def ehlo_or_helo_if_needed(self) -> None:
        self._step("hello")

    def mail(self, _sender: str) -> tuple[int, bytes]:
        return self._step("sender")

    def rcpt(self, _recipient: str) -> tuple[int, bytes]:
        return self._step("recipient")

    def data(self, raw: bytes) -> tuple[int, bytes]:
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        Server.taken.append(message)
        if Server.dies:
            raise KeyboardInterrupt
        return self._step("data")

    def quit(self) -> tuple[int, bytes]:
        if Server.goodbye != 221:
            raise smtplib.SMTPResponseException(Server.goodbye, b"busy")
        return Server.goodbye, b"bye"

    def close(self) -> None:
        pass

    def _step(self, name: str) -> tuple[int, bytes]:
        if Server.breaks == f"{name}, slowly":
            raise TimeoutError("timed out")
        if Server.breaks == name:
            raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")
        return 250, b"fine"


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch) -> type[Server]:
    Server.taken, Server.dies, Server.breaks, Server.goodbye = [], False, "", 221
    Server.asked, Server.silent = 0, None
    monkeypatch.setattr(smtplib, "SMTP", Server)
    return Server


def deliver(world: World, post: Post = POST) -> list[EmailMessage]:
    """What the mail server got from one delivery."""
    before = len(Server.taken)
    mail.deliver(world.sessions, world.clock.now, post)
    return Server.taken[before:]


def rows(world: World) -> list[Outbox]:
    with world.sessions() as db:
        return list(db.scalars(select(Outbox).order_by(Outbox.id)))


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def test_automatic_syncs_are_collected_and_told_once_a_day(world: World) -> None:
    switch_on(world, recipients=(BOOKS,), time_zone="UTC")
    for number in ("1", "2"):
        world.source.put(invoice(number))
        look(world)
    assert [row.kind for row in rows(world)] == ["digest"]
    assert deliver(world) == []
    world.clock.instant = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
    [message] = deliver(world)
    assert message["Subject"].startswith("2 posted") and "AT-1" in text_of(message) and "AT-2" in text_of(message)
    [csv] = list(message.iter_attachments())
    assert csv.get_content().count(",AT-1,invoice,") == 1
    world.source.put(invoice("3"))
    look(world)
    assert [row.kind for row in rows(world)] == ["digest", "digest"], "a sent report takes nothing more"
    with world.sessions() as db:
        assert len(db.scalars(select(MailRun)).all()) == 3


def test_who_joins_an_automatic_sync_with_nothing_in_it_is_told_so(world: World) -> None:
    switch_on(world, scheduled_mails=Rhythm.DAILY)
    with world.sessions() as db, db.begin():
        company = db.get_one(Company, world.company_id)
        run, _ = requests.ask(db, company, kind="sync", trigger="schedule", now=world.clock.now(), user=None)
        requests.ask_sync(
            db, company, now=world.clock.now(), user=None, recipients=[{"address": BOOKS, "kind": "additional"}]
        )
        run_id = run.id
    gather.scan(world.rt, world.company_id, world.source, world.ledger, run_id)
    world.serve_until_rest()
    assert [mail["To"] for mail in deliver(world)] == [BOOKS]


def test_the_first_problem_goes_at_once_and_further_ones_within_the_hour_together(world: World) -> None:
    switch_on(world, recipients=(BOOKS,), scheduled_mails=Rhythm.PROBLEMS)
    world.source.put(invoice("1", party="999"), invoice("9"))
    look(world)
    [first] = deliver(world)
    assert first["Subject"].startswith("1 problem waits for you")
    assert "/help/errors/" in text_of(first) and "/documents/" in text_of(first)
    world.source.put(invoice("2", party="999"))
    look(world)
    world.source.put(invoice("3", party="998"))
    look(world)
    assert deliver(world) == []
    world.clock.advance(3600)
    [second] = deliver(world)
    assert second["Subject"].startswith("2 problems wait") and "AT-1" not in text_of(second)


def test_a_day_of_silence_is_told_once_and_again_only_after_another(world: World) -> None:
    switch_on(world, recipients=(BOOKS,))
    look(world)
    counts = []
    for hours in (23, 2, 24):
        world.clock.advance(hours * 3600)
        counts.append(alerts.silence(world.sessions, world.clock.now()))
    look(world)
    counts.append(alerts.silence(world.sessions, world.clock.now()))
    world.clock.advance(25 * 3600)
    counts.append(alerts.silence(world.sessions, world.clock.now()))
    assert counts == [0, 1, 0, 0, 1]
    assert deliver(world)[0]["Subject"].startswith("Nothing was checked for 24 hours")


def test_an_alarm_that_was_perhaps_sent_goes_again_as_the_same_message_and_a_report_does_not(world: World) -> None:
    _told(world)
    Server.dies = True
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            deliver(world)
    Server.dies = False
    world.clock.advance(700)
    again = deliver(world)
    report, alarm = rows(world)
    assert (report.state, alarm.state) == ("unsure", "sent")
    assert [message["Message-ID"] for message in again] == [alarm.message_id] == [Server.taken[1]["Message-ID"]]


@pytest.mark.parametrize("step", ["hello", "sender", "recipient"])
def test_what_the_mail_server_cannot_have_goes_again(world: World, step: str) -> None:
    _told(world)
    Server.breaks = step
    deliver(world)
    assert {row.state for row in rows(world)} == {"due"}
    Server.breaks = ""
    world.clock.advance(61)
    assert len(deliver(world)) == len(Server.taken) == 2


def test_a_report_whose_answer_is_lost_is_not_certain_and_an_alarm_goes_again(world: World) -> None:
    _told(world)
    Server.breaks = "data"
    deliver(world)
    assert [row.state for row in rows(world)] == ["unsure", "due"]
    Server.breaks = ""
    world.clock.advance(61)
    [again] = deliver(world)
    assert again["Message-ID"] == Server.taken[1]["Message-ID"] == rows(world)[1].message_id


def _told_often(world: World, mails: int) -> None:
    """So many alarms are due, the oldest first."""
    for number in range(mails):
        _alarm(world, f"{number}")


def _alarm(world: World, name: str) -> None:
    with world.sessions() as db, db.begin():
        queue_mail(db, world.company_id, "alert", name, f"a{name}@msp.example", world.clock.now(), data={
            "event": Event.CONNECTION, "subject": "Autotask", "title": "Autotask", "happened": "It refused the user.",
            "why": "", "todo": [], "button": "Open Connections", "path": "/connections", "detail": "",
            "at": world.clock.now().isoformat(),
        })  # fmt: skip


def test_a_mail_server_that_swallows_connections_is_asked_once_and_ever_less_often(world: World) -> None:
    """Each try costs its whole time-out; the others wait with the first, in their order, and so does what is new."""
    switch_on(world)
    _told_often(world, 5)
    Server.silent = lambda: world.clock.advance(20)
    tried = []
    for number in range(5, 35):
        before = Server.asked
        deliver(world)
        tried.append(Server.asked - before)
        _alarm(world, f"{number}")
        world.clock.advance(60)
    assert max(tried) == 1 and 4 <= sum(tried) <= 6, "half an hour costs a few tries"
    assert {row.state for row in rows(world)} == {"due"}, "none is given up while nobody answers"
    Server.silent = None
    world.clock.advance(1000)
    assert [message["To"] for message in deliver(world)] == [f"a{number}@msp.example" for number in range(35)]


def test_a_server_that_came_back_gets_what_waited_for_it_at_once(world: World) -> None:
    switch_on(world)
    _told_often(world, 2)
    Server.silent = lambda: world.clock.advance(20)
    for _ in range(4):
        deliver(world)
        world.clock.instant = max(row.next_at for row in rows(world) if row.next_at)
    Server.silent = None
    assert len(deliver(world)) == 2


def test_while_one_process_waits_for_the_mail_server_no_other_one_does(world: World) -> None:
    switch_on(world)
    _told_often(world, 3)
    others = []

    def wait() -> None:
        Server.silent = None  # the other process, if it asks, would be answered
        world.clock.advance(6)
        others.append(len(deliver(world)))

    Server.silent = wait
    deliver(world)
    assert others == [0] and Server.asked == 1


def test_a_time_out_in_the_middle_of_a_mail_ends_the_pass_and_lets_the_others_go_first(world: World) -> None:
    switch_on(world)
    _told_often(world, 3)
    Server.breaks = "recipient, slowly"
    deliver(world)
    assert Server.asked == 1 and {row.state for row in rows(world)} == {"due"}
    Server.breaks = ""
    world.clock.advance(59)
    assert [message["To"] for message in deliver(world)] == ["a1@msp.example", "a2@msp.example"]
    world.clock.advance(10)
    assert [message["To"] for message in deliver(world)] == ["a0@msp.example"]


def test_a_mail_server_that_is_too_busy_to_say_goodbye_has_the_mail_all_the_same(world: World) -> None:
    _told(world)
    Server.goodbye = 421
    assert len(deliver(world)) == 2
    assert {row.state for row in rows(world)} == {"sent"}


def _told(world: World) -> None:
    """A report and an alarm are due."""
    switch_on(world, recipients=(BOOKS,), scheduled_mails=Rhythm.EACH)
    world.source.put(invoice("1"))
    look(world)
    with world.sessions() as db, db.begin():
        alerts.connection_lost(db, world.company_id, "source", "Autotask refused the user.", world.clock.now())
    assert [row.kind for row in rows(world)] == ["report", "alert"]


def test_problems_that_wait_for_their_hour_do_not_go_to_an_address_that_was_taken_out(world: World) -> None:
    switch_on(world, problem_recipients=(BOOKS,), scheduled_mails=Rhythm.PROBLEMS)
    world.source.put(invoice("1", party="999"))
    look(world)
    assert len(deliver(world)) == 1
    world.source.put(invoice("2", party="999"))
    look(world)
    with world.sessions() as db, db.begin():
        settings.change(db, world.company_id, now=world.clock.now(), user=None, problem_recipients=())
    world.clock.advance(3600)
    assert deliver(world) == []
    assert rows(world)[-1].problem == "not sent: the address is not known any more"


def test_a_stranger_gets_no_figure_before_the_click_and_everything_after_it(world: World) -> None:
    world.source.put(invoice("1", "123.45"))
    run_id = world.sync()
    with world.sessions() as db, db.begin():
        for post, kind in (("a@else.example", "report"), ("b@else.example", "notice")):
            db.add(Outbox(
                company_id=world.company_id, kind=kind, dedupe=post, run_id=run_id, recipient=post, data={},
                state="due", tries=0, next_at=world.clock.now(), created_at=world.clock.now(),
            ))
        addresses.make_known(db, world.company_id, "B@else.example", world.clock.now())
    stranger, known = deliver(world)
    assert "123.45" not in str(stranger) and "Customer 175" not in str(stranger)
    assert "/mail/report/" in text_of(stranger)
    assert "123.45" in text_of(known) and known["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_never_and_full_are_kept_at_the_moment_of_sending(world: World) -> None:
    world.source.put(invoice("1"))
    run_id = world.sync()
    for number, strangers in enumerate(("never", "full")):
        with world.sessions() as db, db.begin():
            db.add(Outbox(
                company_id=world.company_id, kind="notice", dedupe=str(number), run_id=run_id, data={}, state="due",
                recipient="x@else.example", tries=0, next_at=world.clock.now(), created_at=world.clock.now(),
            ))
        deliver(world, Post(POST.smtp_url, POST.mail_from, POST.public_url, POST.secret, strangers=strangers))
    assert [(row.state, row.kind) for row in rows(world)] == [("withheld", "notice"), ("sent", "report")]


def test_an_alarm_for_an_address_that_was_taken_out_stays_where_strangers_get_nothing(world: World) -> None:
    """Found by the simulation (seed 50033): only reports were held back."""
    switch_on(world, connection_recipients=("one@msp.example", "two@msp.example"))
    with world.sessions() as db, db.begin():
        credentials.ensure(db, world.company_id, "ledger", "platform", "tenant").state = "connected"
        ended = NeedsReconnect("Intuit ended the connection.")
        needs_reconnect(db, world.company_id, "ledger", ended, world.clock.now())
        left = ("two@msp.example",)
        settings.change(db, world.company_id, now=world.clock.now(), user=None, connection_recipients=left)
    told = deliver(world, Post(POST.smtp_url, POST.mail_from, POST.public_url, POST.secret, strangers="never"))
    assert [message["To"] for message in told] == ["two@msp.example"]
    assert sorted((row.recipient, row.state) for row in rows(world)) == [
        ("one@msp.example", "withheld"), ("two@msp.example", "sent"),
    ]  # fmt: skip


def test_a_bounced_address_gets_nothing_until_somebody_insists(world: World) -> None:
    switch_on(world, recipients=(BOOKS,), scheduled_mails=Rhythm.EACH)
    for number in ("1", "2"):
        world.source.put(invoice(number))
        look(world)
        deliver(world)
        first = rows(world)[0]
        told = bounces.Told("bounce", first.message_id or "", BOOKS.upper(), "550 no such user")
        with world.sessions() as db, db.begin():
            assert bounces.record(db, told, world.clock.now())
            nobody = addresses.nobody_hears(db, world.company_id)
    assert [row.state for row in rows(world)] == ["bounced", "withheld"]
    assert nobody == [Event.PROBLEMS, Event.CONNECTION, Event.SILENCE]
    with world.sessions() as db, db.begin():
        resending.send_again(db, db.get_one(Outbox, rows(world)[0].id), world.clock.now())
    assert len(deliver(world)) == 1
    assert resending.trouble(rows(world)[0], world.clock.now()) != ""


def test_a_lost_connection_is_mailed_and_who_declined_is_not_told(world: World) -> None:
    switch_on(world, connection_recipients=("one@msp.example", "two@msp.example"))
    with world.sessions() as db, db.begin():
        addresses.mute(db, world.company_id, "Two@msp.example", [Event.CONNECTION], world.clock.now())
        for side in ("ledger", "source"):
            row = credentials.ensure(db, world.company_id, side, "platform", "tenant")
            row.state = "connected"
        for _ in range(2):
            ended = NeedsReconnect("Intuit ended the connection.")
            needs_reconnect(db, world.company_id, "ledger", ended, world.clock.now())
    [message] = deliver(world)
    assert message["To"] == "one@msp.example" and "/connections" in text_of(message)


@pytest.mark.parametrize(
    ("rhythm", "now", "at"),
    [
        (Rhythm.DAILY, "2026-11-20T12:59", "2026-11-20T13:00"),  # 07:00 in Chicago
        (Rhythm.DAILY, "2026-11-20T13:00", "2026-11-21T13:00"),
        (Rhythm.DAILY, "2026-03-08T13:00", "2026-03-09T12:00"),  # the day the clocks went forward
        (Rhythm.HOURLY, "2026-11-20T12:59", "2026-11-20T13:00"),
    ],
)
def test_when_a_collected_report_goes(rhythm: Rhythm, now: str, at: str) -> None:
    start, due = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, at))
    assert next_digest(rhythm, start, "America/Chicago", 7) == due


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a.b+c@x-y.example", True), ("a@xn--bcher-kva.example", True), ("a@x.xn--p1ai", True),
        ("a@b", False), ("A <a@b.example>", False), ("a@b.example\nBcc: c@d.example", False), ("a..b@c.example", False),
        (".a@c.example", False), ("a@bücher.example", False), ("a@b.example,c@d.example", False),
        ('"a b"@c.example', False), (f"{'a' * 250}@b.example", False),
    ],
)  # fmt: skip
def test_one_plain_address_and_nothing_around_it(text: str, good: bool) -> None:
    assert is_address(text) is good


def test_a_shared_public_domain_makes_nobody_known() -> None:
    assert own_domain("a@Harbor.example", "b@harbor.example") and not own_domain("a@gmail.com", "b@gmail.com")


def test_a_link_opens_only_what_it_was_signed_for() -> None:
    link = mail_links.Link(7, "a@b.example", 409, datetime(2026, 11, 20, tzinfo=UTC))
    token = mail_links.sign("k" * 32, mail_links.REPORT, link)
    assert mail_links.read("k" * 32, mail_links.REPORT, token) == link
    assert link.until - link.made_at == timedelta(days=7)
    for secret, purpose, text in (
        ("o" * 32, mail_links.REPORT, token), ("k" * 32, mail_links.PREFERENCES, token),
        ("k" * 32, mail_links.REPORT, "x" + token), ("k" * 32, mail_links.REPORT, "no-such-token"),
    ):
        assert mail_links.read(secret, purpose, text) is None


def test_a_recipient_never_becomes_another_header(world: World) -> None:
    run_id = world.sync()
    with world.sessions() as db:
        company = db.get_one(Company, world.company_id)
        row = Outbox(
            id=1, company_id=company.id, kind="notice", run_id=run_id, data={}, again=0,
            recipient="a@b.example\nBcc: c@d.example",
        )
        with pytest.raises(ValueError, match="not an address"):
            mail.compose(db, row, POST, world.clock.now())
