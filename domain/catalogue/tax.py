"""Tax: the ledger must end with the source's, or the document waits."""

from __future__ import annotations

from domain.catalogue.entry import SETTINGS, Entry, Stage, fault

ENTRIES: dict[str, Entry] = {
    "tax_off": fault(
        Stage.TAX,
        "Sales tax is switched off",
        "Autotask charged {tax} tax, but sales tax is switched off in {the_ledger}",
        "{the_ledger} would drop the tax, and the total would differ.",
        "Switch sales tax on in {the_ledger}, then Retry.",
    ),
    "tax_not_set_up": fault(
        Stage.TAX,
        "Sales tax was never set up",
        "Autotask charged {tax} tax, but automated sales tax was never set up in {the_ledger}",
        "{the_ledger} has automated sales tax without an agency to owe it to.",
        "Finish Taxes → Sales tax in {the_ledger}, then Retry.",
    ),
    "tax_without_line": fault(
        Stage.TAX,
        "Tax without a taxed line",
        "The invoice has {tax} tax, but no line is taxed",
        "The tax would stand on nothing; {the_ledger} needs at least one taxable line.",
        "Check the tax settings of its items in Autotask, void and issue it again, then Retry.",
    ),
    "tax_unmapped": fault(
        Stage.TAX,
        "The tax region has no tax code",
        "Tax region “{region}” has no tax code in {the_ledger}",
        "No tax code has this name, nor the name of Autotask's tax for it.",
        "Create a tax code called “{region}” in {the_ledger}, then Retry.",
    ),
    "untaxed_code_missing": fault(
        Stage.TAX,
        "No tax code for untaxed documents",
        "No tax code is chosen for documents without tax",
        "Outside the US every line needs a tax code: zero-rated, exempt and out of scope are three things.",
        "Choose the tax code for untaxed documents in Settings, then Retry.",
        SETTINGS,
    ),
    "tax_differs": fault(
        Stage.TAX,
        "The tax would differ",
        "{the_ledger} would compute {ledger} tax, Autotask charged {source} (difference {difference})",
        "The rate of tax code “{code}” does not give Autotask's tax.",
        "Correct the rate on the side that is wrong, then Retry.",
    ),
    "too_many_taxed_lines": fault(
        Stage.TAX,
        "Too many lines for a taxed document",
        "The invoice has {lines} lines; {the_ledger} takes {limit} on a taxed document",
        "{the_ledger} refuses longer documents with tax.",
        "Join lines in Settings (Lines: one line per item), or split the invoice in Autotask; then Retry.",
        SETTINGS,
    ),
}
