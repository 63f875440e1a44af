"""What a person decided, or is asked to decide, about a document that could be posted."""

from __future__ import annotations

from domain.catalogue.entry import DOCUMENT, Again, Entry, Stage, skip, wait

REVIEW = ("Review and release", "review")

ENTRIES: dict[str, Entry] = {
    "waits_for_release": wait(
        Stage.LEDGER,
        "Ready, waits for your release",
        "Ready, waits for your release",
        "The sync state is Review first: documents are read and checked, and a person releases them.",
        "Look at its preview, then release it alone, with others, or all that stand ready.",
        REVIEW,
        again=Again.RELEASE,
    ),
    "changed_since_preview": wait(
        Stage.LEDGER,
        "Changed since the preview",
        "Changed since the preview, so it was not posted: {what}",
        "What would be sent now is not what was looked at: the invoice, the settings or a list changed in between.",
        "Look at its preview once more, then release it again.",
        REVIEW,
        again=Again.RELEASE,
    ),
    "held": skip(
        Stage.SCOPE,
        "Held back by a person",
        "Held by {who} since {when}: {why}",
        "A person put a hold on {what}. Nothing posts it while the hold stands, whatever is pressed.",
        "Use Release hold when the reason is gone; it is then read again and goes with the next Sync.",
        DOCUMENT,
    ),
}
