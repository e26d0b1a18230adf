"""From an order to licenses in the hands of its referent, step by step (chapter 4.4, OB-01 to OB-14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import SYSTEM, Action, Actor
from backoffice.errors import DomainError, Text
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.licenses import generate_licenses
from backoffice.operations.order_mails import (
    announce_address,
    announce_registration,
    ask_for_data,
    invite_referent,
    send_licenses,
)
from backoffice.operations.plain import before_create
from backoffice.operations.verbs import perform
from models.company import CompanyState
from models.customer_order import OrderState
from models.license import License, LicenseState
from models.onboarding import UNDER_WAY, AddressMatch, ContactChannel, Onboarding
from models.onboarding import OnboardingState as S
from models.order_line import OrderLine


class NoReferent(DomainError):
    template = _l("The order names no referent with an e-mail address.")


class AddressDiffers(DomainError):
    """OB-10: licenses are not sent to a referent whose address differs, until somebody has decided."""

    template = _l("The referent registered with another address than that of the order: accept it first.")


class AddressAgrees(DomainError):
    template = _l("There is no other address to accept.")


class OrderOver(DomainError):
    template = _l("The order has been cancelled.")


@before_create(Onboarding)
def _begin(_session: Session, onboarding: Onboarding, *, actor: Actor) -> None:
    """:raises OrderOver: the order was given up."""
    if onboarding.order.state is OrderState.cancelled:
        raise OrderOver(field="order")


def _missing(onboarding: Onboarding) -> Iterator[Text]:
    """Yield what the order lacks (OB-02 to OB-04): the referent, or what a client new to the group must tell."""
    order, company = onboarding.order, onboarding.order.company
    if order.referent is None:
        yield _l("Referent")
    elif order.referent.email is None:
        yield _l("E-mail of the referent")
    if not order.lines:
        yield _l("Order lines")
    if company.state is CompanyState.prospect:
        known = {_l("Phone"): company.phone, _l("Street"): company.street, _l("City"): company.city}
        yield from (label for label, value in known.items() if not value)


def _look_at_data(_session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    missing = ", ".join(str(label) for label in _missing(onboarding))
    onboarding.missing = missing[:250] or None
    onboarding.state = S.data_incomplete if missing else S.data_complete


def _ask(session: Session, onboarding: Onboarding, _values: Mapping[str, Any], actor: Actor) -> None:
    onboarding.asked_at, onboarding.asked_by_id, onboarding.data_given_at = clock.now(), actor.staff_id, None
    ask_for_data(session, onboarding)


def _take_data(session: Session, onboarding: Onboarding, values: Mapping[str, Any], actor: Actor) -> None:
    onboarding.data_given_at = clock.now()
    _look_at_data(session, onboarding, values, actor)


def _has_referent(_session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    if onboarding.referent is None or onboarding.referent.email is None:
        raise NoReferent


def _contacted(session: Session, onboarding: Onboarding, _values: Mapping[str, Any], actor: Actor) -> None:
    """Note who spoke to the referent; by e-mail, it is the product that writes."""
    onboarding.contacted_at, onboarding.contacted_by_id = clock.now(), actor.staff_id
    if onboarding.channel is ContactChannel.email:
        invite_referent(session, onboarding)


def _mail_sent(session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    onboarding.registration_sent_at = clock.now()
    announce_registration(session, onboarding)


def _confirmed(_session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Note that the platform's mails arrive (OB-07)."""
    onboarding.confirmed_at = clock.now()
    if onboarding.referent is not None:
        onboarding.referent.email_verified_at = onboarding.confirmed_at


def _compare(session: Session, onboarding: Onboarding, values: Mapping[str, Any], _actor: Actor) -> None:
    ordered = onboarding.referent.email if onboarding.referent else None
    agrees = values["received_address"] == ordered
    onboarding.address_received_at = clock.now()
    onboarding.address_match = AddressMatch.match if agrees else AddressMatch.mismatch
    announce_address(session, onboarding)


def _differs(_session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    if onboarding.address_match is not AddressMatch.mismatch:
        raise AddressAgrees


def _accept(_session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    onboarding.address_match = AddressMatch.accepted


def _generate(session: Session, onboarding: Onboarding, _values: Mapping[str, Any], actor: Actor) -> None:
    """Generate what is missing of the ordered licenses; none, where they were generated already."""
    session.flush()  # who may generate is asked by the state of the onboarding
    for line in onboarding.order.lines:
        if line.service.is_licensed and line.generated < line.quantity:
            generate_licenses(session, line, actor=actor)


def _address_settled(_session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    if onboarding.address_match is AddressMatch.mismatch:
        raise AddressDiffers


def _send(session: Session, onboarding: Onboarding, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Send every generated license of the order: one mail to each person."""
    of_order = sa.select(License).join(License.order_line).where(OrderLine.order_id == onboarding.order_id)
    waiting = of_order.where(License.state == LicenseState.generated).order_by(License.id)
    licenses = session.scalars(waiting).all()
    for record in licenses:
        perform(session, record, "send_together", actor=SYSTEM)
    send_licenses(session, licenses)


ONBOARDING = register(
    Machine(
        Onboarding,
        "state",
        (
            Transition(
                name="check_data",
                label=_l("Check the data"),
                sources=(S.order_entered, S.data_incomplete),
                target=None,
                icon="clipboard-check",
                tone="primary",
                effect=_look_at_data,
                confirm=_l("Looks for the referent, their e-mail, and what a new client must tell."),
            ),
            Transition(
                name="ask",
                label=_l("Ask the account manager"),
                sources=(S.data_incomplete,),
                target=S.data_requested,
                icon="question-circle",
                effect=_ask,
                confirm=_l("The account manager of the order is told by mail what is missing."),
            ),
            Transition(
                name="take_data",
                label=_l("The data have been given"),
                sources=(S.data_requested,),
                target=None,
                icon="chat-left-text",
                tone="primary",
                effect=_take_data,
                confirm=_l("The data are checked again."),
            ),
            Transition(
                name="contact",
                label=_l("Record that the referent was contacted"),
                sources=(S.data_complete, S.mail_check_failed),
                target=S.referent_contacted,
                icon="telephone-outbound",
                tone="primary",
                inputs=("channel",),
                guard=_has_referent,
                effect=_contacted,
                confirm=_l("The referent knows how to register; by e-mail, the product writes to them."),
            ),
            Transition(
                name="send_registration",
                label=_l("Record the registration mail"),
                sources=(S.referent_contacted,),
                target=S.registration_mail_sent,
                icon="envelope",
                tone="primary",
                effect=_mail_sent,
                confirm=_l("The platform has sent its registration mail; the referent is told to look for it."),
            ),
            Transition(
                name="fail_mail",
                label=_l("Mail does not arrive"),
                sources=(S.referent_contacted, S.registration_mail_sent),
                target=S.mail_check_failed,
                icon="envelope-x",
                tone="danger",
                confirm=_l("The referent is contacted once more."),
            ),
            Transition(
                name="confirm",
                label=_l("Record the confirmation"),
                sources=(S.registration_mail_sent,),
                target=S.confirmed,
                icon="envelope-check",
                tone="primary",
                effect=_confirmed,
                confirm=_l("The referent has confirmed: the platform’s mails arrive."),
            ),
            Transition(
                name="receive_address",
                label=_l("Record the registered address"),
                sources=(S.confirmed,),
                target=S.address_received,
                icon="at",
                tone="primary",
                inputs=("received_address",),
                effect=_compare,
                confirm=_l("It is compared with the address of the order."),
            ),
            Transition(
                name="accept_address",
                label=_l("Accept the other address"),
                sources=(S.address_received, S.licenses_generated),
                target=None,
                icon="check2",
                guard=_differs,
                effect=_accept,
                confirm=_l("You have made sure that it is the referent’s."),
            ),
            Transition(
                name="generate",
                label=_l("Generate licenses"),
                sources=(S.address_received,),
                target=S.licenses_generated,
                icon="key",
                tone="primary",
                effect=_generate,
                also=((Action.create, License),),
                confirm=_l("The missing ones of the ordered quantity are generated, each with its code."),
            ),
            Transition(
                name="send",
                label=_l("Send the licenses"),
                sources=(S.licenses_generated,),
                target=S.licenses_sent,
                icon="send",
                tone="primary",
                guard=_address_settled,
                effect=_send,
                also=((Action.transition, License),),
                confirm=_l("The codes leave by mail; the address and the time are recorded."),
            ),
            Transition(
                name="complete",
                label=_l("Conclude the onboarding"),
                sources=(S.licenses_sent,),
                target=S.completed,
                icon="check-circle",
                tone="primary",
                confirm=_l("The referent has what was ordered."),
            ),
            Transition(
                name="cancel",
                label=_l("Give the onboarding up"),
                sources=UNDER_WAY,
                target=S.cancelled,
                icon="x-circle",
                tone="danger",
                inputs=("cancelled_because",),
            ),
        ),
    )
)
