"""The number, the items and texts of the lines, and whether they add up."""

from __future__ import annotations

from domain.catalogue.entry import SETTINGS, Entry, Stage, fault

ENTRIES: dict[str, Entry] = {
    "number_too_long": fault(
        Stage.NUMBER,
        "The number is too long",
        "Number {number} has {length} characters; {the_ledger} takes {limit}",
        "A number is never cut, because the customer has it on paper.",
        "Change the number in Autotask, or number by Autotask's id in Settings, then Retry.",
        SETTINGS,
    ),
    "number_repeats": fault(
        Stage.NUMBER,
        "Two invoices have one number",
        "Number {number} is also on another Autotask invoice (id {other})",
        "Two invoices with one number cannot both be in {the_ledger} under it.",
        "Change one of the numbers in Autotask, then Retry.",
    ),
    "number_taken": fault(
        Stage.NUMBER,
        "The number is used already",
        "Number {number} is already used in {the_ledger} by a document that Bookbridge did not create",
        "Somebody typed it there, or another program transferred it. Nothing was posted.",
        "Compare both documents. Renumber or delete the wrong one in {the_ledger}, then Retry.",
    ),
    "no_billing_code": fault(
        Stage.ITEMS,
        "A line has no billing code",
        "Line {line} (“{text}”) has no billing code",
        "Without a billing code no item, and so no account, can be chosen.",
        "Give the item a billing code in Autotask: void and issue the invoice again, then Retry.",
    ),
    "item_missing": fault(
        Stage.ITEMS,
        "An item is missing",
        "Item “{item}” is not in {the_ledger}",
        "No item has exactly this name, and Settings say not to create missing items.",
        "Create it in {the_ledger}, or let Bookbridge create missing items in Settings, then Retry.",
        SETTINGS,
    ),
    "item_inactive": fault(
        Stage.ITEMS,
        "An item is inactive",
        "Item “{item}” is inactive in {the_ledger}",
        "An inactive item accepts no new lines.",
        "Make it active in {the_ledger}, then Retry.",
    ),
    "item_unusable": fault(
        Stage.ITEMS,
        "An item takes no amount",
        "“{item}” in {the_ledger} is a {type} and takes no amount",
        "Only service, non-inventory and inventory items can stand on an invoice line.",
        "Rename the {type}, or choose another item, then Retry.",
    ),
    "no_item_account": fault(
        Stage.ITEMS,
        "No account for created items",
        "Item “{item}” is missing, and no account is chosen for created items",
        "A created item needs an account that its sales are booked on.",
        "Choose the account for created items in Settings, then Retry.",
        SETTINGS,
    ),
    "blank_text": fault(
        Stage.TEXT,
        "A line has no text",
        "Line {line} has no text",
        "Settings say to hold invoices with a line without text.",
        "Change “A line without text” in Settings to take the item's name, then Retry.",
        SETTINGS,
    ),
    "remainder": fault(
        Stage.TOTALS,
        "The rounded lines miss the total by a remainder",
        "Its rounded lines and tax make {found}, Autotask's total is {total} (difference {difference})",
        "Autotask rounded the total only, so the rounded lines differ by a remainder.",
        "Round billing items to cents in Autotask, or adjust one item; then Retry.",
    ),
    "closed_period": fault(
        Stage.LEDGER,
        "The books are closed",
        "Dated {date}: the books are closed through {closed}",
        "Whoever closed the books decides whether something is added to that period.",
        "Reopen the period in {the_ledger} or have the invoice dated later, then Retry.",
    ),
    "numbering_contradicted": fault(
        Stage.LEDGER,
        "The numbering does not fit the ledger",
        "The numbering chosen in Settings does not fit {the_ledger}' own setting",
        "{the_ledger}' “Custom transaction numbers” was changed after Settings were saved.",
        "Switch it back in {the_ledger} or choose another numbering in Settings, then Retry.",
        SETTINGS,
    ),
}
