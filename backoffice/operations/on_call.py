"""Emergencies alert whoever is on call at any hour, again and again, until somebody answers (SL-05, SL-14, SL-15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, as_product
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.lifecycles import Machine, Transition, register
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import colleague, tell, with_role
from backoffice.operations.plain import after_create, after_write
from backoffice.operations.verbs import after_verb, perform
from backoffice.permissions import ADMINISTRATOR
from backoffice.setting_keys import ALERT_MINUTES, ALERT_TIMES, ALERT_WEBHOOK
from backoffice.settings import setting_value
from models.on_call_alert import AlertState, OnCallAlert
from models.on_call_shift import OnCallShift
from models.outbox_mail import OutboxMail
from models.support_team import SupportTeam
from models.ticket import OPEN_STATES, Ticket, Urgency

S = AlertState
#: So many characters of what happened stand in an alert.
_TOLD = 1_000
#: Older tickets are looked at when somebody saves them, not for want of a shift.
RECENT = timedelta(days=90)


class NobodyElse(DomainError):
    template = _l("Nobody else is on call now.")
    status = 409


@after_create(Ticket)
@after_verb(Ticket)
def _look(session: Session, ticket: Ticket, *, actor: Actor) -> None:
    """Alert of a ticket that is, or has become, an emergency; let an alert go once the ticket is over."""
    alert_of(session, ticket)


@after_write(Ticket)
def _look_again(session: Session, tickets: Sequence[Ticket], *, actor: Actor) -> None:
    for ticket in tickets:
        if ticket.version > 1:
            alert_of(session, ticket)


def alert_of(session: Session, ticket: Ticket) -> None:
    """Alert whoever is on call of an open emergency nobody was alerted of yet; end the alert of one that is none."""
    is_emergency = ticket.priority is Urgency.emergency and ticket.state in OPEN_STATES
    known = session.scalars(
        sa.select(OnCallAlert).where(OnCallAlert.ticket_id == ticket.id), execution_options=INTERNAL
    ).all()
    waiting = next((alert for alert in known if alert.state is S.sent), None)
    # Let go, because it was none for a while, an alert says nothing of what it has become again.
    if is_emergency and all(alert.state is S.over for alert in known):
        with as_product(session):
            first = next(iter(on_duty(session, ticket, clock.now())), None)
            if first is not None:
                _alert(session, ticket, first)
            else:
                _tell_that_nobody_is(session, ticket)
    elif not is_emergency and waiting is not None:
        with as_product(session):
            perform(session, waiting, "end", actor=SYSTEM)


def on_duty(session: Session, ticket: Ticket, at: datetime) -> list[OnCallShift]:
    """Return who is on call for a ticket at a moment, by turn: its team's first, else any team's of the group."""
    now = sa.and_(OnCallShift.group_id == ticket.group_id, OnCallShift.starts_at <= at, OnCallShift.ends_at > at)
    wanted = sa.select(OnCallShift).join(SupportTeam, SupportTeam.id == OnCallShift.team_id).where(now)
    own = OnCallShift.team_id == ticket.team_id
    order = (sa.case((own, 0), else_=1), OnCallShift.turn, SupportTeam.level.desc(), OnCallShift.id)
    found = session.scalars(wanted.order_by(*order), execution_options=INTERNAL).all()
    mine = [shift for shift in found if shift.team_id == ticket.team_id]
    return mine or list(found)


def repeat_alerts(session: Session, now: datetime, *, actor: Actor, limit: int = 100) -> int:
    """Alert again whoever has not answered, and the next one after some times; return how many were alerted.

    An emergency that came while nobody was on call alerts whoever is by now.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    due = sa.select(OnCallAlert).where(OnCallAlert.state == S.sent, OnCallAlert.next_at <= now)
    alerts = session.scalars(due.order_by(OnCallAlert.next_at).limit(limit).with_for_update(skip_locked=True)).all()
    unheard = _unheard(session, now)
    late = session.scalars(unheard.limit(limit)).all() if unheard is not None else []
    for ticket in late:
        _alert(session, ticket, on_duty(session, ticket, now)[0])
    for alert in alerts:
        most = setting_value(session, ALERT_TIMES, alert.group_id)
        following = _following(session, alert, now)
        if alert.times >= most and following is not None:
            perform(session, alert, "give_up", actor=SYSTEM)
            _alert(session, alert.ticket, following)
        else:
            alert.times += 1
            _send(session, alert)
    session.flush()
    return len(alerts) + len(late)


def is_alert_due(session: Session, now: datetime) -> bool:
    """Say whether somebody is to be alerted, once more or at last, or a gateway has not taken an alert."""
    table = OnCallAlert.__table__
    due = sa.or_(table.c.next_at <= now, table.c.webhook_at.is_(None))
    wanted = sa.select(sa.literal(1)).where(table.c.state == S.sent, due).limit(1)
    if session.scalar(wanted, execution_options=INTERNAL) is not None:
        return True
    unheard = _unheard(session, now)
    return unheard is not None and session.scalars(unheard.limit(1), execution_options=INTERNAL).first() is not None


def _unheard(session: Session, now: datetime) -> sa.Select[Any] | None:
    """Select the emergencies nobody is alerted of, for want of a shift, in groups where somebody is on call by now.

    None where nobody is. The groups are read first, and old tickets left out, so that an index says which these are.
    """
    shift, alert = OnCallShift.__table__, OnCallAlert.__table__
    running = sa.select(shift.c.group_id).where(shift.c.starts_at <= now, shift.c.ends_at > now).distinct()
    groups = session.scalars(running, execution_options=INTERNAL).all()
    if not groups:
        return None
    return sa.select(Ticket).where(
        Ticket.group_id.in_(groups),
        Ticket.priority == Urgency.emergency,
        Ticket.created_at > now - RECENT,
        Ticket.state.in_(OPEN_STATES),
        ~sa.exists().where(alert.c.ticket_id == Ticket.id, alert.c.state != S.over),
    )


def _tell_that_nobody_is(session: Session, ticket: Ticket) -> None:
    """Tell the administrators of the group, once for each ticket."""
    mail = OutboxMail.__table__
    about = (mail.c.cause_entity == Ticket.__tablename__, mail.c.cause_id == ticket.id)
    told = sa.select(sa.literal(1)).where(*about, mail.c.template == "nobody_on_call").limit(1)
    if session.scalar(told, execution_options=INTERNAL) is not None:
        return
    values = {"number": ticket.number, "subject": ticket.subject}
    for person in with_role(session, ADMINISTRATOR, ticket.group_id):
        tell(session, "nobody_on_call", person, values, about=ticket)


def _alert(session: Session, ticket: Ticket, shift: OnCallShift) -> None:
    alert = OnCallAlert(ticket=ticket, person_id=shift.person_id, next_at=clock.now(), is_demo=ticket.is_demo)
    session.add(alert)
    session.flush()
    _send(session, alert)


def _send(session: Session, alert: OnCallAlert) -> None:
    """Write to the person, and let the gateway know; the next alert is due after some minutes."""
    ticket = alert.ticket
    alert.next_at = clock.now() + timedelta(minutes=setting_value(session, ALERT_MINUTES, alert.group_id))
    alert.webhook_at = None if setting_value(session, ALERT_WEBHOOK, alert.group_id) else clock.now()
    session.flush()
    values = {
        "number": ticket.number,
        "subject": ticket.subject,
        "company": str(ticket.company) if ticket.company is not None else "–",
        "times": alert.times,
        "text": ticket.description[:_TOLD],
        "place": ticket.place_code or ticket.affected_system or "–",
        "contact": _whom_to_call(ticket),
    }
    tell(session, "on_call_alert", colleague(session, alert.person_id), values, about=alert)


def _whom_to_call(ticket: Ticket) -> str:
    """Return who can say more, with a number to reach them at; an alert is often read where there is no desk."""
    if ticket.contact is None:
        return "–"
    return " ".join(part for part in (str(ticket.contact), ticket.contact.mobile or ticket.contact.phone) if part)


def _following(session: Session, alert: OnCallAlert, now: datetime) -> OnCallShift | None:
    """Return who is asked after the person of an alert, after the last one the first; None where there is no other."""
    shifts = on_duty(session, alert.ticket, now)
    people = [shift.person_id for shift in shifts]
    place = people.index(alert.person_id) if alert.person_id in people else -1
    following = shifts[(place + 1) % len(shifts)] if shifts else None
    return following if following is not None and following.person_id != alert.person_id else None


def _answer(_session: Session, alert: OnCallAlert, _values: Mapping[str, Any], _actor: Actor) -> None:
    alert.answered_at = clock.now()


def _pass_on(session: Session, alert: OnCallAlert, _values: Mapping[str, Any], _actor: Actor) -> None:
    following = _following(session, alert, clock.now())
    if following is None:
        raise NobodyElse
    alert.answered_at = clock.now()
    with as_product(session):
        _alert(session, alert.ticket, following)


ALERTS = register(
    Machine(
        OnCallAlert,
        "state",
        (
            Transition(
                name="acknowledge",
                label=_l("I have it"),
                sources=(S.sent,),
                target=S.acknowledged,
                icon="check-circle",
                tone="primary",
                effect=_answer,
                confirm=_l("Nobody is alerted of it any more; the time until the team is on site runs on."),
            ),
            Transition(
                name="pass_on",
                label=_l("Pass on to the next"),
                sources=(S.sent,),
                target=S.passed_on,
                icon="arrow-right-circle",
                effect=_pass_on,
                confirm=_l("The next one on call is alerted at once."),
            ),
            Transition(name="give_up", label=_l("No answer"), sources=(S.sent,), target=S.passed_on, automatic=True),
            Transition(name="end", label=_l("No longer needed"), sources=(S.sent,), target=S.over, automatic=True),
        ),
    )
)


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/support/{mail.cause_id}"


def _to_alert(_session: Session, mail: OutboxMail) -> str:
    return f"/on_call_alert/{mail.cause_id}/do/acknowledge"


register_template(
    "nobody_on_call",
    _l("Emergency: nobody is on call"),
    {"name": "Elena", "number": "CC-12", "subject": "Palo pericolante"},
    mint=_to_ticket,
    bell=Audience.staff,
    always_mailed=True,
)
register_template(
    "on_call_alert",
    _l("Emergency: on-call alert"),
    {
        "name": "Elena",
        "number": "CC-12",
        "subject": "Palo pericolante",
        "company": "Comune di Valverde",
        "times": 1,
        "text": "Un palo pende sulla strada, davanti alla scuola.",
        "place": "VAL-0042",
        "contact": "Carla Conti +39 0461 123456",
    },
    mint=_to_alert,
    bell=Audience.staff,
    always_mailed=True,
)
