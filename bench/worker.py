"""`python -m bench.worker FILE ARGUMENTS…`: a process of `python -m workers` that leaves its peak memory in FILE.

RQ forks a process for each job; the kernel keeps the highest resident size of those for their parent, which is
exact where looking from outside now and then is not.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from workers.__main__ import main

# ru_maxrss is in kibibytes on Linux and in bytes on macOS (getrusage(2)).
UNIT = 1024 * 1024 if sys.platform == "darwin" else 1024


def own_peak() -> float:
    """Highest resident size of this process in MB. ru_maxrss would include whoever started it (before exec)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / UNIT
    line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def usage() -> dict[str, float]:
    """Peak of this process and of its forked jobs in MB, and the processor seconds of all of them."""
    own, jobs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "own_mb": own_peak(),
        "jobs_mb": jobs.ru_maxrss / UNIT,
        "processor_seconds": own.ru_utime + own.ru_stime + jobs.ru_utime + jobs.ru_stime,
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    try:
        code = main(sys.argv[2:])
    finally:
        target.write_text(json.dumps(usage()))
    sys.exit(code)
