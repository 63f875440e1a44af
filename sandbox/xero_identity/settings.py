"""Times, scopes and switches of the simulated Xero identity.

Source: Xero, guides/oauth2 (auth-flow, scopes, token-types, limits); what they leave open is a switch.
"""

from __future__ import annotations

from typing import Any

from sandbox.switches import OfSpace

SPACE = "xero_identity"
CODE_SECONDS = 300
ID_TOKEN_SECONDS = 300
ACCESS_SECONDS = 1800
REFRESH_SECONDS = 60 * 86_400  # unused
GRACE_SECONDS = 1800
ISSUER_PATH = "/xero/identity"
AUDIENCE = "https://identity.xero.com/resources"

_SETS = {
    "accounting.invoices": "invoices, bills, credit notes and purchase orders",
    "accounting.payments": "payments",
    "accounting.banktransactions": "bank transactions",
    "accounting.manualjournals": "manual journals",
    "accounting.contacts": "contacts",
    "accounting.settings": "organisation settings: accounts, items, tax rates, tracking",
    "accounting.attachments": "attachments",
}
IDENTITY = {
    "openid": "Sign you in",
    "profile": "See your name",
    "email": "See your e-mail address",
    "offline_access": "Keep access while you are away",
}
SCOPES: dict[str, str] = {
    **IDENTITY,
    **{name: f"Read and write {words}" for name, words in _SETS.items()},
    **{f"{name}.read": f"Read {words}" for name, words in _SETS.items()},
}
"""Granular scopes only: an app of today that asks for `accounting.transactions` gets `invalid_scope`."""

SWITCHES: dict[str, Any] = {
    "grace_second_use": "another",  # the old refresh token inside its grace: "another" pair | the "same" one again
    "second_consent_ends_first": False,  # a new consent of a user ends the user's older token set
    "first_auth_event_kept": False,  # a renewed connection keeps its first authEventId
    "bulk_connections": False,  # several organisations may be chosen in one consent (Advanced tier)
    "bulk_refusal_honoured": True,  # acr_values=bulk_connect:false makes it one even so
    "tier": "core",  # "starter": 5 connections, 1,000 calls a day; "core": 50 and 5,000
    "numeric_loopback_refused": False,  # Xero refuses http://127.0.0.1 as a redirect address
    "launcher_path": "/launch/xero",  # what the app launcher opens, below the app's address
    "nonce_echoed": True,
}
CONNECTIONS = {"starter": 5, "core": 50}
DAY_CALLS = {"starter": 1000, "core": 5000}

_OWN = OfSpace(SPACE, SWITCHES)
switch, set_switches = _OWN.value, _OWN.change
