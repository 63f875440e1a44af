"""What a real installation needs, judged from what was seen of it: what is there, what is missing, what to do. Pure.

Looking around is in `workers/inspection.py`; the page is /setup, the command `python -m workers check`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from domain.formats import format_plural
from domain.ledger_words import words_of

CLOCK_S, CLOCK_FAR_S = 2.0, 15.0
"""A machine's clock is put right by the database's; beyond the second figure sign-ins with a ledger begin to fail."""
BEAT_S = 60.0
"""A scheduler looks every second and says so every five."""
LETTERS = 16
"""Different characters that a random secret of 32 has at the very least."""
WORKER = "python -m workers worker"
FEW = 5
"""So many companies are named; the rest is counted."""


class Kind(StrEnum):
    """`WAIT`: not known, because something above it is missing."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"
    WAIT = "wait"


class Area(StrEnum):
    ADDRESS = "Address and keys"
    DATABASE = "Database"
    QUEUE = "Queue and processes"
    MAIL = "Mail"
    LEDGERS = "Marketplaces"
    COMPANIES = "Companies"


class Answer(StrEnum):
    """How something that was asked answered."""

    GOOD = "good"
    REFUSED = "refused"
    AWAY = "away"
    OTHER = "other"
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the page. `todo` is empty where nothing is to be done."""

    area: Area
    title: str
    kind: Kind
    found: str
    todo: str = ""


@dataclass(frozen=True, slots=True)
class Marketplace:
    """One ledger. `app`: whether the service knows the client id and secret. `development`: keys of test companies."""

    ledger: str
    offered: bool
    app: Answer = Answer.NOT_ASKED
    development: bool = False


@dataclass(frozen=True, slots=True)
class Connected:
    """One company with the state of its two connections; an empty state means that there is none yet."""

    name: str
    ledger: str
    ledger_state: str
    source_state: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen. Times in seconds; None where it could not be asked."""

    public_url: str
    simulated: bool
    secret_letters: int
    reached: Answer
    database: Answer
    """OTHER: it is there, its tables are not the newest. REFUSED: they are those of a newer release."""
    database_kind: str
    clock_apart_s: float | None
    sealed: int
    unreadable: int
    queue: Answer
    queue_keeps: bool | None
    queue_evicts: bool | None
    serving: int
    answering: int
    """Living workers that serve companies, and those for what people wait for."""
    beat_age_s: float | None
    mail: Answer
    mail_from: str
    marketplaces: tuple[Marketplace, ...]
    integration_code: bool
    companies: tuple[Connected, ...]
    admins: int


def findings(seen: Seen) -> list[Finding]:
    """Every check in the order of the page."""
    return [
        _address(seen), _reached(seen), _secret(seen), *_database(seen), *_queue(seen), _mail(seen), _sender(seen),
        *(_marketplace(each, simulated=seen.simulated) for each in seen.marketplaces), _offered(seen),
        _integration_code(seen), *_companies(seen),
    ]  # fmt: skip


def ready(found: Iterable[Finding]) -> bool:
    """Whether nothing is missing. Warnings do not count."""
    return all(each.kind in (Kind.OK, Kind.WARN) for each in found)


# ---- address and keys ---------------------------------------------------------------------------------------


def _address(seen: Seen) -> Finding:
    title, parts = "Public address", urlsplit(seen.public_url)
    if parts.path.strip("/") or parts.query or parts.fragment:
        todo = "Set PUBLIC_URL to scheme, host and port alone."
        return Finding(Area.ADDRESS, title, Kind.BAD, f"{seen.public_url} holds more than a host.", todo)
    if parts.scheme == "https" and not _local(parts.hostname or ""):
        return Finding(Area.ADDRESS, title, Kind.OK, seen.public_url)
    if seen.simulated:
        found = f"{seen.public_url}: enough for simulated platforms, not for real ones."
        return Finding(Area.ADDRESS, title, Kind.WARN, found)
    todo = (
        "Set PUBLIC_URL to the https address of a real domain. The marketplaces refuse other redirect addresses, and "
        "cookies are only kept from eavesdroppers over https."
    )
    return Finding(Area.ADDRESS, title, Kind.BAD, f"{seen.public_url} is not an https address of a domain.", todo)


def _local(host: str) -> bool:
    """Hosts that only this machine or network knows."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".local", ".localhost", ".internal"))
    return True


def _reached(seen: Seen) -> Finding:
    title = "Reachable under that address"
    if seen.reached is Answer.GOOD:
        return Finding(Area.ADDRESS, title, Kind.OK, "It leads to Bookbridge.")
    if seen.reached is Answer.OTHER:
        todo = "Let the address lead to the web process: check the DNS entry and the proxy's target."
        return Finding(Area.ADDRESS, title, Kind.BAD, "Something else than Bookbridge answers there.", todo)
    todo = (
        "Check DNS, certificate and proxy. Some networks do not let a machine reach its own public address: if "
        "/healthz opens from elsewhere, this is harmless."
    )
    return Finding(Area.ADDRESS, title, Kind.WARN, "This machine gets no answer there.", todo)


def _secret(seen: Seen) -> Finding:
    title = "SECRET_KEY"
    if seen.secret_letters >= LETTERS:
        return Finding(Area.ADDRESS, title, Kind.OK, "Set, and varied enough to be random.")
    todo = "Make a random one: python -c 'import secrets; print(secrets.token_urlsafe(48))'. Links in old mails end."
    return Finding(Area.ADDRESS, title, Kind.BAD, "It has too few different characters to be random.", todo)


# ---- database -----------------------------------------------------------------------------------------------


def _database(seen: Seen) -> list[Finding]:
    title = "Database"
    if seen.database is Answer.GOOD:
        one = seen.database_kind == "sqlite"
        found = f"{seen.database_kind}, tables up to date." + (" One machine only; fine for one firm." if one else "")
        first = Finding(Area.DATABASE, title, Kind.OK, found)
    elif seen.database is Answer.OTHER:
        todo = "Run python -m workers migrate (the release process), then start the others."
        first = Finding(Area.DATABASE, title, Kind.BAD, "It is there, but its tables are not the newest.", todo)
    elif seen.database is Answer.REFUSED:
        todo = "Start that release. To go back, restore the backup that was made before it was installed."
        first = Finding(Area.DATABASE, title, Kind.BAD, "Its tables belong to a newer release than this one.", todo)
    else:
        todo = "Check DATABASE_URL, and that the server runs and lets this machine in."
        first = Finding(Area.DATABASE, title, Kind.BAD, "It does not answer.", todo)
    return [first, _clock(seen), _keys(seen)]


def _clock(seen: Seen) -> Finding:
    title, apart = "Clock", seen.clock_apart_s
    if apart is None:
        return Finding(Area.DATABASE, title, Kind.WAIT, "Compared with the database's once that answers.")
    told = f"{abs(apart):.1f} seconds from the database's."
    if abs(apart) <= CLOCK_S:
        return Finding(Area.DATABASE, title, Kind.OK, told)
    kind = Kind.WARN if abs(apart) <= CLOCK_FAR_S else Kind.BAD
    return Finding(Area.DATABASE, title, kind, told, "Let both machines follow a time server (NTP).")


def _keys(seen: Seen) -> Finding:
    title = "Encryption keys"
    if seen.database is not Answer.GOOD:
        return Finding(Area.DATABASE, title, Kind.WAIT, "Tried on what is stored once the database is ready.")
    if seen.unreadable:
        found = f"{format_plural(seen.unreadable, 'stored secret does', 'stored secrets do')} not open with them."
        todo = "Add the key they were sealed with to ENCRYPTION_KEYS, behind the new one. If it is lost: connect again."
        return Finding(Area.DATABASE, title, Kind.BAD, found, todo)
    found = f"All {seen.sealed:,} stored secrets open." if seen.sealed else "Well-formed; nothing is stored yet."
    return Finding(Area.DATABASE, title, Kind.OK, found)


# ---- queue and processes ------------------------------------------------------------------------------------


def _queue(seen: Seen) -> list[Finding]:
    title = "Redis"
    if seen.queue is not Answer.GOOD:
        todo = "Check REDIS_URL, and that the server runs and lets this machine in."
        first = Finding(Area.QUEUE, title, Kind.BAD, "It does not answer. Pages work; nothing is posted.", todo)
    elif seen.queue_evicts:
        todo = "Set maxmemory-policy noeviction, or give this Redis to Bookbridge alone."
        first = Finding(Area.QUEUE, title, Kind.BAD, "It throws entries away when its memory is full.", todo)
    elif seen.queue_keeps is False:
        todo = "Switch on appendonly or a save rule. Without it a restart costs time and call counters, no document."
        first = Finding(Area.QUEUE, title, Kind.WARN, "It answers, but keeps nothing over a restart.", todo)
    else:
        kept = "" if seen.queue_keeps else " Whether it keeps its entries over a restart it does not tell."
        first = Finding(Area.QUEUE, title, Kind.OK, f"It answers.{kept}")
    return [
        first,
        _process(seen, "Worker", seen.serving, WORKER),
        _process(seen, "Worker for what people wait for", seen.answering, f"{WORKER} --queue interactive"),
        _scheduler(seen),
    ]


def _process(seen: Seen, title: str, count: int, command: str) -> Finding:
    if seen.queue is not Answer.GOOD:
        return Finding(Area.QUEUE, title, Kind.WAIT, "Seen once Redis answers.")
    if count:
        return Finding(Area.QUEUE, title, Kind.OK, f"{format_plural(count, 'process', 'processes')} running.")
    return Finding(Area.QUEUE, title, Kind.BAD, "None is running.", f"Start {command}.")


def _scheduler(seen: Seen) -> Finding:
    title = "Scheduler"
    if seen.queue is not Answer.GOOD:
        return Finding(Area.QUEUE, title, Kind.WAIT, "Seen once Redis answers.")
    if seen.beat_age_s is not None and seen.beat_age_s <= BEAT_S:
        age = format_plural(round(seen.beat_age_s), "second")
        return Finding(Area.QUEUE, title, Kind.OK, f"Its last look was {age} ago.")
    found = "It was never seen." if seen.beat_age_s is None else "It has not looked for more than a minute."
    return Finding(Area.QUEUE, title, Kind.BAD, found, "Start python -m workers scheduler.")


# ---- mail ---------------------------------------------------------------------------------------------------


def _mail(seen: Seen) -> Finding:
    title = "Mail server"
    if seen.mail is Answer.GOOD:
        return Finding(Area.MAIL, title, Kind.OK, "It answers, and accepts the account where one is given.")
    if seen.mail is Answer.REFUSED:
        todo = "Check user and password in SMTP_URL; special characters in them are written as %XX."
        return Finding(Area.MAIL, title, Kind.BAD, "It does not accept the account of SMTP_URL.", todo)
    todo = "Check SMTP_URL, and that this machine may reach that port. Reports wait meanwhile and go later."
    return Finding(Area.MAIL, title, Kind.BAD, "It does not answer.", todo)


def _sender(seen: Seen) -> Finding:
    title, host = "Sender of mails", seen.mail_from.rpartition("@")[2].rstrip("> ")
    if "." in host and not _local(host):
        todo = "Where not done: let SPF and DKIM of the domain allow the mail server (docs/mail.md)."
        return Finding(Area.MAIL, title, Kind.OK, seen.mail_from, todo)
    kind = Kind.WARN if seen.simulated else Kind.BAD
    return Finding(Area.MAIL, title, kind, f"{seen.mail_from} is no address of a domain.", "Set MAIL_FROM.")


# ---- marketplaces and companies -----------------------------------------------------------------------------


def _marketplace(market: Marketplace, *, simulated: bool) -> Finding:
    words = words_of(market.ledger)
    title, service = words.ledger_in_full, words.ledger_sign_in
    if not market.offered:
        todo = f"To offer it, register an app at {service} and set its client id and secret (docs/install.md)."
        return Finding(Area.LEDGERS, title, Kind.WARN, "Not offered: no client id is set.", todo)
    if market.app is Answer.REFUSED:
        todo = f"Copy both once more from {service}'s developer pages; keys of another environment do not fit."
        return Finding(Area.LEDGERS, title, Kind.BAD, f"{service} does not know this client id and secret.", todo)
    if market.app is not Answer.GOOD:
        todo = "Check that this machine reaches the internet over https; else wait, the service may be away."
        return Finding(Area.LEDGERS, title, Kind.BAD, f"{service}'s sign-in service does not answer.", todo)
    if simulated:
        return Finding(Area.LEDGERS, title, Kind.WARN, f"{service} is simulated (SANDBOX_URL).",
                       "Take SANDBOX_URL away for real companies.")  # fmt: skip
    if market.development:
        todo = "Set INTUIT_ENVIRONMENT=production, with the production keys, for real companies."
        return Finding(Area.LEDGERS, title, Kind.WARN, f"{service} accepts the app; test companies only.", todo)
    return Finding(Area.LEDGERS, title, Kind.OK, f"{service} answers and accepts the app.")


def _offered(seen: Seen) -> Finding:
    count = sum(each.offered for each in seen.marketplaces)
    title = "A way in"
    if count:
        return Finding(Area.LEDGERS, title, Kind.OK, f"{format_plural(count, 'sign-in service')} offered.")
    return Finding(Area.LEDGERS, title, Kind.BAD, "Nobody can sign in.", "Register at least one of the above.")


def _integration_code(seen: Seen) -> Finding:
    title = "Autotask integration code"
    if seen.integration_code:
        return Finding(Area.LEDGERS, title, Kind.OK, "Set for the installation; companies enter none.")
    found = "Not set for the installation: each company enters the code of its own API user."
    return Finding(Area.LEDGERS, title, Kind.OK, found)


def _companies(seen: Seen) -> list[Finding]:
    if seen.database is not Answer.GOOD:
        return [Finding(Area.COMPANIES, "Companies", Kind.WAIT, "Seen once the database is ready.")]
    if not seen.companies or not seen.admins:
        todo = "Open the public address, press Connect, and sign in: who connects a company first is its admin."
        return [Finding(Area.COMPANIES, "First admin", Kind.WARN, "Nobody has connected a company yet.", todo)]
    found = [Finding(Area.COMPANIES, "First admin", Kind.OK, f"{format_plural(seen.admins, 'admin')}.")]
    for title, state in (("Ledger connections", "ledger_state"), ("Autotask credentials", "source_state")):
        names = [each.name for each in seen.companies if getattr(each, state) != "connected"]
        if names:
            told = ", ".join(names[:FEW]) + (f" and {len(names) - FEW:,} more" if len(names) > FEW else "")
            todo = "An admin of the company opens Connections there; posting waits meanwhile and nothing is lost."
            found.append(Finding(Area.COMPANIES, title, Kind.WARN, f"Not connected: {told}.", todo))
        else:
            text = f"{format_plural(len(seen.companies), 'company', 'companies')} connected."
            found.append(Finding(Area.COMPANIES, title, Kind.OK, text))
    return found
