"""What links in mails open: a report, an address's choices, unsubscribing; and bounces that are reported."""

from blueprints.mails import bounce, preferences, report
from blueprints.mails.routes import blueprint

__all__ = ["blueprint", "bounce", "preferences", "report"]
