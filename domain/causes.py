"""Which documents wait for one and the same thing: the key by which causes are told apart. Pure.

Error Logs, to-dos and "retry all of this cause" use the same key: fourteen invoices that lack one item are one
cause, and the invoices that lack another item are a second one.
"""

from __future__ import annotations

from domain.formats import format_plural
from domain.matching import fold
from domain.reasons import Reason

_NAMES = ("item", "name", "region", "party", "account", "closed", "code")
"""Parameters that name the thing to mend, the most telling first. Numbers, dates and amounts of one document do not."""
_NOUNS = {"item": "item", "region": "tax region", "party": "company", "account": "account", "code": "error"}
_NAME_NOUNS = {"customer": "customer", "link": "customer", "item": "item"}
"""What `name` is, by the first word of the code."""
KEY_MAX = 200


def cause_key(why: Reason) -> str:
    """Equal for reasons that one fix mends. At most `KEY_MAX` characters."""
    subject = cause_subject(why)
    return f"{why.code}:{fold(subject)}"[:KEY_MAX] if subject else why.code


def cause_subject(why: Reason) -> str:
    """What the cause is about ("Backup 1TB"); empty where the reason names nothing shared."""
    return next((why.params[name] for name in _NAMES if why.params.get(name)), "")


def code_of(key: str) -> str:
    """The reason's code in a cause's key."""
    return key.partition(":")[0]


def waits_for(why: Reason, count: int) -> str:
    """`14 invoices wait for item “Backup 1TB”`, or for the cause itself where it names nothing shared."""
    waiting = format_plural(count, "invoice waits", "invoices wait")
    name = next((each for each in _NAMES if why.params.get(each)), "")
    noun = _NAME_NOUNS.get(why.code.partition("_")[0], "") if name == "name" else _NOUNS.get(name, "")
    return f"{waiting} for {noun} “{why.params[name]}”" if noun else f"{waiting}: {_lower(why.entry.title)}"


def _lower(text: str) -> str:
    """The first letter small, unless the word is a name as such."""
    return text if text.startswith("Autotask") else text[:1].lower() + text[1:]
