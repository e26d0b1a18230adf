"""Licenses: generated up to the ordered quantity, sent, used, expired, revoked, renewed (chapter 4.5)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from backoffice import clock
from backoffice.access import INTERNAL, hold
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.order_mails import send_licenses
from backoffice.operations.plain import before_create, flush
from backoffice.operations.verbs import perform
from backoffice.working_time import add_months
from models.customer_order import OrderState
from models.license import License, LicenseState
from models.onboarding import BEFORE_REGISTRATION, Onboarding
from models.order_line import OrderLine

S = LicenseState

#: Letters and digits that nobody takes for each other, read aloud or in print.
_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"


class AllGenerated(DomainError):
    """The ordered quantity has been generated already (LI-02)."""

    template = _l("All ordered licenses have been generated already.")
    status = 409


class NotLicensed(DomainError):
    template = _l("The service of this line is used without licenses.")


class OrderNotConfirmed(DomainError):
    template = _l("Licenses are generated only for a confirmed order.")


class NoAddress(DomainError):
    template = _l("The license has no contact with an e-mail address to send it to.")


class OtherCompany(DomainError):
    template = _l("The order line belongs to another company.")


class ReferentNotConfirmed(DomainError):
    """OB-11: licenses come only after the registration of the referent."""

    template = _l("The referent has not confirmed the registration yet: see the onboarding of the order.")


def make_code() -> str:
    """Return a random code such as ``K7QM-2XWR-9FDA-HJ3T``: over 79 bits, so that none can be guessed."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


def generate_licenses(session: Session, line: OrderLine, *, actor: Actor, count: int | None = None) -> list[License]:
    """Generate what is still missing of the ordered quantity, or ``count`` of it; flushes (LI-02).

    :raises AllGenerated: fewer are missing than asked for, none included.
    :raises OrderNotConfirmed: the order is not confirmed.
    :raises ReferentNotConfirmed: the referent must register first.
    :raises NotLicensed: the service of the line needs none.
    """
    actor.require(Action.create, License)
    generated = _claim(session, line, count)
    made = [_new_license(line) for _ in range(generated)]
    session.add_all(made)
    flush(session, made[0])
    return made


def _claim(session: Session, line: OrderLine, count: int | None) -> int:
    """Count the line's licenses up by ``count``, or to the ordered quantity, and return by how many.

    The quantity is compared in the statement that counts up, so that two at once never exceed it.
    """
    if not line.service.is_licensed:
        raise NotLicensed(field="order_line")
    hold(session, line.order)
    if line.order.state is not OrderState.confirmed:
        raise OrderNotConfirmed(field="order_line")
    _require_registration(session, line)
    generated, quantity = OrderLine.generated, OrderLine.quantity
    before = session.scalar(
        sa.select(generated).where(OrderLine.id == line.id).with_for_update(), execution_options=INTERNAL
    )
    assert before is not None
    wanted = quantity if count is None else generated + count
    statement = (
        sa.update(OrderLine)
        .where(OrderLine.id == line.id, generated == before, generated < quantity, wanted <= quantity)
        .values(generated=wanted)
        .returning(generated)
    )
    after = session.execute(statement, execution_options={**INTERNAL, "synchronize_session": False}).scalar()
    if after is None:
        raise AllGenerated(field="order_line")
    set_committed_value(line, "generated", after)
    return after - before


def _require_registration(session: Session, line: OrderLine) -> None:
    """Raise ``ReferentNotConfirmed`` where an onboarding is under way and has not come so far (OB-11)."""
    table = Onboarding.__table__
    state = session.scalar(
        sa.select(table.c.state).where(table.c.order_id == line.order_id), execution_options=INTERNAL
    )
    if state in BEFORE_REGISTRATION:
        raise ReferentNotConfirmed(field="order_line")


def _new_license(line: OrderLine, **details: Any) -> License:
    details = {"contact": line.order.referent, "expires_on": expiry_of(line), **details}
    return License(code=make_code(), order_line=line, is_demo=line.is_demo, **details)


def expiry_of(line: OrderLine) -> date | None:
    """Return the last day of a license generated today for the line (OB-12)."""
    if line.license_months:
        return add_months(clock.today(), line.license_months)
    return line.license_expires_on


@before_create(License)
def _complete(session: Session, record: License, *, actor: Actor) -> None:
    """Claim one of the ordered licenses for a record written by hand, and give it its code."""
    _claim(session, record.order_line, 1)
    record.code = make_code()
    record.contact = record.contact or record.order_line.order.referent
    record.expires_on = record.expires_on or expiry_of(record.order_line)


def _address_of(_session: Session, record: License, _values: Mapping[str, Any], _actor: Actor) -> None:
    if record.contact is None or record.contact.email is None:
        raise NoAddress(field="contact")


def _mark_sent(_session: Session, record: License, _values: Mapping[str, Any], _actor: Actor) -> None:
    assert record.contact is not None
    record.sent_at, record.sent_to = clock.now(), record.contact.email


def _send(session: Session, record: License, values: Mapping[str, Any], actor: Actor) -> None:
    _mark_sent(session, record, values, actor)
    send_licenses(session, [record])


def _mark_used(_session: Session, record: License, _values: Mapping[str, Any], _actor: Actor) -> None:
    record.first_used_at = clock.now()


def _mark_revoked(_session: Session, record: License, _values: Mapping[str, Any], _actor: Actor) -> None:
    record.revoked_at = clock.now()


def _replace(session: Session, record: License, values: Mapping[str, Any], actor: Actor) -> None:
    """Revoke a license and make another in its place, which counts as the same of the ordered ones."""
    _mark_revoked(session, record, values, actor)
    new = _new_license(record.order_line, contact=record.contact, expires_on=record.expires_on, replaces=record)
    session.add(new)


def _same_company(_session: Session, record: License, values: Mapping[str, Any], _actor: Actor) -> None:
    if values["order_line"].company_id != record.company_id:
        raise OtherCompany(field="order_line")


def _renew(session: Session, record: License, values: Mapping[str, Any], _actor: Actor) -> None:
    """Make the license that continues an expired one, out of the quantity of the order that renews it."""
    line: OrderLine = values["order_line"]
    _claim(session, line, 1)
    expires_on = values["expires_on"] or expiry_of(line)
    session.add(_new_license(line, contact=record.contact, expires_on=expires_on, renewed_from=record))


_VALID = (S.generated, S.sent, S.used)

LICENSES = register(
    Machine(
        License,
        "state",
        (
            Transition(
                name="send",
                label=_l("Send the license"),
                sources=(S.generated,),
                target=S.sent,
                icon="send",
                tone="primary",
                guard=_address_of,
                effect=_send,
                confirm=_l("The code leaves by mail; the address and the time are recorded."),
            ),
            Transition(
                name="send_together",
                label=_l("Sent with the others of its order"),
                sources=(S.generated,),
                target=S.sent,
                guard=_address_of,
                effect=_mark_sent,
                automatic=True,
            ),
            Transition(
                name="use",
                label=_l("Record the first use"),
                sources=(S.sent,),
                target=S.used,
                icon="check-circle",
                inputs=("used_by_email",),
                optional=("used_by_email",),
                effect=_mark_used,
            ),
            Transition(
                name="replace",
                label=_l("Replace the license"),
                sources=_VALID,
                target=S.revoked,
                icon="arrow-left-right",
                inputs=("revocation_reason",),
                effect=_replace,
                confirm=_l("This code stops working; a new one is generated in its place."),
            ),
            Transition(
                name="revoke",
                label=_l("Revoke the license"),
                sources=_VALID,
                target=S.revoked,
                icon="slash-circle",
                tone="danger",
                inputs=("revocation_reason",),
                effect=_mark_revoked,
                confirm=_l("The code stops working."),
            ),
            Transition(
                name="renew",
                label=_l("Renew the license"),
                sources=(S.expired,),
                target=None,
                icon="arrow-repeat",
                tone="primary",
                asks=License,
                inputs=("order_line", "expires_on"),
                optional=("expires_on",),
                guard=_same_company,
                effect=_renew,
                confirm=_l("A new license is generated from the order that renews this one."),
            ),
            Transition(name="expire", label=_l("Expire"), sources=_VALID, target=S.expired, automatic=True),
        ),
    )
)


def expire_licenses(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Expire licenses whose last day is over; return how many, at most ``limit`` a call (LI-09).

    :raises Forbidden: ``actor`` is not the product itself.
    """
    due = sa.and_(License.state.in_(_VALID), License.expires_on < today)
    rows = session.scalars(sa.select(License).where(due).order_by(License.id).limit(limit)).all()
    for record in rows:
        perform(session, record, "expire", actor=actor)
    return len(rows)
