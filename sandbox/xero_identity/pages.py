"""Where people click in Xero: connected apps with the launcher and Disconnect, and deep links into the books."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from sandbox.xero_identity import authorize, connections, settings, users
from sandbox.xero_identity.settings import SPACE

# The pages of go.xero.com the outside world links to, and what stands behind each in the sandbox.
LINKS = {
    "/accountsreceivable/view.aspx": ("invoice", "InvoiceID"),
    "/accountsreceivable/edit.aspx": ("invoice", "InvoiceID"),
    "/accountspayable/view.aspx": ("invoice", "InvoiceID"),
    "/accountspayable/edit.aspx": ("invoice", "InvoiceID"),
    "/accountsreceivable/viewcreditnote.aspx": ("creditnote", "creditNoteID"),
    "/accountspayable/viewcreditnote.aspx": ("creditnote", "creditNoteID"),
    "/accounts/payable/purchaseorders/view": ("purchaseorder", "purchaseOrderID"),
    "/contacts/view": ("contact", "contactID"),
}


def connected_apps(world: Any) -> ResponseReturnValue:
    """Settings > Connected apps, and the app launcher. Asks for a sign-in first."""
    user = authorize.signed_in(world)
    if user is None:
        return authorize.sign_in_page("")
    rows = [{**row, "connected": connections.connected(world, row["id"])} for row in users.organisations(world, user)]
    launcher = f"{world.app_url}{settings.switch(world, 'launcher_path')}"
    return render_template("xero_apps.html", user=user, rows=rows, launcher=launcher)


def disconnect(world: Any) -> ResponseReturnValue:
    """End the connection in Xero: the app is not told."""
    user = authorize.signed_in(world)
    tenant = request.form.get("tenant", "")
    if user is None or tenant not in [row["id"] for row in users.organisations(world, user)]:
        page = render_template("xero_error.html", text="You may not disconnect this app.", detail="not allowed")
        return Response(page, 403)
    connections.end_of_tenant(world, tenant)
    return redirect("/xero-go", 303)


def deep_link(world: Any) -> ResponseReturnValue:
    """``organisationlogin/default.aspx?shortcode=…&redirecturl=…``: on to the page of the books it stands for."""
    code = request.args.get("shortcode", "")
    row = next((row for row in world.store.all(SPACE, "organisation") if row["shortcode"] == code), None)
    if row is None:
        return Response(render_template("xero_error.html", text="There is no such organisation.", detail=code), 404)
    target = urlsplit(request.args.get("redirecturl", ""))
    query = {name.lower(): values[0] for name, values in parse_qs(target.query).items()}
    kind, member = LINKS.get(target.path.lower().rstrip("/"), ("", ""))
    ident = query.get(member.lower(), target.path.rsplit("/", 1)[-1] if kind else "")
    head, _, last = target.path.rstrip("/").rpartition("/")
    if not kind and head.lower() in LINKS:  # the newer pages have the id in their address
        kind, ident = LINKS[head.lower()][0], last
    return redirect(f"/xero-books/{row['id']}/{kind}/{ident}" if kind else f"/xero-books/{row['id']}", 302)
