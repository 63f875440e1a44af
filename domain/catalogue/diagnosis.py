"""What Troubleshoot finds about a connection or a company, rather than about one document."""

from __future__ import annotations

from domain.catalogue.entry import CONNECTIONS, DOCUMENT, SETTINGS, Entry, Stage, wait

ENTRIES: dict[str, Entry] = {
    "platform_refused": wait(
        Stage.LEDGER,
        "A platform could not be asked",
        "{platform} did not answer as it should: {message}",
        "The question was asked a moment ago by Troubleshoot, over the connection that every sync uses.",
        "Look at Connections. When it says connected, wait some minutes and troubleshoot again; else reconnect.",
        CONNECTIONS,
    ),
    "token_ends": wait(
        Stage.LEDGER,
        "The connection to the ledger ends soon",
        "The connection to {the_ledger} ends on {day}",
        "{the_ledger} ends every connection some months after a person gave it.",
        "Reconnect {the_ledger} before that day; settings and documents stay as they are.",
        CONNECTIONS,
    ),
    "clock_off": wait(
        Stage.SCOPE,
        "Our clock and a platform's differ",
        "Our clock is {seconds} seconds {direction} {platform}",
        "What was changed since a moment is asked by the clock; a large gap makes changes look older than they are.",
        "Have whoever runs this installation set the server's clock by NTP.",
        CONNECTIONS,
    ),
    "source_unreadable": wait(
        Stage.SCOPE,
        "The Autotask user may not read invoices",
        "The Autotask user may not read invoices",
        "Its security level hides them, so an empty answer would look like no invoices.",
        "Give the security level of the API user access to invoices in Autotask. Then press Test connection.",
        CONNECTIONS,
    ),
    "mark_not_allowed": wait(
        Stage.SCOPE,
        "The Autotask user may not mark invoices",
        "The Autotask user may not write the mark of a transferred invoice",
        "The mark is the last step of a transfer; without it other tools take the invoice for a new one.",
        "Give the security level of the API user the right to edit invoices in Autotask. Then press Test connection.",
        CONNECTIONS,
    ),
    "work_stuck": wait(
        Stage.LEDGER,
        "Work has not moved for five minutes",
        "Nothing has moved since {since}",
        "The process that worked on it ended or hangs; what it sent is looked up before anything goes again.",
        "Open Tools, Clear In-Process Status, and press Clear.",
        ("Clear In-Process Status", "in_process"),
    ),
    "sync_is_off": wait(
        Stage.SCOPE,
        "Syncing is off",
        "Syncing is off: nothing is posted by itself",
        "That is the state chosen in Settings, Invoices.",
        "Switch syncing on in Settings, or press Sync Now.",
        SETTINGS,
    ),
    "outside_window": wait(
        Stage.SCOPE,
        "Older than the window that is read",
        "Autotask created it on {created}; only the last {days} days are read",
        "An invoice that a sync never saw is not read once it is older than the window.",
        "Use Manually Copy an Invoice for this one, or widen Invoice Max Age in Settings.",
        ("Manually Copy an Invoice", "manual_copy"),
    ),
    "not_in_source": wait(
        Stage.SCOPE,
        "Autotask does not show such an invoice",
        "Autotask shows no invoice {wanted}",
        "No invoice has this id or number, or the API user may not see it.",
        "Check the id in Autotask. If it is there, give the API user's security level access to it.",
        CONNECTIONS,
    ),
    "sides_differ": wait(
        Stage.LEDGER,
        "Autotask and the ledger differ",
        "{what}: {source} in Autotask, {ledger} in {the_ledger}",
        "It was changed on one side after it was transferred, or written by somebody else.",
        "Open the document and press Resync: it shows both sides and writes nothing before you say so.",
        DOCUMENT,
    ),
    "number_in_ledger": wait(
        Stage.NUMBER,
        "The ledger has a document of this number that is not ours",
        "{the_ledger} has a document numbered {number} that was not made here",
        "It was typed by a person or written by another program.",
        "Use Manually Copy an Invoice: it shows both side by side and offers to link them.",
        ("Manually Copy an Invoice", "manual_copy"),
    ),
    "limit_near": wait(
        Stage.LEDGER,
        "A limit of calls is nearly used up",
        "{used} of {most} calls of {name} are used",
        "Each platform allows a number of calls; other programs may use the same allowance.",
        "Nothing needs doing: work waits and goes on by itself. Run other integrations at another time.",
    ),
}
