"""My Apps: where a person launches the app, reconnects it or disconnects it from a company."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.intuit import authorize, settings, tokens, users


def my_apps(world: Any) -> ResponseReturnValue:
    """The page; asks for a sign-in first."""
    user = authorize.signed_in(world)
    if user is None:
        return authorize.sign_in_page("")
    rows = []
    for company in users.companies(world, user):
        grants = world.store.find("intuit", "grant", "realm", company["id"])
        rows.append({**company, "connected": any(not body["revoked"] for body in grants), "ever": bool(grants)})
    return render_template(
        "intuit_myapps.html",
        user=user,
        rows=rows,
        app_url=world.app_url,
        launch_realm=settings.switch(world, "realm_in_launch"),
    )


def disconnect(world: Any) -> ResponseReturnValue:
    """End every grant of a company, then send the browser to the app's disconnect page with the realm."""
    user = authorize.signed_in(world)
    realm = request.form.get("realm", "")
    if user is None or realm not in [company["id"] for company in users.companies(world, user)]:
        page = render_template("intuit_error.html", text="Only an admin may disconnect an app.", detail="not allowed")
        return Response(page, 403)
    tokens.revoke_company(world, realm)
    return redirect(f"{world.app_url}/disconnect/intuit?{urlencode({'realmId': realm})}", 302)
