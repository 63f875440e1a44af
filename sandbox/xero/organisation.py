"""One simulated Xero organisation: its records in the store, its switches, its clock.

A record is stored as ``{"kind", "id", "entity", "born", "touched", "journal", ...}``: ``entity`` holds the members
clients see with ISO dates and Decimals, ``born`` and ``touched`` are UTC seconds, ``journal`` the double entry.
Every method expects to run inside the store's transaction of the current request.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import switches

CENT = Decimal("0.01")

# Behaviour the public documentation leaves open, or that a test wants to vary. Set per organisation.
SWITCHES: dict[str, Any] = {
    "good_siblings_saved": False,  # summarizeErrors on: what is right is saved although the call answers 400
    "shuffle_elements": True,  # answers of a bulk write come back in another order than they were sent
    "status_attribute_shown": True,  # StatusAttributeString with summarizeErrors=false
    "url_echoed": True,
    "due_date_required": True,  # an authorised document needs a due date
    "line_rounding": "half-up",  # quantity x price: "half-up" | "half-even"
    "negative_quantity_refused": True,
    "post_by_number": "edit",  # POST without an id, with a number that exists: "edit" that document | "error"
    "credit_note_numbers_checked": False,  # a credit note number that is in use is refused
    "deleted_payments_listed": True,
    "item_codes_fold": True,  # item codes that differ in case only are one
    "contact_spaces": "refused",  # spaces at the ends of a contact name or doubled: "refused" | "trimmed"
    "items_need_settings": True,  # writing items needs accounting.settings; False: accounting.invoices is enough
    "modified_since": "inclusive",  # If-Modified-Since: "inclusive" | "strict"
    "not_modified_304": False,  # nothing changed: 304 in place of an empty list
    "lock_covers_drafts": True,  # lock dates refuse drafts as well
    "advisers_past_period_lock": False,  # an adviser's token may write behind the period lock date
    "idempotency_words_in": "Message",  # where the refusal of a reused key stands: "Message" | "ValidationErrors"
    "errors_replayed": True,  # a refusal is kept under an idempotency key like an answer
    "key_seconds": 360,
    "attachments_html_refused": False,
    "approve_cap": None,  # documents the plan lets be approved; None: any number
    "mails_a_day": 1000,
    "minute_calls": 60,
    "day_calls": None,  # None: as the app's tier says
    "in_flight": 5,
    "offline": False,  # 503 "The Organisation is offline"
}


def r2(value: Decimal, mode: str = "half-up") -> Decimal:
    """Rounded to the cent."""
    return value.quantize(CENT, ROUND_HALF_EVEN if mode == "half-even" else ROUND_HALF_UP)


class Organisation:
    """Access to one organisation. Cheap to make; one per request."""

    def __init__(self, world: Any, tenant: str) -> None:
        self.world = world
        self.id = tenant
        self.space = f"xero:{tenant}"
        self.store = world.store
        self.settings: dict[str, Any] = self.store.kv_get(self.space, "settings") or {}
        self.effects: list[dict[str, str]] = []
        self.adviser = False

    @property
    def exists(self) -> bool:
        return bool(self.settings)

    def switch(self, name: str) -> Any:
        """The organisation's value of one of ``SWITCHES``."""
        return self.settings.get(name, SWITCHES[name])

    def set_switches(self, values: Mapping[str, Any]) -> None:
        """Change switches. Raises KeyError for a name that is none."""
        switches.check(values, SWITCHES)
        self.keep(self.settings | dict(values))

    def keep(self, settings: dict[str, Any]) -> None:
        """Store the organisation's settings whole."""
        self.settings = settings
        self.store.kv_set(self.space, "settings", settings)

    # What the organisation is.

    @property
    def currency(self) -> str:
        return str(self.settings["currency"])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(str(self.settings["zone"]))

    def now(self) -> datetime:
        moment: datetime = self.world.clock.now()
        return moment.astimezone(UTC)

    def today(self) -> str:
        """The organisation's calendar date as ISO text."""
        return self.now().astimezone(self.zone).date().isoformat()

    def locked(self, day: str) -> str | None:
        """The words of the lock date that covers a day, or None. Both days are ISO text, locked inclusive."""
        period, year = self.settings.get("period_lock"), self.settings.get("year_lock")
        past = self.adviser and self.switch("advisers_past_period_lock")
        for lock, words in ((year, "end of year"), (None if past else period, "period")):
            if lock and day <= lock:
                shown = f"{date.fromisoformat(lock):%d %B %Y}"
                return f"The document date cannot be before the {words} lock date, currently set at {shown}"
        return None

    # Records.

    def record(self, kind: str, ident: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.store.get(self.space, kind, str(ident).lower())
        return found

    def records(self, kind: str) -> Iterator[dict[str, Any]]:
        found: Iterator[dict[str, Any]] = self.store.all(self.space, kind)
        return found

    def find(self, kind: str, name: str, value: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.store.find(self.space, kind, name, value)
        return found

    def new_id(self, kind: str) -> str:
        """A GUID never given before; the same world gives the same ones."""
        count = self.store.next_id(self.space, "guid")
        digest = hashlib.sha256(f"{self.id}/{kind}/{count}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def insert(
        self, kind: str, entity: dict[str, Any], keys: Mapping[str, str | None], ident: str | None = None, **extra: Any
    ) -> dict[str, Any]:
        """Store a new record and note the effect."""
        seconds = self.now().timestamp()
        ident = ident or self.new_id(kind)
        body = {
            "kind": kind,
            "id": ident,
            "born": seconds,
            "touched": seconds,
            "journal": [],
            **extra,
            "entity": {f"{kind}ID": ident, **entity},
        }
        self.store.put(self.space, kind, ident, body, dict(keys))
        self.note(kind, ident, "create")
        return body

    def replace(
        self,
        old: Mapping[str, Any],
        entity: dict[str, Any],
        keys: Mapping[str, str | None],
        action: str = "update",
        *,
        touch: bool = True,
        **extra: Any,
    ) -> dict[str, Any]:
        """Store the next version of a record and note the effect; `touch` moves its UpdatedDateUTC."""
        body = {
            **old,
            "touched": self.now().timestamp() if touch else old["touched"],
            **extra,
            "entity": {**entity, f"{old['kind']}ID": old["id"]},
        }
        self.store.put(self.space, old["kind"], old["id"], body, dict(keys))
        self.note(old["kind"], old["id"], action)
        return body

    def note(self, kind: str, ident: str, action: str) -> None:
        self.effects.append({"kind": kind, "id": ident, "action": action})

    def history(self, kind: str, ident: str, change: str, details: str, user: str = "System Generated") -> None:
        """Add a row to a record's history and notes."""
        count = self.store.next_id(self.space, "history")
        row = {"Changes": change, "Details": details, "User": user, "at": self.now().timestamp()}
        self.store.put(self.space, "_history", str(count), row, {"of": f"{kind}/{ident}"})

    def account(self, code: str | None = None, ident: str | None = None) -> dict[str, Any] | None:
        """The record of an account by code or id."""
        if ident is not None:
            return self.record("Account", ident)
        found = self.find("Account", "code", str(code))
        return found[0] if found else None

    def system_account(self, name: str) -> str:
        """The id of a system account such as DEBTORS."""
        return str(self.find("Account", "system", name)[0]["id"])

    def rate(self, code: str) -> Decimal:
        """Units of a foreign currency for one of the base currency, by the day's table."""
        return Decimal(str(self.settings.get("rates", {}).get(code, "1")))
