"""Interventions, from their request to their end, and the entitlements they are counted against (chapter 4.11)."""

from __future__ import annotations

from collections.abc import Mapping
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
from backoffice.operations.plain import before_create
from models.entitlement import Entitlement, EntitlementKind
from models.intervention import Intervention, InterventionState

S = InterventionState


class NoneLeft(DomainError):
    """OS-02: as many as agreed have been asked for."""

    template = _l("All %(count)s have been used: leave this empty to record one beyond the contract, or refuse it.")
    status = 409


class NotForInterventions(DomainError):
    template = _l("This entitlement is not for interventions.")


class NotValidThen(DomainError):
    template = _l("This entitlement is not valid on that day.")


class NotAtThisSite(DomainError):
    """OS-03: some interventions are due at one place only."""

    template = _l("This entitlement is for “%(site)s” only.")


class StillCounted(DomainError):
    template = _l("It counts towards an entitlement, so there was one left.")


@before_create(Intervention)
def _complete(session: Session, intervention: Intervention, *, actor: Actor) -> None:
    """Count a new intervention towards its entitlement.

    :raises NoneLeft: as many as agreed are counted already.
    :raises NotForInterventions: the entitlement is one to something else.
    :raises NotValidThen: it was asked for on a day outside the entitlement's.
    :raises NotAtThisSite: the entitlement is for another place.
    """
    if intervention.requested_at is None:
        intervention.requested_at = clock.now()  # type: ignore[unreachable]  # a new one may have none yet
    entitlement = intervention.entitlement
    if entitlement is None:
        return
    if entitlement.kind is not EntitlementKind.onsite:
        raise NotForInterventions(field="entitlement")
    day = intervention.requested_at.astimezone(clock.ROME).date()
    if day < entitlement.valid_from or (entitlement.valid_to is not None and day > entitlement.valid_to):
        raise NotValidThen(field="entitlement")
    if entitlement.site is not None and entitlement.site is not intervention.site:
        raise NotAtThisSite(field="site", site=entitlement.site)
    count_use(session, entitlement, 1)


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
            ),
            Transition(
                name="complete",
                label=_l("Record the end"),
                sources=(S.arrived,),
                target=S.done,
                icon="check-circle",
                tone="primary",
                inputs=("ended_at", "outcome"),
                confirm=_l("Say what was done; attach the signed report."),
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
