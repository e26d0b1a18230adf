"""Support packages: their lifecycle (chapter 4.8) and their ledger of minutes (PK-12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.lifecycles import Machine, Opening, Transition, register
from backoffice.operations.charging import go_on_with, tell_of_package
from backoffice.operations.package_ledger import NotEnoughLeft, add_movement, covers, settle_state
from backoffice.operations.verbs import perform
from backoffice.setting_keys import PACKAGE_ENDING_DAYS
from backoffice.settings import setting_value
from backoffice.working_time import add_months
from models.corporate_group import CorporateGroup
from models.package_movement import MovementKind, PackageMovement
from models.support_package import PackageState, SupportPackage
from models.values import Minutes

S = PackageState


class OutsideItsDates(DomainError):
    template = _l("A package can be activated only within its dates.")


def _is_within_dates(_session: Session, package: SupportPackage, _values: Mapping[str, Any], _actor: Actor) -> None:
    if not covers(package, clock.today()):
        raise OutsideItsDates(field="valid_from")


def _put_on_account(session: Session, package: SupportPackage, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Start the validity of a package and enter what was bought as its first movement."""
    package.valid_from = package.valid_from or clock.today()
    if package.valid_to is None and package.type is not None and package.type.validity_months:
        package.valid_to = add_months(package.valid_from, package.type.validity_months)
    add_movement(session, package, MovementKind.purchase, package.purchased_minutes)


def _put_to_use(session: Session, package: SupportPackage, values: Mapping[str, Any], actor: Actor) -> None:
    """Put the time bought on the account, and let what waited for it go on."""
    _put_on_account(session, package, values, actor)
    session.flush()
    go_on_with(session, package.company)


def _charge(session: Session, package: SupportPackage, values: Mapping[str, Any], _actor: Actor) -> None:
    """Take time off the package, whichever sign was typed; one that is used up says so."""
    minutes = -abs(values["minutes"])
    add_movement(session, package, MovementKind.charge, minutes, ticket=values["ticket"], note=values["note"])
    settle_state(package)


def _correct(session: Session, package: SupportPackage, values: Mapping[str, Any], _actor: Actor) -> None:
    add_movement(session, package, MovementKind.correction, values["minutes"], note=values["note"])
    settle_state(package)


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
                effect=_put_to_use,
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


def tell_of_endings(session: Session, today: date, *, actor: Actor, limit: int = 200) -> int:
    """Tell clients of packages with time left that are about to end; return how many, at most ``limit`` a call (N-54).

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    told = 0
    for group_id in session.scalars(sa.select(CorporateGroup.id)).all():
        days = setting_value(session, PACKAGE_ENDING_DAYS, group_id)
        due = sa.and_(
            SupportPackage.group_id == group_id,
            SupportPackage.state == S.active,
            SupportPackage.residual_minutes > 0,
            SupportPackage.end_told_on.is_(None),
            SupportPackage.valid_to >= today,
            SupportPackage.valid_to <= today + timedelta(days=days),
        )
        wanted = sa.select(SupportPackage).where(due if days else sa.false()).order_by(SupportPackage.id)
        for package in session.scalars(wanted.limit(limit)).all():
            package.end_told_on = today
            tell_of_package(session, package, "package_ends")
            told += 1
    session.flush()
    return told
