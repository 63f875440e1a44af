"""`python -m bench.books [--invoices N] [profile …]`: do the books hold, to the cent, what adding up by hand gives?

Generated invoices (bench/papers.py) go through the product into the sandbox's books, one fresh company per profile;
then trial balance, receivables by document and tax payable are read there and compared. Prints a table and one JSON
line; ends with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.papers import Law, Paper, Sums, Taxing, by_hand, draw
from domain.settings import MatchBy, TaxSource
from sandbox.autotask import actions
from sandbox.autotask.tenants import Tenant
from sandbox.qbo import books
from sandbox.qbo.realm import Realm
from sandbox.seeds import msp
from sandbox.seeds.catalogue import CODES
from sandbox.server import open_world, running
from sandbox.world import World
from sync import gather
from tests.infra.company import ask_sync, config_for, connect, serve_run
from tests.infra.database import migrate
from tools import redis_server
from workers.wiring import Services

RECEIVABLE = "Accounts Receivable (A/R)"


@dataclass(frozen=True)
class Profile:
    """A kind of company: the generated provider's region, the books' profile, the tax setting, and the law."""

    region: str
    books: str
    source: TaxSource
    law: Law
    agencies: tuple[str, ...] = ()
    """Accounts of further tax agencies: added to the law's tax account, because the split is the ledger's."""


def _law(regions: dict[str, dict[str, str]], taxing: Taxing, account: str) -> Law:
    percents = {
        region: {name: tuple(map(Decimal, text.split())) for name, text in categories.items()}
        for region, categories in regions.items()
    }
    return Law(percents, taxing, account)


US: dict[str, dict[str, str]] = {
    "NY Albany": {"Taxable Goods": "8", "Services": ""}, "CA Los Angeles": {"Taxable Goods": "9.5", "Services": ""},
}  # fmt: skip
UK: dict[str, dict[str, str]] = {"UK VAT": {"Standard": "20", "Reduced": "5", "Zero": "0"}}
AU: dict[str, dict[str, str]] = {"Australia": {"GST applies": "10", "GST free": "0"}}
CA: dict[str, dict[str, str]] = {
    "HST ON": {"Taxable": "13", "Zero-rated": "0"}, "GST": {"Taxable": "5", "Zero-rated": "0"},
    "GST/PST BC": {"Taxable": "5 7", "Zero-rated": "0"},
    "GST/QST QC - 9.975": {"Taxable": "5 9.975", "Zero-rated": "0"},
}  # fmt: skip
PROFILES = {
    "us-explicit": Profile("us", "us-ast", TaxSource.SOURCE, _law(US, Taxing.SENT, "Sales Tax Payable")),
    "us-groups": Profile(
        "us", "us-groups", TaxSource.SOURCE, _law(US, Taxing.SENT, "Sales Tax Payable"),
        ("County sales tax agency Payable", "California sales tax agency Payable"),
    ),
    "us-ast": Profile("us", "us-ast-ignores", TaxSource.SOURCE, _law(US, Taxing.ONE_RATE, "Sales Tax Payable")),
    "us-computes": Profile("us", "us-ast", TaxSource.LEDGER, _law(US, Taxing.ONE_RATE, "Sales Tax Payable")),
    "uk": Profile("uk", "uk", TaxSource.SOURCE, _law(UK, Taxing.BY_RATE, "VAT Control")),
    "uk-computes": Profile("uk", "uk", TaxSource.LEDGER, _law(UK, Taxing.BY_RATE, "VAT Control")),
    "au": Profile("au", "au", TaxSource.SOURCE, _law(AU, Taxing.BY_RATE, "GST Liabilities Payable")),
    "ca": Profile(
        "ca", "ca", TaxSource.SOURCE, _law(CA, Taxing.BY_RATE, "GST/HST Payable"),
        ("Revenu Québec Payable", "BC Ministry of Finance Payable"),
    ),
}


def run(services: Services, world: World, name: str, count: int, seed: int = 1) -> dict[str, Any]:
    """One profile: seed, connect, sync, compare. `differences` is empty when the books agree to the cent."""
    profile = PROFILES[name]
    made = msp.generate(
        world, seed=seed, invoices=0, region=profile.region, profile=profile.books, known_customers=True,
        slug=f"books-{name}",
    )
    papers = draw(profile.law, count, seed)
    numbers = _issue(world, Tenant(world, int(made["ci"])), papers)
    realm = str(made["realm"])
    account = next(r["id"] for r in Realm(world, realm).records("Account") if r["entity"]["Name"] == "Rounding")
    company_id = connect(
        services, world, made, match_by=MatchBy.NAME, rounding_account=account, tax_source=profile.source
    )
    before, started = balances(world, realm, profile), time.monotonic()
    _sync(services, company_id)
    seconds = time.monotonic() - started
    after, expected = balances(world, realm, profile), by_hand(papers, profile.law)
    moved = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in {**before, **after}}
    found = _found(world, realm, set(numbers))
    differences = _accounts(moved, expected)
    differences += _receivables(world, realm, dict(zip(numbers, papers, strict=True)), profile)
    differences += [
        f"{what}: {there} in the books, {here} by hand"
        for what, there, here in (
            ("documents", found["documents"], expected.documents),
            ("rounding lines", found["rounding_lines"], expected.rounding_lines),
            ("rounding lines' sum", found["rounding_sum"], expected.rounding_sum),
        )
        if there != here
    ]
    return {
        "profile": name, "invoices": count, "posted": found["documents"], "credits": expected.credits,
        "waiting": expected.waiting, "differs": expected.differing, "receivable": str(moved.get(RECEIVABLE, 0)),
        "tax": str(-moved.get(profile.law.tax_account, Decimal(0))), "rounding_lines": found["rounding_lines"],
        "rounding_sum": str(found["rounding_sum"]), "rounding_absolute": str(expected.rounding_absolute),
        "seconds": round(seconds, 1), "differences": differences,
    }  # fmt: skip


def _issue(world: World, tenant: Tenant, papers: list[Paper]) -> list[str]:
    """Put the papers into Autotask as its people would have; gives their numbers."""
    customers = [row["id"] for row in tenant.rows("Companies") if row["id"] != 0 and not row.get("parentCompanyID")]
    regions = {row["name"]: row["id"] for row in tenant.rows("TaxRegions")}
    categories = {row["name"]: row["id"] for row in tenant.rows("TaxCategories")}
    codes = {row["externalNumber"]: row["id"] for row in tenant.rows("BillingCodes")}
    kinds = {code.number: code for code in CODES}
    numbers = []
    with world.store.transaction():
        for place, paper in enumerate(papers):
            lines = []
            for line in paper.lines:
                code = kinds[line.code]
                lines.append({
                    "billingItemType": tenant.pick("billingItemType", code.item_type),
                    "subType": tenant.pick("subType", code.sub_type), "billingCodeID": codes[line.code],
                    "itemName": code.name, "description": code.name, "lineItemFullDescription": code.name,
                    "taxCategoryID": categories[line.category], "quantity": line.quantity, "rate": line.rate,
                    "extendedPrice": line.extended, "taxDollars": line.tax,
                })  # fmt: skip
            numbers.append(f"BK-{place + 1}")
            actions.issue(
                tenant, customers[place % len(customers)], lines, number=numbers[-1],
                at=world.clock.now() - timedelta(days=1 + place % 10), taxGroup=regions[paper.region],
            )
    return numbers


def _sync(services: Services, company_id: int) -> None:
    run_id = ask_sync(services, company_id)
    gather.scan(services.runtime(), company_id, services.source(company_id), services.ledger(company_id), run_id)
    serve_run(services, company_id, run_id, rounds=5000)


def balances(world: World, realm: str, profile: Profile) -> dict[str, Decimal]:
    """Account → balance, debit positive, from the trial balance."""
    found: dict[str, Decimal] = {}
    for row in books.trial_balance(world, realm):
        name = profile.law.tax_account if row["name"] in profile.agencies else row["name"]
        found[name] = found.get(name, Decimal(0)) + row["debit"] - row["credit"]
    return found


def _found(world: World, realm: str, numbers: set[str]) -> dict[str, Any]:
    ours = [each for each in books.documents(world, realm) if each["live"] and each["DocNumber"] in numbers]
    rounding = [
        line["amount"] * (1 if each["type"] == "Invoice" else -1)
        for each in ours for line in each["lines"] if line["item"] == "Rounding"
    ]
    return {
        "documents": len(ours), "rounding_lines": len(rounding), "rounding_sum": sum(rounding, Decimal(0))
    }


def _accounts(moved: dict[str, Decimal], expected: Sums) -> list[str]:
    wanted = {name: -amount for name, amount in expected.accounts.items()} | {RECEIVABLE: expected.receivable}
    told = [
        f"{name}: {moved.get(name, Decimal(0))} in the books, {wanted.get(name, Decimal(0))} by hand"
        for name in sorted({**moved, **wanted}) if moved.get(name, Decimal(0)) != wanted.get(name, Decimal(0))
    ]
    return told + ([] if sum(moved.values(), Decimal(0)) == 0 else ["debits are not credits"])


def _receivables(world: World, realm: str, papers: dict[str, Paper], profile: Profile) -> list[str]:
    """Each document's open amount, credits negative."""
    rows = books.receivables(world, realm)
    there = {row["entity"].get("DocNumber"): row["open"] for row in rows if row["entity"].get("DocNumber") in papers}
    here = {
        number: paper.booked_total(profile.law)
        for number, paper in papers.items() if not paper.waits(profile.law) and paper.booked_total(profile.law)
    }
    wrong = [number for number in papers if there.get(number) != here.get(number)]
    return [f"{number}: open {there.get(number)} in the books, {here.get(number)} by hand" for number in wrong[:5]] + (
        [f"{len(wrong) - 5} more open amounts"] if len(wrong) > 5 else []
    )


@contextmanager
def stage() -> Iterator[tuple[Services, World]]:
    """A sandbox without limits, a database and a Redis of their own, in this process."""
    with tempfile.TemporaryDirectory(prefix="bookbridge-books-") as name, redis_server.running() as redis_url:
        folder = Path(name)
        world = open_world(folder / "sandbox.sqlite")
        try:
            with running(world) as url:
                world.limits.switch(False)
                database = f"sqlite:///{folder / 'books.sqlite'}"
                migrate(database)
                services = Services.from_config(config_for(
                    url, database_url=database, redis_url=redis_url, guard_young_seconds=0.0,
                    guard_give_up_seconds=0.0,
                ))  # fmt: skip
                try:
                    yield services, world
                finally:
                    services.engine.dispose()
        finally:
            world.close()


COLUMNS = (
    "profile", "invoices", "posted", "credits", "waiting", "differs", "receivable", "tax", "rounding_lines",
    "rounding_sum", "rounding_absolute", "seconds",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.books", description=__doc__)
    parser.add_argument("profiles", nargs="*", metavar="profile", help=f"{', '.join(PROFILES)} (default: all)")
    parser.add_argument("--invoices", type=int, default=1000, help="invoices per profile (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    unknown = set(given.profiles) - set(PROFILES)
    if unknown:
        parser.error(f"there is no profile {', '.join(sorted(unknown))}; there are {', '.join(PROFILES)}")
    results = []
    with stage() as (services, world):
        print("  ".join(COLUMNS), flush=True)
        for name in given.profiles or PROFILES:
            results.append(run(services, world, name, given.invoices, given.seed))
            print("  ".join(str(results[-1][column]).rjust(len(column)) for column in COLUMNS), flush=True)
            for each in results[-1]["differences"]:
                print(f"  differs: {each}", flush=True)
    print(json.dumps({"campaign": "books", "results": results}))
    return 1 if any(each["differences"] for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
