"""Support packages: their lifecycle (chapter 4.8) and their ledger of minutes (PK-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Opening, Transition, register
from backoffice.operations.verbs import perform
from backoffice.working_time import add_months
from models.company import Company
from models.package_movement import MovementKind, PackageMovement
from models.support_package import PackageState, SupportPackage
from models.values import Minutes

S = PackageState


class OutsideItsDates(DomainError):
    template = _l("A package can be activated only within its dates.")


class NotEnoughLeft(DomainError):
    """A charge would take more than there is: the rest belongs on another package (PK-03)."""

    template = _l("Only %(left)s are left on this package: charge the rest to another one.")


class NothingToCharge(DomainError):
    template = _l("The time must not be zero.")


def _is_within_dates(_session: Session, package: SupportPackage, _values: Mapping[str, Any], _actor: Actor) -> None:
    if not _covers(package, clock.today()):
        raise OutsideItsDates(field="valid_from")


def _covers(package: SupportPackage, day: date) -> bool:
    return (package.valid_from or day) <= day <= (package.valid_to or day)


def _put_on_account(session: Session, package: SupportPackage, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Start the validity of a package and enter what was bought as its first movement."""
    package.valid_from = package.valid_from or clock.today()
    if package.valid_to is None and package.type is not None and package.type.validity_months:
        package.valid_to = add_months(package.valid_from, package.type.validity_months)
    add_movement(session, package, MovementKind.purchase, package.purchased_minutes)


def _charge(session: Session, package: SupportPackage, values: Mapping[str, Any], _actor: Actor) -> None:
    """Take time off the package, whichever sign was typed; one that is used up says so."""
    minutes = -abs(values["minutes"])
    add_movement(session, package, MovementKind.charge, minutes, ticket=values["ticket"], note=values["note"])
    _settle(package)


def _correct(session: Session, package: SupportPackage, values: Mapping[str, Any], _actor: Actor) -> None:
    add_movement(session, package, MovementKind.correction, values["minutes"], note=values["note"])
    _settle(package)


def _settle(package: SupportPackage) -> None:
    """Let the state follow what is left: used up with the last minute, in use again by a correction in its dates."""
    if package.state is S.active and package.residual_minutes <= 0:
        package.state = S.exhausted
    elif package.state is S.exhausted and package.residual_minutes > 0:
        package.state = S.active if _covers(package, clock.today()) else S.expired


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


class NothingLeft(DomainError):
    template = _l("Nothing is left: it comes in as used up.")


class SomethingLeft(DomainError):
    template = _l("Of a package that is used up nothing is left.")


class MoreThanBought(DomainError):
    template = _l("More is left than was bought.")


class NotOverYet(DomainError):
    template = _l("It is valid until %(day)s: it has not expired.")


def _state_of_balance(values: Mapping[str, Any]) -> PackageState | None:
    """Return the state that a row with time left means: people write what is left and no state beside it."""
    left, last = values.get("residual_minutes"), values.get("valid_to")
    if left is None:
        return None
    if last is not None and last < clock.today():
        return S.expired
    return S.active if left else S.exhausted


def _balance_is_possible(session: Session, package: Any, values: Mapping[str, Any], actor: Actor) -> None:
    left = package.residual_minutes or 0
    if not 0 <= left <= package.purchased_minutes:
        raise (
            MoreThanBought(field="residual_minutes")
            if left > 0
            else NotEnoughLeft(field="residual_minutes", left=Minutes().show(left))
        )
    if package.state in (S.active, S.suspended):
        if not left:
            raise NothingLeft(field="residual_minutes")
        _is_within_dates(session, package, values, actor)
    if package.state is S.exhausted and left:
        raise SomethingLeft(field="residual_minutes")
    if package.state is S.expired and package.valid_to >= clock.today():
        raise NotOverYet(field="valid_to", day=f"{package.valid_to:%d/%m/%Y}")


def _enter_balance(session: Session, package: SupportPackage, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Begin the ledger of a package that was used before it came here with what is left of it."""
    if package.residual_minutes:
        minutes = package.residual_minutes
        session.add(PackageMovement(package=package, kind=MovementKind.opening, minutes=minutes))


def _forget_balances(session: Session, packages: Sequence[SupportPackage]) -> None:
    opening = sa.and_(
        PackageMovement.package_id.in_([package.id for package in packages]),
        PackageMovement.kind == MovementKind.opening,
    )
    session.execute(sa.delete(PackageMovement).where(opening), execution_options=INTERNAL)


OPENING = Opening(
    states={
        S.requested: (),
        S.quoted: (),
        S.active: ("valid_from", "residual_minutes"),
        S.suspended: ("valid_from", "residual_minutes"),
        S.exhausted: ("residual_minutes",),
        S.expired: ("valid_to", "residual_minutes"),
    },
    assume=_state_of_balance,
    guard=_balance_is_possible,
    effect=_enter_balance,
    brings=PackageMovement,
    take_back=_forget_balances,
)


PACKAGES = register(
    Machine(
        SupportPackage,
        "state",
        (
            Transition(
                name="quote",
                label=_l("Record the quote"),
                sources=(S.requested,),
                target=S.quoted,
                icon="receipt",
                tone="primary",
                inputs=("price",),
            ),
            Transition(
                name="activate",
                label=_l("Activate the package"),
                sources=(S.requested, S.quoted),
                target=S.active,
                icon="play-circle",
                tone="primary",
                guard=_is_within_dates,
                effect=_put_on_account,
                confirm=_l("The time bought is put on the account and may be used from now on."),
            ),
            Transition(
                name="charge",
                label=_l("Charge time"),
                sources=(S.active,),
                target=None,
                icon="dash-circle",
                asks=PackageMovement,
                inputs=("minutes", "ticket", "note"),
                optional=("ticket", "note"),
                effect=_charge,
                confirm=_l("The movement cannot be changed afterwards, only corrected by another one."),
            ),
            Transition(
                name="correct",
                label=_l("Correct the time left"),
                sources=(S.active, S.suspended, S.exhausted, S.expired),
                target=None,
                icon="plus-slash-minus",
                asks=PackageMovement,
                inputs=("minutes", "note"),
                effect=_correct,
                confirm=_l("A positive time is added, a negative one taken away; say why."),
            ),
            Transition(
                name="suspend",
                label=_l("Suspend the package"),
                sources=(S.active,),
                target=S.suspended,
                icon="pause-circle",
            ),
            Transition(
                name="resume",
                label=_l("Resume the package"),
                sources=(S.suspended,),
                target=S.active,
                icon="play-circle",
                tone="primary",
                guard=_is_within_dates,
            ),
            Transition(
                name="expire",
                label=_l("Expire"),
                sources=(S.active, S.suspended),
                target=S.expired,
                automatic=True,
            ),
            Transition(
                name="cancel",
                label=_l("Cancel the package"),
                sources=(S.requested, S.quoted),
                target=S.cancelled,
                icon="x-circle",
                tone="danger",
                confirm=_l("The request is given up."),
            ),
        ),
        OPENING,
    )
)


def advance_packages(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Expire packages whose last day is over; return how many, at most ``limit`` a call.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    due = sa.and_(SupportPackage.state.in_((S.active, S.suspended)), SupportPackage.valid_to < today)
    rows = session.scalars(sa.select(SupportPackage).where(due).order_by(SupportPackage.id).limit(limit)).all()
    for package in rows:
        perform(session, package, "expire", actor=actor)
    return len(rows)


def has_active_package(session: Session, company: Company | None, day: date) -> bool:
    """Say whether the company has a package in use on ``day`` with time left (PK-02)."""
    if company is None:
        return False
    usable = sa.and_(
        SupportPackage.company_id == company.id,
        SupportPackage.state == S.active,
        SupportPackage.residual_minutes > 0,
        sa.or_(SupportPackage.valid_to.is_(None), SupportPackage.valid_to >= day),
    )
    found = session.scalar(sa.select(SupportPackage.id).where(usable).limit(1), execution_options=INTERNAL)
    return found is not None
