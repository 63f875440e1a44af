"""Tables by area. Imports the standard library, SQLAlchemy and `domain.money` only; no rule lives here."""

from models.base import Base, make_engine, make_sessions
from models.company import (
    Audit,
    Company,
    Connection,
    Grant,
    Identity,
    Installation,
    Invitation,
    Membership,
    OAuthState,
    SettingsVersion,
    User,
    WebSession,
)
from models.documents import Document, Hold, Link, MirrorEntry, MirrorState, PartyEntry
from models.mails import MailAddress, MailRun
from models.postings import Attempt, BatchRow, CompanyLease, ItemClaim, Posting, PostingNeed
from models.runs import Outbox, Run, RunItem, Step, ToolRow, TraceEntry
from models.todos import ErrorMark, ErrorMarkState, FaultFollower, Pause, TodoRow, TodoState
from models.types import KeyRing, SealBroken

__all__ = [
    "Attempt", "Audit", "Base", "BatchRow", "Company", "CompanyLease", "Connection", "Document", "ErrorMark",
    "ErrorMarkState", "FaultFollower", "Grant", "Hold",
    "Identity", "Installation", "Invitation", "ItemClaim", "KeyRing", "Link", "MailAddress", "MailRun", "Membership",
    "MirrorEntry", "MirrorState", "OAuthState", "Outbox", "PartyEntry", "Pause", "Posting", "PostingNeed", "Run",
    "RunItem", "SealBroken", "SettingsVersion", "Step", "TodoRow", "TodoState", "ToolRow", "TraceEntry", "User",
    "WebSession", "make_engine", "make_sessions",
]
