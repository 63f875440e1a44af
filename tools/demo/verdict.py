"""Read the sandbox's account of a sync: does everything agree, and what would a person want to hear of it?"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

NONE_OF_THESE = ("duplicates", "missing", "unmarked", "unexplained")
# The shared month of real invoices has a known outcome. GBP totals as the books must show them.
MONTH = {"invoices": 2025, "lines": 42481}
MONTH_OUTCOME: dict[str, Any] = {
    "seen": 2025,
    "posted": 1400,
    "credit_memos": 308,
    "skipped": {"zero_total": 140},
    "faults": {"no_customer": 177},
    "waiting": 0,
}
MONTH_TOTAL = Decimal("554604.02")
# With a customer chosen for the 177 that name none.
FIXED_OUTCOME: dict[str, Any] = {**MONTH_OUTCOME, "posted": 1559, "credit_memos": 326, "faults": {}}
FIXED_TOTAL = Decimal("748957.02")
# Measured against, per posted document: lists, new customers and items, documents, look-ups.
LEDGER_CALLS_PER_DOCUMENT = {"qbo": Decimal("0.12"), "xero": Decimal("0.08")}
AGAIN_PER_DOCUMENT = {"qbo": Decimal("0.04"), "xero": Decimal("0.03")}
WORDS = {"qbo": ("QuickBooks", "credit memos"), "xero": ("Xero", "credit notes")}


def agrees(account: Mapping[str, Any]) -> bool:
    """Nothing posted twice, missing, unmarked or unexplained, nothing waiting, and the totals are equal."""
    return not any(account[name] for name in (*NONE_OF_THESE, "waiting")) and not _unequal(account)


def failures(account: Mapping[str, Any], counts: Mapping[str, int], *, fixed: bool = False) -> list[str]:
    """Sentences for everything that makes the demo fail; empty when it may exit 0."""
    found = [f"{name}: {account[name]}, should be 0" for name in NONE_OF_THESE if account[name]]
    found += _unequal(account)
    if all(counts.get(name) == wanted for name, wanted in MONTH.items()):
        found += _month_failures(account, fixed)
    return found


def summary(account: Mapping[str, Any]) -> list[str]:
    """What was posted and what needs a person, in words."""
    ledger, credits = WORDS[account["ledger"]]
    totals = ", ".join(f"{currency} {_amount(pair['posted']):,.2f}" for currency, pair in account["totals"].items())
    lines = [
        f"Of {account['seen']:,} documents in Autotask, {account['posted']:,} are in the books as invoices and "
        f"{account['credit_memos']:,} as {credits}: {totals or 'nothing'}.",
    ]
    for name, meaning in (("skipped", "Skipped over"), ("faults", "Need a person")):
        reasons = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in account[name].items())
        lines.append(f"{meaning}: {reasons or 'none'}.")
    calls, posted = account["ledger_calls"], account["posted"] + account["credit_memos"]
    lines.append(
        f"{calls:,} calls to {ledger} ({calls / max(posted, 1):.3f} a document), "
        f"{account['source_calls']:,} to Autotask, {account['seconds']:.0f} seconds."
    )
    return lines


def _unequal(account: Mapping[str, Any]) -> list[str]:
    return [
        f"{currency}: posted {pair['posted']}, expected {pair['expected']}"
        for currency, pair in account["totals"].items()
        if _amount(pair["posted"]) != _amount(pair["expected"])
    ]


def _month_failures(account: Mapping[str, Any], fixed: bool) -> list[str]:
    outcome, total = (FIXED_OUTCOME, FIXED_TOTAL) if fixed else (MONTH_OUTCOME, MONTH_TOTAL)
    found = [
        f"{name}: {account[name]}, should be {wanted} for this month"
        for name, wanted in outcome.items()
        if account[name] != wanted
    ]
    pair = account["totals"].get("GBP", {"expected": 0, "posted": 0})
    if {_amount(pair["expected"]), _amount(pair["posted"])} != {total}:
        found.append(f"GBP {pair}, should be {total} for this month")
    documents = account["posted"] + account["credit_memos"]
    most = LEDGER_CALLS_PER_DOCUMENT[account["ledger"]]
    if account["ledger_calls"] > most * documents:
        found.append(f"ledger_calls: {account['ledger_calls']} for {documents} documents, more than {most} each")
    return found


def again(
    first: Mapping[str, Any], second: Mapping[str, Any], counts: Mapping[str, int]
) -> tuple[dict[str, Any], list[str]]:
    """What the second load of the data cost, from the accounts after each; and what is wrong with it."""
    posted = [account["posted"] + account["credit_memos"] for account in (first, second)]
    told = {"documents": posted[1] - posted[0], "ledger_calls": second["ledger_calls"], "seconds": second["seconds"]}
    found = [f"{name} after the second load: {second[name]}, should be 0" for name in NONE_OF_THESE if second[name]]
    found += _unequal(second)
    if told["documents"] != posted[0]:
        found.append(f"the second load posted {told['documents']} documents, the first {posted[0]}")
    most = AGAIN_PER_DOCUMENT[second["ledger"]]
    if counts.get("invoices") == MONTH["invoices"] and told["ledger_calls"] > most * told["documents"]:
        found.append(f"the second load took {told['ledger_calls']} ledger calls for {told['documents']} documents")
    return told, found


def _amount(value: Any) -> Decimal:
    """JSON brings amounts as numbers or text; two places, because these are sums of money."""
    return Decimal(str(value)).quantize(Decimal("0.01"))
