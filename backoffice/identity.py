"""Who a member of staff is to the product: read once a request, handed on as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Actor, ActorKind, Grant, ScopeKind
from backoffice.errors import NotFound
from backoffice.permissions import ADMINISTRATOR, parse_right
from models.role_right import RoleMask, RoleRight
from models.staff import Staff
from models.team_member import TeamMember

UserRole = Staff.metadata.tables["ab_user_role"]
RoleRow = Staff.metadata.tables["ab_role"]


@dataclass(frozen=True)
class Identity:
    """A member of staff as doors know them: who acts, and whether a sign-in still counts."""

    actor: Actor
    username: str
    first_name: str
    last_name: str
    email: str
    active: bool
    session_epoch: int


def find_administrators(session: Session, actor: Actor, *, most: int = 3) -> list[str]:
    """Return the names of some who look after the rights in the actor's corporate group, the actor left out."""
    statement = (
        sa.select(Staff)
        .join(UserRole, UserRole.c.user_id == Staff.id)
        .join(RoleRow, RoleRow.c.id == UserRole.c.role_id)
        .where(RoleRow.c.name == ADMINISTRATOR, Staff.active, Staff.group_id == actor.group_id)
        .where(Staff.id != actor.staff_id)
        .order_by(Staff.last_name, Staff.first_name)
        .limit(most)
    )
    return [str(staff) for staff in session.scalars(statement)]


def find_identity(session: Session, staff_id: int) -> Identity | None:
    """Return who the member of staff is, with rights as they are now, or None. Two statements.

    Needs a session in which the system acts: nobody's row scope must decide who they are.
    """
    # Teams of the group the person works in at present; in the other one they may have teams too.
    in_team = sa.and_(TeamMember.staff_id == Staff.id, TeamMember.group_id == Staff.group_id)
    rows = session.execute(
        sa.select(Staff, RoleRow.c.id, RoleRow.c.name, TeamMember.team_id)
        .outerjoin(UserRole, UserRole.c.user_id == Staff.id)
        .outerjoin(RoleRow, RoleRow.c.id == UserRole.c.role_id)
        .outerjoin(TeamMember, in_team)
        .where(Staff.id == staff_id)
        .order_by(RoleRow.c.id, TeamMember.id)
    ).all()
    if not rows:
        return None
    staff: Staff = rows[0][0]
    roles = {role_id: name for _, role_id, name, _ in rows if role_id is not None}
    teams = dict.fromkeys(team_id for *_, team_id in rows if team_id is not None)
    grants = load_grants(session, roles)
    by_team = any(grant.scope is ScopeKind.teams for found in grants.values() for grant in found)
    actor = Actor(
        ActorKind.staff,
        id=staff.id,
        name=str(staff),
        group_id=staff.group_id,
        unit_ids=(staff.business_unit_id,) if staff.business_unit_id else (),
        team_ids=tuple(teams) if by_team else (),
        roles=tuple(roles.values()),
        grants=grants,
        may_switch_group=bool(staff.may_switch_group),
        must_change_password=bool(staff.must_change_password),
    )
    return Identity(
        actor, staff.username, staff.first_name, staff.last_name, staff.email, bool(staff.active), staff.session_epoch
    )


def load_actor(session: Session, staff_id: int) -> Actor:
    """Return the actor that a member of staff is now; raise ``NotFound`` where there is none."""
    identity = find_identity(session, staff_id)
    if identity is None:
        raise NotFound
    return identity.actor


def load_grants(session: Session, roles: Mapping[int, str]) -> dict[str, tuple[Grant, ...]]:
    """Return by area what roles, names by key, together allow: one statement for rights and masks.

    Whoever asks: what a role allows is decided by nobody's row scope.
    """
    if not roles:
        return {}
    scope_text = sa.cast(RoleRight.scope, sa.String)
    rights = sa.select(RoleRight.role_id, RoleRight.area, RoleRight.actions, scope_text).where(RoleRight.actions != "")
    masks = sa.select(RoleMask.role_id, RoleMask.entity, RoleMask.field, sa.literal(""))
    rows = session.execute(
        sa.union_all(rights.where(RoleRight.role_id.in_(roles)), masks.where(RoleMask.role_id.in_(roles))),
        execution_options=INTERNAL,
    ).all()
    masked: dict[int, set[str]] = {}
    for role_id, entity, field, scope in rows:
        if not scope:
            masked.setdefault(role_id, set()).add(f"{entity}.{field}")
    grants: dict[str, tuple[Grant, ...]] = {}
    for role_id, area, letters, scope in rows:
        if scope:
            actions, kind = parse_right(f"{letters}:{scope}")
            grant = Grant(actions, kind, frozenset(masked.get(role_id, ())), roles[role_id])
            grants[area] = (*grants.get(area, ()), grant)
    return grants
