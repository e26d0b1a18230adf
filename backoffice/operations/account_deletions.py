"""Accounts whose persons want them deleted: what stands in the way, the days of grace, and the end (chapter 4.9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import acting
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.mail.rendering import register_template
from backoffice.operations.client_sessions import end_sessions
from backoffice.operations.notices import group_name
from backoffice.operations.pseudonyms import make_pseudonym, settle_claim
from backoffice.operations.verbs import perform
from backoffice.outbox import queue_mail
from backoffice.setting_keys import DELETION_GRACE_DAYS
from backoffice.settings import setting_value
from backoffice.working_time import add_months
from models.account import Account, AccountState
from models.account_deletion import OPEN, AccountDeletion
from models.account_deletion import DeletionState as S
from models.activation_request import ActivationRequest
from models.activation_request_item import ActivationRequestItem, ItemState
from models.annual_fee import UNSETTLED, AnnualFee
from models.company_service import CompanyService
from models.outbox_mail import MailLanguage
from models.ticket import Ticket, TicketState

#: A ticket in one of these asks nothing of anybody any more.
_DONE = (TicketState.closed_provisional, TicketState.closed_final, TicketState.archived, TicketState.rejected)
#: Accounts in one of these may ask; others have nothing to sign in with, or have asked.
MAY_ASK = (AccountState.active, AccountState.suspended, AccountState.consent_revoked)


class CannotBeDeleted(DomainError):
    template = _l("This account is not in use, or its deletion is asked for already.")


class StillBlocked(DomainError):
    """Chapter 4.9: blocked stays blocked until what stands in the way is gone."""

    template = _l("It is still blocked: %(tickets)s open tickets, legal hold: %(hold)s.")


def ask_for_deletion(
    session: Session, account: Account, *, language: MailLanguage, verified_by: Actor | None = None
) -> AccountDeletion:
    """Take down that an account is to be deleted, and answer by mail when that will be (N-35). Flushes.

    ``verified_by``: whoever of the staff made sure that the person wants it; the system, where they gave their
    password. With nobody, staff make sure first. Needs a session in which the system acts.

    :raises CannotBeDeleted: the account is not in use.
    """
    if account.state not in MAY_ASK:
        raise CannotBeDeleted
    perform(session, account, "request_deletion", actor=SYSTEM)
    asked = AccountDeletion(
        account=account,
        due_on=add_months(clock.today(), 1),
        language=language,
        is_demo=account.is_demo,
    )
    session.add(asked)
    session.flush()
    if verified_by is not None:
        perform(session, asked, "verify", actor=verified_by)
    else:
        _tell(session, asked, "deletion_requested")
    return asked


def find_open(session: Session, account_id: int) -> AccountDeletion | None:
    """Return the deletion of an account that is under way."""
    wanted = sa.select(AccountDeletion).where(AccountDeletion.account_id == account_id, AccountDeletion.state.in_(OPEN))
    return session.scalar(wanted)


def cancel_deletion(session: Session, account: Account) -> None:
    """Let the person think better of it, as long as it has not been done; nothing happens where nothing was asked.

    Needs a session in which the system acts.
    """
    asked = find_open(session, account.id)
    if asked is not None:
        perform(session, asked, "cancel", actor=SYSTEM)


def advance_deletions(session: Session, today: date, *, actor: Actor = SYSTEM) -> int:
    """Look again at what was blocked, and execute the next deletion whose day has come (J-16); return how many moved.

    One execution a call: it is long, and each is worth a transaction of its own.
    """
    settled = _settle_claims(session)
    free = [asked for asked in _in_state(session, S.blocked) if not any(obstacles(session, asked.account))]
    for asked in free:
        perform(session, asked, "look_again", actor=actor)
    due = next(
        (asked for asked in _in_state(session, S.scheduled) if asked.execute_on and asked.execute_on <= today), None
    )
    if due is None:
        return settled + len(free)
    # What came up during the days of grace counts as well.
    perform(session, due, "block" if any(obstacles(session, due.account)) else "execute", actor=actor)
    return settled + len(free) + 1


def _settle_claims(session: Session) -> int:
    """Overwrite what was kept for claims that have been paid since; return how many requests that were."""
    kept = sa.select(AccountDeletion).where(AccountDeletion.state == S.executed, AccountDeletion.kept_claims > 0)
    done = 0
    for asked in session.scalars(kept.limit(200)).all():
        account, still = asked.account, {request.id for request in claims_on(session, asked.account)}
        theirs = sa.select(ActivationRequest).where(
            ActivationRequest.account_id == account.id, ActivationRequest.requester_name != account.username
        )
        paid = [request for request in session.scalars(theirs) if request.id not in still]
        for request in paid:
            settle_claim(session, account, request)
        if paid:
            asked.kept_claims = len(still)
        done += len(paid)
    return done


def obstacles(session: Session, account: Account) -> tuple[int, bool]:
    """Return how many tickets of the person are open, and whether the account is under a legal hold.

    An unpaid contribution is none: it never stands in the way of an erasure.
    """
    open_ = sa.select(sa.func.count(Ticket.id)).where(Ticket.account_id == account.id, Ticket.state.not_in(_DONE))
    return session.scalar(open_) or 0, bool(account.legal_hold)


def claims_on(session: Session, account: Account) -> Sequence[ActivationRequest]:
    """Return the requests of the person in which something was agreed that their company has not paid yet.

    They stay as they are until it has: who agreed, and to what, is what the claim rests on.
    """
    fee, item = AnnualFee, ActivationRequestItem
    unpaid = (
        sa.exists()
        .where(fee.company_service_id == CompanyService.id, fee.state.in_(UNSETTLED))
        .where(CompanyService.company_id == ActivationRequest.company_id)
        .where(CompanyService.online_service_id == item.online_service_id)
    )
    agreed = sa.exists().where(item.request_id == ActivationRequest.id, item.state == ItemState.approved_paid, unpaid)
    theirs = sa.or_(ActivationRequest.account_id == account.id, ActivationRequest.email == account.email)
    wanted = sa.select(ActivationRequest).where(
        theirs,
        ActivationRequest.company_id == account.company_id,
        ActivationRequest.group_id == account.group_id,
        agreed,
    )
    return session.scalars(wanted).all()


def _in_state(session: Session, state: S) -> Sequence[AccountDeletion]:
    wanted = sa.select(AccountDeletion).where(AccountDeletion.state == state).order_by(AccountDeletion.id).limit(200)
    return session.scalars(wanted).all()


def _look(session: Session, asked: AccountDeletion, _values: Mapping[str, Any], actor: Actor) -> None:
    """Plan the day, or say what stands in the way; the person is told either way, once."""
    asked.open_tickets, asked.is_on_hold = obstacles(session, asked.account)
    first = asked.verified_at is None
    if first:
        asked.verified_at, asked.verified_by_id = clock.now(), actor.staff_id
    if asked.open_tickets or asked.is_on_hold:
        asked.state = S.blocked
    else:
        days = setting_value(session, DELETION_GRACE_DAYS, asked.group_id)
        asked.state, asked.execute_on = S.scheduled, clock.today() + timedelta(days=days)
    if first:
        session.flush()
        _tell(session, asked, "deletion_requested")


def _is_free(session: Session, asked: AccountDeletion, _values: Mapping[str, Any], _actor: Actor) -> None:
    """:raises StillBlocked: nothing has changed."""
    tickets, hold = obstacles(session, asked.account)
    if tickets or hold:
        raise StillBlocked(tickets=tickets, hold=_l("yes") if hold else _l("no"))


def _count_obstacles(session: Session, asked: AccountDeletion, _values: Mapping[str, Any], _actor: Actor) -> None:
    asked.open_tickets, asked.is_on_hold = obstacles(session, asked.account)
    asked.execute_on = None


def _give_back(session: Session, asked: AccountDeletion, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Let the account be what it was."""
    with acting(session, Action.update):
        perform(session, asked.account, "cancel_deletion", actor=SYSTEM)


def _turn_down(session: Session, asked: AccountDeletion, values: Mapping[str, Any], actor: Actor) -> None:
    _give_back(session, asked, values, actor)
    _tell(session, asked, "deletion_refused", reason=asked.reason or "")


def _execute(session: Session, asked: AccountDeletion, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Make the person a pseudonym, and tell them, for the last time, what is kept (N-36)."""
    account, claims = asked.account, claims_on(session, asked.account)
    theirs = sa.select(sa.func.count(Ticket.id)).where(Ticket.account_id == account.id)
    asked.executed_at, asked.kept_tickets, asked.kept_claims = clock.now(), session.scalar(theirs), len(claims)
    address, name = account.email, account.full_name
    end_sessions(session, account)
    for request in claims:
        request.account_id = account.id  # by which they are found when the claim is settled
        request.restricted = True
    make_pseudonym(session, account, but=claims)
    perform(session, account, "delete", actor=SYSTEM)
    _tell(session, asked, "deletion_executed", to=address, name=name, tickets=asked.kept_tickets, claims=len(claims))


def _tell(session: Session, asked: AccountDeletion, event: str, *, to: str | None = None, **told: Any) -> None:
    account = asked.account
    portal = account.portal
    values: dict[str, Any] = {
        "name": account.full_name,
        "portal": portal.name if portal else group_name(session, asked.group_id),
        "due": f"{asked.due_on:%d/%m/%Y}",
        **told,
    }
    queue_mail(
        session,
        event,
        values,
        to=to or account.email,
        about=asked,
        language=asked.language,
    )


DELETIONS = register(
    Machine(
        AccountDeletion,
        "state",
        (
            Transition(
                name="verify",
                label=_l("The person wants it"),
                sources=(S.requested,),
                target=None,
                icon="person-check",
                tone="primary",
                effect=_look,
                confirm=_l(
                    "It is planned after the days of grace, or blocked by what is still open; the person is told."
                ),
            ),
            Transition(
                name="look_again",
                label=_l("Look again"),
                sources=(S.blocked,),
                target=None,
                icon="arrow-clockwise",
                tone="primary",
                guard=_is_free,
                effect=_look,
                confirm=_l("Nothing stands in its way any more: it is planned after the days of grace."),
            ),
            Transition(
                name="refuse",
                label=_l("Refuse the deletion"),
                sources=OPEN,
                target=S.refused,
                icon="x-circle",
                tone="danger",
                inputs=("reason",),
                effect=_turn_down,
                confirm=_l("The account is as it was; say why: the person reads it in a mail."),
            ),
            Transition(
                name="block",
                label=_l("Block"),
                sources=(S.scheduled,),
                target=S.blocked,
                effect=_count_obstacles,
                automatic=True,
            ),
            Transition(
                name="cancel",
                label=_l("Think better of it"),
                sources=OPEN,
                target=S.cancelled,
                effect=_give_back,
                automatic=True,
            ),
            Transition(
                name="execute",
                label=_l("Execute the deletion"),
                sources=(S.scheduled,),
                target=S.executed,
                effect=_execute,
                automatic=True,
            ),
        ),
    )
)

_EXAMPLE = {"name": "Giulia Rossi", "portal": "Area di supporto", "due": "31/12/2026"}
register_template("deletion_requested", _l("Deletion of an account: asked for"), _EXAMPLE, for_clients=True)
register_template(
    "deletion_refused",
    _l("Deletion of an account: refused"),
    {**_EXAMPLE, "reason": "La richiesta non viene dalla persona interessata."},
    for_clients=True,
)
register_template(
    "deletion_executed",
    _l("Deletion of an account: executed"),
    {**_EXAMPLE, "tickets": 4, "claims": 0},
    for_clients=True,
    forgets=True,
)

__all__ = [
    "MAY_ASK",
    "CannotBeDeleted",
    "StillBlocked",
    "advance_deletions",
    "ask_for_deletion",
    "cancel_deletion",
    "claims_on",
    "find_open",
    "obstacles",
]
