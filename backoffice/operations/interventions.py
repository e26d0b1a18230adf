"""Interventions, from their request to their end: by when each is due, and what they count against (chapter 4.11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.calendars import working_calendar
from backoffice.operations.clocks import promised_by
from backoffice.operations.plain import before_create
from backoffice.setting_keys import INTERVENTION_DAYS
from backoffice.settings import setting_value
from models.entitlement import Entitlement, EntitlementKind
from models.intervention import Intervention, InterventionMode, InterventionState
from models.sla_policy import SlaKind

S = InterventionState


class NoneLeft(DomainError):
    """OS-02: as many as agreed have been asked for."""

    template = _l("All %(count)s have been used: say why this one takes place beyond the contract, or refuse it.")
    status = 409


class NotForInterventions(DomainError):
    template = _l("This entitlement is not for interventions.")


class NotValidThen(DomainError):
    template = _l("This entitlement is not valid on that day.")


class NotAtThisSite(DomainError):
    """OS-03: some interventions are due at one place only."""

    template = _l("This entitlement is for “%(site)s” only.")


class CountedAlready(DomainError):
    template = _l("Either it counts towards an entitlement, or there is a reason why it does not.")


class StillCounted(DomainError):
    template = _l("It counts towards an entitlement, so there was one left.")


class StillToCome(DomainError):
    template = _l("This is yet to come.")


@before_create(Intervention)
def _complete(session: Session, intervention: Intervention, *, actor: Actor) -> None:
    """Count a new intervention towards its entitlement, and work out by when it is due.

    :raises NoneLeft: as many as agreed are counted already, and no reason is given to go beyond.
    :raises NotForInterventions: the entitlement is one to something else.
    :raises NotValidThen: it was asked for on a day outside the entitlement's.
    :raises NotAtThisSite: the entitlement is for another place.
    :raises CountedAlready: an entitlement is named, and a reason to go beyond it as well.
    """
    if intervention.requested_at is None:
        intervention.requested_at = clock.now()  # type: ignore[unreachable]  # a new one may have none yet
    intervention.due_at = due_of(session, intervention)
    if intervention.beyond_reason:
        if intervention.entitlement is not None:
            raise CountedAlready(field="beyond_reason")
        return
    entitlement = intervention.entitlement or _fitting(session, intervention)
    if entitlement is None:
        return
    if entitlement.kind is not EntitlementKind.onsite:
        raise NotForInterventions(field="entitlement")
    day = _day_of(intervention)
    if day < entitlement.valid_from or (entitlement.valid_to is not None and day > entitlement.valid_to):
        raise NotValidThen(field="entitlement")
    if entitlement.site is not None and entitlement.site is not intervention.site:
        raise NotAtThisSite(field="site", site=entitlement.site)
    count_use(session, entitlement, 1)
    intervention.entitlement = entitlement


def due_of(session: Session, intervention: Intervention) -> datetime | None:
    """Return by when an intervention must be carried out (SL-16): by the service level of its ticket, else at the end
    of service of the working day that the settings say; None where no hours are agreed.
    """
    ticket, since = intervention.ticket, intervention.requested_at
    promised = promised_by(session, ticket, SlaKind.on_site, since)
    days = setting_value(session, INTERVENTION_DAYS, ticket.queue.group_id)
    if promised is not None or ticket.queue.calendar_id is None or days == 0:
        return promised
    calendar = working_calendar(session, ticket.queue.calendar_id)
    return calendar.closing_on(calendar.add_working_days(since.astimezone(clock.ROME).date(), days))


def _day_of(intervention: Intervention) -> date:
    return intervention.requested_at.astimezone(clock.ROME).date()


def _fitting(session: Session, intervention: Intervention) -> Entitlement | None:
    """Return the entitlement that an intervention on site counts towards where none is named: one with some left, the
    first to end; where none has any, one that says so; None where nothing of the kind is agreed.
    """
    ticket, day, row = intervention.ticket, _day_of(intervention), Entitlement
    if intervention.mode is InterventionMode.remote or ticket.company_id is None:
        return None
    site_id = intervention.site.id if intervention.site is not None else None
    wanted = sa.select(row).where(
        row.company_id == ticket.company_id,
        row.kind == EntitlementKind.onsite,
        row.valid_from <= day,
        sa.or_(row.valid_to.is_(None), row.valid_to >= day),
        sa.or_(row.site_id.is_(None), row.site_id == site_id),
    )
    if ticket.contract_id is not None:
        wanted = wanted.where(row.contract_id == ticket.contract_id)
    is_full = sa.case((sa.or_(row.max_count.is_(None), row.used_count < row.max_count), 0), else_=1)
    order = (is_full, row.valid_to.is_(None), row.valid_to, row.id)
    return session.scalars(wanted.order_by(*order).limit(1), execution_options=INTERNAL).one_or_none()


def count_use(session: Session, entitlement: Entitlement, change: int) -> None:
    """Count one use more or less; compared with the limit by the very statement, so two at once cannot exceed it.

    :raises NoneLeft: there is none left.
    """
    used, most = Entitlement.used_count, Entitlement.max_count
    fits = sa.true() if change < 0 else sa.or_(most.is_(None), used < most)
    statement = (
        sa.update(Entitlement)
        .where(Entitlement.id == entitlement.id, fits)
        .values(used_count=used + change)
        .returning(used)
    )
    after = session.execute(statement, execution_options={**INTERNAL, "synchronize_session": False}).scalar()
    if after is None:
        raise NoneLeft(field="entitlement", count=entitlement.max_count)
    set_committed_value(entitlement, "used_count", after)


def _give_back(session: Session, intervention: Intervention, _values: Mapping[str, Any], _actor: Actor) -> None:
    """End an intervention that was not done: it takes nothing from the client's entitlement."""
    intervention.ended_at = clock.now()
    if intervention.entitlement is not None:
        count_use(session, intervention.entitlement, -1)


def _has_happened(_session: Session, _intervention: Intervention, values: Mapping[str, Any], _actor: Actor) -> None:
    """Refuse an arrival or an end that is yet to come; a clock somewhere may be a few minutes ahead."""
    for name in ("arrived_at", "ended_at"):
        at = values.get(name)
        if at is not None and at > clock.now() + timedelta(minutes=5):
            raise StillToCome(field=name)


def _work_out_again(session: Session, intervention: Intervention, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Whoever plans it works with the hours and service levels of today."""
    intervention.due_at = due_of(session, intervention)


def _is_beyond(_session: Session, intervention: Intervention, _values: Mapping[str, Any], _actor: Actor) -> None:
    if intervention.entitlement_id is not None:
        raise StillCounted


INTERVENTIONS = register(
    Machine(
        Intervention,
        "state",
        (
            Transition(
                name="schedule",
                label=_l("Schedule"),
                sources=(S.requested, S.scheduled),
                target=S.scheduled,
                icon="calendar-check",
                tone="primary",
                inputs=("planned_at", "team"),
                optional=("team",),
                effect=_work_out_again,
            ),
            Transition(
                name="send_team",
                label=_l("The team has left"),
                sources=(S.scheduled,),
                target=S.team_sent,
                icon="truck",
            ),
            Transition(
                name="arrive",
                label=_l("Record the arrival"),
                sources=(S.scheduled, S.team_sent),
                target=S.arrived,
                icon="geo-alt",
                tone="primary",
                inputs=("arrived_at",),
                guard=_has_happened,
            ),
            Transition(
                name="complete",
                label=_l("Record the end"),
                sources=(S.arrived,),
                target=S.done,
                icon="check-circle",
                tone="primary",
                inputs=("ended_at", "outcome"),
                guard=_has_happened,
                confirm=_l("Say what was done; attach the signed report or a photo."),
                takes_files=True,
            ),
            Transition(
                name="give_up",
                label=_l("Record that it was not done"),
                sources=(S.requested, S.scheduled, S.team_sent, S.arrived),
                target=S.not_done,
                icon="x-circle",
                inputs=("outcome",),
                effect=_give_back,
                confirm=_l("Say why; it is given back to the entitlement."),
            ),
            Transition(
                name="refuse",
                label=_l("Refuse: none left"),
                sources=(S.requested,),
                target=S.refused_cap,
                icon="slash-circle",
                tone="danger",
                inputs=("outcome",),
                guard=_is_beyond,
                confirm=_l("The contract includes no more of them, and the client wants none beyond it."),
            ),
        ),
    )
)
