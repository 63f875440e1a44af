"""The one place that hands out and renews access tokens; token rows are encrypted, versioned and renewed one at a time.

Protocol (reliability reference 1.8): claim the row by a conditional UPDATE, call the identity service with no
transaction open, store by compare-and-swap on `version`. A token that was replaced stays for its grace
(Intuit: 24 hours, Xero: 30 minutes).
Only two rejections at least a minute apart end a grant; an outage of the token service changes nothing.
How tokens are exchanged is in `connectors/oauth.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from connectors.errors import NeedsReconnect, Unavailable
from connectors.oauth import GrantRejected, TokenSet
from models import Connection, Grant, KeyRing
from sync.runtime import no_failpoint

SPARE = timedelta(minutes=5)
"""A token with less than this left is renewed before it is handed out."""
CLAIM = timedelta(seconds=60)
"""How long one refresher may take; it exceeds the call's own time-outs."""
APART = timedelta(seconds=60)
NAMES = {"intuit": "Intuit", "xero": "Xero"}
"""Who gives the tokens, as people know them, by what `Grant.provider` holds."""
_LOOKS, _LOOK_S = 60, 0.25


class Renews(Protocol):
    """The identity service of one provider, as far as tokens are concerned."""

    @property
    def platform(self) -> str: ...
    @property
    def grace(self) -> timedelta: ...
    def refresh(self, refresh_token: str) -> TokenSet: ...


def _ended(provider: str) -> NeedsReconnect:
    name = NAMES.get(provider, provider)
    return NeedsReconnect(f"{name} no longer accepts this connection. Connect again.", platform=name)


@dataclass(frozen=True, slots=True)
class _Claim:
    grant_id: int
    provider: str
    version: int
    refresh: str
    previous: str | None


class TokenService:
    """One per process, shared by its threads. `pause` waits that many seconds; `worker` names the process."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        key_ring: KeyRing,
        identities: Mapping[str, Renews],
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
        worker: str,
        failpoint: Callable[[str], None] = no_failpoint,
        claim: timedelta = CLAIM,
        patience_s: float = _LOOKS * _LOOK_S,
    ) -> None:
        self._sessions, self._key_ring, self._identities = sessions, key_ring, identities
        self._clock, self._pause, self._worker, self._failpoint = clock, pause, worker, failpoint
        self._claim_for, self._looks = claim, max(1, round(patience_s / _LOOK_S))

    def access_token(self, grant_id: int, *, force: bool = False, rejected: str | None = None) -> str:
        """An access token good for at least some minutes. Safe to call from any process at any time.

        `rejected`: the token the ledger refused with 401; another one is fetched unless somebody did already.
        `force`: ask the identity service whatever the row says (to find out whether the grant is alive).
        Raises: NeedsReconnect (the grant ended), Unavailable (asking again later helps).
        """
        asked_at_version: int | None = None
        for _ in range(self._looks):
            with self._sessions() as db:
                grant = _alive(db, grant_id)
                asked_at_version = grant.version if asked_at_version is None else asked_at_version
                current = self._open(grant, "access_token")
                expires, version = grant.access_expires_at or self._clock(), grant.version
                renewed = grant.version > asked_at_version
                usable = current is not None and current != rejected and (renewed or not force)
            if current is not None and usable and expires > self._clock() + SPARE:
                return current
            claim = self._claim(grant_id, version)
            if claim is not None:
                return self._renew(claim, current if usable and expires > self._clock() else None)
            if current is not None and usable and expires > self._clock():
                return current
            self._pause(_LOOK_S)
        raise Unavailable("The ledger's connection is being renewed. This takes a moment.", platform="")

    def access(self, grant_id: int) -> Access:
        """What a ledger connection asks for its tokens."""
        return Access(self, grant_id)

    # ---- inside -------------------------------------------------------------------------------------------

    def _claim(self, grant_id: int, version: int) -> _Claim | None:
        """Become the one refresher of this version, or None while somebody else is or when a newer one is there."""
        with self._sessions() as db, db.begin():
            now = self._clock()
            claimed = db.execute(
                update(Grant)
                .where(Grant.id == grant_id, Grant.version == version, Grant.ended_at.is_(None))
                .where(or_(Grant.refreshing_until.is_(None), Grant.refreshing_until < now))
                .values(refreshing_until=now + self._claim_for, refreshing_by=self._worker)
                .returning(Grant.id)
            ).scalar_one_or_none()
            if claimed is None:
                return None
            grant = _alive(db, grant_id)
            refresh = self._open(grant, "refresh_token")
            if refresh is None:
                raise _ended(grant.provider)
            in_grace = grant.previous_until is not None and grant.previous_until > now
            previous = self._open(grant, "previous_refresh_token") if in_grace else None
            return _Claim(grant_id, grant.provider, grant.version, refresh, previous)

    def _renew(self, claim: _Claim, still_good: str | None) -> str:
        """Ask the identity service and store the answer. `still_good`: what to hand out when it is away."""
        try:
            tokens = self._ask(claim)
        except GrantRejected as problem:
            self._note_rejection(claim)
            if still_good is not None:
                return still_good
            name = NAMES.get(claim.provider, claim.provider)
            message = f"{name} refused to renew the connection; it is asked once more in a minute."
            raise Unavailable(message, platform=name) from problem
        except Exception:
            self._release(claim)
            if still_good is not None:
                return still_good
            raise
        self._failpoint("in_refresh")
        return self._store(claim, tokens)

    def _ask(self, claim: _Claim) -> TokenSet:
        try:
            return self._identities[claim.provider].refresh(claim.refresh)
        except GrantRejected:
            if claim.previous is None:
                raise
            return self._identities[claim.provider].refresh(claim.previous)

    def _store(self, claim: _Claim, tokens: TokenSet) -> str:
        """Compare-and-swap: when a person connected again meanwhile, what we got is thrown away."""
        with self._sessions() as db, db.begin():
            grant = _alive(db, claim.grant_id, lock=True)
            if grant.version != claim.version:
                current = self._open(grant, "access_token")
                if current is None:
                    raise _ended(claim.provider)
                return current
            if tokens.refresh != claim.refresh:
                grant.previous_refresh_token = self._seal(grant.id, "previous_refresh_token", claim.refresh)
                grant.previous_until = self._clock() + self._identities[claim.provider].grace
            _put(grant, tokens, self._key_ring)
            grant.version = claim.version + 1
            grant.refreshing_until = grant.refreshing_by = grant.rejected_at = None
        return tokens.access

    def _note_rejection(self, claim: _Claim) -> None:
        """The first rejection is remembered, the second one (a minute later or more) ends the grant."""
        ended = False
        with self._sessions() as db, db.begin():
            grant = db.get_one(Grant, claim.grant_id, with_for_update=True)
            if grant.version != claim.version:
                return
            now = self._clock()
            grant.refreshing_until = grant.refreshing_by = None
            if grant.rejected_at is None:
                grant.rejected_at = now
            elif now - grant.rejected_at >= APART:
                grant.ended_at = now
                ended = True
                for connection in db.scalars(select(Connection).where(Connection.grant_id == grant.id)):
                    connection.state, connection.problem = "reconnect", str(_ended(claim.provider))
        if ended:
            raise _ended(claim.provider)

    def _release(self, claim: _Claim) -> None:
        with self._sessions() as db, db.begin():
            db.execute(
                update(Grant)
                .where(Grant.id == claim.grant_id, Grant.version == claim.version)
                .where(Grant.refreshing_by == self._worker)
                .values(refreshing_until=None, refreshing_by=None)
            )

    def _open(self, grant: Grant, field: str) -> str | None:
        sealed: bytes | None = getattr(grant, field)
        return None if sealed is None else self._key_ring.open(sealed, f"grant:{grant.id}:{field}")

    def _seal(self, grant_id: int, field: str, value: str) -> bytes:
        return self._key_ring.seal(value, f"grant:{grant_id}:{field}")


@dataclass(frozen=True, slots=True)
class Access:
    """The tokens of one grant, as `connectors` ask for them. Raises NeedsReconnect or Unavailable, nothing else: a call
    for which our own database has no token just now is a call that was never made, not one whose answer is lost."""

    service: TokenService
    grant_id: int

    def token(self) -> str:
        return self._ask(None)

    def renew(self, rejected: str) -> str:
        return self._ask(rejected)

    def _ask(self, rejected: str | None) -> str:
        try:
            return self.service.access_token(self.grant_id, rejected=rejected)
        except SQLAlchemyError as problem:
            raise Unavailable("This installation's database did not answer when a token was asked for.") from problem


def store_new_grant(
    db: Session, key_ring: KeyRing, *, provider: str, subject: str, tokens: TokenSet, now: datetime
) -> Grant:
    """The grant of a consent just given, in the caller's transaction. A former grant of the subject is replaced:
    its version grows, so a refresh that is on its way cannot overwrite it."""
    wanted = select(Grant).where(Grant.provider == provider, Grant.subject == subject)
    grant = db.scalars(wanted.with_for_update()).one_or_none()
    if grant is None:
        grant = Grant(provider=provider, subject=subject, version=0, created_at=now)
        db.add(grant)
        db.flush()
    grant.version += 1
    grant.previous_refresh_token = grant.previous_until = None
    grant.refreshing_until = grant.refreshing_by = grant.rejected_at = grant.ended_at = None
    grant.hard_expires_at = None
    _put(grant, tokens, key_ring)
    db.flush()
    return grant


def refresh_token_of(grant: Grant, key_ring: KeyRing) -> str | None:
    """The refresh token in clear, to be revoked; None when there is none."""
    if grant.refresh_token is None:
        return None
    return key_ring.open(grant.refresh_token, f"grant:{grant.id}:refresh_token")


def used_elsewhere(db: Session, grant: Grant, connection: Connection) -> bool:
    """Whether another company lives on the same grant."""
    others = select(Connection.id).where(
        Connection.grant_id == grant.id, Connection.id != connection.id, Connection.state != "disconnected"
    )
    return db.execute(others.limit(1)).first() is not None


def destroy(grant: Grant, now: datetime) -> None:
    """Forget every token of the grant, for good. Called in the transaction of a disconnect."""
    grant.access_token = grant.refresh_token = grant.previous_refresh_token = None
    grant.access_expires_at = grant.refresh_expires_at = grant.previous_until = None
    grant.refreshing_until = grant.refreshing_by = None
    grant.version += 1
    grant.ended_at = now


def _put(grant: Grant, tokens: TokenSet, key_ring: KeyRing) -> None:
    grant.access_token = key_ring.seal(tokens.access, f"grant:{grant.id}:access_token")
    grant.refresh_token = key_ring.seal(tokens.refresh, f"grant:{grant.id}:refresh_token")
    grant.access_expires_at, grant.refresh_expires_at = tokens.access_expires_at, tokens.refresh_expires_at
    grant.hard_expires_at = tokens.hard_expires_at or grant.hard_expires_at


def _alive(db: Session, grant_id: int, *, lock: bool = False) -> Grant:
    """`lock`: nobody changes the row until the transaction ends, so that its version can be compared and swapped."""
    grant = db.get(Grant, grant_id, with_for_update=lock)
    if grant is None or grant.ended_at is not None:
        raise _ended(grant.provider if grant is not None else "")
    return grant
