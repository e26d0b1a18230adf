"""Waste movements from the pick-up to the disposal, their weights, and the client's register (WS-02, WS-05, WS-06)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.plain import before_save
from backoffice.setting_keys import REGISTER_DAYS
from backoffice.settings import setting_value
from models.waste_movement import UNWEIGHED, WasteMovement, WasteUnit
from models.waste_movement import MovementState as S


@before_save(WasteMovement)
def _complete(session: Session, movement: WasteMovement, *, actor: Actor) -> None:
    """Say by when the client's register is to be kept, and how far the two weights differ."""
    days = setting_value(session, REGISTER_DAYS, movement.company.group_id)
    movement.register_due_on = movement.picked_up_at.astimezone(clock.ROME).date() + timedelta(days=days)
    compare_weights(movement)


def compare_weights(movement: WasteMovement) -> None:
    """Note the destination weight less the declared one; nothing where another unit was declared."""
    is_weight = movement.unit in (None, WasteUnit.kg)
    weight = movement.destination_kg
    movement.difference_kg = weight - movement.quantity if weight is not None and is_weight else None


def _weigh(_session: Session, movement: WasteMovement, _values: Mapping[str, Any], _actor: Actor) -> None:
    movement.delivered_at = movement.delivered_at or movement.weighed_at
    compare_weights(movement)


MOVEMENTS = register(
    Machine(
        WasteMovement,
        "state",
        (
            Transition(
                name="depart",
                label=_l("Record the departure"),
                sources=(S.picked_up,),
                target=S.in_transit,
                icon="truck",
            ),
            Transition(
                name="deliver",
                label=_l("Record the delivery"),
                sources=(S.picked_up, S.in_transit),
                target=S.delivered,
                icon="box-arrow-in-down",
                tone="primary",
                inputs=("delivered_at",),
            ),
            Transition(
                name="weigh",
                label=_l("Record the weight"),
                sources=(*UNWEIGHED, S.weighed),
                target=S.weighed,
                icon="speedometer2",
                tone="primary",
                inputs=("destination_kg", "weighed_at"),
                effect=_weigh,
                confirm=_l("The client needs it for the register."),
            ),
            Transition(
                name="dispose",
                label=_l("Record the disposal"),
                sources=(S.weighed,),
                target=S.disposed,
                icon="recycle",
                tone="primary",
                inputs=("disposed_at",),
            ),
        ),
    )
)
