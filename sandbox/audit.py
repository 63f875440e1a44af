"""The judge of a sync: what the source holds, what the books hold, what the reports said; do they agree?

It reads the sandbox's own records and the report mails, never the app's database. An invoice is *eligible* by the
sandbox's own reading when it is not void, inside the window, from the start date on, has a company, a total other
than zero (`skip_zero`), and no planted problem that ought to stop it (`Planted` rows of a generated seed).
With `stand_in` a customer was chosen for invoices without a company, which makes them eligible.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sandbox import ledgers, mailbox
from sandbox.autotask import todos
from sandbox.autotask.tenants import Tenant
from sandbox.autotask.views import parse_moment
from sandbox.world import World

PLANTED = "Planted"
POSTED, SKIPPED, FAULT, OPEN = "Complete", "Skipped Over", "Fault", "Pending"
REPORT_COLUMNS = {"Status", "Reason", "Autotask ID", "Number", "Amount", "Currency"}


@dataclass
class Source:
    """One source invoice in the window, with the outcome the sandbox expects and what it found."""

    id: int
    number: str
    total: Decimal
    currency: str
    marked: bool
    expected: str | None
    reason: str
    documents: list[dict[str, Any]] = field(default_factory=list)
    reported: tuple[str, str] | None = None


def audit(
    world: World,
    ci: int,
    realm: str,
    *,
    since_mark: int = 0,
    window_start: date | None = None,
    start: date | None = None,
    skip_zero: bool = True,
    stand_in: bool = False,
    to: str | None = None,
) -> dict[str, Any]:
    """The final account of a run as one JSON object; see README for each figure."""
    tenant = Tenant(world, ci)
    sources = _sources(tenant, window_start, start, skip_zero, stand_in)
    documents = _documents(world, realm)
    stray = _pair(sources, documents)
    _read_reports(world, sources, to)
    kind = ledgers.kind_of(world, realm)
    ledger = world.journal.rows(kind.platform, realm, since_mark)
    autotask = world.journal.rows("autotask", str(ci), since_mark)
    found = [document for source in sources for document in source.documents]
    return {
        "ledger": kind.platform,
        "limits": "on" if world.limits.on else "off",
        "seen": len(sources),
        "posted": sum(1 for d in found if d["type"] == kind.invoice),
        "credit_memos": sum(1 for d in found if d["type"] == kind.credit),
        "skipped": _reasons(sources, SKIPPED),
        "faults": _reasons(sources, FAULT),
        "waiting": sum(1 for s in sources if s.reported and s.reported[0] == OPEN),
        "duplicates": sum(max(len(s.documents) - 1, 0) for s in sources),
        "missing": sum(1 for s in sources if _missing(s)),
        "unmarked": sum(1 for s in sources if s.documents and not s.marked),
        "unexplained": len(stray) + sum(1 for s in sources if _disagreement(s)),
        "ledger_calls": len(ledger),
        "source_calls": len(autotask),
        "seconds": _seconds(kind, ledger, autotask),
        "totals": _totals(sources, kind),
        "todos": todos.account(tenant),
    }


def details(world: World, ci: int, realm: str, **options: Any) -> list[dict[str, Any]]:
    """The invoices behind `missing`, `unmarked`, `duplicates` and `unexplained`, each with the words for it."""
    tenant = Tenant(world, ci)
    eligible = options.get("skip_zero", True), options.get("stand_in", False)
    sources = _sources(tenant, options.get("window_start"), options.get("start"), *eligible)
    stray = _pair(sources, _documents(world, realm))
    _read_reports(world, sources, options.get("to"))
    rows = [
        {
            "id": s.id,
            "number": s.number,
            "expected": s.expected,
            "reported": s.reported,
            "marked": s.marked,
            "documents": [d["id"] for d in s.documents],
            "why": why,
        }
        for s in sources
        if (why := _words(s))
    ]
    return rows + [
        {
            "id": None,
            "number": d["DocNumber"],
            "documents": [d["id"]],
            "expected": None,
            "why": "a ledger document that belongs to no invoice of the window",
        }
        for d in stray
    ]


def _words(source: Source) -> str:
    parts = [
        text
        for text, holds in (
            ("missing in the ledger", _missing(source)),
            ("posted but not marked", source.documents and not source.marked),
            ("in the ledger more than once", len(source.documents) > 1),
        )
        if holds
    ]
    return "; ".join([*parts, *filter(None, [_disagreement(source)])])


def _sources(
    tenant: Tenant, window_start: date | None, start: date | None, skip_zero: bool, stand_in: bool
) -> list[Source]:
    zone = ZoneInfo(tenant.zone_name)
    currencies = {row["id"]: row["name"] for row in tenant.rows("Currencies")}
    companies = {row["id"]: row.get("currencyID") for row in tenant.rows("Companies")}
    planted = (
        {row["id"]: row for row in tenant.rows(PLANTED)} if tenant.world.store.count(tenant.space, PLANTED) else {}
    )
    found = []
    for row in tenant.rows("Invoices"):
        if row.get("isVoided") or not _inside(row, zone, window_start, start):
            continue
        if planted.get(row["id"], {}).get("outcome") == "out":
            continue
        expected, reason = _expected(row, skip_zero, stand_in, planted.get(row["id"]))
        currency = currencies.get(companies.get(row.get("companyID")), tenant.body["currency"])
        found.append(
            Source(
                row["id"],
                _number(row),
                row["invoiceTotal"],
                currency,
                row.get("webServiceDate") is not None,
                expected,
                reason,
            )
        )
    return found


def _number(row: dict[str, Any]) -> str:
    """The number a ledger document bears: the id where there is none, or where another program wrote `ERROR`."""
    number = str(row.get("invoiceNumber") or "").strip()
    return number if number and number != "ERROR" else str(row["id"])


def _inside(row: dict[str, Any], zone: ZoneInfo, window_start: date | None, start: date | None) -> bool:
    created = parse_moment(row["createDateTime"]).astimezone(zone).date()
    dated = parse_moment(row["invoiceDateTime"]).astimezone(zone).date()
    return (window_start is None or created >= window_start) and (start is None or dated >= start)


def _expected(
    row: dict[str, Any], skip_zero: bool, stand_in: bool, planted: dict[str, Any] | None
) -> tuple[str | None, str]:
    """The outcome the sandbox expects; None where it depends on a person's answer or a setting."""
    if planted is not None and planted.get("outcome") != "post":
        return {"fault": FAULT, "skip": SKIPPED}.get(planted["outcome"]), planted["problem"]
    if row["invoiceTotal"] == 0 and skip_zero:
        return SKIPPED, "zero total"
    if row.get("companyID") is None and not stand_in:
        return FAULT, "no company"
    return POSTED, ""


def _documents(world: World, realm: str) -> list[dict[str, Any]]:
    """Live ledger documents that came through the API; those the seed put there are not the app's."""
    ledger = ledgers.kind_of(world, realm)
    created = {
        (effect["kind"], effect["id"])
        for row in world.journal.rows(ledger.platform, realm)
        for effect in row["effects"]
        if effect["action"] == "create"
    }
    return [d for d in ledger.books.documents(world, realm) if d["live"] and (d["type"], str(d["id"])) in created]


def _pair(sources: list[Source], documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each document to the source invoice of its number; several invoices may share one. Rest: strays."""
    by_number: dict[str, list[Source]] = defaultdict(list)
    for source in sources:
        by_number[source.number].append(source)
    stray = []
    for document in documents:
        candidates = by_number.get(str(document["DocNumber"]), [])
        if not candidates:
            stray.append(document)
            continue
        free = [s for s in candidates if not s.documents]
        fitting = [s for s in free if abs(s.total) == document["total"]]
        (fitting or free or candidates)[0].documents.append(document)
    return stray


def _read_reports(world: World, sources: list[Source], to: str | None) -> None:
    """The last word of the report mails on each invoice."""
    words: dict[str, tuple[str, str]] = {}
    for mail in mailbox.messages(world, to):
        for attachment in mail["attachments"]:
            if attachment["filename"].lower().endswith(".csv"):
                words |= _report(attachment["text"])
    for source in sources:
        source.reported = words.get(str(source.id))


def _report(text: str) -> dict[str, tuple[str, str]]:
    """Autotask ID -> (outcome, reason) of one report; empty when the file is no report."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not set(reader.fieldnames or ()) >= REPORT_COLUMNS:
        return {}
    outcomes = {"complete": POSTED, "skipped over": SKIPPED, "fault": FAULT}
    return {
        row["Autotask ID"]: (outcomes.get(row["Status"].strip().lower(), OPEN), row["Reason"].strip()) for row in reader
    }


def _reasons(sources: list[Source], outcome: str) -> dict[str, int]:
    counted = Counter(s.reported[1] or "no reason given" for s in sources if s.reported and s.reported[0] == outcome)
    return dict(sorted(counted.items()))


def _missing(source: Source) -> bool:
    return not source.documents and (source.expected == POSTED or (source.marked and source.expected is not None))


def _disagreement(source: Source) -> str | None:
    """Why this invoice is unexplained, or None."""
    if source.reported is None:
        return "no report names it"
    outcome = source.reported[0]
    if outcome == OPEN:
        return None
    if (outcome == POSTED) != bool(source.documents):
        return f"the report says {outcome}, the ledger has {len(source.documents)} documents"
    if source.expected is not None and outcome != source.expected:
        return f"the report says {outcome}, the sandbox expects {source.expected} ({source.reason or 'nothing wrong'})"
    return None


def _seconds(kind: ledgers.Simulated, ledger: list[dict[str, Any]], autotask: list[dict[str, Any]]) -> float:
    """From the first call after the mark to the last document created, by the sandbox's clock."""
    created = [
        row
        for row in ledger
        if any(
            effect["action"] == "create" and effect["kind"] in (kind.invoice, kind.credit) for effect in row["effects"]
        )
    ]
    if not created:
        return 0.0
    first = min(datetime.fromisoformat(rows[0]["at"]) for rows in (ledger, autotask) if rows)
    last = datetime.fromisoformat(created[-1]["at"])
    return round((last - first).total_seconds() + float(created[-1]["seconds"]), 1)


def _totals(sources: list[Source], kind: ledgers.Simulated) -> dict[str, dict[str, Decimal]]:
    """Signed sums per currency; a credit memo counts negative."""
    sums: dict[str, dict[str, Decimal]] = {}
    zero = Decimal("0.00")
    for source in sources:
        if source.expected == POSTED:
            entry = sums.setdefault(source.currency, {"expected": zero, "posted": zero})
            entry["expected"] += source.total
        for document in source.documents:
            entry = sums.setdefault(document["currency"], {"expected": zero, "posted": zero})
            entry["posted"] += -document["total"] if document["type"] == kind.credit else document["total"]
    return sums
