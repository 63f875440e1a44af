"""Home of one company: money, what is synced, days, latest runs, what needs a person, the set-up list."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import g, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from blueprints.access import Need, may
from blueprints.causes import title
from blueprints.context import company, db, now
from blueprints.home import approve, pause
from blueprints.home.routes import blueprint
from blueprints.logs.history import run_row
from blueprints.queries import Totals, sums, waiting_documents
from blueprints.shell import count_faults, last_look, ledger_names
from blueprints.tools import reconcile
from blueprints.tools.sync_now import running_run
from domain.formats import format_day, format_moment, format_plural, format_totals
from domain.mails import Event
from domain.settings import InvoiceSettings, SyncState
from domain.statuses import Status
from models import Document, Grant, Run
from sync import addresses, alerts, connection, credentials, line_figures, reports, settings, taxsums, todo_state
from sync.areas import INVOICES, ORDERS, Area

DAYS = 14
CONSENT_ENDS = timedelta(days=30)

SYNC_WORDS = {
    SyncState.ON: "On", SyncState.REVIEW: "Review", SyncState.OFF: "Off", SyncState.NEXT_BATCH: "Next batch",
}  # fmt: skip


ON_WORDS = {word for state, word in SYNC_WORDS.items() if state is not SyncState.OFF}


@blueprint.get("/c/<int:company_id>/")
def index(company_id: int) -> ResponseReturnValue:
    zone = ZoneInfo(company().time_zone)
    today = now().astimezone(zone).date()
    current = settings.load_invoices(db(), company_id)
    faults, running = count_faults(company_id), running_run()
    ready = company().first_posted_at is not None
    runs = db().scalars(select(Run).where(Run.company_id == company_id).order_by(Run.id.desc()).limit(5)).all()
    return render_template(
        "home/index.html",
        today=today,
        lead=_lead(faults, running, automatic=current.sync_state is not SyncState.OFF),
        stats=_stats(company_id, today, zone),
        faults=faults,
        month_figures=_month_figures(company_id, zone),
        next_look=_next_look(current),
        mail_sentence=_mail_sentence(current),
        products=_products(company_id, current),
        days=_days(company_id, today, zone),
        runs=[run_row(run) for run in runs],
        needs=_needs(company_id),
        setup=_setup(current),
        running=running,
        paused=pause.note(),
        reconciled=reconcile.newest(company_id),
        may_sync=ready and may(g.role, Need.STAFF),
        first_posting_url=url_for("connect.first_posting") if not ready and company().setup_step == "first" else "",
    )


def _lead(faults: int, running: dict[str, Any] | None, *, automatic: bool) -> str:
    if running:
        return f"A run is on: {running['text']}"
    if faults:
        rest = "goes by itself" if automatic else "goes when somebody presses Sync Now"
        return f"{format_plural(faults, 'document waits', 'documents wait')} for you; everything else {rest}."
    return "Nothing waits for you."


def _stats(company_id: int, today: date, zone: ZoneInfo) -> list[dict[str, Any]]:
    this_month = Document.completed_at >= _month(zone)
    posted, posted_totals = sums(db(), company_id, Document.status == Status.COMPLETE, this_month)
    pending, pending_totals = waiting_documents(db(), company_id)
    faults, fault_totals = sums(db(), company_id, Document.status == Status.FAULT)
    skipped, skipped_totals = sums(db(), company_id, Document.status == Status.SKIPPED)
    documents = url_for("home.documents", tab="complete")
    return [
        _stat("Posted this month", posted, posted_totals, documents),
        _stat("On its way", pending, pending_totals, url_for("home.documents")),
        _stat("Needs you", faults, fault_totals, url_for("logs.errors")),
        _stat("Skipped Over", skipped, skipped_totals, url_for("home.documents", tab="skipped")),
    ]


def _month_figures(company_id: int, zone: ZoneInfo) -> list[str]:
    """Rounding lines and lines on the default account, of this month and of the one whose books are being closed."""
    this = _month(zone)
    last = (this - timedelta(days=1)).replace(day=1)
    told = []
    for name, since, until in (("This month", this, now()), ("Last month", last, this)):
        within = (Document.completed_at >= since, Document.completed_at < until)
        said = line_figures.of_documents(db(), company_id, *within).sentences
        told += [f"{name}: {' '.join(said)}"] if said else []
    return told


def _month(zone: ZoneInfo) -> datetime:
    """The first moment of this month, in the company's zone."""
    return now().astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _stat(label: str, count: int, totals: Totals, href: str) -> dict[str, Any]:
    """Money in large figures where there is one currency, else the count with all sums beneath."""
    if len(totals) > 1:
        return {"label": label, "text": f"{count:,}", "note": format_totals(totals), "href": href}
    currency, amount = totals[0] if totals else (company().currency or "USD", Decimal(0))
    return {
        "label": label,
        "amount": amount,
        "currency": currency or "USD",
        "note": format_plural(count, "document"),
        "href": href,
    }


def _next_look(current: InvoiceSettings) -> str:
    look = last_look(company())
    said = f"{look[0].upper()}{look[1:]}. " if look else ""
    if current.sync_state is SyncState.OFF:
        return f"{said}Automatic syncing is off: documents are found, and posted when somebody presses Sync Now."
    return f"{said}Autotask is asked every minute."


def _mail_sentence(current: InvoiceSettings) -> str:
    first = reports.connected_address(db(), company().id)
    addresses = [each for each in (first, *current.recipients) if each]
    return f"Reports go to {', '.join(dict.fromkeys(addresses))}." if addresses else ""


def _products(company_id: int, current: InvoiceSettings) -> list[dict[str, Any]]:
    """Invoices, and purchase orders once their days are set or one was read."""
    links = [("Settings", url_for("settings.invoices")), ("Tools", url_for("tools.index"))]
    shown = [
        _product(
            company_id, INVOICES, "Invoices", "Invoices and credit memos", url_for("home.documents", tab="all"),
            SYNC_WORDS[current.sync_state], links,
        )
    ]
    orders = settings.load_orders(db(), company_id)
    if not orders.paused or _count(company_id, ORDERS):
        word = "Paused" if orders.paused else "On" if orders.active else "By hand"
        links = [("Settings", url_for("settings.orders")), ("Logs", url_for("tools.order_logs"))]
        note, url = "Orders and their bills", url_for("tools.orders")
        shown.append(_product(company_id, ORDERS, "Purchase orders", note, url, word, links))
    return shown


def _product(
    company_id: int, area: Area, name: str, note: str, url: str, word: str, links: list[tuple[str, str]]
) -> dict[str, Any]:
    pending, totals = waiting_documents(db(), company_id, Document.kind == area.kind)
    return {
        "name": name, "note": note, "url": url, "sync_kind": "ok" if word in ON_WORDS else "wait", "sync_word": word,
        "pending": pending, "pending_totals": totals, "links": links,
        "faults": _count(company_id, area, Document.status == Status.FAULT),
    }  # fmt: skip


def _count(company_id: int, area: Area, *where: Any) -> int:
    return sums(db(), company_id, Document.kind == area.kind, *where)[0]


def _days(company_id: int, today: date, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Documents by the day they were found, in the company's zone."""
    first = today - timedelta(days=DAYS - 1)
    days = {first + timedelta(days=n): {"complete": 0, "fault": 0, "waiting": 0} for n in range(DAYS)}
    rows = db().execute(
        select(Document.seen_at, Document.status)
        .where(Document.company_id == company_id, Document.before_start.is_(False))
        .where(Document.seen_at >= now() - timedelta(days=DAYS + 1), Document.status != Status.SKIPPED)
    )
    keys = {Status.COMPLETE: "complete", Status.FAULT: "fault"}
    for seen_at, status in rows:
        day = days.get(seen_at.astimezone(zone).date())
        if day is not None:
            day[keys.get(Status(status), "waiting")] += 1
    return [{"day": day, **counts} for day, counts in days.items()]


def _needs(company_id: int) -> list[dict[str, Any]]:
    """Connections to renew first, then the largest causes of Faults."""
    needs = []
    for side in (credentials.LEDGER, credentials.SOURCE):
        row = connection.of(db(), company_id, side)
        if row is not None and row.state in (credentials.RECONNECT, credentials.DISCONNECTED):
            needs.append(
                {
                    "title": "A connection waits for you",
                    "sentence": row.problem or "It was disconnected. Nothing is lost meanwhile.",
                    "action": {"label": "Open Connections", "url": url_for("connect.connections")},
                }
            )
    needs += _consent_needs(company_id)
    needs += _tax_needs(company_id)
    needs += _mail_needs()
    needs += _todo_needs(company_id)
    needs += approve.needs(company_id)
    rows = (
        db()
        .execute(
            select(Document.reason_code, func.count())
            .where(Document.company_id == company_id, Document.status == Status.FAULT)
            .group_by(Document.reason_code)
            .order_by(func.count().desc())
            .limit(4)
        )
        .all()
    )
    needs += [
        {
            "title": title(code),
            "sentence": format_plural(count, "document waits", "documents wait") + " for this.",
            "action": {"label": f"Show {count:,}", "url": url_for("logs.errors", view="document", cause=code or "")},
        }
        for code, count in rows
    ]
    return needs


def _consent_needs(company_id: int) -> list[dict[str, Any]]:
    """A consent that ends for good, whatever is renewed (Intuit: five years), is renewed by a person in time."""
    row = connection.of(db(), company_id, credentials.LEDGER)
    grant = db().get(Grant, row.grant_id) if row is not None and row.grant_id else None
    end = grant.hard_expires_at if grant is not None and grant.ended_at is None else None
    if end is None or end - now() > CONSENT_ENDS:
        return []
    return [{
        "title": f"The consent in {{the_ledger}} ends on {format_day(end.date())}",
        "sentence": "It lasts for so long only, however often it is used. Reconnect before; nothing else changes.",
        "action": {"label": "Open Connections", "url": url_for("connect.connections")},
    }]  # fmt: skip


def _tax_needs(company_id: int) -> list[dict[str, Any]]:
    """After the first answer that did not repeat the tax that was sent (R15): both figures, and the setting."""
    ledger = ledger_names(company())[1]
    sentence = taxsums.warning(db(), company_id, ledger)
    if not sentence:
        return []
    action = {"label": "Open the tax setting", "url": url_for("settings.invoices", _anchor="section-tax")}
    return [{"title": f"{ledger} books a tax of its own", "sentence": sentence, "action": action}]


def _todo_needs(company_id: int) -> list[dict[str, Any]]:
    """Error to-dos that cannot be written because of what became of their person or action type."""
    waiting = todo_state.problem_of(db(), company_id)
    if waiting is None:
        return []
    action = {"label": "Open Settings", "url": url_for("settings.invoices", _anchor="section-todos")}
    sentence = f"{waiting.sentence()}. To-dos wait; documents do not."
    return [{"title": waiting.entry.title, "sentence": sentence, "action": action}]


def _mail_needs() -> list[dict[str, Any]]:
    """Syncing that stands still, and problems that nobody would hear of."""
    needs = []
    since = alerts.silent_since(db(), company(), now())
    if since is not None:
        needs.append(
            {
                "title": "Nothing was checked for 24 hours",
                "sentence": f"The last successful check was {format_moment(since, company().time_zone)}. "
                "A connection may be lost, or Bookbridge's worker or scheduler does not run.",
                "action": {"label": "Open Connections", "url": url_for("connect.connections")},
            }
        )
    if company().first_posted_at is not None and Event.PROBLEMS in addresses.nobody_hears(db(), company().id):
        needs.append(
            {
                "title": "Nobody gets problems by mail",
                "sentence": "No address is set for them, or each of them declined or bounces.",
                "action": {"label": "Open Settings, Mails", "url": url_for("settings.mails")},
            }
        )
    return needs


def _setup(current: InvoiceSettings) -> list[dict[str, Any]]:
    """The set-up list; empty once everything is done."""
    found, saved = company(), settings.newest(db(), company().id)
    step = found.setup_step
    connected = step not in ("source", "review")
    entries = [
        ("{the_ledger} connected", True, "", ""),
        ("Autotask connected", found.source_tenant is not None, url_for("connect.autotask"), ""),
        ("Reviewed, first scan started", connected, url_for("connect.review"), ""),
        (
            "Settings saved",
            saved is not None and saved.saved_by is not None,
            url_for("settings.invoices"),
            "Five questions",
        ),
        (
            "First invoice posted by hand",
            found.first_posted_at is not None,
            url_for("connect.first_posting") if connected else "",
            "You choose it and look at it",
        ),
        (
            "Automatic syncing",
            current.sync_state is SyncState.ON,
            url_for("settings.invoices"),
            "Optional; off until you say so",
        ),
    ]
    if all(done for _, done, _, _ in entries[:-1]):
        return []
    return [{"label": label, "done": done, "url": url, "hint": hint} for label, done, url, hint in entries]
