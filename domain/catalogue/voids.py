"""Documents that are in the ledger and were voided in the source, replaced, or billed again."""

from __future__ import annotations

from domain.catalogue.entry import DOCUMENT, REISSUE, Again, Entry, Stage, fault, wait

ENTRIES: dict[str, Entry] = {
    "void_queued": wait(
        Stage.LEDGER,
        "About to be voided in the ledger",
        "About to be voided in {the_ledger}",
        "{the_ledger} is asked first whether it is paid or changed; then the void is sent.",
        "Nothing needs doing.",
    ),
    "voided_open": fault(
        Stage.LEDGER,
        "Voided in Autotask, open in the ledger",
        "Voided in Autotask{when}; {number} still stands in {the_ledger}",
        "The open copy overstates what customers owe. Nothing is voided by itself.",
        "Choose Void on the document's page, or keep it there with a reason.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "void_paid": fault(
        Stage.LEDGER,
        "Voided in Autotask, paid or credited in the ledger",
        "Voided in Autotask; in {the_ledger} {applied} of {total} {currency} is paid or credited on {number}",
        "A void would set the payment or credit free, so a machine never voids such a document.",
        "Unapply the payment in {the_ledger}, or decide on the document's page: void it with the payment set free, "
        "or keep it with a reason.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "void_closed": fault(
        Stage.LEDGER,
        "Voided in Autotask, in a closed period of the ledger",
        "Voided in Autotask; {number} of {date} is in a closed period of {the_ledger}",
        "Nothing in a closed period is voided or deleted: it would change a period that was reported.",
        "Choose on the document's page: a {credit_memo} on the first open day takes it back, or it is kept. "
        "If the period was opened again, Refresh Lists in Settings and choose the {credit_memo}: then it is voidable.",
        DOCUMENT,
    ),
    "correct_queued": wait(
        Stage.LEDGER,
        "About to be corrected on the first open day",
        "About to be corrected in {the_ledger} by a document on the first open day",
        "{the_ledger} is asked first whether it still stands there unchanged; then the correction is sent.",
        "Nothing needs doing.",
    ),
    "correct_refused": fault(
        Stage.LEDGER,
        "The ledger refused the correction",
        "{the_ledger} did not take the correction of {number}: {message}",
        "{number} was voided in Autotask and stands in a closed period. Nothing was changed there.",
        "Correct what the sentence names, then choose the correction again on the document's page, or keep the "
        "document with a reason.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "correct_changed": fault(
        Stage.LEDGER,
        "Changed in the ledger before it was corrected",
        "{number} is over {now} in {the_ledger} and was posted over {was}",
        "Somebody changed it there, so a correction over the posted amount would not take it back.",
        "Look at it in {the_ledger}. Correct it there by hand and keep it with that reason, or undo the change and "
        "choose the correction again.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "void_refused": fault(
        Stage.LEDGER,
        "The ledger refused the void",
        "{the_ledger} did not void {number}: {message}",
        "{the_ledger} refused it (code {code}). The document stands there as before.",
        "Correct what the sentence names, then void it again on the document's page, or keep it with a reason.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "void_changing": fault(
        Stage.LEDGER,
        "It changes in the ledger while it is about to be voided",
        "{number} was changed in {the_ledger} each time it was about to be voided",
        "Somebody or another app works on it. Nothing was voided.",
        "Look at it in {the_ledger}, then void it again on the document's page.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "reissue_waits": wait(
        Stage.SCOPE,
        "Bills a voided invoice again, which still stands in the ledger",
        "Its lines are in {the_ledger} on {other}, voided in Autotask on {when}",
        "A billing item is never in two live documents; the voided invoice must be gone from {the_ledger} first.",
        "Open {other} and void it in {the_ledger}, or keep it with a reason. After the void this one goes with the "
        "next Sync.",
        again=Again.SYNC,
    ),
    "reissue_kept": fault(
        Stage.SCOPE,
        "Bills a voided invoice again, which was kept in the ledger",
        "Its lines are in {the_ledger} on {other}, voided in Autotask on {when} and kept",
        "Somebody decided that {other} stays in the books. Posting this one too would bill the same lines twice.",
        "Skip it with a reason if {other} is the right one. Post it anyway only if both shall be paid; that is "
        "recorded.",
        REISSUE,
        again=Again.DECIDE,
    ),
    "reissue_like": fault(
        Stage.SCOPE,
        "May bill a voided invoice again",
        "Same customer and total as {other}, voided in Autotask on {when} and still in {the_ledger}",
        "Un-posting in Autotask may give the lines new ids, so they do not tell whether this is {other} once more.",
        "Open {other} and void it in {the_ledger}: then this one can be posted. If it is another sale, post it anyway; "
        "that is recorded. If it shall not be billed, skip it.",
        REISSUE,
        again=Again.DECIDE,
    ),
    "update_queued": wait(
        Stage.LEDGER,
        "About to be replaced in the ledger",
        "About to be replaced in {the_ledger}, under the same id",
        "{the_ledger} is asked first whether it was changed; then the new content is sent.",
        "Nothing needs doing.",
    ),
    "remove_queued": wait(
        Stage.LEDGER,
        "About to be taken out and copied again",
        "About to be taken out of {the_ledger} and copied again",
        "{the_ledger} is asked first whether it was changed; the new copy follows once the old one is certainly gone.",
        "Nothing needs doing.",
    ),
    "remove_refused": fault(
        Stage.LEDGER,
        "The ledger did not let it be taken out",
        "{the_ledger} did not take {number} out: {message}",
        "{the_ledger} refused it (code {code}). The document stands there as before; no second one was made.",
        "Correct what the sentence names, then copy it again with Overwrite.",
        DOCUMENT,
    ),
    "remove_changed": fault(
        Stage.LEDGER,
        "Changed in the ledger before it was taken out",
        "{number} was changed in {the_ledger} since it was compared",
        "A payment, a mail or a person's change came between. Nothing was taken out and nothing was posted.",
        "Compare both again on the document's page, then decide anew.",
        DOCUMENT,
    ),
    "overwrite_refused": fault(
        Stage.LEDGER,
        "The ledger refused the replacement",
        "{the_ledger} did not replace {number}: {message}",
        "{the_ledger} refused it (code {code}). The document stands there as before.",
        "Correct what the sentence names, then copy it again with Overwrite.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "overwrite_changed": fault(
        Stage.LEDGER,
        "Changed in the ledger before it was replaced",
        "{number} was changed in {the_ledger} since it was compared",
        "A person's change is never overwritten unseen. Nothing was replaced.",
        "Compare both again on the document's page, then copy it with Overwrite if it shall be replaced.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
    "overwrite_gone": fault(
        Stage.LEDGER,
        "No longer in the ledger",
        "{number} is not in {the_ledger} any more: it was voided or deleted there",
        "There is nothing to replace. Nothing was sent.",
        "Look in {the_ledgers} {audit_log} who removed it, then decide whether it shall be posted again.",
        DOCUMENT,
        again=Again.DECIDE,
    ),
}
