"""Who acts, with which rights, and through which door."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from werkzeug.utils import cached_property

from backoffice.errors import Forbidden
from models.base import Recorded
from models.catalogue import hidden_from_clients


class Action(enum.StrEnum):
    """What a right allows; the letters of the permission matrix in brackets."""

    create = enum.auto()  # C
    read = enum.auto()  # R
    update = enum.auto()  # U
    delete = enum.auto()  # D
    transition = enum.auto()  # T
    export = enum.auto()  # X


class ScopeKind(enum.StrEnum):
    """Which rows of the actor's corporate group a right covers."""

    group = enum.auto()
    #: The actor's own business unit.
    unit = enum.auto()
    #: Companies with a ticket in, or a contract served by, the actor's teams.
    teams = enum.auto()
    #: Companies entrusted to the actor as consultant.
    consultant = enum.auto()
    #: Rows entrusted to the actor in person.
    own = enum.auto()


_WRITES = frozenset({Action.create, Action.update, Action.delete, Action.transition})


@dataclass(frozen=True)
class Grant:
    """What one role allows in one area."""

    actions: frozenset[Action]
    scope: ScopeKind = ScopeKind.group
    #: Columns shown as a mask only, written ``entity.field``.
    masked: frozenset[str] = frozenset()
    #: The name of the role that gives it.
    role: str = field(default="", compare=False)


@dataclass(frozen=True)
class Reach:
    """How far an account may use an online service (AC-13)."""

    #: The one site whose data it shows; None for the whole company.
    site_id: int | None = None
    #: Whether it shows what nobody has validated yet.
    preliminary: bool = True


class ActorKind(enum.StrEnum):
    staff = enum.auto()
    account = enum.auto()
    system = enum.auto()
    anonymous = enum.auto()


@dataclass(frozen=True)
class Actor:
    """A person or the system, as operations, scope and history see it: plain values, no database object."""

    kind: ActorKind
    id: int | None = None
    name: str = ""
    group_id: int | None = None
    #: The client whose account acts; None for everybody else.
    company_id: int | None = None
    #: Of an account: whether it sees what concerns the whole company.
    is_referent: bool = False
    #: Of an account: how far it may use the online service that an area belongs to, by area.
    reach: Mapping[str, Reach] = field(default_factory=dict, hash=False, compare=False)
    unit_ids: tuple[int, ...] = ()
    team_ids: tuple[int, ...] = ()
    roles: tuple[str, ...] = ()
    #: By area of the permission matrix.
    grants: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict, hash=False, compare=False)
    may_switch_group: bool = False
    must_change_password: bool = False

    # A page asks the same of each of its rows, and the grants do not change: what was worked out once is kept.
    @cached_property
    def _grants_found(self) -> dict[tuple[Action, type[Recorded]], tuple[Grant, ...]]:
        return {}

    @cached_property
    def _masked_found(self) -> dict[type[Recorded], frozenset[str]]:
        return {}

    @property
    def is_system(self) -> bool:
        return self.kind is ActorKind.system

    @property
    def staff_id(self) -> int | None:
        """The key of the member of staff, or None for anybody else."""
        return self.id if self.kind is ActorKind.staff else None

    @property
    def account_id(self) -> int | None:
        """The key of the client account, or None for anybody else."""
        return self.id if self.kind is ActorKind.account else None

    def grants_for(self, action: Action, entity: type[Recorded]) -> tuple[Grant, ...]:
        """Return the grants of all roles that allow ``action`` on ``entity``.

        What all corporate groups share, only administrators of the whole installation change.
        """
        key = (action, entity)
        if key not in self._grants_found:
            self._grants_found[key] = self._find_grants(action, entity)
        return self._grants_found[key]

    def _find_grants(self, action: Action, entity: type[Recorded]) -> tuple[Grant, ...]:
        if self.is_withheld(action, entity):
            return ()
        if self.kind is ActorKind.account and not entity.__admin__.client_columns:
            return ()
        return tuple(grant for grant in self.grants.get(entity.__admin__.area, ()) if action in grant.actions)

    def is_withheld(self, action: Action, entity: type[Recorded]) -> bool:
        """Say whether ``action`` is for administrators of the whole installation, whatever roles the actor has."""
        return entity.__admin__.scope.shared and action in _WRITES and not self.may_switch_group

    def may(self, action: Action, entity: type[Recorded]) -> bool:
        """Say whether any role allows ``action`` on rows of ``entity``, whichever rows."""
        return self.is_system or bool(self.grants_for(action, entity))

    def require(self, action: Action, entity: type[Recorded]) -> None:
        """Raise ``Forbidden`` unless ``may``."""
        if not self.may(action, entity):
            raise Forbidden

    def scopes(self, action: Action, entity: type[Recorded]) -> frozenset[ScopeKind]:
        """Return the row scopes of ``action``: rights of several roles add up (RO-06)."""
        return frozenset(grant.scope for grant in self.grants_for(action, entity))

    def masked(self, entity: type[Recorded]) -> frozenset[str]:
        """Return the names of the fields of ``entity`` that this actor sees as a mask only (RO-08).

        A field is shown when every role that lets the actor read the entity shows it, or when one that
        shows it covers the whole group: a role with a narrower scope unmasks nothing beyond doubt.
        """
        if entity not in self._masked_found:
            self._masked_found[entity] = self._find_masked(entity)
        return self._masked_found[entity]

    def _find_masked(self, entity: type[Recorded]) -> frozenset[str]:
        if self.kind is ActorKind.account:
            return hidden_from_clients(entity)
        readers = self.grants_for(Action.read, entity)
        prefix = f"{entity.__table__.name}."
        names = {name.removeprefix(prefix) for grant in readers for name in grant.masked if name.startswith(prefix)}
        return frozenset(
            name
            for name in names
            if not any(prefix + name not in grant.masked and grant.scope is ScopeKind.group for grant in readers)
        )


#: The product itself: jobs, migrations of data, seeds. Sees everything, is bound to nothing.
SYSTEM = Actor(ActorKind.system, name="Sistema")
ANONYMOUS = Actor(ActorKind.anonymous)


class Door(enum.StrEnum):
    """Where a change came in."""

    desk = enum.auto()
    grid = enum.auto()
    api = enum.auto()
    spreadsheet = enum.auto()
    client_area = enum.auto()
    mail = enum.auto()
    job = enum.auto()
    cli = enum.auto()


@dataclass(frozen=True)
class Context:
    """What a session knows of the work it is part of: kept in ``session.info["context"]``."""

    actor: Actor
    door: Door
    #: The member of staff for whom the product acts.
    on_behalf_of: str | None = None
    #: The same by their key.
    staff_id: int | None = None
    #: The account that a client uses, where the product acts for them.
    account_id: int | None = None
