"""Which documents wait for one and the same thing: the key by which causes are told apart. Pure.

Error Logs, to-dos and "retry all of this cause" use the same key: fourteen invoices that lack one item are one
cause, and the invoices that lack another item are a second one.
"""

from __future__ import annotations

from domain.matching import fold
from domain.reasons import Reason

_NAMES = ("item", "name", "region", "tax", "party", "account", "closed", "code")
"""Parameters that name the thing to mend, the most telling first. Numbers, dates and amounts of one document do not."""
KEY_MAX = 200


def cause_key(why: Reason) -> str:
    """Equal for reasons that one fix mends. At most `KEY_MAX` characters."""
    subject = cause_subject(why)
    return f"{why.code}:{fold(subject)}"[:KEY_MAX] if subject else why.code


def cause_subject(why: Reason) -> str:
    """What the cause is about ("Backup 1TB"); empty where the reason names nothing shared."""
    return next((why.params[name] for name in _NAMES if why.params.get(name)), "")
