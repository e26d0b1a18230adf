"""How an activation request comes in: completed, numbered, due by a day, confirmed to who made it (AR-04 to AR-07)."""

from __future__ import annotations

from datetime import date, timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import context_of, next_number
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.operations.activation_mails import tell_of_arrival
from backoffice.operations.plain import after_create, before_create
from models.activation_request import ActivationRequest, RequestKind
from models.company import Company

#: Kinds of request that are about services.
_FOR_SERVICES = (RequestKind.service, RequestKind.additional_account)


class NothingRequested(DomainError):
    """AR-04: a request says for which services it is."""

    template = _l("Say for which online services it is: at least one.")


@before_create(ActivationRequest)
def _complete(session: Session, request: ActivationRequest, *, actor: Actor) -> None:
    """Give a new request its number, and what follows from what was typed; propose the company by its VAT number.

    :raises NothingRequested: a request about services names none.
    """
    if request.kind in (None, *_FOR_SERVICES) and not request.items:
        raise NothingRequested(field="items")
    if request.company is None and request.vat_number:
        known = sa.select(Company).where(Company.vat_number == request.vat_number)
        group_id = context_of(session).actor.group_id
        if group_id is not None:
            known = known.where(Company.group_id == group_id)
        request.company = session.scalar(known)
    if request.company is not None:
        request.company_name = request.company_name or request.company.legal_name
        request.vat_number = request.vat_number or request.company.vat_number
        request.assignee = request.assignee or request.company.account_manager
    if request.kind is RequestKind.additional_account:
        request.account_name = request.account_name or request.requester_name
        request.account_email = request.account_email or request.email
    request.answer_by = request.answer_by or _answer_by(request)
    request.number = draw_number(session, request)


@after_create(ActivationRequest)
def _announce(session: Session, request: ActivationRequest, *, actor: Actor) -> None:
    tell_of_arrival(session, request)


def draw_number(session: Session, request: ActivationRequest) -> str:
    """Return the next number of the group's requests, such as ``RA-123``; two at once never get the same."""
    group_id = request.group_id or context_of(session).actor.group_id
    if group_id is None and request.company is not None:
        group_id = request.company.group_id
    assert group_id is not None
    return f"RA-{next_number(session, 'corporate_group', group_id, 'last_request_number')}"


def _answer_by(request: ActivationRequest) -> date | None:
    """Return the day by which the most urgent of the requested services is to be answered (AR-23)."""
    days = [item.online_service.answer_days for item in request.items]
    return add_weekdays(clock.today(), min(days)) if days else None


def add_weekdays(day: date, count: int) -> date:
    """Return the ``count``-th day after ``day``, Saturdays and Sundays not counted."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
