"""As what a document is created in a ledger that knows drafts, and what it becomes afterwards. Pure."""

from __future__ import annotations

from domain.known import Facts
from domain.settings import InitialStatus


def arrival(chosen: InitialStatus, facts: Facts, *, draft_first: bool) -> tuple[str, str]:
    """The status it is created with, and the one that follows once it is certainly there ("": it stays).

    `draft_first`: the ledger refuses no second copy of it, because it numbers it by itself or keeps its number unique
    for nobody. Of a draft a second copy does no harm until somebody has looked for it.
    """
    if not facts.can_promote:
        return InitialStatus.APPROVED, ""
    if draft_first and chosen is not InitialStatus.DRAFT:
        return InitialStatus.DRAFT, chosen
    return chosen, ""
