"""One simulated QuickBooks company: its records in the store, its switches, its clock and its references.

A record is stored as ``{"kind", "id", "entity", "born", "touched", "state", "journal", ...}``: ``entity`` holds
what clients see, ``born`` and ``touched`` are UTC seconds, ``state`` is live, voided or deleted, ``journal``
the double entry. Every method expects to run inside the store's transaction of the current request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import switches
from sandbox.qbo.errors import bad_reference
from sandbox.qbo.fields import Rules

CENT = Decimal("0.01")
ZONES = {"US": "America/Los_Angeles", "GB": "Europe/London", "AU": "Australia/Sydney", "CA": "America/Toronto"}

# Behaviour the public documentation leaves open, or that a test wants to vary. Set per company.
SWITCHES: dict[str, Any] = {
    "tax_model": "none",  # ast | groups (older US) | none | vat
    "honours_total_tax": True,  # the US models book the TotalTax that was sent; False: the rate alone counts
    "total_tax_needs_code": False,  # AST honours TotalTax only together with a TxnTaxCodeRef
    "inactive_tax_refused": True,  # an inactive tax code, or one with an inactive rate, is refused
    "ast_rate": "8",  # percent AST computes when no TotalTax is sent or it is ignored
    "non_us_total_tax": False,  # an explicit TotalTax outside the US is honoured
    "tax_rounding": "document",  # tax rounded per rate over the document | per "line"
    "global_tax_required": True,  # a missing GlobalTaxCalculation outside the US is refused
    "warn_duplicate_numbers": True,
    "credit_memo_numbers_checked": False,
    "bill_numbers_checked": "vendor",  # per "vendor" | per "company" | "" not at all
    "order_numbers_checked": True,  # an order's number in use is refused where orders take ours
    "linked_bill_delete_refused": True,  # a bill that is linked to orders must be unlinked before it is deleted
    "bill_before_order_refused": False,  # a bill dated before an order that it is linked to is refused
    "gates_by_edition": True,  # orders need Plus, bills Essentials (5020)
    "latin1": None,  # None: as the country says (US yes)
    "numeric_text": True,  # amounts sent as JSON strings are taken
    "rows_over_1000_refused": False,
    "replay_seconds": 86400,  # how long a requestid is remembered
    "replay_faults": False,  # a refused original is replayed as well
    "batch_limit": 30,
    "shuffle_batch": True,
    "mail_state_shown": True,  # False: a mail goes out and the document does not tell
    "subscription_lapsed": False,
    "early_due_refused": False,  # a due date before the document's own date is refused (6000)
    "closing_password": False,  # a closed period answers 6210 in place of 6200
}


def money(value: Any) -> Decimal:
    """Any stored or sent number, rounded half up to the cent."""
    return Decimal(str(value)).quantize(CENT, ROUND_HALF_UP)


class Realm:
    """Access to one company. Cheap to make; one per request, or per item of a batch."""

    def __init__(self, world: Any, realm_id: str) -> None:
        self.world = world
        self.id = realm_id
        self.space = f"realm:{realm_id}"
        self.store = world.store
        self.settings: dict[str, Any] = self.store.kv_get(self.space, "settings") or {}
        self.effects: list[dict[str, str]] = []
        self.hidden: set[tuple[str, str]] = set()  # made in this batch: its other items cannot see them

    @property
    def exists(self) -> bool:
        return bool(self.settings)

    def switch(self, name: str) -> Any:
        """The company's value of one of ``SWITCHES``."""
        return self.settings.get(name, SWITCHES[name])

    def set_switches(self, values: Mapping[str, Any]) -> None:
        """Change switches. Raises KeyError for a name that is none."""
        switches.check(values, SWITCHES)
        self.settings = {**self.settings, **values}
        self.store.kv_set(self.space, "settings", self.settings)

    # What the company is.

    @property
    def country(self) -> str:
        return str(self.settings["country"])

    @property
    def currency(self) -> str:
        return str(self.settings["currency"])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(ZONES.get(self.country, "America/Los_Angeles"))

    @property
    def rules(self) -> Rules:
        latin1 = self.switch("latin1")
        return Rules(self.country == "US" if latin1 is None else bool(latin1), bool(self.switch("numeric_text")))

    @property
    def preferences(self) -> dict[str, Any]:
        found = self.record("Preferences", "1")
        return found["entity"] if found else {}

    def preference(self, group: str, name: str, default: Any = None) -> Any:
        return self.preferences.get(group, {}).get(name, default)

    def now(self) -> datetime:
        moment: datetime = self.world.clock.now()
        return moment.astimezone(UTC)

    def today(self) -> str:
        """The company's calendar date as ISO text."""
        return self.now().astimezone(self.zone).date().isoformat()

    def stamp(self, seconds: float) -> str:
        """UTC seconds as the service writes them: whole seconds with the company's offset."""
        return datetime.fromtimestamp(int(seconds), UTC).astimezone(self.zone).isoformat()

    # Records.

    def record(self, kind: str, ident: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.store.get(self.space, kind, ident)
        return None if (kind, ident) in self.hidden else found

    def records(self, kind: str) -> Iterator[dict[str, Any]]:
        for found in self.store.all(self.space, kind):
            if not self.hidden or (kind, found["id"]) not in self.hidden:
                yield found

    def find(self, kind: str, name: str, value: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.store.find(self.space, kind, name, value)
        return found

    def new_id(self, sequence: str) -> str:
        return str(self.store.next_id(self.space, sequence))

    def insert(
        self, kind: str, entity: dict[str, Any], ident: str, keys: Mapping[str, str | None], **extra: Any
    ) -> dict[str, Any]:
        """Store a new record with SyncToken 0 and note the effect."""
        seconds = self.now().timestamp()
        body = {
            "kind": kind,
            "id": ident,
            "state": "live",
            "born": seconds,
            "touched": seconds,
            "journal": [],
            **extra,
            "entity": {**entity, "Id": ident, "SyncToken": "0"},
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
        **extra: Any,
    ) -> dict[str, Any]:
        """Store the next version of a record: SyncToken + 1, and note the effect."""
        token = str(int(old["entity"]["SyncToken"]) + 1)
        body = {
            **old,
            "touched": self.now().timestamp(),
            **extra,
            "entity": {**entity, "Id": old["id"], "SyncToken": token},
        }
        self.store.put(self.space, old["kind"], old["id"], body, dict(keys))
        self.note(old["kind"], old["id"], action)
        return body

    def note(self, kind: str, ident: str, action: str) -> None:
        self.effects.append({"kind": kind, "id": ident, "action": action})

    # References.

    def resolve(self, kind: str, ref: Mapping[str, Any], *, inactive_ok: bool = False) -> dict[str, Any]:
        """The entity a Ref points at. Raises ``QboFault`` 2500 when it is missing or inactive."""
        ident = str(ref["value"])
        found = self.record(kind, ident)
        if found is None or found["state"] != "live":
            raise bad_reference(kind, ident)
        entity: dict[str, Any] = found["entity"]
        if not inactive_ok and entity.get("Active") is False:
            raise bad_reference(kind, ident, "has been made inactive")
        return entity

    def ref(self, kind: str, ref: Mapping[str, Any], *, inactive_ok: bool = False) -> dict[str, str]:
        """The Ref with the stored name, whatever name the client sent."""
        entity = self.resolve(kind, ref, inactive_ok=inactive_ok)
        label = entity.get("FullyQualifiedName") or entity.get("DisplayName") or entity.get("Name") or ""
        return {"value": str(ref["value"]), "name": str(label)}

    def currency_ref(self, code: str) -> dict[str, str]:
        return {"value": code, "name": CURRENCY_NAMES.get(code, code)}

    # What clients see.

    def present(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The record as an answer shows it, with current balances and times."""
        entity = {"domain": "QBO", "sparse": False, **record["entity"]}
        entity["MetaData"] = {
            "CreateTime": self.stamp(record["born"]),
            "LastUpdatedTime": self.stamp(record["touched"]),
        }
        if record["kind"] in ("Customer", "Vendor"):
            owed = self.balance(f"name:{record['id']}")
            entity["Balance"] = owed if record["kind"] == "Customer" else -owed
            if record["kind"] == "Customer":
                entity["BalanceWithJobs"] = entity["Balance"]
        elif record["kind"] == "Account":
            entity["CurrentBalance"] = self.account_balance(record)
            entity["CurrentBalanceWithSubAccounts"] = entity["CurrentBalance"]
        return entity

    def balance(self, key: str) -> Decimal:
        """A running balance in home currency, debit positive; ``account:<id>`` or ``name:<id>``."""
        found = self.store.get(self.space, "_balance", key)
        return Decimal(str(found["amount"])) if found else Decimal(0)

    def account_balance(self, record: Mapping[str, Any]) -> Decimal:
        """The account's balance with the sign the service shows: credit-normal accounts turned round."""
        amount = self.balance(f"account:{record['id']}")
        return amount if record["entity"].get("Classification") in ("Asset", "Expense") else -amount


CURRENCY_NAMES = {
    "USD": "United States Dollar",
    "GBP": "British Pound Sterling",
    "EUR": "Euro",
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "JPY": "Japanese Yen",
    "NZD": "New Zealand Dollar",
    "CHF": "Swiss Franc",
}
