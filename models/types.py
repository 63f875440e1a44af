"""Column types: exact money, aware instants, typed JSON and encrypted text. The same on SQLite and PostgreSQL."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import BigInteger, DateTime, LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from domain.money import from_units, to_units


class Money(TypeDecorator[Decimal]):
    """Decimal as an integer of 1/10,000 (SQLite would keep Numeric as a float)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        return None if value is None else to_units(Decimal(value))

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else from_units(value)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. Naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """Small JSON values as text, so that both databases keep the very same bytes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class SealBroken(Exception):
    """An encrypted value does not open."""


class KeyRing:
    """Authenticated encryption with named keys: the first writes, all read. Keys come from the environment.

    `context` (company and field) is bound to the ciphertext, so a value copied to another row does not open.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys:
            raise ValueError("the key ring needs at least one key")
        self._keys = {name: AESGCM(key) for name, key in keys}
        self.current = keys[0][0]

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """From `id:base64key,id:base64key`; each key is 32 bytes. Raises ValueError with what is wrong."""
        pairs: list[tuple[str, bytes]] = []
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            name, _, value = part.partition(":")
            key = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            if len(key) != 32:
                raise ValueError(f"key {name!r} of the key ring has {len(key)} bytes, not 32")
            pairs.append((name, key))
        return cls(pairs)

    def seal(self, text: str, context: str) -> bytes:
        nonce = secrets.token_bytes(12)
        sealed = self._keys[self.current].encrypt(nonce, text.encode(), context.encode())
        return self.current.encode() + b"." + nonce + sealed

    def open(self, blob: bytes, context: str) -> str:
        """Raises SealBroken when the key is gone, the value altered or taken from another row."""
        name, _, rest = blob.partition(b".")
        cipher = self._keys.get(name.decode(errors="replace"))
        if cipher is None:
            raise SealBroken(f"key {name!r} is not in the key ring")
        try:
            return cipher.decrypt(rest[:12], rest[12:], context.encode()).decode()
        except InvalidTag as error:
            raise SealBroken("the value was altered or belongs to another row") from error


Sealed = LargeBinary
