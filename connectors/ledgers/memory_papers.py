"""What hangs on records of the ledger in memory: printed copies, files, notes; and where a person opens a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.errors import BadAnswer
from connectors.ledgers.base import Kind

if TYPE_CHECKING:
    from connectors.ledgers.memory import MemoryCompany


class MemoryPapers:
    """The part of the port that `MemoryLedger` keeps here."""

    company: MemoryCompany
    tenant: str

    def original(self, kind: Kind, ledger_id: str) -> bytes:
        return b"%PDF-1.4\n% " + f"{kind} {ledger_id}".encode()

    def attached(self, kind: Kind, ledger_id: str, name: str) -> bool:
        return any((record, held) == (ledger_id, name) for record, held, _ in self.company.files)

    def attach(self, kind: Kind, ledger_id: str, name: str, content: bytes, *, shown: bool) -> None:
        self._there(kind, ledger_id)
        self.company.files.append((ledger_id, name, shown))

    def noted(self, kind: Kind, ledger_id: str, marker: str) -> bool:
        return any(record == ledger_id and marker in text for record, text in self.company.notes)

    def note(self, kind: Kind, ledger_id: str, text: str) -> None:
        self._there(kind, ledger_id)
        self.company.notes.append((ledger_id, text))

    def link(self, kind: Kind, ledger_id: str) -> str:
        return f"https://books.invalid/{self.tenant}/{kind}/{ledger_id}"

    def _there(self, kind: Kind, ledger_id: str) -> None:
        if not any(one.kind is kind and one.id == ledger_id for one in self.company.entries):
            raise BadAnswer("The record is gone.")
