"""How often one address may knock at the doors that are open to strangers. Counted per web process.

Many people of one firm share an address, so the limits leave room for an office.
"""

from __future__ import annotations

LIMITS: dict[str, str] = {
    "connect.intuit_start": "20 per minute; 200 per hour",
    "connect.get_intuit": "20 per minute; 200 per hour",
    "connect.get_xero": "20 per minute; 200 per hour",
    "connect.intuit_callback": "20 per minute; 200 per hour",
    "connect.xero_start": "20 per minute; 200 per hour",
    "connect.xero_callback": "20 per minute; 200 per hour",
    "connect.join_now": "20 per minute; 200 per hour",
    "connect.join_apart": "20 per minute; 200 per hour",
    "connect.invitation": "20 per minute; 100 per hour",
    "connect.accept_invitation": "10 per minute; 50 per hour",
    "connect.disconnected": "20 per minute",
    "connect.save_autotask": "20 per minute",
    "setup.index": "30 per minute",
    "setup.enter": "5 per minute; 30 per hour",
    "mails.report": "30 per minute; 300 per hour",
    "mails.confirm": "10 per minute; 100 per hour",
    "mails.report_csv": "20 per minute; 200 per hour",
    "mails.preferences": "30 per minute; 300 per hour",
    "mails.save_preferences": "10 per minute; 100 per hour",
    "mails.unsubscribe_now": "60 per minute",
    "mails.bounce": "600 per minute",
    "logs.send_again": "10 per minute; 60 per hour",
    "settings.invite": "20 per minute; 100 per day",
    "account.demo_sign_in": "30 per minute",
}
