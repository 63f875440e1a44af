"""What a section of Settings, Invoices is: a few form fields with their rules, and a template partial.

How to add one, or a setting to one: templates/README.md. Which sections there are, and their order: `registry`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar, Protocol

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from connectors import registry
from connectors.ledgers.base import Capabilities
from domain.known import Lists
from domain.settings import InvoiceSettings, TrackBy
from domain.taxes import TaxModel
from domain.todos import TodoLists
from domain.tracking import source_values
from models import Company, Membership, MirrorEntry, PartyEntry, Posting, User
from sync import mirror, taxsums, todo_state

Choices = list[tuple[str, str]]
UNREADABLE = "unreadable"
"""The list of what the source's user may not see although rules ask for it."""


class Record(Protocol):
    """One entry of a ledger's list, as far as choices need it."""

    ledger_id: str
    name: str
    active: bool
    details: Any


@dataclass
class Scene:
    """What sections look at: the company, the settings that hold now, the ledger's lists (each read once)."""

    company: Company
    current: InvoiceSettings
    entries: Callable[[str], Sequence[Record]]
    """All entries of a kind, inactive ones too, in the order of their names."""
    ledger: str
    """The ledger's short name."""
    capabilities: Capabilities
    emails: Sequence[str] = ()
    """Of the company's members, admins first."""
    prefix_used: bool = False
    """A document bears the source's id behind the prefix that holds now."""
    tax_warning: str = ""
    """Said beside the tax setting once the ledger did not book the amount that was sent."""
    _read: dict[str, Sequence[Record]] = field(default_factory=dict)

    def records(self, kind: str) -> list[Record]:
        """The active entries of a list ("account", "item", "customer", "tax_code", "class" …)."""
        return [each for each in self._all(kind) if each.active]

    def choices(self, kind: str, first: str = "", keep: Callable[[Record], bool] | None = None) -> Choices:
        """Active entries for a drop-down; `first` is the text of the empty choice, `keep` which are offered."""
        offered = [(each.ledger_id, each.name) for each in self.records(kind) if keep is None or keep(each)]
        return [("", first), *offered] if first else offered

    def bare_name(self, kind: str, ledger_id: str) -> str | None:
        """An entry's name alone; None where the list does not hold it."""
        return next((each.name for each in self._all(kind) if each.ledger_id == ledger_id), None)

    def name_of(self, kind: str, ledger_id: str) -> str:
        """An entry's name, also of an inactive one; "id 79" where the list does not hold it."""
        found = next((each for each in self._all(kind) if each.ledger_id == ledger_id), None)
        if found is None:
            return f"id {ledger_id}"
        return found.name if found.active else f"{found.name} (inactive)"

    def _all(self, kind: str) -> Sequence[Record]:
        if kind not in self._read:
            self._read[kind] = self.entries(kind)
        return self._read[kind]

    @cached_property
    def taxed_by_code(self) -> bool:
        """Every line of a document takes a tax code: by the company's tax model; before that was read once, wherever
        it is but in the US."""
        model = (self.company.profile or {}).get("tax_model")
        return self.company.country not in ("", "US") if model is None else model == TaxModel.CODE_PER_LINE


def scene_of(db: Session, company: Company, current: InvoiceSettings, ledger: str) -> Scene:
    """The scene of a company, its lists from the mirror."""

    def entries(kind: str) -> Sequence[Record]:
        if kind in ("person", "action_type"):
            return _of_source(db, company.id, kind)
        if kind == "party":
            return _parties(db, company.id)
        if kind == "source_term":
            terms = mirror.catalog_of(db, company.id).terms.values()
            return [_SourceRecord(each.id, each.name, True, {}) for each in sorted(terms, key=lambda term: term.name)]
        if kind == "template":
            return _named(mirror.catalog_of(db, company.id).templates)
        if kind == UNREADABLE:
            return [_SourceRecord(name, name, True, {}) for name in mirror.catalog_of(db, company.id).unreadable]
        if kind in tuple(TrackBy):
            return _named(source_values(TrackBy(kind), Lists(catalog=mirror.catalog_of(db, company.id))))
        statement = select(MirrorEntry).where(MirrorEntry.company_id == company.id, MirrorEntry.kind == kind)
        return db.scalars(statement.order_by(MirrorEntry.folded)).all()

    members = select(User.email).join(Membership, Membership.user_id == User.id)
    emails = db.scalars(members.where(Membership.company_id == company.id).order_by(Membership.role, User.id)).all()
    can = registry.capabilities_of(company.ledger)
    return Scene(
        company, current, entries, ledger, can, emails, _prefix_used(db, company.id, current),
        taxsums.warning(db, company.id, ledger),
    )


@dataclass(slots=True)
class _SourceRecord:
    ledger_id: str
    name: str
    active: bool
    details: Any


def _prefix_used(db: Session, company_id: int, current: InvoiceSettings) -> bool:
    """Looked for only where there is a prefix: without one it may be chosen at any time."""
    if not current.number_prefix:
        return False
    bears = Posting.ledger_number == literal(current.number_prefix) + Posting.source_id
    return db.scalars(
        select(Posting.id).where(Posting.company_id == company_id, Posting.operation == "create", bears).limit(1)
    ).first() is not None


def _named(values: Mapping[str, str]) -> Sequence[Record]:
    """A small list of the source, names by id, in the order of the names."""
    found: list[Record] = [
        _SourceRecord(id, name, True, {}) for id, name in sorted(values.items(), key=lambda pair: pair[1])
    ]
    return found


def _parties(db: Session, company_id: int) -> Sequence[Record]:
    """The source's companies that were billed lately, as last read."""
    listed = db.scalars(select(PartyEntry).where(PartyEntry.company_id == company_id).order_by(PartyEntry.id))
    found: list[Record] = [_SourceRecord(one.source_id, one.name, True, one.data or {}) for one in listed]
    return found


def _of_source(db: Session, company_id: int, kind: str) -> Sequence[Record]:
    """People and action types of the source, as last read."""
    lists = todo_state.lists_of(db, company_id) or TodoLists()
    listed = lists.people if kind == "person" else lists.action_types
    found: list[Record] = [_SourceRecord(one.id, one.name, one.active, {"note": one.note}) for one in listed]
    return found


class Section:
    """One section. A subclass per module under `sections/`; its `Fields` are named as in `InvoiceSettings`."""

    key: ClassVar[str]
    """Names the template partial settings/sections/_<key>.html and the section's anchor."""
    title: ClassVar[str]
    why: ClassVar[str] = ""
    """One sentence beside the title; `{ledger}` is the ledger's short name."""
    Fields: ClassVar[type]
    records: ClassVar[Mapping[str, str]] = {}
    """Field → ledger list, where the value is an id of that list: shown by name, exported with its name."""
    whole: ClassVar[str] = ""
    """The one field whose label is the section's title; empty when every field has a label of its own."""

    def hidden(self, scene: Scene) -> Collection[str]:
        """Fields that this company is not asked; their value stays what it is."""
        return ()

    def prepare(self, form: Any, scene: Scene) -> None:
        """Fill the choices of drop-downs."""

    def check(self, form: Any, scene: Scene) -> None:
        """Rules that need more than one field or the ledger: `refuse` a field with what to do."""

    def context(self, form: Any, scene: Scene) -> dict[str, Any]:
        """What the partial needs beside `form` and `section`. Names are shared by all sections."""
        return {}

    def read(self, name: str, data: Any) -> Any:
        """What a field sent, before it becomes the setting's type (see `fields.values`)."""
        return data

    def fill(self, name: str, value: Any) -> Any:
        """A setting as its field shows it."""
        return value

    def words(self, name: str, value: Any, scene: Scene) -> str | None:
        """A stored value (as JSON has it) in people's words; None for the usual way (see `words`)."""
        return None

    def default(self, name: str, scene: Scene) -> Any:
        """What a new company starts with."""
        return next(each.default for each in fields(InvoiceSettings) if each.name == name)

    def names(self) -> list[str]:
        """The section's settings, in the order of the form; fields of the form alone (a confirmation) are not."""
        known = {each.name for each in fields(InvoiceSettings)}
        own = [(each.creation_counter, name) for name, each in vars(self.Fields).items() if name in known]
        return [name for _, name in sorted(own)]


def refuse(wtf_field: Any, text: str) -> None:
    """Put an error at a field, after those it has."""
    wtf_field.errors = [*wtf_field.errors, text]


def text_choices(choices: Any) -> Choices:
    """Enum values with labels, for WTForms."""
    return [(str(value), label) for value, label in choices]
