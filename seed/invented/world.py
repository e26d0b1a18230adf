"""What all parts of the demonstration set share: chance with a fixed seed, the day it is, who and what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from random import Random
from typing import Any

import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy.orm import Session

from backoffice.clock import ROME
from models.company_service import CompanyService
from models.corporate_group import CorporateGroup
from models.reading import fold
from models.staff import Staff
from seed.names import MEN, SURNAMES, WOMEN, Place


@dataclass
class World:
    """The surroundings of one corporate group; everything made through it is marked as demonstration."""

    session: Session
    group: CorporateGroup
    places: Sequence[Place]
    #: 0 for the first group, 1 for the second.
    number: int
    now: datetime
    #: Decides everything but to whom records are entrusted, which depends on the staff there is.
    rng: Random
    #: Keeps codes of two groups apart.
    serials: count[int]
    #: User names given so far, in all groups.
    usernames: set[str]
    entrusting: Random = field(default_factory=lambda: Random(0))
    _kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.now.astimezone(ROME).date()

    def add(self, row: Any) -> Any:
        """Put a row into the session, marked as part of the demonstration set."""
        row.is_demo = True
        self.session.add(row)
        return row

    def day(self, offset: int) -> date:
        """Return the date ``offset`` days from today, before it where negative."""
        return self.today + timedelta(days=offset)

    def instant(self, offset: int) -> datetime:
        """Return an instant in office hours ``offset`` days from today, never later than now for past days."""
        clock = time(self.rng.randint(8, 17), self.rng.randrange(60), self.rng.randrange(60))
        at = datetime.combine(self.day(offset), clock, ROME).astimezone(UTC)
        return at if offset > 0 else min(at, self.now - timedelta(minutes=self.rng.randint(5, 90)))

    def chance(self, share: float) -> bool:
        """Say yes in about ``share`` of all cases."""
        return self.rng.random() < share

    def deck(self, weights: Mapping[Any, int]) -> list[Any]:
        """Return every key as often as its weight says, shuffled: so all states occur, and how often is known."""
        cards = [state for state, times in weights.items() for _ in range(times)]
        self.rng.shuffle(cards)
        return cards

    def person(self) -> tuple[str, str, bool]:
        """Return first name, last name, and whether it is a woman."""
        woman = self.chance(0.5)
        return self.rng.choice(WOMEN if woman else MEN), self.rng.choice(SURNAMES), woman

    def kept(self, key: tuple[Any, ...], find: Callable[[], Any]) -> Any:
        """Return what ``find`` returned the first time it was asked for ``key``."""
        if key not in self._kept:
            self._kept[key] = find()
        return self._kept[key]

    def staff(self, role: str) -> Staff | None:
        """Return one of the group's staff with the role, where there are any."""
        found = self.kept(("staff", role), lambda: self._staff_with(role))
        return self.entrusting.choice(found) if found else None

    def _staff_with(self, role: str) -> list[Staff]:
        statement = sa.select(Staff).join(Staff.roles).where(Role.name == role, Staff.group_id == self.group.id)
        return list(self.session.scalars(statement.order_by(Staff.id)))

    def all_of(self, entity: type[Any]) -> list[Any]:
        """Return the group's rows of a reference entity, in the order of their keys."""
        return list(self.kept(("all", entity), lambda: self._rows_of(entity)))

    def _rows_of(self, entity: type[Any]) -> list[Any]:
        statement = sa.select(entity).where(entity.group_id == self.group.id).order_by(entity.id)
        return list(self.session.scalars(statement))

    def by_code(self, entity: type[Any], code: str) -> Any:
        """Return the group's row with the code; None where an administrator deleted or renamed it."""
        return next((row for row in self.all_of(entity) if row.code == code), None)


def granted(world: World, code: str) -> list[CompanyService]:
    """Return the grants of an online service to clients of the group, whatever has become of them since."""
    return [grant for grant in world.all_of(CompanyService) if grant.online_service.code == code]


def slug(text: str) -> str:
    """Return ``text`` as part of an address: folded, letters and digits only."""
    return "".join(letter for letter in fold(text) if letter.isascii() and letter.isalnum())
