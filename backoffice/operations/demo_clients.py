"""Two accounts of the client area for whoever tries the demonstration set: a referent's, and a colleague's."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.operations.first_users import DOMAIN
from backoffice.passwords import hash_password
from models.account import Account, AccountState
from models.account_service import AccountService
from models.company import Company, CompanyState
from models.company_service import CompanyService, GrantState
from models.consent import Consent
from models.corporate_group import CorporateGroup
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.terms_version import TermsKind, TermsState, TermsVersion

#: By what comes after ``demo.``: whose account it is, and whether a referent's.
_PEOPLE = {"referent": ("Renata Referenti", True), "client": ("Ugo Utenti", False)}


def ensure_demo_clients(session: Session, password: str) -> None:
    """Create both accounts in each corporate group, at its demonstration client with the most online services. Flushes.

    ``demo.referent`` and ``demo.client`` are of the first group, ``demo.referent.2`` and so on of the second.
    """
    digest = hash_password(password)
    groups = session.scalars(sa.select(CorporateGroup).order_by(CorporateGroup.id).limit(2)).all()
    for number, group in enumerate(groups, start=1):
        _make_accounts(session, group, "" if number == 1 else f".{number}", digest)
    session.flush()


def _make_accounts(session: Session, group: CorporateGroup, suffix: str, digest: str) -> None:
    company = _richest_client(session, group)
    if company is None:
        return
    services = session.scalars(sa.select(CompanyService).where(CompanyService.company_id == company.id)).all()
    for code, (name, is_referent) in _PEOPLE.items():
        username = f"demo.{code}{suffix}"
        account = Account(
            username=username,
            email=f"{username}@{DOMAIN}",
            full_name=name,
            company=company,
            is_referent=is_referent,
            state=AccountState.active,
            password_hash=digest,
            password_changed_at=clock.now(),
            group_id=group.id,
            is_demo=True,
        )
        session.add(account)
        session.add(Consent(account=account, terms=_notice(session, group), granted_at=clock.now(), is_demo=True))
        for granted in services:
            if granted.state in (GrantState.active, GrantState.suspended):
                session.add(AccountService(account=account, company_service=granted, state=granted.state, is_demo=True))


def _notice(session: Session, group: CorporateGroup) -> TermsVersion | None:
    """Return the privacy notice in force in the group's first portal."""
    wanted = (
        sa.select(TermsVersion)
        .join(Portal)
        .where(
            Portal.group_id == group.id,
            TermsVersion.kind == TermsKind.privacy_notice,
            TermsVersion.language == MailLanguage.it,
            TermsVersion.state == TermsState.in_force,
        )
    )
    return session.scalar(wanted.order_by(Portal.id).limit(1))


def _richest_client(session: Session, group: CorporateGroup) -> Company | None:
    number = sa.func.count(CompanyService.id).filter(CompanyService.state == GrantState.active)
    wanted = (
        sa.select(Company)
        .outerjoin(CompanyService, CompanyService.company_id == Company.id)
        .where(Company.group_id == group.id, Company.is_demo, Company.state == CompanyState.client)
        .group_by(Company.id)
        .order_by(number.desc(), Company.id)
    )
    return session.scalar(wanted.limit(1))


__all__ = ["ensure_demo_clients"]
