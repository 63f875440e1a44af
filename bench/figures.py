"""The figures of one measurement, counted from the sandbox's journal and books, never from the app's database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bench.stage import Conditions, Stage, processor_seconds

TARGETS = {"ledger_calls_per_invoice": 0.06, "source_calls_per_invoice": 1.10, "peak_mb": 200}
DOCUMENTS = ("Invoice", "CreditMemo")
Row = dict[str, Any]


def measure(stage: Stage, conditions: Conditions, *, patience_s: float) -> dict[str, Any]:
    """Sync everything and count. Times are of this machine; the targets stand beside the figures."""
    busy_before = processor_seconds(stage.sandbox.pid)
    run = stage.sync(patience_s)
    busy_after = processor_seconds(stage.sandbox.pid)
    realm, ci = str(stage.made["realm"]), str(stage.made["ci"])
    ledger: list[Row] = stage.control("journal", platform="qbo", tenant=realm, since_id=run["mark"])
    source: list[Row] = stage.control("journal", platform="autotask", tenant=ci, since_id=run["mark"])
    books = stage.control("audit", ci=ci, realm=realm, since_mark=run["mark"], start="2000-01-01")
    usage = stage.usage()
    posting = [row for row in ledger if _documents(row)]
    documents = sum(_documents(row) for row in posting)
    marks = [row for row in source if row["method"] == "PATCH"]
    seconds = (run["ended"] - run["started"]).total_seconds()
    figures = {
        "documents": documents,
        "duplicates": books["duplicates"],
        "missing": books["missing"],
        "unmarked": books["unmarked"],
        "batches": sum(1 for row in ledger if row["operation"] == "batch"),
        "ledger_calls": len(ledger),
        "ledger_calls_per_invoice": round(len(ledger) / max(documents, 1), 4),
        "source_calls": len(source),
        "source_calls_per_invoice": round(len(source) / max(documents, 1), 4),
        "refused_by_limits": sum(1 for row in (*ledger, *source) if row["status"] == 429),
        "seconds_to_first_batch": _after(run["started"], [row for row in ledger if row["operation"] == "batch"][:1]),
        "seconds_in_the_books": _after(run["started"], posting),
        "seconds_all_marked": _after(run["started"], marks),
        "peak_mb": round(max(max(each["own_mb"], each["jobs_mb"]) for each in usage.values())),
        "processor_seconds": round(sum(each["processor_seconds"] for each in usage.values()), 1),
        "sandbox_share": _share(busy_before, busy_after, seconds),
    }
    return {
        **figures,
        "ledger_operations": _counted(ledger),
        "source_operations": _counted(source),
        "conditions": {
            "limits": "on" if conditions.limits else "off",
            "latency": f"model / {conditions.factor:g}" if conditions.latency else "off",
            "calls_in_flight": conditions.calls_in_flight,
        },
    }


def verdicts(figures: dict[str, Any], *names: str) -> dict[str, dict[str, Any]]:
    """Each figure beside its target."""
    return {
        name: {"is": figures[name], "target": TARGETS[name], "met": figures[name] <= TARGETS[name]} for name in names
    }


def _documents(row: Row) -> int:
    return sum(1 for effect in row["effects"] if effect["kind"] in DOCUMENTS and effect["action"] == "create")


def _after(start: datetime, rows: Sequence[Row]) -> float | None:
    """Seconds from the press on Sync Now to the last of these answers."""
    ends = [datetime.fromisoformat(row["at"]) + timedelta(seconds=row["seconds"]) for row in rows]
    return round((max(ends) - start).total_seconds(), 1) if ends else None


def _counted(rows: Sequence[Row]) -> dict[str, int]:
    return dict(sorted(Counter(str(row["operation"]) for row in rows).items()))


def _share(before: float | None, after: float | None, seconds: float) -> float | None:
    """How much of one core the sandbox used; times mean little when it was more than 0.6."""
    if before is None or after is None:
        return None
    return round((after - before) / seconds, 2)
