"""Kinds of ledger writes, by the operation that stands in the posting. A new one is a rule of its own, added here."""

from __future__ import annotations

from models import Posting
from sync.operations.base import Operation
from sync.operations.change import UNLINK, UPDATE, VOID, Unlink, Update, Void, reserve
from sync.operations.close import Close
from sync.operations.correct import CORRECT, Correct
from sync.operations.create import Create
from sync.operations.promote import Promote
from sync.operations.remove import REMOVE, Remove
from sync.operations.send import Send

__all__ = ["CORRECT", "OPERATIONS", "REMOVE", "UNLINK", "UPDATE", "VOID", "Operation", "reserve", "rule_of"]

_RULES = (Create(), Void(), Unlink(), Update(), Remove(), Send(), Correct(), Promote(), Close())
OPERATIONS: dict[str, Operation] = {rule.name: rule for rule in _RULES}


def rule_of(posting: Posting) -> Operation:
    return OPERATIONS[posting.operation]
