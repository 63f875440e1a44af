"""Troubleshoot: a diagnosis of the company, and of one invoice where one is named. Reads both platforms only.

What is looked at is in `troubleshoot_company` and `troubleshoot_invoice`, the words are in `diagnosis`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.ledgers.base import Ledger
from connectors.sources.base import Source
from models import Company, Run, ToolRow
from sync import masking, words
from sync.diagnosis import Asked
from sync.runtime import Runtime
from sync.troubleshoot_company import Around, Diagnosis
from sync.troubleshoot_invoice import invoice_part


def diagnose(
    rt: Runtime, company_id: int, source: Source | None, ledger: Ledger | None, run_id: int, around: Around
) -> Mapping[str, Any]:
    """Carry one diagnosis out; returns the summary to keep. Repeating is safe. Nothing is written on either side."""
    with rt.sessions() as db:
        asked = Asked.of(db.get_one(Run, run_id))
        told = words.of_company(db, company_id)
    made = Diagnosis(rt, company_id, run_id, source, ledger, asked, around, told)
    made.progress("Looking at connections and permissions")
    with rt.sessions() as db:
        made.connections(db)
    made.permissions()
    extra: Mapping[str, Any] = {}
    if asked.wanted and source is not None:
        made.progress("Reading the invoice on both sides")
        extra = invoice_part(made, source, asked)
    with rt.sessions() as db:
        made.settings(db)
        made.runs(db)
        made.work(db)
    made.clocks()
    made.limits()
    return _keep(made, extra)


def _keep(made: Diagnosis, extra: Mapping[str, Any]) -> dict[str, Any]:
    ranked = [why for _, why in sorted(made.causes, key=lambda each: -each[0])]
    unique = {(why.code, tuple(sorted(why.params.items()))): why for why in ranked}
    secrets = made.around.secrets
    with made.rt.sessions() as db, db.begin():
        for area, label, value, verdict in made.findings:
            data = masking.mask({"area": area, "label": label, "value": value}, secrets)
            db.add(ToolRow(company_id=made.company_id, run_id=made.run_id, outcome=verdict, data=data))
        company = db.get_one(Company, made.company_id)
        made.papers["company"] = {
            "id": company.id, "name": company.name, "country": company.country, "currency": company.currency,
            "ledger_tenant": company.ledger_tenant, "source_tenant": company.source_tenant,
        }
    told = {"causes": [why.to_json() for why in unique.values()], "papers": made.papers, **extra}
    return dict(masking.mask(told, secrets))
