"""The rights of all roles as a table for people, and those of one role or user area by area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import url_for
from flask_appbuilder.security.sqla.models import Role
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor, ActorKind, ScopeKind
from backoffice.identity import load_grants
from backoffice.operations.role_changes import count_users
from backoffice.operations.role_rows import Values, actions_of, values_by_role
from backoffice.operations.roles import Difference, all_differences, differences
from backoffice.permissions import ACTION_LABELS, AREAS, ROLES, SCOPE_MEANINGS, SCOPE_WORDS, role_label
from backoffice.records.effective import all_masked, effects_in
from models.role_right import RightScope, RoleRight
from views.desk.role_forms import in_words, label_of


def role_matrix(session: Session) -> dict[str, Any]:
    """Return what ``roles.html`` shows: every role with its right in every area, in one order."""
    roles = in_order(session.scalars(sa.select(Role)).all())
    values, found = values_by_role(session, roles), all_differences(session)
    return {
        "title": _("Roles and rights"),
        "text": _("Every role covers the person's corporate group only; where rows are named, those of them only."),
        "roles": [_role(role, values.get(role.id, {}), [d for d in found if d.role == role.name]) for role in roles],
    }


def in_order(roles: Any) -> list[Role]:
    """Return ours in the order of the matrix, then those that administrators made."""
    order = {code: place for place, code in enumerate(ROLES)}
    return sorted(roles, key=lambda role: (order.get(role.name, len(order)), role.name))


def _role(role: Role, values: Values, found: list[Difference]) -> dict[str, Any]:
    return {
        "name": role.name,
        "label": role_label(role.name),
        "url": url_for("RolesView.show", pk=role.id),
        "help": _help(role),
        "changed": any(difference.here != difference.now for difference in found),
        "open": any(difference.is_open for difference in found),
        "areas": [{"label": label, "parts": parts_of(values.get(f"right:{area}"))} for area, label in AREAS.items()],
        "masks": [label_of(key) for key in sorted(values) if key.startswith("mask:")],
    }


def _help(role: Role) -> Any:
    return ROLES[role.name].description if role.name in ROLES else _("Made here.")


def parts_of(value: str | None) -> list[dict[str, Any]]:
    """Return a right as its actions, those of one row scope together."""
    actions = actions_of(value)
    parts = [
        {
            "actions": [word for action, word in ACTION_LABELS.items() if actions.get(action) is kind],
            "scope": "" if kind is ScopeKind.group else RightScope[kind].label,
        }
        for kind in ScopeKind
    ]
    return [part for part in parts if part["actions"]]


def role_page(session: Session, role: Role, actor: Actor) -> dict[str, Any]:
    """Return what ``rights.html`` shows of a role, with what this actor may do about it."""
    of_role = Actor(
        ActorKind.staff, grants=load_grants(session, {role.id: role.name}), roles=(role.name,), may_switch_group=True
    )
    found = differences(session, role)
    changed = {d.key: in_words(d.key, d.now) for d in found if d.here != d.now}
    news = [d for d in found if d.is_open]
    may_change, users = actor.may(Action.update, RoleRight), count_users(session, role)
    links = [
        (may_change, "edit", _("Change the rights"), "pencil"),
        (actor.may(Action.create, RoleRight), "copy", _("Copy"), "copy"),
        (may_change and bool(changed), "shipped", _("Back to the shipped rights"), "arrow-counterclockwise"),
        (actor.may(Action.delete, RoleRight) and role.name not in ROLES, "delete", _("Delete"), "trash3"),
    ]
    return {
        "title": _("Role “%(role)s”", role=role_label(role.name)),
        "subtitle": f"{_help(role)} " + ngettext("%(num)s user has it.", "%(num)s users have it.", users),
        "links": [
            {"label": label, "icon": icon, "url": url_for(f"RolesView.{name}", pk=role.id)}
            for offered, name, label, icon in links
            if offered
        ],
        "news": [
            {
                "key": d.key,
                "label": label_of(d.key),
                "before": in_words(d.key, d.before),
                "here": in_words(d.key, d.here),
                "now": in_words(d.key, d.now),
            }
            for d in news
        ],
        "news_action": url_for("RolesView.news", pk=role.id) if may_change else None,
        **rights_of(of_role, changed),
        "other_changes": [{"label": label_of(k), "shipped": v} for k, v in changed.items() if k.startswith("mask:")],
    }


def rights_of(actor: Actor, changed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return by area what an actor may do and which role gives it, and what they see as a mask.

    ``changed`` has, for rights that were changed here, what the product ships.
    """
    return {
        "areas": [
            {"label": label, "effects": _effects(area, actor), "shipped": (changed or {}).get(f"right:{area}")}
            for area, label in AREAS.items()
        ],
        "meanings": [{"word": SCOPE_WORDS[kind], "text": SCOPE_MEANINGS[kind]} for kind in ScopeKind],
        "masks": [
            {
                "label": entity.__admin__.plural,
                "fields": [{"label": field.label, "roles": _names(roles)} for field, roles in masked],
            }
            for entity, masked in all_masked(actor).items()
        ],
        "several_roles": len(actor.roles) > 1,
    }


def _effects(area: str, actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "action": ACTION_LABELS[effect.action],
            "scope": SCOPE_WORDS[effect.scope],
            "narrow": effect.scope is not ScopeKind.group,
            "roles": _names(effect.roles),
            "withheld": effect.withheld,
        }
        for effect in effects_in(area, actor)
    ]


def _names(roles: tuple[str, ...]) -> str:
    return ", ".join(str(role_label(role)) for role in roles)
