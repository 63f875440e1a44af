"""The one table of who may do what: every endpoint and the least role it asks for. Nothing is allowed by default.

An endpoint that is missing here stops the application from starting. `anonymous` also means that the view
itself decides what a visitor sees. Endpoints of a company are under `/c/<company_id>/`.
"""

from __future__ import annotations

from enum import StrEnum

from flask import Flask


class Need(StrEnum):
    """The least a visitor must be. Roles of a company: viewer looks, staff uses the tools, admin connects and sets."""

    ANONYMOUS = "anonymous"
    USER = "user"
    VIEWER = "viewer"
    STAFF = "staff"
    ADMIN = "admin"
    DEMO = "demo"


A, U, V, S, M, D = Need.ANONYMOUS, Need.USER, Need.VIEWER, Need.STAFF, Need.ADMIN, Need.DEMO

ENDPOINTS: dict[str, Need] = {
    "static": A,
    "health.healthz": A,
    "health.readyz": A,
    # whoever runs the installation: the view asks for its set-up token
    "setup.index": A,
    "setup.enter": A,
    "help.errors": A,
    "help.error": A,
    "help.known": A,
    # links in mails: the signed token says which company and address
    "mails.report": A,
    "mails.confirm": A,
    "mails.report_csv": A,
    "mails.preferences": A,
    "mails.save_preferences": A,
    "mails.unsubscribe": A,
    "mails.unsubscribe_now": A,
    "mails.bounce": A,
    # launch, sign-in, connection
    "connect.start": A,
    "connect.launch": A,
    "connect.consent": A,
    "connect.get_intuit": A,
    "connect.get_xero": A,
    "connect.intuit_start": A,
    "connect.intuit_callback": A,
    "connect.xero_start": A,
    "connect.xero_callback": A,
    "connect.launch_xero": A,
    "connect.join": A,
    "connect.join_now": A,
    "connect.join_not": A,
    "connect.join_apart": A,
    "home.open_marker": U,
    "connect.problem": A,
    "connect.denied": A,
    "connect.reconnect": A,
    "connect.disconnected": A,
    "connect.invitation": A,
    "connect.accept_invitation": A,
    "connect.autotask": M,
    "connect.save_autotask": M,
    "connect.review": M,
    "connect.finish": M,
    "connect.connections": V,
    "connect.disconnect": M,
    "connect.disconnect_now": M,
    "connect.first_scan": V,
    "connect.scan_again": S,
    "connect.first_scan_live": V,
    "connect.first_posting": V,
    "connect.first_posting_post": S,
    "connect.post_rest": S,
    "connect.automatic": M,
    # home
    "home.boards": U,
    "home.resume": S,
    "home.index": V,
    "home.documents": V,
    "home.documents_csv": V,
    "home.bulk": S,
    "home.skip": S,
    "home.accept_difference": S,
    "home.document": V,
    "home.trace": S,
    "home.switch_trace": S,
    "home.trace_file": S,
    "home.retry": S,
    "home.unskip": S,
    "home.include": S,
    "home.resync": S,
    "home.mark_again": S,
    "home.void": S,
    "home.correct": S,
    "home.keep": S,
    "home.post_anyway": S,
    "home.order_decision": S,
    "home.mail_sent": S,
    "home.mail_again": S,
    "home.approve": S,
    "home.approve_all": M,
    "home.attach_again": S,
    "home.open_in": V,
    "home.review": V,
    "home.release_documents": S,
    "home.hold": S,
    "home.hold_customer": S,
    "home.release_hold": S,
    "home.preview": S,
    "home.post_now": S,
    "home.customer": S,
    "home.choose_customer": S,
    "home.no_company": S,
    "home.no_company_one": S,
    "home.no_company_all": M,
    # settings
    "settings.index": V,
    "settings.invoices": V,
    "settings.save_invoices": M,
    "settings.orders": V,
    "settings.save_orders": M,
    "settings.review_orders": V,
    "settings.connect_orders": M,
    "settings.activate_orders": M,
    "settings.save_vendor": M,
    "settings.lines": V,
    "settings.save_line": M,
    "settings.currencies": V,
    "settings.confirm_currencies": M,
    "settings.tax_map": V,
    "settings.save_tax_map": M,
    "settings.history": V,
    "settings.mails": V,
    "settings.mail_address": M,
    "settings.compare": V,
    "settings.export": V,
    "settings.import_page": M,
    "settings.import_file": M,
    "settings.wanted_page": V,
    "settings.wanted_live": V,
    "settings.wanted_csv": V,
    "settings.save_wanted": M,
    "settings.drop_wanted": M,
    "settings.lists": V,
    "settings.refresh_lists": S,
    "settings.people": V,
    "settings.invite": M,
    "settings.role": M,
    "settings.ask_remove": M,
    "settings.remove": M,
    "settings.withdraw": M,
    # tools
    "tools.index": V,
    "tools.sync_now": V,
    "tools.do_sync": S,
    "tools.check": V,
    "tools.do_check": S,
    "tools.compare": V,
    "tools.do_compare": S,
    "tools.do_compare_lists": S,
    "tools.accept_exact": S,  # tax codes: admins only, asked in the view
    "tools.choose_match": S,
    "tools.manual_copy": V,
    "tools.do_manual_copy": S,
    "tools.decide_copy": S,
    "tools.orders": V,
    "tools.include_order": S,
    "tools.sync_po": V,
    "tools.do_sync_po": S,
    "tools.order_logs": V,
    "tools.order_log": V,
    "tools.retry_order": S,
    "tools.reconcile": V,
    "tools.do_reconcile": S,
    "tools.cut_off_csv": V,
    "tools.troubleshoot": V,
    "tools.do_troubleshoot": S,
    "tools.result_bundle": S,
    "tools.in_process": V,
    "tools.clear": S,
    "tools.result": V,
    "tools.result_live": V,
    "tools.result_csv": V,
    # logs
    "logs.history": V,
    "logs.run": V,
    "logs.run_live": V,
    "logs.run_status": V,
    "logs.run_csv": V,
    "logs.stop": S,
    "logs.stop_now": S,
    "logs.resubmit": S,
    "logs.send_again": S,
    "logs.errors": V,
    "logs.errors_csv": V,
    "logs.retry_all": S,
    "logs.steps": V,
    # account
    "account.profile": U,
    "account.theme": U,
    "account.end_session": U,
    "account.sign_out": U,
    "account.demo": D,
    "account.demo_sign_in": D,
}

OF_A_COMPANY = (Need.VIEWER, Need.STAFF, Need.ADMIN)


class Unlisted(Exception):
    """An endpoint without a row in the table, or a row that cannot be kept."""


def check(app: Flask) -> None:
    """Compare the table with the application's routes. Raises Unlisted at start, long before a visitor comes."""
    rules = {rule.endpoint: rule for rule in app.url_map.iter_rules()}
    missing = sorted(set(rules) - set(ENDPOINTS))
    stale = sorted(set(ENDPOINTS) - set(rules))
    if missing or stale:
        raise Unlisted(f"without a role: {missing}; in the table but not an endpoint: {stale}")
    for endpoint, rule in rules.items():
        scoped = "company_id" in rule.arguments
        if scoped != (ENDPOINTS[endpoint] in OF_A_COMPANY):
            raise Unlisted(f"{endpoint}: roles of a company and addresses under /c/ belong together")


def need_of(app: Flask, endpoint: str) -> Need:
    """By the table. The demo's application, which has pages that no other one has, brings their roles along."""
    return ENDPOINTS.get(endpoint) or Need(app.extensions["further_roles"][endpoint])


def may(role: str | None, need: Need) -> bool:
    """Whether somebody with this role in the company reaches what asks for `need`."""
    order = [str(each) for each in OF_A_COMPANY]
    return role in order and order.index(role) >= order.index(need)
