"""What is declared of rights: areas, row scopes and what they need."""

from __future__ import annotations

from collections.abc import Iterator

from backoffice.actors import Action, ScopeKind
from backoffice.checks.registry import Problem, check
from backoffice.permissions import AREAS, CLIENT_CATALOGUES, CLIENT_GRANTS, ROLES, shipped_grants
from models.base import Recorded
from models.catalogue import fields


@check
def known_area(entity: type[Recorded]) -> Iterator[Problem]:
    """E002: the area has its row in the permission matrix."""
    area = entity.__admin__.area
    if area not in AREAS:
        yield Problem(
            "E002",
            f"{entity.__name__} is in the area “{area}”, which the permission matrix does not have.",
            "Add the area to backoffice/permissions.py, or use one of: " + ", ".join(AREAS) + ".",
        )


@check
def enforceable_scope(entity: type[Recorded]) -> Iterator[Problem]:
    """E003: whatever row scope a role has on the entity can be found in its columns."""
    scope = entity.__admin__.scope
    if scope.shared:
        return
    if scope.group is None or "group_id" not in entity.__table__.c:
        yield Problem(
            "E003",
            f"{entity.__name__} does not say which corporate group a row belongs to.",
            "Declare Scope(group=...) with GroupOwned or CompanyOwned, or SHARED for reference data.",
        )
    available = {ScopeKind.group}
    if scope.unit or scope.company:
        available.add(ScopeKind.unit)
    if scope.company:
        available |= {ScopeKind.teams, ScopeKind.consultant}
    if scope.owner:
        available.add(ScopeKind.own)
    for role in ROLES:
        grant = shipped_grants(role).get(entity.__admin__.area)
        if grant is not None and grant.scope not in available:
            yield Problem(
                "E003",
                f"{entity.__name__}: the role {role} sees rows by {grant.scope}, which no column tells.",
                "Name the column in the entity's Scope, or give the role another scope.",
            )


@check
def narrowable_for_clients(entity: type[Recorded]) -> Iterator[Problem]:
    """E031 to E032: what clients may see is their company's or common to all, and what is kept from them is told apart
    by values that there are.
    """
    admin = entity.__admin__
    is_open = any(admin.area in grants for grants in CLIENT_GRANTS.values())
    common = admin.scope.shared or admin.area in CLIENT_CATALOGUES
    if admin.client_columns and is_open and not (admin.scope.company or admin.scope.parents or common):
        yield Problem(
            "E031",
            f"{entity.__name__} has client_columns, but nothing tells which company a row is of.",
            "Name the column in Scope(company=...), or leave client_columns out.",
        )
    for name, values in admin.client_only.items():
        choices = getattr(fields(entity).get(name), "choices", None)
        if choices is None or any(value not in choices for value in values):
            yield Problem(
                "E032",
                f"{entity.__name__}.__admin__.client_only names “{name}”, which has no such values.",
                "Name a choice of the entity, and some of its values.",
            )


@check
def placed_own_rows(entity: type[Recorded]) -> Iterator[Problem]:
    """E025: a field that has a row of the form to itself is in the form."""
    for section in entity.__admin__.sections:
        for name in set(section.own_row) - set(section.columns):
            yield Problem(
                "E025",
                f"{entity.__name__}: the section “{section.title}” gives “{name}” a row and does not have it.",
                "Add it to the section's columns, or take it out of own_row.",
            )


@check
def readable_scope_columns(entity: type[Recorded]) -> Iterator[Problem]:
    """E017: whoever may export may read."""
    for role in ROLES:
        grant = shipped_grants(role).get(entity.__admin__.area)
        if grant is not None and Action.read not in grant.actions:
            yield Problem(
                "E017",
                f"The role {role} may act in the area {entity.__admin__.area} but not read it.",
                "Add R to its rights.",
            )
