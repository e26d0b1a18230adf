"""What the requester of an activation is written: drafted here in their language, for people to change (AR-20).

Reasons about a company are told only to who is known to speak for it. Anybody else reads the same neutral words,
whether the number they typed is a client's or nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from babel.numbers import format_decimal
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from backoffice.mail.rendering import draft
from backoffice.operations.notices import colleague
from models.account import Account, AccountState
from models.activation_request import ActivationRequest, RequestState
from models.activation_request_item import ActivationRequestItem, ItemState
from models.company import Company
from models.company_service import CompanyService
from models.contact import Contact
from models.online_service import OnlineService
from models.outbox_mail import MailLanguage

#: Accounts whose holders staff or the client's referent have let in.
_LET_IN = (
    AccountState.provisioned,
    AccountState.invited,
    AccountState.active,
    AccountState.locked,
    AccountState.suspended,
    AccountState.consent_revoked,
)
_APPROVED = (ItemState.approved_free, ItemState.approved_paid)


class RequesterUnknown(DomainError):
    """Nothing of a client is opened, proposed or told to an address that nobody can vouch for."""

    template = _l("The requester is no known contact of the company: make sure who it is, and verify them first.")


def is_known(session: Session, request: ActivationRequest) -> bool:
    """Say whether the requester is known to speak for the company: a contact, an account, or verified by staff."""
    if request.company_id is None:
        return False
    if request.verified_at is not None and request.verified_company_id == request.company_id:
        return True
    contact, account = Contact.__table__, Account.__table__
    as_contact = sa.exists().where(
        contact.c.company_id == request.company_id,
        sa.func.lower(contact.c.email) == request.email.lower(),
        contact.c.deleted_at.is_(None),
    )
    as_account = sa.exists().where(
        account.c.company_id == request.company_id,
        sa.func.lower(account.c.email) == request.email.lower(),
        account.c.state.in_(_LET_IN),
    )
    return bool(session.scalar(sa.select(sa.or_(as_contact, as_account)), execution_options=INTERNAL))


def draft_answer(session: Session, request: ActivationRequest) -> str:
    """Return the answer the product proposes: the outcome of each service, or the neutral words for a stranger."""
    found = outcomes(session, request)
    outcome = _outcome(session, request, found)
    values: dict[str, Any] = {
        "outcome": outcome,
        "items": [_told(item) for item in found],
        "services": [item.name for item in found],
        "reason": request.refusal or "",
        "year": clock.today().year,
        "account": _account(session, request) if any(item.state in _APPROVED for item in found) else "",
        "contact": _contact(session, request) if outcome in ("told", "refused") else "",
    }
    return draft("activation_answer", request.language.value, values)


def draft_proposal(session: Session, request: ActivationRequest) -> str:
    """Return what the client is asked to accept: amounts and period of what is to be paid (AR-09, SV-03)."""
    found = outcomes(session, request)
    values = {
        "paid": [_told(item) for item in found if needs_consent(item)],
        "free": [item.name for item in found if item.state in _APPROVED and not needs_consent(item)],
        "year": clock.today().year,
    }
    return draft("activation_proposal", request.language.value, values)


def draft_facts(session: Session, request: ActivationRequest, unit_id: int) -> str:
    """Return what the evaluator of a unit reads beforehand: size of the client, and how much is there of it (N-06b)."""
    company, service, grant = Company.__table__, OnlineService.__table__, CompanyService.__table__
    item = ActivationRequestItem.__table__
    size = sa.select(company.c.size_class).where(company.c.id == request.company_id)
    of_client = sa.and_(grant.c.online_service_id == service.c.id, grant.c.company_id == request.company_id)
    counts = (
        sa.select(service.c.name, grant.c.records_count.label("number"))
        .join(item, item.c.online_service_id == service.c.id)
        .outerjoin(grant, of_client)
        .where(item.c.request_id == request.id, service.c.business_unit_id == unit_id)
        .order_by(item.c.position, item.c.id)
    )
    values = {
        "size": session.scalar(size, execution_options=INTERNAL),
        "counts": [dict(row._mapping) for row in session.execute(counts, execution_options=INTERNAL)],
    }
    return draft("activation_unit_to_evaluate", "it", values)


def outcomes(session: Session, request: ActivationRequest, unit_id: int | None = None) -> list[Any]:
    """Return every requested service with what was decided on it, or those that a unit decides on."""
    item, service = ActivationRequestItem.__table__, OnlineService.__table__
    columns = (item.c.state, item.c.agreement, item.c.yearly_fee, item.c.reject_reason, item.c.note)
    statement = (
        sa.select(service.c.code, _name_for(request), *columns)
        .join(service, service.c.id == item.c.online_service_id)
        .where(item.c.request_id == request.id)
        .order_by(item.c.position, item.c.id)
    )
    if unit_id is not None:
        statement = statement.where(service.c.business_unit_id == unit_id)
    return list(session.execute(statement, execution_options=INTERNAL))


def _name_for(request: ActivationRequest) -> sa.ColumnElement[str]:
    """Return the name of an online service in the language of the requester, called ``name``."""
    name, twin = OnlineService.__table__.c.name, OnlineService.__table__.c.name_en
    english = sa.func.coalesce(sa.func.nullif(twin, ""), name)
    return (english if request.language is MailLanguage.en else name).label("name")


def needs_consent(item: Any) -> bool:
    """Say whether the client has yet to agree to pay for a service."""
    return item.state is ItemState.approved_paid and item.agreement is None


def _outcome(session: Session, request: ActivationRequest, found: list[Any]) -> str:
    if request.state in (RequestState.withdrawn, RequestState.answered) and request.fulfilled_at is None:
        return "withdrawn"
    if not is_known(session, request) and not any(item.state in _APPROVED for item in found):
        return "neutral"
    if found:
        return "told"
    return "refused" if request.refusal is not None else "done"


def _told(item: Any) -> Mapping[str, Any]:
    fee = item.yearly_fee or Decimal(0)
    return {
        "name": f"{item.code}, {item.name}",
        "state": item.state.value,
        "fee": f"€ {format_decimal(fee, '#,##0.00', locale='it')}" if fee else "",
        "agreement": item.agreement,
        "reason": item.reject_reason.value if item.reject_reason is not None else "",
        "note": item.note or "",
    }


def _account(session: Session, request: ActivationRequest) -> str:
    """Return the address of the account that uses what is activated."""
    table = Account.__table__
    named = session.scalar(sa.select(table.c.email).where(table.c.id == request.account_id), execution_options=INTERNAL)
    return named or request.account_email or request.email


def _contact(session: Session, request: ActivationRequest) -> str:
    person = colleague(session, request.assignee_id)
    return f"{request.assignee}, {person.email}" if person is not None else ""
