"""The ledger of a client's assistance hours: each movement changes what is left by as much (PK-12)."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from models.package_movement import MovementKind, PackageMovement
from models.support_package import PackageState, SupportPackage
from models.values import Minutes

S = PackageState


class NotEnoughLeft(DomainError):
    """A charge would take more than there is: the rest belongs on another package (PK-03)."""

    template = _l("Only %(left)s are left on this package: charge the rest to another one.")


class NothingToCharge(DomainError):
    template = _l("The time must not be zero.")


def add_movement(
    session: Session, package: SupportPackage, kind: MovementKind, minutes: int, **details: Any
) -> PackageMovement:
    """Enter a movement and change what is left by as much, in one statement that no other can come between.

    :raises NotEnoughLeft: a charge is larger than what is left.
    :raises NothingToCharge: ``minutes`` is zero.
    """
    if minutes == 0:
        raise NothingToCharge(field="minutes")
    left = SupportPackage.residual_minutes
    enough = left + minutes >= 0 if kind is MovementKind.charge else sa.true()
    statement = (
        sa.update(SupportPackage)
        .where(SupportPackage.id == package.id, enough)
        .values(residual_minutes=left + minutes)
        .returning(left)
    )
    residual = session.execute(statement, execution_options={**INTERNAL, "synchronize_session": False}).scalar()
    if residual is None:
        shown = session.scalar(sa.select(left).where(SupportPackage.id == package.id), execution_options=INTERNAL)
        raise NotEnoughLeft(field="minutes", left=Minutes().show(shown))
    package.residual_minutes = residual  # what is stored already, so that the history tells of it
    movement = PackageMovement(package=package, kind=kind, minutes=minutes, is_demo=package.is_demo, **details)
    session.add(movement)
    return movement


def settle_state(package: SupportPackage) -> None:
    """Let the state follow what is left: used up with the last minute, in use again by a correction in its dates."""
    if package.state is S.active and package.residual_minutes <= 0:
        package.state = S.exhausted
    elif package.state is S.exhausted and package.residual_minutes > 0:
        package.state = S.active if covers(package, clock.today()) else S.expired


def covers(package: SupportPackage, day: date) -> bool:
    """Say whether ``day`` lies within the dates of a package."""
    return (package.valid_from or day) <= day <= (package.valid_to or day)


def usable(company_id: int | None, day: date) -> sa.ColumnElement[bool]:
    """Build the condition that a package of the company is in use on ``day`` with time left."""
    c = SupportPackage.__table__.c
    return sa.and_(
        c.company_id == company_id,
        c.state == S.active,
        c.residual_minutes > 0,
        sa.or_(c.valid_from.is_(None), c.valid_from <= day),
        sa.or_(c.valid_to.is_(None), c.valid_to >= day),
    )


def left_on(company_id: int | None, day: date) -> sa.ScalarSelect[int]:
    """Build the minutes left on all packages the company may use on ``day``, whether the actor may see them or not."""
    left = sa.func.coalesce(sa.func.sum(SupportPackage.__table__.c.residual_minutes), 0)
    return sa.select(left).where(usable(company_id, day)).correlate(None).scalar_subquery()


def time_left(session: Session, company_id: int | None, day: date) -> int:
    """Return the minutes left on all packages the company may use on ``day``, whether the actor may see them or not."""
    if company_id is None:
        return 0
    return int(session.scalar(sa.select(left_on(company_id, day)), execution_options=INTERNAL) or 0)


def has_active_package(session: Session, company_id: int | None, day: date) -> bool:
    """Say whether the company has a package in use on ``day`` with time left (PK-02)."""
    return time_left(session, company_id, day) > 0
