"""Who gets mail in a simulated installation and what they do with it, and what must hold of it in the end.

What is checked is read from the postbox, the books and the database; decision 0008 and DESIGN section 12 say what is
promised. A report goes once and never twice, an alarm at least once; what does not go says why.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from domain.mails import EVENT_OF_KIND, NOTICES_A_DAY, Event, Rhythm
from domain.statuses import Status
from models import Outbox
from sync import addresses, bounces, resending, settings
from sync.mail import AT_LEAST_ONCE, MAX_TRIES, STUCK
from tests.simulation.kernel import START
from tests.simulation.machine import Services
from tests.simulation.postbox import Taken
from tests.simulation.reading import Finding
from tests.simulation.watcher import Watcher
from tests.simulation.world import PARTY_NAMES, Tenant

BOOKS, DUTY = "Books@msp.invalid", "duty@msp.invalid"
"""Kept in Settings: for all reports, for problems."""
KNOWN, BOUNCED = "known", "bounced"
Standing = frozenset[str]
"""What holds of an address: that it is known, that mail to it came back, the events that it declined."""


def furnish(db: Session, tenant: Tenant, rng: random.Random, now: datetime) -> None:
    """Who is told, and when, by the settings."""
    settings.change(
        db, tenant.company_id, now=now, user=None, recipients=(BOOKS,) if rng.random() < 0.7 else (),
        problem_recipients=(DUTY,) if rng.random() < 0.5 else (), scheduled_mails=rng.choice(list(Rhythm)),
    )  # fmt: skip


@dataclass
class Readers:
    """The people behind the addresses of a company, and its admin. `over`: the office and the people rest."""

    services: Services
    tenant: Tenant
    rng: random.Random
    over: Callable[[], bool]
    standings: dict[str, list[tuple[float, Standing]]] = field(default_factory=lambda: defaultdict(list))
    """By address in lower case: what holds of it from which virtual second on."""

    def act(self) -> None:
        """Now and then somebody presses a button in a mail, or the admin one in Settings."""
        self._note()
        while not self.over():
            self.services.kernel.sleep(self.rng.uniform(20, 300), "reads mails")
            if self.over():
                return
            todo = self.rng.choice((self._open, self._open, self._send_again, self._send_again, self._decline,
                                    self._bounce, self._take_out, self._stop_keeping))  # fmt: skip
            with self.services.sessions() as db:
                with db.begin():
                    told = todo(db)
                self._note()  # before anybody else goes on
            if told:
                self.services.kernel.note(told, self.tenant.company_id)

    def at(self, address: str, second: float) -> set[Standing]:
        """What held of an address at some moment of this second."""
        known = self.standings.get(address.casefold(), [])
        before = [standing for moment, standing in known if moment <= second][-1:] or [frozenset()]
        return {*before, *(standing for moment, standing in known if second < moment <= second + 1)}

    def ever(self, address: str) -> set[Standing]:
        """All that held of an address, one after the other."""
        known = self.standings.get(address.casefold(), [])
        return {*(() if known and known[0][0] == 0 else (frozenset(),)), *(standing for _, standing in known)}

    def _note(self) -> None:
        company_id = self.tenant.company_id
        with self.services.plain() as db:
            rows = {row.folded: row for row in addresses.known_rows(db, company_id)}
            asked = {row.casefold() for row in db.scalars(select(Outbox.recipient).distinct())}
            for folded in sorted({*rows, *asked, BOOKS.casefold(), DUTY.casefold()}):
                found = {KNOWN} if addresses.is_known(db, company_id, folded) else set()
                if folded in rows:
                    found |= {*rows[folded].muted, *([BOUNCED] if rows[folded].bounced_at else [])}
                standing = frozenset(map(str, found))
                history = self.standings[folded]
                if standing != (history[-1][1] if history else frozenset()):
                    history.append((self.services.kernel.now_s, standing))

    def _mine(self, db: Session, *states: str) -> list[Outbox]:
        return list(db.scalars(select(Outbox).where(
            Outbox.company_id == self.tenant.company_id, Outbox.state.in_(states), Outbox.run_id.is_not(None)
        ).order_by(Outbox.id)))  # fmt: skip

    def _open(self, db: Session) -> str:
        """A stranger presses the button of a notice."""
        notices = [row for row in self._mine(db, "sent") if row.kind.endswith("notice")]
        if not notices:
            return ""
        address = self.rng.choice(notices).recipient
        addresses.make_known(db, self.tenant.company_id, address, self.services.now())
        return f"{address} opened a notice"

    def _decline(self, db: Session) -> str:
        sent = self._mine(db, "sent")
        if not sent:
            return ""
        address = self.rng.choice(sent).recipient
        events = self.rng.choice(([Event.RUNS], [Event.RUNS, Event.PROBLEMS], []))
        addresses.mute(db, self.tenant.company_id, address, events, self.services.now())
        return f"{address} declines {[str(event) for event in events]}"

    def _bounce(self, db: Session) -> str:
        sent = self._mine(db, "sent")
        if not sent or self.rng.random() < 0.5:
            return ""
        row = self.rng.choice(sent)
        bounces.record(
            db, bounces.Told(bounces.FINAL, str(row.message_id), row.recipient, "mailbox full"), self.services.now()
        )
        return f"mail to {row.recipient} came back"

    def _take_out(self, db: Session) -> str:
        """An admin takes a confirmed stranger out again."""
        known = [row for row in addresses.known_rows(db, self.tenant.company_id) if row.known_at]
        if not known or self.rng.random() < 0.5:
            return ""
        row = self.rng.choice(known)
        addresses.remove(db, row, self.services.now())
        return f"{row.address} was taken out"

    def _stop_keeping(self, db: Session) -> str:
        """An admin takes an address out of Settings."""
        if self.rng.random() < 0.7:
            return ""
        left: dict[str, tuple[str, ...]] = self.rng.choice(({"recipients": ()}, {"problem_recipients": ()}))
        changed = settings.change(db, self.tenant.company_id, now=self.services.now(), user=None, **left)
        return f"Settings, Mails: no {' '.join(left)} any more" if changed else ""

    def _send_again(self, db: Session) -> str:
        rows = [row for row in self._mine(db, "unsure", "refused", "bounced")
                if not resending.trouble(row, self.services.now())]  # fmt: skip
        if not rows:
            return ""
        row = self.rng.choice(rows)
        resending.send_again(db, row, self.services.now())
        return f"pressed Send again for mail {row.id} to {row.recipient}"


def next_moment(services: Services) -> float | None:
    """When, in virtual seconds, the outbox has something to do again."""
    with services.plain() as db:
        rows = db.scalars(select(Outbox).where(Outbox.state.in_(("due", "sending")))).all()
        moments = [row.next_at + STUCK if row.state == "sending" else row.next_at for row in rows if row.next_at]
    return min(((moment - START).total_seconds() for moment in moments), default=None)


# ---- what must hold -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mails:
    """The checks of one company's mails. `ended_s`: the virtual second in which the faults ended."""

    watcher: Watcher
    services: Services
    readers: Readers
    ended_s: float

    def findings(self) -> Finding:
        tenant, postbox = self.readers.tenant, self.services.postbox
        assert postbox is not None
        with self.services.plain() as db:
            rows = {row.id: row for row in db.scalars(
                select(Outbox).where(Outbox.company_id == tenant.company_id).order_by(Outbox.id)
            )}  # fmt: skip
        taken: dict[int, list[Taken]] = defaultdict(list)
        for mail in postbox.taken:
            if mail.row_id in rows:
                taken[mail.row_id].append(mail)
        for row in rows.values():
            for text, kind in self._row(row, taken[row.id], taken):
                yield f"mail {row.id} ({row.kind} to {row.recipient})", text, kind
            for mail in taken[row.id]:
                for text in (*self._allowed(row, mail), *self._figures(mail)):
                    yield f"mail {row.id} ({mail.kind} to {mail.recipient})", text, "I17"
        yield from self._every_address_is_told(rows)

    def _row(self, row: Outbox, copies: list[Taken], taken: dict[int, list[Taken]]) -> Iterator[tuple[str, str]]:
        if row.state in ("due", "sending"):
            yield f"is still {row.state}", "stuck"
        if row.kind not in AT_LEAST_ONCE and len(copies) > 1 + row.again:
            yield f"came {len(copies)} times", "I17"
        if row.state == "sent" and row.message_id not in {str(mail.message["Message-ID"]) for mail in copies}:
            yield "is told as sent, and no server has it", "lost"
        if len({str(mail.message["Message-ID"]) for mail in copies}) > 1 + row.again:
            yield "came as different messages", "I17"
        late = (row.created_at - START).total_seconds() > self.ended_s + 600  # of a clock that is ten minutes ahead
        if row.state in ("unsure", "refused") and late:
            yield f"is {row.state} although nothing went wrong: {row.problem}", "lost"
        if row.state == "refused" and row.recipient.lower() not in self._refused() and row.tries < MAX_TRIES:
            yield f"was given up after {row.tries} tries: {row.problem}", "lost"
        if row.state == "withheld" and not self._may_be_withheld(row, taken):
            yield f"was not sent: {row.problem}", "lost"

    def _refused(self) -> set[str]:
        assert self.services.postbox is not None
        return self.services.postbox.refused

    def _may_be_withheld(self, row: Outbox, taken: dict[int, list[Taken]]) -> bool:
        """Something that held once, at least, is a reason."""
        notices = [mail for mails in taken.values() for mail in mails
                   if mail.kind.endswith("notice") and mail.recipient.lower() == row.recipient.lower()]  # fmt: skip
        event = str(EVENT_OF_KIND.get(row.kind) or row.data.get("event"))
        ever = self.readers.ever(row.recipient)
        if any(BOUNCED in one or event in one for one in ever):
            return True
        nothing_for_strangers = self.services.config.report_strangers == "never" or row.kind in ("digest", "problems")
        return any(KNOWN not in one for one in ever) and (nothing_for_strangers or len(notices) >= NOTICES_A_DAY)

    def _allowed(self, row: Outbox, mail: Taken) -> Iterator[str]:
        """Whether the address is known, declined or bounced is asked when it is composed."""
        held = self.readers.at(mail.recipient, mail.composed_s)
        event = str(EVENT_OF_KIND.get(mail.kind) or row.data.get("event"))
        if all(BOUNCED in one or event in one for one in held):
            yield f"went although the address stood as {sorted(map(sorted, held))}"
        figures = mail.kind not in ("notice", "tool_notice", "alert")
        if figures and self.services.config.report_strangers != "full" and not any(KNOWN in one for one in held):
            yield "has figures, and its address is not known"
        if not figures and (mail.csv or any(name in mail.text for name in PARTY_NAMES.values())):
            yield "is a notice with names in it"
        if self.services.config.report_strangers == "never" and not any(KNOWN in one for one in held):
            yield "went to a stranger"

    def _figures(self, mail: Taken) -> Iterator[str]:
        """What it tells as posted is in the books, with an amount that the source had."""
        if mail.kind not in ("report", "digest"):
            return
        tenant = self.readers.tenant
        told = list(csv.DictReader(io.StringIO(mail.csv)))
        posted = [one for one in told if one["Status"] == Status.COMPLETE]
        subject = str(mail.message["Subject"])
        counted = re.match(r"([\d,]+) posted", subject)
        if (int(counted.group(1).replace(",", "")) if counted else 0) != len(posted) and "failed" not in subject:
            yield f"says {subject!r} and lists {len(posted)} as posted"
        books = {*(entry.id for entry in tenant.books.entries), *tenant.books.made_by}  # some are taken out for good
        for one in posted:
            if one["Ledger ID"] and one["Ledger ID"] not in books:
                yield f"tells of ledger document {one['Ledger ID']}, which never was"
            wanted = tenant.wanted.get(one["Autotask ID"])
            if wanted is not None and wanted.kind == "invoice" and one["Amount"] not in map(str, wanted.totals):
                yield f"tells of {one['Amount']} for invoice {wanted.id}, the source says {wanted.totals}"

    def _every_address_is_told(self, rows: dict[int, Outbox]) -> Finding:
        """Of a run that ended each address that was asked for has its mail, and those kept in Settings."""
        tenant = self.readers.tenant
        own = {(row.run_id, row.recipient.casefold()) for row in rows.values() if row.run_id}
        kept = all(KNOWN in one for one in self.readers.ever(BOOKS))
        collected = {run_id for (run_id,) in self.watcher.db.execute(
            "SELECT m.run_id FROM mail_runs m JOIN outbox o ON o.id = m.outbox_id WHERE o.kind = 'digest'"
            " AND o.recipient = ? AND o.company_id = ?", (BOOKS, tenant.company_id),
        )}  # fmt: skip
        rhythm = self._rhythm()
        for run_id, kind, trigger, asked, items in self.watcher.db.execute(
            "SELECT id, kind, trigger, recipients, (SELECT count(*) FROM run_items i WHERE i.run_id = r.id) FROM runs r"
            " WHERE company_id = ? AND finished_at IS NOT NULL AND kind IN ('sync', 'retry', 'release')",
            (tenant.company_id,),
        ):  # fmt: skip
            added = json.loads(asked or "null") or []
            for each in added:
                if each.get("address") and (run_id, each["address"].casefold()) not in own:
                    yield f"run {run_id}", f"{each['address']} was never told", "lost"
            if not kept or not (items or trigger == "button"):
                continue
            at_once = trigger == "button" or added or rhythm is Rhythm.EACH
            if at_once and (run_id, BOOKS.casefold()) not in own:
                yield f"run {run_id} ({kind})", f"{BOOKS} got no report", "lost"
            if not at_once and rhythm is not Rhythm.PROBLEMS and run_id not in collected:
                yield f"run {run_id} ({kind})", f"{BOOKS} is told with no later report", "lost"

    def _rhythm(self) -> Rhythm:
        with self.services.plain() as db:
            return settings.load_invoices(db, self.readers.tenant.company_id).scheduled_mails
