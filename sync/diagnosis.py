"""A diagnosis in words: the fields it was asked with, its causes and findings, and the bundle to download.

Findings are `ToolRow`s (outcome: ok, warn, bad or plain; data: area, label, value); causes are reasons of the
catalogue, the likeliest first, in the run's summary beside `papers`, the raw material. All of it was masked before
it was stored (`sync/masking.py`), so pages, mails and bundle need not think of secrets. `troubleshoot` finds it.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from domain.formats import format_plural
from domain.ledger_words import STORED
from domain.reasons import CATALOGUE, Reason
from models import Run, ToolRow

KIND = "troubleshoot"
TITLE = "Troubleshoot"
OK, WARN, BAD, PLAIN = "ok", "warn", "bad", "plain"
WORDS = {OK: "Good", WARN: "Look at this", BAD: "Problem", PLAIN: "Note"}
COLUMNS = ("Where", "What", "Found", "")
CSV_COLUMNS = ("Where", "What", "Found", "Verdict")
ABOUT = """This bundle was made by Troubleshoot. Read it before you hand it on.

diagnosis.txt   causes and findings, as the page shows them
findings.csv    the same findings as a table
diagnosis.json  everything: both sides of the document, what was sent and answered, settings, runs

Passwords, tokens and codes were left out when it was made; mail addresses are masked. Names, numbers and amounts
of the invoice are in it.
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of the form. `wanted` "" means the company; `source_id` is the one of several that was chosen."""

    wanted: str = ""
    source_id: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, run: Run) -> Asked:
        return cls(**((run.summary or {}).get("asked") or {}))


def causes_of(run: Run) -> list[Reason]:
    """The likeliest first; codes of an older version that are no longer known are left out."""
    return [Reason.from_json(each) for each in (run.summary or {}).get("causes") or () if each["code"] in CATALOGUE]


def headline(run: Run) -> str:
    summary = run.summary or {}
    if summary.get("hits"):
        return "Several invoices may be meant"
    found = len(causes_of(run))
    if not found:
        return "Nothing is wrong that can be seen from here"
    return f"{format_plural(found, 'possible cause')} found"


def figures(run: Run, ledger: str = STORED.the_ledger) -> list[tuple[str, str]]:
    """What the mail says before its table."""
    asked = Asked.of(run)
    found = [("Looked at", f"Invoice {asked.wanted or asked.source_id}" if asked.wanted else "The whole company")]
    for place, why in enumerate(causes_of(run), 1):
        found.append((f"Cause {place}", f"{why.sentence(ledger)}. {why.fix(ledger)}"))
    return found


def cells(row: ToolRow, ledger: str) -> list[str]:
    return [row.data["area"], row.data["label"], row.data["value"], WORDS[row.outcome]]


def bundle(run: Run, rows: Sequence[ToolRow], csv: str, ledger: str) -> bytes:
    """A ZIP to hand to whoever helps. The same run gives the same bytes."""
    summary = run.summary or {}
    whole = {
        "run": run.id, "asked_by": run.requested_by_name, "started_at": run.started_at.isoformat(),
        "asked": summary.get("asked"), "causes": [each.to_json() for each in causes_of(run)],
        "findings": [{"verdict": row.outcome, **row.data} for row in rows], "papers": summary.get("papers") or {},
    }
    files = {
        "README.txt": ABOUT, "diagnosis.txt": plain(run, rows, ledger), "findings.csv": csv,
        "diagnosis.json": json.dumps(whole, indent=1, ensure_ascii=False, sort_keys=True),
    }
    out = io.BytesIO()
    stamp = run.started_at.timetuple()[:6]
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, stamp), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def plain(run: Run, rows: Sequence[ToolRow], ledger: str) -> str:
    """The page as text."""
    lines = [headline(run), f"Run {run.id}, {run.started_at:%d %b %Y %H:%M} UTC", ""]
    for place, why in enumerate(causes_of(run), 1):
        lines += [
            f"{place}. {why.sentence(ledger)} [{why.code}]", f"   {why.cause(ledger)}", f"   {why.fix(ledger)}", ""
        ]
    area = ""
    for row in rows:
        if row.data["area"] != area:
            area = row.data["area"]
            lines += ["", area, "-" * len(area)]
        lines.append(f"{row.data['label']}: {row.data['value']}  ({WORDS[row.outcome]})")
    return "\n".join(lines) + "\n"
