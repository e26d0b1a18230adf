"""The rights of all roles as a table for people."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.errors import Text
from backoffice.permissions import ACTION_LABELS, AREAS, ROLES, parse_right, role_label
from models.base import ENTITIES
from models.catalogue import fields
from models.role_right import RightScope, RoleMask, RoleRight


def role_matrix(session: Session) -> dict[str, Any]:
    """Return what ``roles.html`` shows: every role with its right in every area, in one order."""
    roles = _in_order(session.scalars(sa.select(Role)).all())
    rights = {(row.role_id, row.area): row for row in session.scalars(sa.select(RoleRight))}
    masks = list(session.scalars(sa.select(RoleMask).order_by(RoleMask.entity, RoleMask.field)))
    return {
        "title": _("Roles and rights"),
        "text": _("Every role covers the person's corporate group only; where rows are named, those of them only."),
        "roles": [_role(role, rights, masks) for role in roles],
    }


def _in_order(roles: Any) -> list[Role]:
    """Ours in the order of the matrix, then those that administrators made."""
    order = {code: place for place, code in enumerate(ROLES)}
    return sorted(roles, key=lambda role: (order.get(role.name, len(order)), role.name))


def _role(role: Role, rights: dict[tuple[int, str], RoleRight], masks: list[RoleMask]) -> dict[str, Any]:
    shipped = ROLES.get(role.name)
    return {
        "name": role.name,
        "label": role_label(role.name),
        "help": shipped.description if shipped else "",
        "areas": [_cell(label, rights.get((role.id, area))) for area, label in AREAS.items()],
        "masks": [_mask_label(mask) for mask in masks if mask.role_id == role.id],
    }


def _cell(label: Text, right: RoleRight | None) -> dict[str, Any]:
    actions = parse_right(right.actions)[0] if right else frozenset()
    narrowed = right is not None and right.scope is not RightScope.group
    return {
        "label": label,
        "actions": [word for action, word in ACTION_LABELS.items() if action in actions],
        "scope": right.scope.label if right and actions and narrowed else "",
    }


def _mask_label(mask: RoleMask) -> str:
    entity = ENTITIES.get(mask.entity)
    if entity is None or mask.field not in fields(entity):
        return f"{mask.entity}.{mask.field}"
    return f"{entity.__admin__.label}: {fields(entity)[mask.field].label}"
