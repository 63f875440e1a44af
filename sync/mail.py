"""Delivering the outbox: decide, send over SMTP, note what became of it. At most one mail per (run, recipient).

A row is SENDING in a committed transaction before the first byte. When the process dies after that, or the connection
breaks once the message itself went, nobody knows whether the server took the mail. A report becomes `unsure` and is
shown with *Send again* rather than sent twice (I17); an alarm or an invitation goes again, at least once, under the
same Message-ID, because one too many is better than none.

A server that does not answer is asked by one mail at a time, ever less often; all the others wait with it, in their
order, and none is given up for it.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from domain.mails import EVENT_OF_KIND, NOTICES_A_DAY, STRANGERS_A_DAY, Event
from models import Outbox
from sync import addresses
from sync.mail_compose import Post, compose, message_id

TIMEOUT_S = 20
SLOW, SLOW_AT_MOST = timedelta(seconds=5), timedelta(seconds=30)
"""A mail that has been under way for so long tells of a server that hangs: no other process waits for it as well."""
MAX_TRIES = 8
AWAY_TRIES = 5
"""So many tries count at most while the server is away: a mail is given up for an answer only."""
AWAY = "The mail server cannot be reached"
STUCK = timedelta(minutes=10)
DAY = timedelta(days=1)
AT_LEAST_ONCE = ("alert", "problems", "invitation")
NO_NOTICE = ("digest", "problems")
"""They have names and amounts in them, and no version without: they go to known addresses only."""
FULL = {"notice": "report", "tool_notice": "tool"}
NOTICE = {full: notice for notice, full in FULL.items()}
"""Kinds of a run's mail: in full, and without names and amounts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`wait_s`: seconds until the next try, before they grow with the tries (only for `due`). `away`: the server
    itself is the trouble, and nothing was said of this mail. `slow`: it stopped answering in the middle."""

    state: str
    problem: str | None = None
    wait_s: float = 0.0
    away: bool = False
    slow: bool = False


def deliver(sessions: sessionmaker[Session], now: Callable[[], datetime], post: Post) -> int:
    """Send what is due, unless the server is away; returns how many were sent. Safe to run side by side and to
    repeat."""
    _free_stuck(sessions, now())
    sent = 0
    while True:
        claimed = _claim(sessions, now())
        if claimed is None:
            return sent
        sent += _send_one(sessions, now, claimed, post)


def awaits(db: Session, now: datetime) -> bool:
    """Something is due, or stands as being sent by a process that must have ended."""
    due, stuck = (Outbox.state == "due", Outbox.next_at <= now), _stuck(now)
    return db.execute(select(Outbox.id).where(or_(and_(*due), and_(*stuck))).limit(1)).first() is not None


def _stuck(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Outbox.state == "sending", Outbox.next_at < now - STUCK


def _free_stuck(sessions: sessionmaker[Session], now: datetime) -> None:
    stuck = _stuck(now)
    with sessions() as db, db.begin():
        db.execute(update(Outbox).where(*stuck, Outbox.kind.in_(AT_LEAST_ONCE)).values(state="due", next_at=now))
        db.execute(
            update(Outbox).where(*stuck, Outbox.kind.not_in(AT_LEAST_ONCE))
            .values(state="unsure", problem="The process ended while it was being sent.")
        )


def _claim(sessions: sessionmaker[Session], now: datetime) -> int | None:
    """The next mail; None when none is due, the server is away, or another process waits for it."""
    due = (Outbox.state == "due", Outbox.next_at <= now)
    with sessions() as db, db.begin():
        row_id = db.execute(select(Outbox.id).where(*due).order_by(Outbox.id).limit(1)).scalar_one_or_none()
        if row_id is None or _hangs(db, now):
            return None
        back = _away_until(db, now)
        if back is not None:
            db.execute(update(Outbox).where(*due).values(next_at=back))
            return None
        return db.execute(
            update(Outbox).where(Outbox.id == row_id, Outbox.state == "due")
            .values(state="sending", next_at=now, tries=Outbox.tries + 1).returning(Outbox.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()


def _away() -> tuple[ColumnElement[bool], ...]:
    """What waits for the server to come back."""
    return Outbox.state == "due", Outbox.problem.startswith(AWAY)


def _away_until(db: Session, now: datetime) -> datetime | None:
    return db.execute(select(func.min(Outbox.next_at)).where(*_away(), Outbox.next_at > now)).scalar_one()


def _hangs(db: Session, now: datetime) -> bool:
    """Another process waits for the server right now."""
    began = (Outbox.next_at < now - SLOW, Outbox.next_at > now - SLOW_AT_MOST)
    return db.execute(select(Outbox.id).where(Outbox.state == "sending", *began).limit(1)).first() is not None


def _send_one(sessions: sessionmaker[Session], now: Callable[[], datetime], row_id: int, post: Post) -> int:
    with sessions() as db, db.begin():
        row = db.get_one(Outbox, row_id)
        why_not = _settle_kind(db, row, post) or _withheld(db, row, now())
        if why_not is not None:
            row.state, row.problem, row.next_at = "withheld", why_not, None
            return 0
        row.message_id = row.message_id or message_id(row, post)
        message = compose(db, row, post, now())
    outcome = _hand_over(message, post.smtp_url)
    with sessions() as db, db.begin():
        row, state = db.get_one(Outbox, row_id), outcome.state
        if outcome.away:
            row.tries = min(row.tries, AWAY_TRIES)
        if state == "unsure" and row.kind in AT_LEAST_ONCE:
            state = "due"
        if state == "due" and row.tries >= MAX_TRIES:
            state = "refused"
        row.state, row.problem = state, outcome.problem
        row.sent_at = now() if state == "sent" else None
        if state == "sent" and row.kind == "invitation":
            row.data = {}  # the link in it is a secret
        wait = timedelta(seconds=outcome.wait_s * 2 ** min(row.tries, 6))
        row.next_at = now() + wait if state == "due" else None
        if not outcome.away:
            db.flush()
            db.execute(update(Outbox).where(*_away()).values(next_at=now()))
        if outcome.slow:  # maybe for this mail alone, so the others go before it next time
            later = now() + timedelta(seconds=outcome.wait_s)
            db.execute(update(Outbox).where(Outbox.state == "due", Outbox.next_at <= now()).values(next_at=later))
    return int(state == "sent")


# ---- may it go ----------------------------------------------------------------------------------------------


def _settle_kind(db: Session, row: Outbox, post: Post) -> str | None:
    """Whether the address is known counts at the moment of sending. Returns why nothing goes there, or None."""
    if row.kind == "invitation":
        return None
    known = addresses.is_known(db, row.company_id, row.recipient)
    if known or post.strangers == "full":
        row.kind = FULL.get(row.kind, row.kind)
        return None
    if post.strangers == "never":
        return "not sent: this installation mails to known addresses only"
    if row.kind in NO_NOTICE:
        return "not sent: the address is not known any more"
    row.kind = NOTICE.get(row.kind, row.kind)
    return None


def _withheld(db: Session, row: Outbox, now: datetime) -> str | None:
    """Why this mail is not sent although it is due: shown where the mail is shown, never dropped silently."""
    if row.kind == "invitation":
        return None
    named = row.data.get("event")
    event = EVENT_OF_KIND.get(row.kind) or (Event(named) if named else None)
    declined = addresses.declined(db, row.company_id, row.recipient, event)
    if declined is not None or row.kind not in FULL:
        return declined
    notices = (Outbox.company_id == row.company_id, Outbox.kind.in_(FULL), Outbox.sent_at > now - DAY)
    to_it = func.lower(Outbox.recipient) == row.recipient.lower()
    if _count(db, *notices, to_it) >= NOTICES_A_DAY:
        return f"not sent: this address got {NOTICES_A_DAY} notices today and has not opened one"
    if _count(db, *notices) >= STRANGERS_A_DAY:
        return f"not sent: {STRANGERS_A_DAY} notices to unknown addresses went today"
    return None


def _count(db: Session, *where: object) -> int:
    return db.execute(select(func.count()).select_from(Outbox).where(*where)).scalar_one()  # type: ignore[arg-type]


# ---- SMTP ---------------------------------------------------------------------------------------------------


def _hand_over(message: EmailMessage, smtp_url: str) -> Outcome:
    """Until the message itself goes, a broken connection means that the server has nothing; `unsure` from then on.
    Before the sender is named, whatever goes wrong is the server's trouble or its account's, and no mail's."""
    met = went = False
    try:
        with _conversation(smtp_url) as server:
            server.ehlo_or_helo_if_needed()
            met = True
            _accepted(server.mail(message["From"].addresses[0].addr_spec))
            _accepted(server.rcpt(message["To"].addresses[0].addr_spec))
            went = True
            _accepted(server.data(message.as_bytes(policy=policy.SMTP)))
    except smtplib.SMTPResponseException as error:
        words = _words(error.smtp_error)
        if not met:
            return Outcome("due", f"{AWAY}: {error.smtp_code} {words}"[:500], 30.0, away=True)
        passing = 400 <= error.smtp_code < 500
        return Outcome("due" if passing else "refused", words, 60.0)
    except (OSError, smtplib.SMTPException) as error:
        name, slow = type(error).__name__, isinstance(error, TimeoutError)
        if went:
            return Outcome("unsure", f"The connection broke while it was being sent ({name}).", 30.0, slow=slow)
        if not met:
            return Outcome("due", f"{AWAY} ({name}).", 30.0, away=True)
        return Outcome("due", f"The mail server did not answer ({name}).", 30.0, slow=slow)
    return Outcome("sent")


@contextmanager
def _conversation(smtp_url: str) -> Iterator[smtplib.SMTP]:
    """A connection that ends with a goodbye. What the server says to that changes nothing about a mail that it took."""
    server = _connect(smtp_url)
    try:
        yield server
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _accepted(reply: tuple[int, bytes]) -> None:
    """Raises SMTPResponseException with what the server says instead of yes."""
    code, words = reply
    if code not in (250, 251):
        raise smtplib.SMTPResponseException(code, words)


def _words(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply


def tried(smtp_url: str, timeout_s: float) -> str:
    """Whether the mail server answers and takes the account: "" (yes), "refused" or "away". No mail is sent."""
    try:
        with _connect(smtp_url, timeout_s) as server:
            server.noop()
    except smtplib.SMTPAuthenticationError:
        return "refused"
    except (OSError, smtplib.SMTPException):
        return "away"
    return ""


def _connect(smtp_url: str, timeout_s: float = TIMEOUT_S) -> smtplib.SMTP:
    """`smtp://[user:password@]host:port`, `smtp+starttls://…` or `smtps://…`."""
    parts = urlsplit(smtp_url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (465 if parts.scheme == "smtps" else 25)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    server = kind(host, port, timeout=timeout_s)
    if parts.scheme == "smtp+starttls":
        server.starttls()
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server
