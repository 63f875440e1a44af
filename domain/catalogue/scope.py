"""Whether a document is in scope, and whether the source has finished it."""

from __future__ import annotations

from domain.catalogue.entry import SETTINGS, Again, Entry, Stage, fault, skip, wait

ENTRIES: dict[str, Entry] = {
    "zero_total": skip(
        Stage.SCOPE,
        "The total is 0.00",
        "The invoice total is 0.00, so there is nothing to book",
        "An invoice of 0.00 has no journal, and the setting for zero-total invoices is to skip them.",
        "Nothing needs doing. To post it, change “Zero-total invoices” in Settings, then Un-skip it.",
        SETTINGS,
    ),
    "zero_total_cancels": skip(
        Stage.SCOPE,
        "The total is 0.00 because the lines cancel out",
        "The invoice total is 0.00, but its lines cancel out ({amounts})",
        "The lines add to nothing although they are not zero, and zero-total invoices are skipped.",
        "Check whether these lines belong to different accounts; if so, post zero-total invoices in Settings, then "
        "Un-skip it.",
        SETTINGS,
    ),
    "voided_in_source": skip(
        Stage.SCOPE,
        "Voided in Autotask",
        "The invoice was voided in Autotask before it was posted",
        "A void invoice bills nothing. Nothing was posted.",
        "Nothing needs doing: Autotask bills its items again under a new invoice.",
    ),
    "marked_elsewhere": skip(
        Stage.SCOPE,
        "Marked by another program",
        "Another program marked this invoice as processed on {when}",
        "Autotask's Web Service Date was set by somebody else between our look and our posting.",
        "Check that it is in {the_ledger}. To let Bookbridge post it, clear the mark in Autotask.",
    ),
    "numbered_elsewhere": skip(
        Stage.SCOPE,
        "The invoice already has a number",
        "Autotask has the number {number} for this invoice already",
        "The ledger numbers invoices here, and somebody else gave this one its number before it was posted.",
        "Check that it is in {the_ledger}. To let Bookbridge post it, clear the number in Autotask.",
    ),
    "stamped_meanwhile": wait(
        Stage.SCOPE,
        "Marked by another program: looking it up",
        "{what}; {the_ledger} is asked whether it has the invoice",
        "Somebody else marked or numbered it in Autotask between our look and our posting.",
        "Nothing needs doing: it is not posted before that is known.",
    ),
    "in_books_elsewhere": skip(
        Stage.SCOPE,
        "In the books by another program",
        "{the_ledger} has number {number} with this total already, posted by another program",
        "Another app transferred the invoice and marked it in Autotask before Bookbridge posted it.",
        "Nothing needs doing for this invoice. To link it, open Manually Copy an Invoice and adopt the document. "
        "Switch the other app off.",
    ),
    "already_posted": skip(
        Stage.SCOPE,
        "In the books already",
        "It is in {the_ledger} already",
        "It was posted earlier; only its mark in Autotask is missing or was cleared.",
        "Nothing needs doing: it is never posted a second time.",
    ),
    "before_start": wait(
        Stage.SCOPE,
        "Dated before the start date",
        "Dated {date}, before the start date {start}",
        "History is never posted by itself, so that nothing already in the books is posted twice.",
        "Include it if it is not in {the_ledger} yet, or set an earlier start date.",
        SETTINGS,
        again=Again.RELEASE,
    ),
    "skipped_by_person": skip(
        Stage.SCOPE,
        "Set aside by a person",
        "Set aside by {who}: {why}",
        "A person decided that this document shall not be posted.",
        "Use Un-skip to bring it back.",
    ),
    "still_building": wait(
        Stage.COMPLETE,
        "Autotask is still building it",
        "Autotask is still building it: lines and tax make {found}, the invoice says {total}",
        "The lines read so far do not add up to the invoice's total.",
        "Nothing needs doing: it is read again at each look and becomes a Fault after ten minutes.",
    ),
    "young": wait(
        Stage.COMPLETE,
        "Created moments ago",
        "Created moments ago: it is read a second time before it is posted",
        "An invoice younger than two minutes may still be in the making in Autotask.",
        "Nothing needs doing: it is read again within seconds.",
    ),
    "source_mismatch": fault(
        Stage.COMPLETE,
        "Autotask's own figures do not agree",
        "Its lines and tax make {found}, but the invoice says {total} (difference {difference})",
        "Autotask's own figures do not agree, more than rounding can explain.",
        "Open the invoice in Autotask, check its lines; void and issue it again if they are wrong, then Retry.",
    ),
    "no_lines": fault(
        Stage.COMPLETE,
        "The invoice has no lines",
        "The invoice has no lines",
        "Autotask shows a total but no billing items; the API user may not be allowed to see them.",
        "Give the API user access to all lines of business, or void the invoice in Autotask, then Retry.",
    ),
}
