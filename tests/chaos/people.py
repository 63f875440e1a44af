"""What people do in Autotask, in the ledger's own pages and in the product while the installation is broken."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import requests
from sqlalchemy import select

from domain.statuses import Flag, Status
from models import Document
from sandbox.autotask import purchasing
from sandbox.autotask.tenants import Tenant
from sandbox.intuit import tokens as intuit_tokens
from sandbox.xero.api import BASE as XERO
from sandbox.xero_identity import tokens as xero_tokens
from sandbox.xero_identity.users import USERS as XERO_USERS
from tests.chaos.companies import Companies, Month
from tests.chaos.installation import Installation

NEWEST = 4
"""Of so many companies, the latest, whose documents are mostly on their way."""
ARRIVING = 6
OTHER_ADMIN = "sandbox-second-admin"
"""Not whoever connected the product, whose consents are given and taken elsewhere."""


class People:
    """Each method is one thing done once, and returns a word for it ("" when there was nothing to do)."""

    def __init__(self, told: Installation, companies: Companies, rng: random.Random) -> None:
        self.told, self.companies, self.rng = told, companies, rng
        self.counts: Counter[str] = Counter()

    def void(self) -> str:
        """An invoice is voided in Autotask, wherever it is on its way; half of them are billed again at once."""
        month = self.rng.choice(self.companies.months[-NEWEST:])
        open_ = [row for row in Tenant(self.told.world, int(month.made["ci"])).rows("Invoices") if not row["isVoided"]]
        action = self.rng.choice(("void", "reissue"))
        self._act(month, action, invoice=self.rng.choice(open_)["id"])
        return self._counted(action)

    def edit(self) -> str:
        """Somebody gives an invoice another due date in the ledger: its version moves on, what it says stays."""
        month = self.rng.choice(self.companies.months)
        found = self._posted(month)
        if found is None or found.ledger_id is None:
            return ""
        change = self._edit_in_quickbooks if month.made["ledger"] == "qbo" else self._edit_in_xero
        change(month, found.ledger_id, (found.document_date + timedelta(days=self.rng.randint(30, 60))).isoformat())
        return self._counted("edited in the ledger")

    def replace(self) -> str:
        """An invoice that is posted changes in Autotask; Resync is pressed twice at once. The next time, what it found
        is agreed to, twice at once."""
        sites = tuple(self.told.sites.values())
        month = self.rng.choice(self.companies.months)
        pressed = month.person.agree_twice(sites)
        if pressed:
            return self._counted("replacement agreed to")
        found = self._posted(month)
        if found is None:
            return ""
        due = found.document_date + timedelta(days=self.rng.randint(61, 90))
        self._act(month, "edit", invoice=int(found.source_id), changes={"dueDate": f"{due:%Y-%m-%d}T00:00:00Z"})
        return self._counted("resync") if month.person.resync_twice(sites, found.id) else ""

    def receive(self) -> str:
        """Goods of some orders arrive: half of them under one vendor invoice number, the rest under another."""
        months = [month for month in self.companies.months if month.made["on_receipt"]][-2:]
        if not months:
            return ""
        month = self.rng.choice(months)
        tenant = Tenant(self.told.world, int(month.made["ci"]))
        open_ = [row for row in tenant.rows("PurchaseOrders")
                 if purchasing.status_of(tenant, row) in (purchasing.SUBMITTED, purchasing.PARTIAL)]  # fmt: skip
        for row in self.rng.sample(open_, min(ARRIVING, len(open_))):
            first = purchasing.status_of(tenant, row) == purchasing.SUBMITTED
            items = tenant.rows("PurchaseOrderItems", orderID=row["id"])
            half = [max(1, int(item["quantity"]) // 2) for item in items]
            number = f"VI-{row['id']}-{1 if first else 2}"
            self._act(month, "receive", order=row["id"], number=number, quantities=half if first else None)
            self._counted("received")
        return "received"

    def _counted(self, word: str) -> str:
        self.counts[word] += 1
        return word

    def _act(self, month: Month, action: str, **body: Any) -> None:
        address = f"{self.told.url}/control/actions/{month.made['slug']}/{action}"
        requests.post(address, json=body, timeout=30).raise_for_status()

    def _posted(self, month: Month) -> Document | None:
        """An invoice that is in the books."""
        with self.told.services.sessions() as db:
            rows = db.scalars(select(Document).where(
                Document.company_id == month.company_id, Document.kind == "invoice", Document.total > 0,
                Document.status == Status.COMPLETE, Document.ledger_id.is_not(None),
            ).limit(200)).all()  # fmt: skip
            rows = [row for row in rows if Flag.VOIDED not in (row.flags or [])]
        return self.rng.choice(rows) if rows else None

    def _edit_in_quickbooks(self, month: Month, id: str, due: str) -> None:
        token = intuit_tokens.access_token(self.told.world, month.realm, OTHER_ADMIN)
        address = f"{self.told.url}/qbo/v3/company/{month.realm}/invoice"
        held = self._call("GET", f"{address}/{id}", token)["Invoice"]
        body = {"Id": id, "SyncToken": held["SyncToken"], "sparse": True, "DueDate": due}
        self._call("POST", address, token, json=body)

    def _edit_in_xero(self, month: Month, id: str, due: str) -> None:
        token = xero_tokens.access_token(self.told.world, month.realm, user=XERO_USERS[1])
        self._call(
            "POST", f"{self.told.url}{XERO}/Invoices/{id}", token, {"xero-tenant-id": month.realm},
            json={"InvoiceID": id, "DueDate": due},
        )  # fmt: skip

    def _call(
        self, method: str, address: str, token: str, headers: Mapping[str, str] | None = None, **body: Any
    ) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {token}", "Accept": "application/json", **(headers or {})}
        answer = requests.request(method, address, headers=sent, timeout=20, **body)
        answer.raise_for_status()
        return dict(answer.json())
