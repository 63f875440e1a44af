"""What can go wrong while talking to a platform, named by what to do about it.

Reads and small calls raise these. `Ledger.send` raises only those that prove nothing was written (`NotSent`,
`RetryLater`, `NeedsReconnect`, `NotAllowed`); a lost answer is not an error there but the outcome `Unknown`.
Messages are sentences for people and never contain a secret.
"""

from __future__ import annotations

from datetime import datetime


class PlatformError(Exception):
    """Base. `platform` is the public name ("QuickBooks", "Autotask"), `request_id` the platform's own."""

    def __init__(self, message: str, *, platform: str = "", request_id: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.platform = platform
        self.request_id = request_id


class NotSent(PlatformError):
    """The connection was never made (refused, DNS, TLS): a definite no. Try again later."""


class RetryLater(PlatformError):
    """A limit was reached: a definite no. `until` is an aware UTC instant."""

    def __init__(self, message: str, until: datetime, *, platform: str = "", request_id: str | None = None) -> None:
        super().__init__(message, platform=platform, request_id=request_id)
        self.until = until


class Unavailable(PlatformError):
    """A read failed for a passing reason (5xx, time-out, cut-off answer). Repeating a read is safe."""


class NeedsReconnect(PlatformError):
    """The grant or the secret is no longer accepted: a person must connect again. A definite no."""


class ConsentTooNarrow(NeedsReconnect):
    """The grant works and does not allow this: what is read all the same proves nothing, only a new consent helps."""


class NotAllowed(PlatformError):
    """Signed in, but this user may not do that (missing permission, wrong company). A definite no."""


class BadAnswer(PlatformError):
    """The platform refused a request that we composed; repeating it unchanged cannot help."""
