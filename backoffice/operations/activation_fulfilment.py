"""What fulfilling an activation request makes: grants, the account that uses them, the year's contribution (AR-21)."""

from __future__ import annotations

from typing import cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.operations.account_deletions import ask_for_deletion
from backoffice.operations.grants import find_fee, find_grant
from backoffice.operations.plain import add_record
from backoffice.operations.referents import first_referent
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.account_service import AccountService
from models.activation_request import ActivationRequest, RequestKind
from models.activation_request_item import ActivationRequestItem, ItemState
from models.annual_fee import AnnualFee
from models.company import Company
from models.company_service import CompanyService, GrantState
from models.contact import Contact

_APPROVED = (ItemState.approved_free, ItemState.approved_paid)
#: An account in one of these is over.
_ENDED = (AccountState.removed, AccountState.rejected, AccountState.deletion_requested, AccountState.deleted)


class CompanyUnknown(DomainError):
    template = _l("Choose the company first: what is activated belongs to a client.")


class AddressTaken(DomainError):
    """A-78: one account is of one company, and addresses are unique."""

    template = _l("Another account already has the address %(email)s, and cannot be used for this company.")


def make_what_was_decided(session: Session, request: ActivationRequest, *, actor: Actor) -> None:
    """Grant the approved services to company and account, or ask for the deletion of the account. Flushes.

    Nothing is made where everything was rejected. Wider or narrower access is for people to enter.
    """
    if request.kind is RequestKind.account_deletion and request.refusal is None:
        assert request.account is not None
        ask_for_deletion(session, request.account, language=request.language, verified_by=actor)
    approved = [item for item in request.items if item.state in _APPROVED]
    if not approved:
        return
    if request.company is None:
        raise CompanyUnknown(field="company")
    account = _account_for(session, request, request.company, actor)
    for item in approved:
        grant = _grant_to_company(session, item, request.company, actor)
        _grant_to_account(session, grant, account, actor)


def _account_for(session: Session, request: ActivationRequest, company: Company, actor: Actor) -> Account:
    """Return the account the request names, or the one with its address, or a new one for the person."""
    if request.account is not None:
        return request.account
    email, name = request.email, request.requester_name
    if request.kind is RequestKind.additional_account:
        email, name = cast("str", request.account_email), cast("str", request.account_name)
    known = session.scalar(sa.select(Account).where(Account.email == email, Account.state != AccountState.deleted))
    if known is not None:
        if known.company_id != company.id or known.state in _ENDED:
            raise AddressTaken(email=email)
        return known
    person = session.scalar(sa.select(Contact).where(Contact.company_id == company.id, Contact.email == email))
    first = session.scalar(first_referent(company.id), execution_options=INTERNAL)
    values = {
        "company": company,
        "contact": person,
        "email": email,
        "full_name": name,
        # Whom the group turns to for the client looks after the client's accounts, too.
        "is_referent": person is not None and person.id == first,
    }
    account = cast("Account", add_record(session, Account, values, actor=actor))
    account.group_id, account.is_demo = company.group_id, request.is_demo
    session.flush()
    return account


def _grant_to_company(session: Session, item: ActivationRequestItem, company: Company, actor: Actor) -> CompanyService:
    grant = find_grant(session, company.id, item.online_service_id)
    if grant is None:
        grant = CompanyService(company=company, online_service=item.online_service, is_demo=item.is_demo)
        session.add(grant)
        session.flush()
    if grant.state is GrantState.removed:
        perform(session, grant, "propose", actor=actor)
    if item.state is ItemState.approved_paid:
        _charge(session, grant, item, actor)
    if grant.state is GrantState.proposed:
        perform(session, grant, "activate", actor=actor)
    elif grant.state is GrantState.suspended:
        perform(session, grant, "resume", actor=actor)
    elif grant.frozen_from is not None:
        perform(session, grant, "thaw", actor=actor)
    return grant


def _charge(session: Session, grant: CompanyService, item: ActivationRequestItem, actor: Actor) -> None:
    """Enter the whole year's contribution, once; one of nothing is waived by its agreement (SV-05, AR-03)."""
    year = clock.today().year
    if find_fee(session, grant, year) is not None:
        return
    assert item.yearly_fee is not None
    fee = AnnualFee(
        company_service=grant, year=year, amount=item.yearly_fee, agreement=item.agreement, is_demo=item.is_demo
    )
    session.add(fee)
    session.flush()
    if not item.yearly_fee:
        perform(session, fee, "waive", {"agreement": item.agreement}, actor=actor)


def _grant_to_account(session: Session, grant: CompanyService, account: Account, actor: Actor) -> None:
    there = sa.select(AccountService).where(
        AccountService.account_id == account.id, AccountService.company_service_id == grant.id
    )
    access = session.scalar(there)
    if access is None:
        access = AccountService(account=account, company_service=grant, is_demo=grant.is_demo)
        session.add(access)
        session.flush()
    if access.state is GrantState.removed:
        perform(session, access, "propose", actor=actor)
    if access.state is GrantState.proposed:
        perform(session, access, "activate", actor=actor)
    elif access.state is GrantState.suspended:
        perform(session, access, "resume", actor=actor)
