"""What a run says it does, with instants in the company's time: “QuickBooks limit, continues at 14:05”."""

from __future__ import annotations

import re
from datetime import datetime

from domain.formats import format_clock

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?(?:[+-]\d{2}:\d{2}|Z)")


def step_words(step: str, zone: str) -> str:
    """`step` holds instants as ISO text in UTC; each becomes a time of day in `zone` (IANA name)."""
    return _INSTANT.sub(lambda found: format_clock(datetime.fromisoformat(found.group()), zone, seconds=True), step)
