"""What is wrong with the mails of runs, and what the checker then has to say."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from tests.simulation.mailing import BOOKS
from tests.simulation.planting import Planted, says
from tests.simulation.postbox import Taken

# ---- reports ------------------------------------------------------------------------------------------------------


def _mail(world: Planted, kind: str = "report") -> tuple[int, Taken]:
    """A mail that was sent and taken once: its row, and what the server has."""
    for row, message_id in world.watcher.db.execute(
        "SELECT id, message_id FROM outbox WHERE kind = ? AND state = 'sent' AND again = 0 ORDER BY id", (kind,)
    ):
        for mail in world.postbox.taken:
            if str(mail.message["Message-ID"]) == message_id:
                return int(row), mail
    raise AssertionError(f"no {kind} was mailed")


def _rewritten(mail: Taken, old: bytes, new: bytes) -> Taken:
    assert old in mail.raw, f"{old!r} does not stand in it"
    return replace(mail, raw=mail.raw.replace(old, new))


@says("I17", "came 2 times")
def a_report_that_came_twice(world: Planted) -> None:
    world.postbox.taken.append(_mail(world)[1])


@says("I17", "came as different messages")
def a_report_under_two_message_ids(world: Planted) -> None:
    row, mail = _mail(world)
    old = str(mail.message["Message-ID"]).encode()
    world.postbox.taken.append(_rewritten(mail, old, f"<{row}.another@bookbridge.invalid>".encode()))


@says("lost", "is told as sent, and no server has it")
def a_report_that_nobody_has(world: Planted) -> None:
    world.postbox.taken.remove(_mail(world)[1])


@says("stuck", "is still sending")
def a_report_that_is_never_sent(world: Planted) -> None:
    world.sql("UPDATE outbox SET state = 'sending' WHERE id = ?", _mail(world)[0])


@says("lost", "is unsure although nothing went wrong")
def a_report_given_up_in_peace(world: Planted) -> None:
    world.world.ended_s = -600.0
    world.sql("UPDATE outbox SET state = 'unsure' WHERE id = ?", _mail(world)[0])


@says("lost", "was given up after 1 tries")
def a_report_given_up_too_early(world: Planted) -> None:
    world.sql("UPDATE outbox SET state = 'refused', tries = 1 WHERE id = ?", _mail(world)[0])


@says("lost", "was not sent")
def a_report_withheld_without_a_reason(world: Planted) -> None:
    row, mail = _mail(world)
    for readers in world.world.readers:
        readers.standings[mail.recipient.casefold()] = [(0.0, frozenset({"known"}))]
    world.sql("UPDATE outbox SET state = 'withheld' WHERE id = ?", row)


def _standing(world: Planted, *held: str, kind: str = "report") -> Taken:
    mail = _mail(world, kind)[1]
    for readers in world.world.readers:
        readers.standings[mail.recipient.casefold()] = [(0.0, frozenset(held))]
    return mail


@says("I17", "went although the address stood as")
def a_report_to_an_address_that_bounced(world: Planted) -> None:
    _standing(world, "known", "bounced")


@says("I17", "has figures, and its address is not known")
def figures_to_a_stranger(world: Planted) -> None:
    _standing(world)


@says("I17", "went to a stranger")
def a_notice_to_a_stranger_who_gets_none(world: Planted) -> None:
    _standing(world, kind="notice")
    world.world.services.config = type(world.world.services.config)(
        **{**vars(world.world.services.config), "report_strangers": "never"}
    )


@says("I17", "is a notice with names in it")
def names_in_a_notice(world: Planted) -> None:
    mail = _mail(world, "notice")[1]
    at = world.postbox.taken.index(mail)
    text = mail.message.get_body(("plain",))
    assert text is not None
    words = str(text.get_payload()).split()
    world.postbox.taken[at] = _rewritten(mail, words[0].encode(), b"Kestrel Logistics")


def _posted_report(world: Planted) -> tuple[int, Taken]:
    """A report that lists something as posted: where it is in the box."""
    for at, mail in enumerate(world.postbox.taken):
        if mail.kind in ("report", "digest") and _first_posted(mail):
            return at, mail
    raise AssertionError("no report tells of a posted document")


@says("I17", "as posted")
def a_subject_that_lies(world: Planted) -> None:
    at, mail = _posted_report(world)
    subject = str(mail.message["Subject"])
    world.postbox.taken[at] = _respelled(mail, Subject=f"99 posted{subject[subject.index(' posted') + 7:]}")


def _respelled(mail: Taken, csv: tuple[str, str] | None = None, **headers: str) -> Taken:
    """The same mail with other headers, or another text in its attachment."""
    message = replace(mail).message
    for name, value in headers.items():
        message.replace_header(name, value)
    for part in message.iter_attachments() if csv else ():
        text = mail.csv.replace(*csv) if csv else ""
        assert text != mail.csv
        part.set_content(text.encode("utf-8-sig"), maintype="text", subtype="csv", filename=part.get_filename())
    return replace(mail, raw=message.as_bytes())


def _first_posted(mail: Taken) -> dict[str, str]:
    return next((one for one in csv.DictReader(io.StringIO(mail.csv)) if one["Status"] == "Complete"), {})


@says("I17", "which never was")
def a_ledger_document_that_never_was(world: Planted) -> None:
    at, mail = _posted_report(world)
    id = _first_posted(mail)["Ledger ID"]
    world.postbox.taken[at] = _respelled(mail, (f",{id},", ",77777,"))


@says("I17", "the source says")
def an_amount_that_the_source_never_had(world: Planted) -> None:
    at, mail = _posted_report(world)
    amount = _first_posted(mail)["Amount"]
    world.postbox.taken[at] = _respelled(mail, (f",{amount},", ",0.07,"))


@says("I17", "gets 2 mails")
def two_rows_for_one_recipient(world: Planted) -> None:
    columns = world.columns("outbox", id="90000", dedupe="'another'")
    world.sql(f"INSERT INTO outbox SELECT {columns} FROM outbox WHERE id = ?", _mail(world)[0])


@says("I17", "finished without a report")
def a_run_that_nobody_hears_of(world: Planted) -> None:
    (run,) = world.one("SELECT run_id FROM outbox WHERE id = ?", _mail(world)[0])
    world.sql("DELETE FROM outbox WHERE run_id = ?", run)


@says("lost", "was never told")
def somebody_who_asked_and_hears_nothing(world: Planted) -> None:
    (row,) = world.one(
        "SELECT o.id FROM outbox o JOIN runs r ON r.id = o.run_id WHERE r.kind = 'sync'"
        " AND r.recipients LIKE '%one@customer.invalid%' AND o.recipient = 'one@customer.invalid'"
    )  # fmt: skip
    world.sql("DELETE FROM outbox WHERE id = ?", row)


@says("lost", f"{BOOKS} got no report")
def the_address_in_settings_hears_nothing(world: Planted) -> None:
    _books_are_kept(world)
    world.sql("DELETE FROM outbox WHERE recipient = ?", BOOKS)


@says("lost", f"{BOOKS} is told with no later report")
def the_address_in_settings_gets_no_collected_report(world: Planted) -> None:
    _books_are_kept(world)
    world.sql("DELETE FROM mail_runs")


def _books_are_kept(world: Planted) -> None:
    for readers in world.world.readers:
        readers.standings[BOOKS.casefold()] = [(0.0, frozenset({"known"}))]
