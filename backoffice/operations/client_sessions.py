"""Signing in to the client area: who is meant, who is let in, and the sessions that come of it (AC-01 to AC-10)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.errors import DomainError, NotFound
from backoffice.operations.sign_in import Candidate, Realm
from backoffice.operations.verbs import perform
from backoffice.passwords import digest_of, new_token
from backoffice.portals import MAY_STAY
from models.account import Account, AccountState
from models.account_session import AccountSession
from models.company import CompanyState
from models.portal import Portal

S = AccountState
#: States in which a password is looked at: whoever gives the right one learns what the account waits for.
_KNOWN = (
    S.provisioned,
    S.invited,
    S.registered,
    S.confirmed,
    S.pending_validation,
    S.active,
    S.locked,
    S.suspended,
    S.consent_revoked,
    S.deletion_requested,
)


class NotYetConfirmed(DomainError):
    """AC-34: told only to whoever gave the right password."""

    template = _l(
        "Your address is not confirmed yet: open the link in the mail that we sent you. If it is gone or too old, "
        "register once more with the same address and you get another one."
    )
    status = 403


class NotYetValidated(DomainError):
    """AC-38: told only to whoever gave the right password."""

    template = _l("Your registration is still being looked at: a mail will tell you when you can sign in.")
    status = 403


class AccountClosed(DomainError):
    """The account is locked."""

    template = _l("This account cannot be used at present. Ask your contact person, or whoever looks after you here.")
    status = 403


class NoClient(DomainError):
    """AC-02: the client area is for companies that are clients at present."""

    template = _l("The client area is open to companies with a running contract, and yours has none at present.")
    status = 403


def clients_of(portal: Portal) -> Realm:
    """Return the realm of a portal: an account of one is nobody at another."""
    return Realm("client", lambda session, name: _find_account(session, portal, name))


def _find_account(session: Session, portal: Portal, name: str) -> Candidate | None:
    account = find_account(session, portal, name)
    if account is None:
        return None
    usable = account.password_hash if account.state in _KNOWN else None
    return Candidate(account.username, account.group_id, usable, account_id=account.id)


def find_account(session: Session, portal: Portal, name: str) -> Account | None:
    """Return whose user name or e-mail it is at a portal, whatever the case: both are kept in small letters."""
    wanted = name.lower()
    statement = sa.select(Account).where(
        sa.or_(Account.username == wanted, Account.email == wanted),
        Account.state != S.deleted,
        Account.group_id == portal.group_id,
        sa.or_(Account.portal_id.is_(None), Account.portal_id == portal.id),
    )
    # A user name of one may be written like the address of another: the user name counts.
    return session.scalars(statement.order_by(Account.username != wanted, Account.id).limit(1)).first()


def begin_session(session: Session, account: Account, *, address: str, browser: str) -> str:
    """Let an account in and return the token its browser is known again by; a first sign-in activates the account.

    Needs a session in which the system acts.

    :raises NotYetConfirmed: the address of the registration is not confirmed.
    :raises NotYetValidated: staff have not looked at the registration yet.
    Suspended accounts, those without consent and those about to go get in to their privacy panel, and to nothing else.

    :raises AccountClosed: the account is locked.
    :raises NoClient: its company is no client at present.
    """
    if account.state is S.registered:
        raise NotYetConfirmed
    if account.state in (S.confirmed, S.pending_validation) or account.company is None:
        raise NotYetValidated
    if account.state in (S.provisioned, S.invited):
        perform(session, account, "activate", actor=context_of(session).actor)
    if account.state not in MAY_STAY:
        raise AccountClosed
    if account.state is S.active and account.company.state is not CompanyState.client:
        raise NoClient
    token, now = new_token(), clock.now()
    _note_sign_in(session, account, now)
    session.add(
        AccountSession(
            account=account,
            digest=digest_of(token),
            seen_at=now,
            address=address[:64],
            browser=browser[:200] or None,
            is_demo=account.is_demo,
        )
    )
    session.flush()
    return token


def account_of_session(session: Session, token: str) -> int:
    """Return the key of the account whose session has a token."""
    wanted = sa.select(AccountSession.account_id).where(AccountSession.digest == digest_of(token))
    return session.scalars(wanted).one()


def _note_sign_in(session: Session, account: Account, now: datetime) -> None:
    """Write down when an account was last used: no change that meets somebody who is editing the account."""
    table = Account.__table__
    last = sa.update(table).where(table.c.id == account.id).values(last_login_at=now)
    session.execute(last, execution_options=INTERNAL)


def end_session(session: Session, session_id: int, *, account_id: int) -> None:
    """End one session of an account; one that is over stays as it is.

    :raises NotFound: the account has no such session.
    """
    own = session.get(AccountSession, session_id)
    if own is None or own.account_id != account_id:
        raise NotFound
    own.ended_at = own.ended_at or clock.now()
    session.flush()


def end_sessions(session: Session, account: Account, *, but: int | None = None) -> None:
    """End every session of an account, but one: after a new password nobody else stays in."""
    open_ = sa.select(AccountSession).where(AccountSession.account_id == account.id, AccountSession.ended_at.is_(None))
    for own in session.scalars(open_):
        if own.id != but:
            own.ended_at = clock.now()
    session.flush()


def note_use(session: Session, session_id: int, now: datetime) -> None:
    """Write down that a session is in use; no change that anybody would look for in a history."""
    table = AccountSession.__table__
    session.execute(sa.update(table).where(table.c.id == session_id).values(seen_at=now), execution_options=INTERNAL)


__all__ = [
    "AccountClosed",
    "NoClient",
    "NotYetConfirmed",
    "NotYetValidated",
    "account_of_session",
    "begin_session",
    "clients_of",
    "end_session",
    "end_sessions",
    "find_account",
    "note_use",
]
