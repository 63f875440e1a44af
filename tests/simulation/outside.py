"""What happens outside the product: the office that writes invoices, people in the ledger's own pages, the weather."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from connectors.ledgers.base import Kind
from connectors.ledgers.memory import Entry
from domain.documents import SourceDocument
from tests.simulation.kernel import Kernel
from tests.simulation.machine import Services
from tests.simulation.purchasing import Buying
from tests.simulation.world import Tenant, Wanted

if TYPE_CHECKING:
    from tests.simulation.actors import Actors


CLOSING = date(2026, 11, 13)
"""The day of all invoices."""


def outside(
    kernel: Kernel, services: Services, tenant: Tenant, rng: random.Random, actors: Actors
) -> dict[str, Callable[[], None]]:
    """What acts on a company's two platforms without the product, by name."""
    world = Outside(kernel, services, tenant, rng, actors)
    return {"office": world.office, "weather": world.weather}


def dearer(tenant: Tenant, id: str, more: Decimal) -> SourceDocument:
    """The source's invoice gets another amount, on the line and in the header alike."""
    old = tenant.source.contents[id]
    more = more if old.header.total > 0 else -more
    first, *rest = old.lines
    first = replace(first, extended_price=first.extended_price + more, rate=(first.rate or Decimal(0)) + more)
    changed = replace(old, header=replace(old.header, total=old.header.total + more), lines=(first, *rest))
    tenant.source.put(changed)
    tenant.wanted[id].totals.append(changed.header.total)
    return changed


def approve_the_rest(tenant: Tenant, kernel: Kernel) -> None:
    while tenant.later:
        tenant.approve(tenant.later.pop(), kernel.now() - timedelta(minutes=5))


@dataclass
class Outside:
    kernel: Kernel
    services: Services
    tenant: Tenant
    rng: random.Random
    actors: Actors

    def office(self) -> None:
        """New invoices are approved, some are voided or changed, on their way or after they were posted."""
        while not self.actors.resting:
            self.kernel.sleep(self.rng.uniform(5, 60), "works")
            if self.actors.resting:
                return
            draw = self.rng.random()
            if draw > 0.85 and self.tenant.purchases is not None:
                Buying(self.kernel, self.tenant, self.rng).act()
            if draw < 0.6:
                waiting = len(self.tenant.later)
                for _ in range(min(waiting, self.rng.randint(1, max(1, waiting // 3)))):
                    self.tenant.approve(self.tenant.later.pop(), self.kernel.now())
            elif draw < 0.75:
                self._void()
            elif draw < 0.85:
                self._edit()

    def _void(self) -> None:
        """An invoice is voided; its items may come back at once under another id."""
        open_ = [one for one in self._changeable() if one.instead_of is None]
        if not open_:
            return
        chosen = self.rng.choice(open_)
        chosen.voided = True
        self.tenant.source.void(chosen.id)
        self.kernel.note(f"invoice {chosen.id} voided in the source", self.tenant.company_id)
        if self.rng.random() < 0.5:
            self._issue_again(chosen)

    def _issue_again(self, voided: Wanted) -> None:
        tenant = self.tenant
        old = tenant.source.contents[voided.id]
        new_id = str(1000 + int(voided.id))
        number = f"AT-{new_id}" if tenant.books.own_numbers else None
        header = replace(old.header, id=new_id, number=number, voided=False, marked_at=None)
        tenant.wanted[new_id] = Wanted(
            new_id, True, [header.total], why="issued again", instead_of=voided.id, party=voided.party
        )
        tenant.approve(replace(old, header=header), self.kernel.now())
        self.kernel.note(f"its items are billed again on invoice {new_id}", tenant.company_id)

    def _changeable(self) -> list[Wanted]:
        """Approved, healthy and not void."""
        contents = self.tenant.source.contents
        return [one for one in self.tenant.wanted.values()
                if one.kind == "invoice" and one.posts and not one.voided and one.id in contents]

    def _edit(self) -> None:
        """An invoice that is not marked yet gets another amount."""
        contents = self.tenant.source.contents
        open_ = [one for one in self._changeable() if contents[one.id].header.marked_at is None]
        if open_:
            changed = dearer(self.tenant, self.rng.choice(open_).id, Decimal(self.rng.randrange(1, 50)))
            self.kernel.note(f"invoice {changed.header.id} changed to {changed.header.total}", self.tenant.company_id)

    # ---- the weather ----------------------------------------------------------------------------------------

    def weather(self) -> None:
        """Once a minute: grants that stop working for a while, keys that are forgotten, people in the ledger."""
        faults, tenant, kernel = self.services.bells.faults, self.tenant, self.kernel
        while not self.actors.resting:
            kernel.sleep(60.0, "weather")
            if faults.happens("outage"):
                line = self.rng.choice((tenant.ledger_line, tenant.source_line))
                line.away_until = kernel.now_s + faults.seconds(20, 400)
                kernel.note(f"{line.platform} refuses the grant for a while", tenant.company_id)
                kernel.sleep(line.away_until - kernel.now_s, "until somebody connects again")
                self.actors.reconnect(tenant, self.services.sessions)
            if faults.happens("relinked"):
                tenant.relinked_until = kernel.now_s + faults.seconds(20, 200)
                kernel.note("the connection leads to another company's books", tenant.company_id)
                kernel.sleep(tenant.relinked_until - kernel.now_s, "until somebody connects again")
                self.actors.reconnect(tenant, self.services.sessions)
            if faults.happens("subscription_lapsed"):
                tenant.books.lapsed_until = kernel.now_s + faults.seconds(20, 200)
                kernel.note("the ledger's subscription has lapsed", tenant.company_id)
            self._database_trouble()
            self._clock_trouble()
            self._mail_trouble()
            if faults.happens("day_limit"):
                tenant.ledger_line.limited_until = kernel.now_s + faults.seconds(60, 900)
                kernel.note("the ledger's calls of the day are used up", tenant.company_id)
            if tenant.closes and tenant.books.closed_through is None and faults.happens("period_closed"):
                tenant.books.closed_through = CLOSING
                faults.touch("period_closed", sum(1 for one in tenant.wanted.values() if one.posts))
                kernel.note("the books of the month are closed", tenant.company_id)
            if faults.happens("party_away"):
                self._party_away()
            if faults.happens("keys_forgotten"):
                tenant.books.forget_replays()
                kernel.note("the ledger forgot its keys", tenant.company_id)
            self._people_in_the_ledger()

    def _database_trouble(self) -> None:
        """It is one database, whoever's minute it is."""
        faults, kernel, database = self.services.bells.faults, self.kernel, self.services.database
        if faults.happens("database_away"):
            database.away_until = kernel.now_s + faults.seconds(10, 600)
            kernel.note("the database is away for a while")
        if faults.happens("disk_full"):
            database.full_until = kernel.now_s + faults.seconds(5, 120)
            kernel.note("the database's disk is full for a while")

    def _clock_trouble(self) -> None:
        """A machine's clock is set back while its processes run, whatever they have in hand.

        Not while one composes a mail: the checker reads with that clock when it was composed.
        """
        if not self.services.bells.faults.happens("clock_back"):
            return
        processes = dict.fromkeys(task.process for task in self.kernel.tasks if task.process.mortal)
        struck = self.rng.choice([one for one in processes if not self.actors.mails(one)] or [None])
        if struck is not None:
            back = min(self.services.bells.faults.seconds(30, 1200), struck.skew_s + 600.0)
            struck.skew_s -= back
            self.kernel.note(f"the clock of {struck.name} jumps back by {back:.0f} s", self.tenant.company_id)

    def _mail_trouble(self) -> None:
        """It is one mail server, whoever's minute it is."""
        faults, kernel, postbox = self.services.bells.faults, self.kernel, self.services.postbox
        if postbox is not None and faults.happens("mail_server_away"):
            postbox.away_until = kernel.now_s + faults.seconds(30, 600)
            kernel.note("the mail server is away for a while")

    def _party_away(self) -> None:
        """Somebody archives a customer or vendor that documents name, and notices some minutes later."""
        books, faults = self.tenant.books, self.services.bells.faults
        used = {one.body["party"] for one in books.documents() if one.id in books.made_by}
        parties = [one for one in books.entries if one.id in used and one.kind in (Kind.CUSTOMER, Kind.VENDOR)]
        if parties:
            chosen = self.rng.choice(parties)
            books.take_away(chosen)
            self.kernel.note(f"{chosen.body['name']} is archived in the ledger", self.tenant.company_id)
            self.kernel.at(faults.seconds(30, 300), books.bring_back)

    def _people_in_the_ledger(self) -> None:
        """Somebody edits, or voids, documents in the ledger's own pages."""
        faults, books = self.services.bells.faults, self.tenant.books
        held = [one for one in books.documents() if one.id in books.made_by]
        for entry in held:
            if faults.happens("changed_in_ledger"):
                books.edit_by_hand(entry)
        # Bills refer to the lines of orders, corrections to what they correct.
        removable = [one for one in held if one.kind is not Kind.PURCHASE_ORDER and not self.tenant.closes]
        if removable and faults.happens("removed_in_ledger"):
            gone: Entry = self.rng.choice(removable)
            books.remove_by_hand(gone)
            self.kernel.note(f"ledger document {gone.id} voided by hand", self.tenant.company_id)
