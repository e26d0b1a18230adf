"""The rights of all roles as a table for people."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Action
from backoffice.errors import Text
from backoffice.permissions import AREAS, LETTERS, ROLES, role_label
from models.base import ENTITIES
from models.catalogue import fields
from models.role_right import RightScope, RoleDefault, RoleMask, RoleRight

ACTION_LABELS: dict[Action, Text] = {
    Action.create: _l("Create"),
    Action.read: _l("Read"),
    Action.update: _l("Change"),
    Action.delete: _l("Delete"),
    Action.transition: _l("Use verbs"),
    Action.export: _l("Export"),
}


def role_matrix(session: Session) -> dict[str, Any]:
    """Return what ``roles.html`` shows.

    ``roles``: code, label, description, masks (words). ``areas``: label and one cell a role with ``actions``
    (letter, label), ``scope`` (words, empty for the whole group) and ``changed`` (differs from what was shipped).
    ``legend``: letter and label of every action.
    """
    roles = _in_order(session.scalars(sa.select(Role)).all())
    rights = {(row.role_id, row.area): row for row in session.scalars(sa.select(RoleRight))}
    shipped = {(row.role_id, row.key): row.value for row in session.scalars(sa.select(RoleDefault))}
    masks = list(session.scalars(sa.select(RoleMask).order_by(RoleMask.entity, RoleMask.field)))
    return {
        "title": _l("Roles"),
        "legend": [{"letter": letter, "label": ACTION_LABELS[action]} for letter, action in LETTERS.items()],
        "roles": [_role(role, masks) for role in roles],
        "areas": [
            {"label": label, "cells": [_cell(role, area, rights, shipped) for role in roles]}
            for area, label in AREAS.items()
        ],
    }


def _in_order(roles: Any) -> list[Role]:
    """Ours in the order of the matrix, then those that administrators made."""
    order = {code: place for place, code in enumerate(ROLES)}
    return sorted(roles, key=lambda role: (order.get(role.name, len(order)), role.name))


def _role(role: Role, masks: list[RoleMask]) -> dict[str, Any]:
    shipped = ROLES.get(role.name)
    return {
        "code": role.name,
        "label": role_label(role.name),
        "description": shipped.description if shipped else "",
        "masks": [_mask_label(mask) for mask in masks if mask.role_id == role.id],
    }


def _mask_label(mask: RoleMask) -> str:
    entity = ENTITIES.get(mask.entity)
    if entity is None or mask.field not in fields(entity):
        return f"{mask.entity}.{mask.field}"
    return f"{entity.__admin__.label}: {fields(entity)[mask.field].label}"


def _cell(role: Role, area: str, rights: dict[tuple[int, str], RoleRight], shipped: dict[tuple[int, str], str]) -> dict[str, Any]:
    right = rights.get((role.id, area))
    letters = right.actions if right else ""
    scope = right.scope if right else RightScope.group
    default = shipped.get((role.id, f"right:{area}"))
    return {
        "actions": [{"letter": letter, "label": ACTION_LABELS[LETTERS[letter]]} for letter in letters],
        "scope": scope.label if letters and scope is not RightScope.group else "",
        "changed": default is not None and default != f"{letters}:{scope.value}",
    }
