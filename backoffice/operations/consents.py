"""Consents of clients: given, withdrawn and given again; each stays as it was (PR-03, PR-08, PR-11)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import context_of
from backoffice.operations.terms import find_terms
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.consent import Consent
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.terms_version import TermsKind, TermsState


def find_consent(session: Session, account_id: int) -> Consent | None:
    """Return the consent of an account that counts at present."""
    open_ = sa.select(Consent).where(Consent.account_id == account_id, Consent.revoked_at.is_(None))
    return session.scalar(open_)


def is_to_be_asked(session: Session, account_id: int) -> bool:
    """Say whether the person is to be asked for consent: they never gave any, or to a notice that was replaced since.

    Whoever has withdrawn it is not asked again and again.
    """
    known = find_consent(session, account_id)
    if known is not None:
        return _is_replaced(known)
    return session.scalar(sa.select(Consent.id).where(Consent.account_id == account_id).limit(1)) is None


def _is_replaced(consent: Consent) -> bool:
    return consent.terms is not None and consent.terms.state is TermsState.superseded


def give_consent(session: Session, account: Account, portal: Portal, language: MailLanguage) -> Consent:
    """Write down that the person agrees to the privacy notice in force; an account that had withdrawn is active again.

    Needs a session in which the system acts, on behalf of that person.
    """
    known = find_consent(session, account.id)
    if known is not None and _is_replaced(known):
        # The earlier one stays as it was: it is another notice that is agreed to now.
        known.revoked_at = clock.now()
        session.flush()
        known = None
    if known is None:
        notice = find_terms(session, portal.id, TermsKind.privacy_notice, language)
        known = Consent(account=account, terms=notice, granted_at=clock.now(), is_demo=account.is_demo)
        session.add(known)
        session.flush()
    if account.state is AccountState.consent_revoked:
        perform(session, account, "grant_consent", actor=context_of(session).actor)
    return known


def withdraw_consent(session: Session, account: Account) -> None:
    """Write down that the person agrees no longer: no assistance can be given from now on (PR-08, PR-10).

    Needs a session in which the system acts, on behalf of that person.
    """
    known = find_consent(session, account.id)
    if known is not None:
        known.revoked_at = clock.now()
    session.flush()
    if account.state is AccountState.active:
        perform(session, account, "revoke_consent", actor=context_of(session).actor)


__all__ = ["find_consent", "give_consent", "is_to_be_asked", "withdraw_consent"]
