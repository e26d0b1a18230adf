"""Why somebody may or may not do something with one record, line by line.

The answer itself is what a session of theirs returns (``is_reached``). The lines ask the very conditions that sessions
add to their statements, one by one, of that row: nothing here knows a rule of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL, within_scope
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.conditions import Asks, Condition, conditions, holders, narrower, reaches
from backoffice.errors import Text
from backoffice.identity import Identity
from backoffice.permissions import ACTION_LABELS, AREAS, SCOPE_WORDS, role_label
from backoffice.records import show
from backoffice.records.effective import masked_fields
from models.base import ENTITIES, Recorded

#: What rows are reached by, in each kind of scope.
_HOLDERS = {
    ScopeKind.unit: "business_unit",
    ScopeKind.teams: "support_team",
    ScopeKind.consultant: "ab_user",
    ScopeKind.own: "ab_user",
}


@dataclass(frozen=True)
class Line:
    """One sentence, and whether what it says speaks for the answer yes; None where it speaks for neither."""

    text: str
    holds: bool | None = None


@dataclass(frozen=True)
class Step:
    """What must be so for the answer yes; None where it changes nothing about the answer."""

    title: Text
    holds: bool | None
    lines: tuple[Line, ...]


def is_reached(theirs: Session, entity: type[Recorded], key: int, action: Action) -> bool:
    """Say whether a session reaches a row for ``action``: whoever does anything must be able to read it first."""
    return all(within_scope(theirs, entity, [key], needed) for needed in dict.fromkeys((Action.read, action)))


def steps(session: Session, record: Recorded, person: Identity, action: Action, *, viewer: Actor) -> Iterator[Step]:
    """Yield what must be so for ``person`` to do ``action`` with the record; all steps together are the answer.

    ``viewer`` reads it: what other records are called is said as far as they may know.
    """
    actor, entity = person.actor, type(record)
    asked = [c for c in conditions(actor, action) if issubclass(entity, c.entity)]
    text = _("%(name)s is active.") if person.active else _("%(name)s is deactivated and cannot sign in.")
    yield Step(_("User"), person.active, (Line(text % {"name": actor.name}, person.active),))
    yield _group(session, record, actor, [c for c in asked if c.asks is Asks.group])
    if not _all_hold(session, record, [c for c in asked if c.asks is Asks.presence]):
        yield Step(_("Deletion"), False, (Line(_("The record is deleted."), False),))
    if not _all_hold(session, record, [c for c in asked if c.asks is Asks.restriction]):
        text = _("The record is kept for one purpose only, such as a claim: administrators alone see it.")
        yield Step(_("Restriction"), False, (Line(text, False),))
    yield _right(entity, actor, action)
    scopes = [kind for kind in ScopeKind if kind in actor.scopes(action, entity)]
    if scopes:
        lines = tuple(_row(session, record, actor, kind, viewer) for kind in scopes)
        yield Step(_("Rows"), any(line.holds for line in lines), lines)
    parent = next((row for name in entity.__admin__.scope.parents if (row := getattr(record, name)) is not None), None)
    if parent is not None:
        there = comes_to(steps(session, parent, person, Action.read, viewer=viewer))
        text = _("%(name)s can be read.") if there else _("%(name)s cannot be read, and what belongs to it neither.")
        yield Step(_("Belongs to"), there, (Line(text % {"name": show.label(parent, viewer)}, there),))
    if action is Action.read:
        yield from _masks(entity, actor)
        return
    readable = comes_to(steps(session, record, person, Action.read, viewer=viewer))
    text = _("The record can be read.") if readable else _("The record cannot be read, so nothing can be done with it.")
    yield Step(_("Reading"), readable, (Line(text, readable),))


def comes_to(found: Iterable[Step]) -> bool:
    """Return what steps together say."""
    return all(step.holds is not False for step in found)


def _all_hold(session: Session, record: Recorded, asked: Iterable[Condition]) -> bool:
    return all(_holds(session, record, condition.criterion) for condition in asked)


def _holds(session: Session, record: Recorded, criterion: Callable[[Any], Any]) -> bool:
    entity = type(record)
    statement = sa.select(entity.id).where(entity.id == record.id, criterion(entity))
    return session.scalar(statement, execution_options=INTERNAL) is not None


def _group(session: Session, record: Recorded, actor: Actor, asked: list[Condition]) -> Step:
    if not asked:
        return Step(_("Corporate group"), True, (Line(_("All corporate groups share records of this kind."), True),))
    holds = _all_hold(session, record, asked)
    key = getattr(record, "group_id", None)
    text = _(
        "The record belongs to %(group)s; the user works for %(own)s.",
        group=_group_names(session, key) or _("no group"),
        own=_group_names(session, actor.group_id) or _("no group"),
    )
    return Step(_("Corporate group"), holds, (Line(text, holds),))


def _group_names(session: Session, key: int | None) -> str:
    table = ENTITIES["corporate_group"].__table__
    found = session.scalar(sa.select(table.c.name).where(table.c.id == key), execution_options=INTERNAL)
    return str(found or "")


def _right(entity: type[Recorded], actor: Actor, action: Action) -> Step:
    lines = [_role_line(role, entity, actor, action) for role in actor.roles]
    if not lines:
        lines = [Line(_("The user has no role."), False)]
    if actor.is_withheld(action, entity):
        text = _("What all corporate groups share is changed by administrators of the whole installation only.")
        lines.append(Line(text, False))
    return Step(_("Roles and rights"), actor.may(action, entity), tuple(lines))


def _role_line(role: str, entity: type[Recorded], actor: Actor, action: Action) -> Line:
    area = entity.__admin__.area
    said = {"role": role_label(role), "action": ACTION_LABELS[action], "area": AREAS[area]}
    given = [grant for grant in actor.grants.get(area, ()) if grant.role == role and action in grant.actions]
    if not given:
        return Line(_("%(role)s: does not allow “%(action)s” in “%(area)s”.", **said), False)
    rows = ", ".join(str(SCOPE_WORDS[kind]) for kind in ScopeKind if any(grant.scope is kind for grant in given))
    return Line(_("%(role)s: allows “%(action)s” in “%(area)s”; rows: %(rows)s.", rows=rows, **said), True)


def _row(session: Session, record: Recorded, actor: Actor, kind: ScopeKind, viewer: Actor) -> Line:
    criterion = narrower(actor, frozenset({kind}))
    if criterion is None:
        return Line(_("%(scope)s: every row of the corporate group.", scope=SCOPE_WORDS[kind]), True)
    holds = _holds(session, record, criterion)
    entity = type(record)
    if not reaches(entity, kind):
        text = _("%(scope)s: records of this kind are reached in no such way.", scope=SCOPE_WORDS[kind])
        return Line(text, holds)
    statement = holders(entity, kind, record.id)
    theirs = [key for key in session.scalars(statement, execution_options=INTERNAL) if key is not None]
    own = {ScopeKind.unit: actor.unit_ids, ScopeKind.teams: actor.team_ids}.get(kind, (actor.staff_id or 0,))
    text = _fact(entity, kind) % {
        "scope": SCOPE_WORDS[kind],
        "theirs": _names(session, kind, theirs, viewer),
        "own": _names(session, kind, own, viewer),
    }
    return Line(text, holds)


def _fact(entity: type[Recorded], kind: ScopeKind) -> str:
    if kind is ScopeKind.own:
        return _("%(scope)s: the record is entrusted to %(theirs)s; the user is %(own)s.")
    if kind is ScopeKind.consultant:
        return _("%(scope)s: the consultants of its company: %(theirs)s; the user is %(own)s.")
    if kind is ScopeKind.teams:
        return _("%(scope)s: teams with tickets or contracts of its company: %(theirs)s; the user’s teams: %(own)s.")
    if entity.__admin__.scope.unit:
        return _("%(scope)s: its business unit: %(theirs)s; the user’s unit: %(own)s.")
    return _("%(scope)s: its company’s business unit: %(theirs)s; the user’s unit: %(own)s.")


def _names(session: Session, kind: ScopeKind, keys: Iterable[int], viewer: Actor) -> str:
    """Return what the holders of a scope are called; some that the viewer may not see are only said to be there."""
    entity, wanted = ENTITIES[_HOLDERS[kind]], set(keys)
    rows = session.scalars(sa.select(entity).where(entity.id.in_(wanted)).order_by(entity.id)).all() if wanted else []
    found = [show.label(row, viewer) for row in rows]
    if len(found) < len(wanted):
        found.append(_("(not available)"))
    return ", ".join(found) or _("none")


def _masks(entity: type[Recorded], actor: Actor) -> Iterator[Step]:
    lines = tuple(
        Line(f"{field.label} ({', '.join(str(role_label(role)) for role in roles)})")
        for field, roles in masked_fields(entity, actor)
    )
    if lines:
        yield Step(_("Shown as a mask"), None, lines)
