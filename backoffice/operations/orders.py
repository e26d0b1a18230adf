"""The lifecycle of customer orders: entered, confirmed, licensed, completed (CT-14, OB-01 to OB-12)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.licenses import AllGenerated, generate_licenses
from backoffice.operations.plain import before_create
from models.company import CompanyState
from models.customer_order import CustomerOrder, OrderState
from models.license import License
from models.order_line import OrderLine

S = OrderState


class ReferentMissing(DomainError):
    """CT-14: an order without referent cannot be confirmed."""

    template = _l("An order without referent cannot be confirmed.")


class NothingOrdered(DomainError):
    template = _l("An order without lines cannot be confirmed.")


class CompanyIncomplete(DomainError):
    """OB-02: of a client new to the whole group, more must be known."""

    template = _l("The client is new to the group: complete its record first (%(missing)s).")


class ExpiryMissing(DomainError):
    """OB-12: how long licenses last is part of the order."""

    template = _l("Say when the licenses for “%(service)s” expire.")


class LicensesMissing(DomainError):
    template = _l("Not all ordered licenses have been generated.")


class LicensesGenerated(DomainError):
    template = _l("Licenses have been generated already: revoke them before cancelling the order.")


@before_create(CustomerOrder)
def _entrust(session: Session, order: CustomerOrder, *, actor: Actor) -> None:
    """Entrust a new order to the account manager of its company unless it names another."""
    order.account_manager = order.account_manager or order.company.account_manager


def _is_complete(_session: Session, order: CustomerOrder, _values: Mapping[str, Any], _actor: Actor) -> None:
    if order.referent is None:
        raise ReferentMissing(field="referent")
    if not order.lines:
        raise NothingOrdered(field="lines")
    for line in _licensed(order):
        if line.license_expires_on is None and line.license_months is None:
            raise ExpiryMissing(field="lines", service=str(line.service))
    _require_known(order)


def _require_known(order: CustomerOrder) -> None:
    """Raise ``CompanyIncomplete`` where a client new to the whole group lacks phone or seat (OB-02, OB-03)."""
    company = order.company
    needed = {_l("Phone"): company.phone, _l("Street"): company.street, _l("City"): company.city}
    missing = [str(label) for label, value in needed.items() if not value]
    if company.state is CompanyState.prospect and missing:
        raise CompanyIncomplete(missing=", ".join(missing))


def _licensed(order: CustomerOrder) -> list[OrderLine]:
    return [line for line in order.lines if line.service.is_licensed]


def _generate(session: Session, order: CustomerOrder, _values: Mapping[str, Any], actor: Actor) -> None:
    """Generate the missing licenses of every line; at least one must be missing (LI-02)."""
    missing = [line for line in _licensed(order) if line.generated < line.quantity]
    if not missing:
        raise AllGenerated
    for line in missing:
        generate_licenses(session, line, actor=actor)


def _is_delivered(_session: Session, order: CustomerOrder, _values: Mapping[str, Any], _actor: Actor) -> None:
    if any(line.generated < line.quantity for line in _licensed(order)):
        raise LicensesMissing


def _nothing_generated(_session: Session, order: CustomerOrder, _values: Mapping[str, Any], _actor: Actor) -> None:
    if any(line.generated for line in order.lines):
        raise LicensesGenerated


ORDERS = register(
    Machine(
        CustomerOrder,
        "state",
        (
            Transition(
                name="confirm",
                label=_l("Confirm the order"),
                sources=(S.draft,),
                target=S.confirmed,
                icon="check2-circle",
                tone="primary",
                guard=_is_complete,
                confirm=_l("Licenses may be generated from now on."),
            ),
            Transition(
                name="generate_licenses",
                label=_l("Generate licenses"),
                sources=(S.confirmed,),
                target=None,
                icon="key",
                tone="primary",
                effect=_generate,
                also=((Action.create, License),),
                confirm=_l("The missing ones of the ordered quantity are generated, each with its code."),
            ),
            Transition(
                name="complete",
                label=_l("Complete the order"),
                sources=(S.confirmed,),
                target=S.completed,
                icon="check-circle",
                guard=_is_delivered,
                confirm=_l("Everything ordered has been delivered."),
            ),
            Transition(
                name="cancel",
                label=_l("Cancel the order"),
                sources=(S.draft, S.confirmed),
                target=S.cancelled,
                icon="x-circle",
                tone="danger",
                guard=_nothing_generated,
                confirm=_l("The order is given up."),
            ),
        ),
    )
)
