"""The simulated ledgers, for what concerns all of them alike: seeds, audit, control, start page.

Modules are imported when first asked for, so that a part that is not there is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Simulated:
    """One kind of ledger: its platform's name, its package, what it calls the two sales documents, its pages."""

    platform: str
    title: str
    invoice: str
    credit: str
    pages: str

    @property
    def books(self) -> ModuleType:
        """``companies(world)``, ``documents(world, id)``, ``purchases(world, id)``, ``trial_balance(world, id)``."""
        return import_module(f"sandbox.{self.platform}.books")


QBO = Simulated("qbo", "QuickBooks", "Invoice", "CreditMemo", "/books")
XERO = Simulated("xero", "Xero", "Invoice", "CreditNote", "/xero-books")
ALL = (QBO, XERO)


def kind_of(world: Any, tenant: str) -> Simulated:
    """Which ledger a realm or organisation belongs to. Raises ValueError for an unknown one."""
    for kind in ALL:
        if any(str(row["id"]) == tenant for row in kind.books.companies(world)):
            return kind
    raise ValueError(f"there is neither a QuickBooks company nor a Xero organisation {tenant!r}")


def of_profile(profile: str) -> Simulated:
    """The ledger a profile's name belongs to: those of Xero begin with ``xero-``."""
    return XERO if profile.startswith("xero-") else QBO
