"""Grants of online services, to clients and to their accounts: made, suspended, restored, removed (chapter 4.2).

What an account has never goes beyond what its company has: it is activated only under an active grant of the company,
and follows it when that is suspended, restored or removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError
from backoffice.freshness import stock
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.grant_mails import tell_of_access
from backoffice.operations.returns import close_gap, is_proposed, settle
from backoffice.operations.verbs import perform
from models.account_service import AccountService
from models.activation_request import ActivationRequest
from models.activation_request_item import ActivationRequestItem, ItemState
from models.annual_fee import AnnualFee
from models.company_service import CompanyService
from models.company_service import GrantState as S
from models.contract import IN_FORCE, Contract
from models.contract_line import ContractLine, LineState, WithdrawalMode
from models.service import Service

_APPROVED = (ItemState.approved_free, ItemState.approved_paid)


class NotApproved(DomainError):
    """4.2: a service is activated because a request for it was approved."""

    template = _l("No request for this service has been approved: an activation begins with a request.")


class FeeMissing(DomainError):
    """4.2: what is activated against a contribution has one for the year."""

    template = _l("It was approved against a contribution: enter that of %(year)s first.")


class NoContract(DomainError):
    """4.2, AC-21: access is restored when contractual relations have been."""

    template = _l("No contract in force covers this service.")


class NotFrozen(DomainError):
    template = _l("The data do not stand still.")


class CompanyLacksIt(DomainError):
    """AC-14: an account has no more than its company."""

    template = _l("The company does not have this service active.")


@dataclass(frozen=True)
class Cover:
    """A contract line in force whose service opens an online service."""

    line_id: int
    contract_number: str
    group_company_id: int


def covers(session: Session, company_id: int, online_service_id: int) -> list[Cover]:
    """Return what covers a company's use of an online service (SV-12, AR-13), whether the actor may see it or not."""
    line, contract, service = (entity.__table__ for entity in (ContractLine, Contract, Service))
    statement = (
        sa.select(line.c.id, contract.c.number, contract.c.group_company_id)
        .join(contract, contract.c.id == line.c.contract_id)
        .join(service, service.c.id == line.c.service_id)
        .where(
            contract.c.company_id == company_id,
            contract.c.state.in_(IN_FORCE),
            line.c.state != LineState.withdrawn,
            service.c.online_service_id == online_service_id,
        )
        .order_by(line.c.id)
    )
    return [Cover(*row) for row in session.execute(statement, execution_options=INTERNAL)]


def find_grant(session: Session, company_id: int, online_service_id: int) -> CompanyService | None:
    """Return the company's grant of the service, whatever its state."""
    statement = sa.select(CompanyService).where(
        CompanyService.company_id == company_id, CompanyService.online_service_id == online_service_id
    )
    return session.scalar(statement)


def end_access(session: Session, line: ContractLine, on: date) -> None:
    """Do what a withdrawal that has taken effect means for access: suspend, remove, or keep it readable (AC-18).

    Suspending is the rule where the line does not say. Nothing happens while another line in force covers the service.
    """
    opened = line.service.online_service_id
    grant = find_grant(session, line.company_id, opened) if opened else None
    if grant is None or grant.state not in (S.active, S.suspended):
        return
    if any(cover.line_id != line.id for cover in covers(session, grant.company_id, grant.online_service_id)):
        return
    mode = line.withdrawal_mode or WithdrawalMode.suspend
    if mode is WithdrawalMode.remove:
        # Nobody sees the data any more, and they are no longer updated either (AC-19).
        grant.frozen_from = grant.frozen_from or on
        perform(session, grant, "remove", actor=SYSTEM)
    elif grant.state is S.active:
        verb = "suspend" if mode is WithdrawalMode.suspend else "freeze"
        perform(session, grant, verb, {"frozen_from": on}, actor=SYSTEM)


def _is_approved(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Ask for an approved request, and for the year's contribution where the last one says so."""
    item = session.scalar(
        sa.select(ActivationRequestItem)
        .join(ActivationRequest)
        .where(
            ActivationRequest.company_id == grant.company_id,
            ActivationRequestItem.online_service_id == grant.online_service_id,
            ActivationRequestItem.state.in_(_APPROVED),
        )
        .order_by(ActivationRequestItem.decided_at.desc(), ActivationRequestItem.id.desc())
        .limit(1)
    )
    if item is None:
        raise NotApproved
    year = clock.today().year
    if item.state is ItemState.approved_paid and find_fee(session, grant, year) is None:
        raise FeeMissing(year=year)


def find_fee(session: Session, grant: CompanyService, year: int) -> AnnualFee | None:
    """Return the contribution of one year."""
    statement = sa.select(AnnualFee).where(AnnualFee.company_service_id == grant.id, AnnualFee.year == year)
    return session.scalar(statement)


def _begin(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Open the service from today on, with the data that the company has in it already."""
    grant.active_from = clock.today()
    rows, newest = stock(session, grant.online_service.code, grant.company_id)
    if rows:
        grant.records_count, grant.last_data_at = rows, grant.last_data_at or newest
    close_gap(grant)


def _is_covered(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    if not covers(session, grant.company_id, grant.online_service_id):
        raise NoContract


def _may_thaw(session: Session, grant: CompanyService, values: Mapping[str, Any], actor: Actor) -> None:
    if grant.frozen_from is None:
        raise NotFrozen
    _is_covered(session, grant, values, actor)


def _thaw(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    close_gap(grant)
    _let_follow(session, grant, "resume", AccountService.suspended_with_company)
    tell_of_access(session, grant, "access_restored", clock.today())


def _freeze(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    settle(session, grant)
    tell_of_access(session, grant, "access_frozen", grant.frozen_from)


def _suspend(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    settle(session, grant)
    _let_follow(session, grant, "follow", AccountService.state == S.active)
    tell_of_access(session, grant, "access_suspended", grant.frozen_from)


def _remove(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    settle(session, grant)
    _let_follow(session, grant, "remove", AccountService.state.in_((S.active, S.suspended)))
    tell_of_access(session, grant, "access_removed", clock.today())


def _leave(session: Session, grant: CompanyService, _values: Mapping[str, Any], _actor: Actor) -> None:
    settle(session, grant)


def _let_follow(session: Session, grant: CompanyService, verb: str, which: Any) -> None:
    """Perform ``verb`` on the accounts' grants under a company's, whose own state comes first."""
    below = sa.select(AccountService).where(AccountService.company_service_id == grant.id, which)
    session.flush()
    for access in session.scalars(below.order_by(AccountService.id)).all():
        perform(session, access, verb, actor=SYSTEM)


def _remember_company(_session: Session, access: AccountService, _values: Mapping[str, Any], _actor: Actor) -> None:
    access.suspended_with_company = True


def _company_has_it(_session: Session, access: AccountService, _values: Mapping[str, Any], _actor: Actor) -> None:
    if access.company_service.state is not S.active:
        raise CompanyLacksIt


def _forget_company(_session: Session, access: AccountService, _values: Mapping[str, Any], _actor: Actor) -> None:
    access.suspended_with_company = False


COMPANY_SERVICES = register(
    Machine(
        CompanyService,
        "state",
        (
            Transition(
                name="activate",
                label=_l("Activate the service"),
                sources=(S.proposed,),
                target=S.active,
                icon="check-circle",
                tone="primary",
                guard=_is_approved,
                effect=_begin,
                confirm=_l("The client has it from today; accounts get it one by one."),
            ),
            Transition(
                name="suspend",
                label=_l("Suspend the service"),
                sources=(S.active,),
                target=S.suspended,
                icon="pause-circle",
                inputs=("frozen_from",),
                effect=_suspend,
                confirm=_l("All accounts of the client lose it until it is restored; the data stay stored."),
            ),
            Transition(
                name="freeze",
                label=_l("Keep it readable only"),
                sources=(S.active,),
                target=None,
                icon="snow",
                inputs=("frozen_from",),
                effect=_freeze,
                confirm=_l("The client goes on reading; from this day on the data are no longer updated."),
            ),
            Transition(
                name="resume",
                label=_l("Restore the service"),
                sources=(S.suspended,),
                target=S.active,
                icon="play-circle",
                tone="primary",
                guard=_is_covered,
                effect=_thaw,
                confirm=_l("The earlier data are visible again and are updated from now on."),
            ),
            Transition(
                name="thaw",
                label=_l("Update the data again"),
                sources=(S.active,),
                target=None,
                icon="sun",
                guard=_may_thaw,
                effect=_thaw,
                confirm=_l("The data are updated from now on."),
            ),
            Transition(
                name="remove",
                label=_l("Remove the service"),
                sources=(S.active, S.suspended),
                target=S.removed,
                icon="x-circle",
                tone="danger",
                effect=_remove,
                confirm=_l("All accounts of the client lose it; the data stay stored."),
            ),
            Transition(
                name="propose",
                label=_l("Propose it anew"),
                sources=(S.removed,),
                target=S.proposed,
                icon="arrow-repeat",
                effect=_leave,
                confirm=_l("It can then be activated by an approved request."),
            ),
            Transition(
                name="leave",
                label=_l("Leave it as it is"),
                sources=(S.active, S.suspended, S.removed),
                target=None,
                icon="slash-circle",
                guard=is_proposed,
                effect=_leave,
                confirm=_l("The new contract brings nothing back; a later one will be proposed again."),
            ),
        ),
    )
)

ACCOUNT_SERVICES = register(
    Machine(
        AccountService,
        "state",
        (
            Transition(
                name="activate",
                label=_l("Activate for the account"),
                sources=(S.proposed,),
                target=S.active,
                icon="check-circle",
                tone="primary",
                guard=_company_has_it,
                confirm=_l("The account finds it in the client area."),
            ),
            Transition(
                name="suspend",
                label=_l("Suspend for the account"),
                sources=(S.active,),
                target=S.suspended,
                icon="pause-circle",
                confirm=_l("Only this account loses it, until it is restored."),
            ),
            Transition(
                name="follow",
                label=_l("Suspended with the company’s"),
                sources=(S.active,),
                target=S.suspended,
                effect=_remember_company,
                automatic=True,
            ),
            Transition(
                name="resume",
                label=_l("Restore for the account"),
                sources=(S.suspended,),
                target=S.active,
                icon="play-circle",
                tone="primary",
                guard=_company_has_it,
                effect=_forget_company,
            ),
            Transition(
                name="remove",
                label=_l("Remove from the account"),
                sources=(S.active, S.suspended),
                target=S.removed,
                icon="x-circle",
                tone="danger",
                effect=_forget_company,
                confirm=_l("The account loses it; the data stay stored."),
            ),
            Transition(
                name="propose",
                label=_l("Propose for the account anew"),
                sources=(S.removed,),
                target=S.proposed,
                icon="arrow-repeat",
            ),
        ),
    )
)
