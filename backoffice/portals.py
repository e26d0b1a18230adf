"""Which client area a request is for, and whose account uses it: read once a request, handed on as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Actor, ActorKind, Reach
from backoffice.permissions import AREA_SERVICES, RESTRICTED_GRANTS, client_grants
from backoffice.records import subjects
from models.account import Account, AccountState
from models.account_preference import AccountPreference, PreferenceKey
from models.account_service import AccountService
from models.account_session import AccountSession
from models.company import Company, CompanyState
from models.company_service import CompanyService, GrantState
from models.history_entry import ActorSort
from models.notice import Notice
from models.online_service import OnlineService
from models.portal import Portal
from models.portal_host import PortalHost

#: Host names of the machine itself: there a portal may be chosen, because nobody else is reached by them.
OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Client:
    """An account in use, as doors and pages know it."""

    actor: Actor
    session_id: int
    username: str
    full_name: str
    email: str
    company_name: str
    must_change_password: bool
    seen_at: datetime
    #: Whether the privacy panel is all that the account may still use.
    is_restricted: bool
    #: What the person has chosen for their pages.
    preferences: Mapping[PreferenceKey, str]
    #: How many notices they have not read.
    unread: int


def find_portal(session: Session, host: str, code: str, *, own_hosts: frozenset[str] = OWN_HOSTS) -> Portal | None:
    """Return the portal that a host name leads to; under the installation's own names the one with a code, else the
    first. None for any other host (AC-03).

    Needs a session in which the system acts: whose portal it is decides whose rows are seen.
    """
    bound = sa.select(Portal).join(PortalHost).where(PortalHost.host == host.lower())
    found = session.scalar(bound)
    if found is not None or host.lower() not in own_hosts:
        return found
    wanted = sa.select(Portal).order_by(Portal.code != code, Portal.id)
    return session.scalar(wanted.limit(1))


def find_client(session: Session, digest: str, portal: Portal, *, since: datetime) -> Client | None:
    """Return who uses the client area in the session with a digest, used after ``since``; None where it is over.

    Two statements. Needs a session in which the system acts: nobody's row scope must decide who they are. An account
    that may not be used, of another portal, or of a company that is no client counts as signed out (AC-02).
    """
    statement = (
        sa.select(AccountSession, Account, Company.legal_name, _UNREAD, *(_chosen(key) for key in PreferenceKey))
        .join(Account, Account.id == AccountSession.account_id)
        .join(Company, Company.id == Account.company_id)
        .where(
            AccountSession.digest == digest,
            AccountSession.ended_at.is_(None),
            AccountSession.seen_at > since,
            Account.state.in_(MAY_STAY),
            Account.group_id == portal.group_id,
            sa.or_(Account.portal_id.is_(None), Account.portal_id == portal.id),
            sa.or_(Company.state == CompanyState.client, Account.state != AccountState.active),
        )
    )
    row = session.execute(statement).one_or_none()
    return None if row is None else _client(row, _services(session, row[1]))


def find_subscriber(session: Session, digest: str, portal: Portal) -> Actor | None:
    """Return whose calendar an address is, as an actor that sees what its account sees; None where it is nobody's.

    Needs a session in which the system acts.
    """
    statement = (
        sa.select(Account)
        .join(Company, Company.id == Account.company_id)
        .where(
            Account.feed_digest == digest,
            Account.state == AccountState.active,
            Account.group_id == portal.group_id,
            sa.or_(Account.portal_id.is_(None), Account.portal_id == portal.id),
            Company.state == CompanyState.client,
        )
    )
    account = session.scalar(statement)
    return _actor(account, _services(session, account)) if account is not None else None


def _services(session: Session, account: Account) -> dict[str, Reach]:
    """Return how far an account may use the online services that are active for it, by their codes."""
    statement = (
        sa.select(OnlineService.code, AccountService.site_id, AccountService.can_see_preliminary)
        .join(CompanyService, CompanyService.id == AccountService.company_service_id)
        .join(OnlineService, OnlineService.id == CompanyService.online_service_id)
        .where(
            AccountService.account_id == account.id,
            AccountService.state == GrantState.active,
            CompanyService.state == GrantState.active,
        )
    )
    return {code: Reach(site_id, preliminary) for code, site_id, preliminary in session.execute(statement)}


#: How many notices the account of a statement has not read.
_UNREAD = (
    sa.select(sa.func.count())
    .select_from(Notice)
    .where(Notice.account_id == Account.id, Notice.read_at.is_(None))
    .scalar_subquery()
)


def _chosen(key: PreferenceKey) -> sa.ScalarSelect[str]:
    """Build what the account of a statement has chosen."""
    of_account = sa.and_(AccountPreference.account_id == Account.id, AccountPreference.key == key)
    return sa.select(AccountPreference.value).where(of_account).scalar_subquery()


def _client(row: Any, services: dict[str, Reach]) -> Client:
    used, account, company_name, unread, *chosen = row
    return Client(
        actor=_actor(account, services),
        session_id=used.id,
        username=account.username,
        full_name=account.full_name,
        email=account.email,
        company_name=company_name,
        must_change_password=account.must_change_password,
        seen_at=used.seen_at,
        is_restricted=account.state is not AccountState.active,
        preferences={key: value for key, value in zip(PreferenceKey, chosen, strict=True) if value},
        unread=unread,
    )


def _actor(account: Account, services: dict[str, Reach]) -> Actor:
    is_restricted = account.state is not AccountState.active
    return Actor(
        ActorKind.account,
        id=account.id,
        name=account.full_name,
        group_id=account.group_id,
        company_id=account.company_id,
        is_referent=account.is_referent,
        roles=("referent" if account.is_referent else "user",),
        grants=RESTRICTED_GRANTS if is_restricted else client_grants(account.is_referent, services),
        reach={area: services[code] for area, code in AREA_SERVICES.items() if code in services},
    )


def _names_of(session: Session, keys: set[int]) -> dict[int, str]:
    wanted = sa.select(Account.id, Account.full_name).where(Account.id.in_(keys))
    return {row.id: row.full_name for row in session.execute(wanted, execution_options=INTERNAL)}


subjects.set_names(ActorSort.account, _names_of)

#: States in which somebody may be signed in; in all but the first for the privacy panel alone (PR-07).
MAY_STAY = (
    AccountState.active,
    AccountState.suspended,
    AccountState.consent_revoked,
    AccountState.deletion_requested,
)
#: How seldom the last use of a session is written down.
SEEN_EVERY = timedelta(minutes=5)

__all__ = [
    "MAY_STAY",
    "OWN_HOSTS",
    "SEEN_EVERY",
    "Client",
    "find_client",
    "find_portal",
    "find_subscriber",
]
