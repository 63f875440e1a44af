"""People: users by issuer and subject, memberships with their roles, invitations. No Flask, no mail text.

A user is known by (issuer, subject) of the sign-in alone, never by an e-mail address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models import Company, Identity, Invitation, Membership, User, WebSession
from models.company import ROLES

INVITATION_LIFE = timedelta(days=7)


class LastAdmin(Exception):
    """A company keeps at least one admin."""


def rank(role: str) -> int:
    """Higher may more; -1 for no role at all."""
    return ROLES.index(role) if role in ROLES else -1


def is_known(db: Session, *, issuer: str, subject: str) -> bool:
    """Whether somebody signed in with this identity before."""
    found = select(Identity.id).where(Identity.issuer == issuer, Identity.subject == subject)
    return db.execute(found).first() is not None


def sign_in(
    db: Session, *, issuer: str, subject: str, name: str, email: str, now: datetime, joins: int | None = None
) -> User:
    """The user of this identity, made when it is new. Name and address follow what the issuer says now.

    `joins`: whose second identity a new one becomes, after that user said so.
    """
    identity = db.scalars(select(Identity).where(Identity.issuer == issuer, Identity.subject == subject)).one_or_none()
    if identity is not None:
        user = db.get_one(User, identity.user_id)
        user.name, user.email = name, email
        return user
    joined = db.get(User, joins) if joins is not None else None
    user = joined or User(name=name, email=email, theme="auto", created_at=now)
    db.add(user)
    db.flush()
    db.add(Identity(user_id=user.id, issuer=issuer, subject=subject, created_at=now))
    db.flush()
    return user


def role_in(db: Session, company_id: int, user_id: int) -> str | None:
    return db.execute(
        select(Membership.role).where(Membership.company_id == company_id, Membership.user_id == user_id)
    ).scalar_one_or_none()


def companies_of(db: Session, user_id: int) -> list[tuple[Company, str]]:
    """Companies with the user's role, by name."""
    rows = db.execute(
        select(Company, Membership.role)
        .join(Membership, Membership.company_id == Company.id)
        .where(Membership.user_id == user_id)
        .order_by(func.lower(Company.name), Company.id)
    )
    return [(company, role) for company, role in rows]


def members(db: Session, company_id: int) -> list[Membership]:
    return list(
        db.scalars(
            select(Membership).join(User).where(Membership.company_id == company_id).order_by(func.lower(User.name))
        )
    )


def admins(db: Session, company_id: int) -> list[User]:
    return [member.user for member in members(db, company_id) if member.role == "admin"]


def add_member(db: Session, company_id: int, user: User, role: str, now: datetime) -> Membership:
    """Join a user to a company. An existing member keeps the higher of both roles."""
    found = db.scalars(
        select(Membership).where(Membership.company_id == company_id, Membership.user_id == user.id)
    ).one_or_none()
    if found is not None:
        if rank(role) > rank(found.role):
            found.role = role
        return found
    membership = Membership(company_id=company_id, user_id=user.id, role=role, created_at=now)
    db.add(membership)
    db.flush()
    return membership


def change_role(db: Session, membership: Membership, role: str) -> None:
    """Raises LastAdmin when nobody would be left who can let others in; their sessions end with the change."""
    if membership.role == "admin" and role != "admin":
        _keep_an_admin(db, membership)
    membership.role = role
    end_sessions(db, membership.user_id)


def remove_member(db: Session, membership: Membership) -> None:
    """Raises LastAdmin for the only admin."""
    if membership.role == "admin":
        _keep_an_admin(db, membership)
    end_sessions(db, membership.user_id)
    db.delete(membership)


def end_sessions(db: Session, user_id: int) -> None:
    """The person signs in again and gets a new session id (after a change of role)."""
    for session in db.scalars(select(WebSession).where(WebSession.user_id == user_id)):
        db.delete(session)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def invite(db: Session, company_id: int, *, email: str, role: str, token: str, by: User, now: datetime) -> Invitation:
    """Only the hash of the link's token is kept. An earlier open invitation of the same address is withdrawn."""
    for earlier in open_invitations(db, company_id, now):
        if earlier.email.lower() == email.lower():
            earlier.withdrawn_at = now
    invitation = Invitation(
        company_id=company_id, email=email, role=role, token_hash=token_hash(token), invited_by=by.id, created_at=now
    )
    db.add(invitation)
    db.flush()
    return invitation


def open_invitations(db: Session, company_id: int, now: datetime) -> Sequence[Invitation]:
    return db.scalars(
        select(Invitation)
        .where(Invitation.company_id == company_id, Invitation.accepted_at.is_(None))
        .where(Invitation.withdrawn_at.is_(None), Invitation.created_at > now - INVITATION_LIFE)
        .order_by(Invitation.created_at.desc())
    ).all()


def find_invitation(db: Session, token: str, now: datetime) -> Invitation | None:
    """An invitation that can still be accepted: not used, not withdrawn, not older than seven days."""
    return db.scalars(
        select(Invitation)
        .where(Invitation.token_hash == token_hash(token), Invitation.accepted_at.is_(None))
        .where(Invitation.withdrawn_at.is_(None), Invitation.created_at > now - INVITATION_LIFE)
    ).one_or_none()


def accept(db: Session, invitation: Invitation, user: User, now: datetime) -> Membership | None:
    """Single use: the invitation is spent with the membership. None when somebody used it a moment ago."""
    spent = db.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))
        .values(accepted_at=now)
        .returning(Invitation.id)
    ).scalar_one_or_none()
    return None if spent is None else add_member(db, invitation.company_id, user, invitation.role, now)


def _keep_an_admin(db: Session, membership: Membership) -> None:
    others = db.execute(
        select(func.count())
        .select_from(Membership)
        .where(Membership.company_id == membership.company_id, Membership.role == "admin")
        .where(Membership.id != membership.id)
    ).scalar_one()
    if not others:
        raise LastAdmin("A company needs at least one admin.")
