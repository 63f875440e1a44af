"""Known issues: what of the platforms and of this version people may meet, and what helps. Pure.

Each is a fact of the platforms' documentation or a limit that the protocol leaves (ARCHITECTURE.md). `codes` are the
reasons under which it shows.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Issue:
    """`key` is the anchor on the page. Texts are format strings over the ledger's words."""

    key: str
    title: str
    what: str
    do: str
    codes: tuple[str, ...] = ()


ISSUES = (
    Issue(
        "unfinished", "An invoice that was made moments ago waits",
        "Autotask shows an invoice before all of its lines are there. A young one is read twice and waits while its "
        "lines do not add up to its total.",
        "Nothing: it goes by itself. If it still waits after ten minutes, open the invoice in Autotask and look at its "
        "lines.",
        ("still_building", "source_mismatch"),
    ),
    Issue(
        "hidden", "An invoice of Autotask never appears",
        "An API user with a restricted security level gets empty lists instead of an error, and another tool that set "
        "the Web Service Date hides the invoice from every tool that looks for a blank one.",
        "Run Troubleshoot with the invoice's id: it says whether the API user sees it and who marked it. Manually Copy "
        "takes it all the same, after asking.",
        ("marked_elsewhere",),
    ),
    Issue(
        "two-apps", "Two apps transfer the same invoices",
        "While the older app is still on, each of the two may post an invoice before the other has marked it.",
        "Switch the other app off. Posting pauses by itself once this was noticed; resume it on Home.",
        ("stamped_meanwhile",),
    ),
    Issue(
        "ledger-tax", "Tax differs by cents where {the_ledger} computes it",
        "{the_ledger} rounds tax for the document, Autotask for each line. The document is flagged Differs with both "
        "totals and is never posted again for that.",
        "Accept the difference on the document's page, or choose Autotask's tax in Settings where {the_ledger} takes "
        "it.",
    ),
    Issue(
        "late", "A number that {the_ledger} gives itself takes a few minutes longer after a lost answer",
        "A document without a number of ours can only be looked up by its time and our reference, and reads of the "
        "ledger lag behind. It stands in Processing Now until no earlier request can still arrive.",
        "Nothing. Where this disturbs, choose Autotask's number in Settings, Invoice number: it is refused a second "
        "time.",
        ("checking",),
    ),
    Issue(
        "void-number", "A voided document may keep its number",
        "Whether {the_ledger} takes the number of a voided document again depends on its settings, and is not "
        "documented for all of them.",
        "Delete the voided document there, then use Manually Copy again.",
        ("number_taken",),
    ),
    Issue(
        "busy", "{the_ledger} or Autotask is busy",
        "Both allow a number of calls per minute or hour, shared by all apps of the company. Work waits and goes on "
        "by itself; its page says until when.",
        "Nothing. Connections show the calls used against each limit.",
        ("ledger_limit", "ledger_away"),
    ),
)
