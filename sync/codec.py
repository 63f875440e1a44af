"""Domain values as JSON for the database and back. Decimals and dates travel as text, so nothing is lost."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeVar

from pydantic import TypeAdapter

from domain.documents import Draft, ItemDraft, PartyDraft

T = TypeVar("T")


_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Building an adapter costs milliseconds; each type keeps its own."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def dump(value: Any, kind: Any = None) -> Any:
    """A dataclass (or a container of them, with `kind` given) as plain JSON values."""
    return _adapter(kind or type(value)).dump_python(value, mode="json")


def dump_text(value: Any, kind: Any = None) -> str:
    return _adapter(kind or type(value)).dump_json(value).decode()


def load(kind: type[T], value: Any) -> T:
    loaded: T = _adapter(kind).validate_python(value)
    return loaded


def load_text(kind: type[T], text: str) -> T:
    loaded: T = _adapter(kind).validate_json(text)
    return loaded


def digest(value: Any) -> str:
    """SHA-256 of plain JSON values in canonical form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


DRAFTS: dict[str, type[Draft] | type[PartyDraft] | type[ItemDraft]] = {
    "invoice": Draft,
    "credit_memo": Draft,
    "bill": Draft,
    "purchase_order": Draft,
    "customer": PartyDraft,
    "vendor": PartyDraft,
    "item": ItemDraft,
}


def load_draft(ledger_kind: str, value: Any) -> Draft | PartyDraft | ItemDraft:
    """A posting's draft by what it becomes in the ledger."""
    return load(DRAFTS[ledger_kind], value)
