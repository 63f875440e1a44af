"""Times and switches of the simulated identity service.

Switches cover what Intuit's documentation leaves open: whether the nonce is echoed, what happens to parallel
refreshes, how long a code lives.
"""

from __future__ import annotations

from typing import Any

from sandbox.switches import OfSpace

ACCESS_SECONDS = 3600
REFRESH_SECONDS = 8_726_400  # 101 days, as in Intuit's own samples; the text says 100
ROTATE_SECONDS = 86_400
GRACE_SECONDS = 86_400
HARD_SECONDS = 157_680_000  # five years from the first authorization
API_SCOPE = "com.intuit.quickbooks.accounting"
SCOPES = {
    API_SCOPE: "Read and write the company's accounting data",
    "openid": "Sign you in",
    "profile": "See your name",
    "email": "See your e-mail address",
    "phone": "See your phone number",
    "address": "See your address",
}

SWITCHES: dict[str, Any] = {
    "echo_nonce": True,  # the id_token repeats the nonce of the authorization request
    "realm_in_id_token": True,
    "parallel_refresh": "kill",  # kill the grant | "refuse" the second one | "allow" both
    "code_seconds": 300,
    "email_verified": True,  # what userinfo says about a confirmed address
    "realm_in_launch": False,  # the launch link of My Apps carries ?realmId=
}

_OWN = OfSpace("intuit", SWITCHES)
switch, set_switches = _OWN.value, _OWN.change
