"""Mail that the ledger sends to the customer, and what hangs on a document that is in the books."""

from __future__ import annotations

from domain.catalogue.entry import DOCUMENT, Again, Entry, Stage, fault, skip

ENTRIES: dict[str, Entry] = {
    "mail_unsure": fault(
        Stage.LEDGER,
        "Not known whether it was mailed",
        "It is not known whether {the_ledger} mailed {number} to {address}",
        "The answer was lost and {the_ledger} does not show it as sent, which proves nothing: the mail may have gone. "
        "The invoice itself is in the books.",
        "Look at the sent mail in {the_ledger} or ask the customer. Choose It was sent or Send again on the "
        "document's page.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "mail_no_address": skip(
        Stage.LEDGER,
        "Not mailed: no e-mail address",
        "{number} was not mailed: its customer has no e-mail address in {the_ledger}",
        "The invoice is in the books. The ledger mails to the customer's billing e-mail, and there is none.",
        "Enter the e-mail at the customer in {the_ledger}. Choose Send again on the document's page.",
        DOCUMENT,
    ),
    "mail_refused": skip(
        Stage.LEDGER,
        "The ledger refused to mail it",
        "{the_ledger} did not mail {number}: {message}",
        "{the_ledger} refused it (code {code}). The invoice is in the books; nothing was mailed.",
        "Correct what the sentence names. Choose Send again on the document's page.",
        DOCUMENT,
    ),
    "mail_gone": skip(
        Stage.LEDGER,
        "Not mailed: void or deleted",
        "{number} was not mailed: it is void or deleted in {the_ledger}",
        "Somebody took it out of the books before the mail went.",
        "Nothing needs doing.",
        DOCUMENT,
    ),
    "not_attached": skip(
        Stage.LEDGER,
        "PDF not attached",
        "Autotask's PDF is not attached to {number}: {message}",
        "The document is in the books; only the file is missing. It was tried several times.",
        "Correct what the sentence names. Choose Attach again on the document's page.",
        DOCUMENT,
    ),
    "not_noted": skip(
        Stage.LEDGER,
        "Note not written",
        "The history of {number} has no note of ours: {message}",
        "The document is in the books; only the note is missing. It was tried several times.",
        "Correct what the sentence names. Choose Write again on the document's page.",
        DOCUMENT,
    ),
    "mail_zero": skip(
        Stage.LEDGER,
        "Not mailed: its total is zero",
        "{number} was not mailed: its total in {the_ledger} is zero",
        "A mail about nothing to pay only raises questions.",
        "Send it from {the_ledger} if the customer shall have it all the same.",
        DOCUMENT,
    ),
}
