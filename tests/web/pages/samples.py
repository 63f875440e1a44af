"""One sample context for every page template and its important states: `PAGES[name] = (template, context)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.web.pages import connect_samples, home_samples, log_samples, settings_samples, tool_samples
from tests.web.pages.facts import demo_strip, error_context, shell, style_guide

__all__ = ["PAGES", "shell"]

Context = Callable[[], dict[str, Any]]

PAGES: dict[str, tuple[str, Context]] = {
    "style-guide": ("style-guide.html", style_guide),
    "home": ("home/index.html", home_samples.home),
    "home-new": ("home/index.html", home_samples.home_new),
    "documents": ("home/documents.html", home_samples.documents),
    "documents-viewer": ("home/documents.html", home_samples.documents_viewer),
    "documents-none": ("home/documents.html", home_samples.documents_none),
    "documents-search": ("home/documents.html", home_samples.documents_search),
    "document": ("home/document.html", home_samples.document),
    "document-fault": ("home/document.html", home_samples.document_fault),
    "skip": ("home/skip_confirm.html", home_samples.skip),
    "boards": ("home/boards.html", home_samples.boards),
    "boards-none": ("home/boards.html", home_samples.boards_none),
    "start": ("connect/start.html", connect_samples.start),
    "consent": ("connect/consent.html", connect_samples.consent),
    "autotask": ("connect/autotask.html", connect_samples.autotask),
    "autotask-refused": ("connect/autotask.html", connect_samples.autotask_refused),
    "review": ("connect/review.html", connect_samples.review),
    "connections": ("connect/connections.html", connect_samples.connections),
    "disconnect": ("connect/disconnect_confirm.html", connect_samples.disconnect),
    "disconnected": ("connect/disconnected.html", connect_samples.disconnected),
    "denied": ("connect/denied.html", connect_samples.denied),
    "invite": ("connect/invite.html", connect_samples.invite),
    "invite-old": ("connect/invite.html", connect_samples.invite_old),
    "scan": ("connect/first_scan.html", connect_samples.scan),
    "scan-done": ("connect/first_scan.html", connect_samples.scan_done),
    "first-choose": ("connect/first_posting.html", connect_samples.first_choose),
    "first-look": ("connect/first_posting.html", connect_samples.first_look),
    "first-sending": ("connect/first_posting.html", connect_samples.first_sending),
    "first-posted": ("connect/first_posting.html", connect_samples.first_posted),
    "first-automatic": ("connect/first_posting.html", connect_samples.first_automatic),
    "settings": ("settings/index.html", settings_samples.index),
    "settings-invoices": ("settings/invoices.html", settings_samples.invoices),
    "settings-errors": ("settings/invoices.html", settings_samples.invoices_errors),
    "settings-reading": ("settings/invoices.html", settings_samples.invoices_reading),
    "settings-history": ("settings/history.html", settings_samples.history),
    "people": ("settings/people.html", settings_samples.people),
    "people-viewer": ("settings/people.html", settings_samples.people_viewer),
    "tools": ("tools/index.html", settings_samples.tools),
    "tools-before": ("tools/index.html", settings_samples.tools_before),
    "sync-now": ("tools/sync_now.html", settings_samples.sync_now),
    "sync-confirm": ("tools/sync_confirm.html", settings_samples.sync_confirm),
    "check": ("tools/check.html", tool_samples.check),
    "check-errors": ("tools/check.html", tool_samples.check_errors),
    "check-result": ("tools/check_result.html", tool_samples.check_result),
    "check-running": ("tools/check_result.html", tool_samples.check_running),
    "check-failed": ("tools/check_result.html", tool_samples.check_failed),
    "check-none": ("tools/check_result.html", tool_samples.check_none),
    "profile": ("account/profile.html", settings_samples.profile),
    "demo": ("account/demo.html", settings_samples.demo),
    "history": ("logs/history.html", log_samples.history),
    "history-none": ("logs/history.html", log_samples.history_none),
    "run": ("logs/run.html", log_samples.run),
    "run-finished": ("logs/run.html", log_samples.run_finished),
    "run-stopped": ("logs/run.html", log_samples.run_stopped),
    "errors": ("logs/errors.html", log_samples.errors),
    "errors-list": ("logs/errors.html", log_samples.errors_list),
    "errors-none": ("logs/errors.html", log_samples.errors_none),
    "steps": ("logs/steps.html", log_samples.steps),
    "stop": ("logs/stop_confirm.html", log_samples.stop),
    "error-500": ("errors/error.html", lambda: error_context(500)),
    "error-404": ("errors/error.html", lambda: error_context(404)),
    "error-503": ("errors/error.html", lambda: error_context(503)),
    "home-demo": ("home/index.html", lambda: {**home_samples.home(), "demo": demo_strip()}),
}
