"""Why an error to-do cannot be written in the source. Told on Settings and Home; no document waits for it."""

from __future__ import annotations

from domain.catalogue.entry import SETTINGS, Again, Entry, Stage, fault

ENTRIES: dict[str, Entry] = {
    "todo_resource_gone": fault(
        Stage.LEDGER,
        "The person of the error to-dos is not available",
        "Error to-dos cannot be assigned to {name} any more",
        "The person was deactivated in Autotask after Settings were saved, or was never active.",
        "Choose somebody else under Error to-dos in Settings. To-dos wait until then; documents do not.",
        SETTINGS,
        again=Again.ITSELF,
    ),
    "todo_action_gone": fault(
        Stage.LEDGER,
        "The action type of the error to-dos is not available",
        "Error to-dos cannot have the action type {name} any more",
        "The action type was deactivated or deleted in Autotask after Settings were saved.",
        "Choose another action type under Error to-dos in Settings. To-dos wait until then; documents do not.",
        SETTINGS,
        again=Again.ITSELF,
    ),
    "todo_lists_hidden": fault(
        Stage.LEDGER,
        "Autotask does not show its people",
        "Autotask does not let its API user see resources and action types",
        "Without them nobody can be chosen for an error to-do.",
        "Give the API user's security level View on resources and on action types, then refresh the lists.",
        SETTINGS,
        again=Again.ITSELF,
    ),
    "todo_refused": fault(
        Stage.LEDGER,
        "Autotask refused an error to-do",
        "Autotask refused the to-do: {message}",
        "The API user may lack the right to edit to-dos, or a value was not accepted. Documents are not held up.",
        "Give the API user Add and Edit on to-dos (CRM). Then save Settings again; it is tried anew every hour.",
        SETTINGS,
        again=Again.ITSELF,
    ),
}
