"""Invented onboardings of the referents named in orders, in every state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle

from models.company import CompanyState
from models.customer_order import CustomerOrder, OrderState
from models.onboarding import AddressMatch, ContactChannel, Onboarding
from models.onboarding import OnboardingState as S
from models.service import Service
from seed.invented.clients import Client
from seed.invented.sales import make_order, make_order_line
from seed.invented.world import World

#: States of orders whose licenses have not been generated yet: each gets an order of its own.
EARLY = {
    S.data_complete: 3, S.referent_contacted: 2, S.registration_mail_sent: 3, S.mail_check_failed: 2,
    S.confirmed: 2, S.address_received: 3,
}  # fmt: skip
#: By the state of the order, those of its onboarding.
OF_ORDERS = {
    OrderState.draft: (S.data_incomplete, S.data_requested, S.order_entered, S.data_incomplete, S.data_requested),
    OrderState.confirmed: (S.licenses_generated, S.licenses_sent),
    OrderState.completed: (S.completed,),
    OrderState.cancelled: (S.cancelled,),
}
#: In the order in which they are reached.
STEPS = (
    S.order_entered, S.data_complete, S.referent_contacted, S.registration_mail_sent, S.confirmed,
    S.address_received, S.licenses_generated, S.licenses_sent, S.completed,
)  # fmt: skip


def invent_onboarding(world: World, clients: Sequence[Client], orders: Sequence[CustomerOrder]) -> None:
    """Make an onboarding for each order, and some orders that have not come far."""
    states = {state: cycle(found) for state, found in OF_ORDERS.items()}
    for order in orders:
        _onboarding(world, order, next(states[order.state]))
    for number, state in enumerate((S.order_entered, *world.deck(EARLY))):
        buyers = [client for client in clients if client.company.state is CompanyState.client and client.contacts]
        order = make_order(world, buyers[-1 - number], OrderState.confirmed)
        order.ordered_on = world.day(-world.rng.randint(2, 25))
        order.created_at = world.instant((order.ordered_on - world.today).days)
        service = next((row for row in world.all_of(Service) if row.is_licensed), None)
        if service is not None:
            make_order_line(world, order, service, 0)
        _onboarding(world, order, state)
    world.session.flush()


def _onboarding(world: World, order: CustomerOrder, state: S) -> None:
    """Make one whose times tell the same story as its state."""
    row = Onboarding(order=order, state=state)
    row.created_at = order.created_at + timedelta(minutes=20)
    far = STEPS.index(S.referent_contacted if state is S.mail_check_failed else state) if state in (
        *STEPS, S.mail_check_failed,
    ) else 0  # fmt: skip
    at = row.created_at
    if state in (S.data_incomplete, S.data_requested):
        row.missing = "Referente"
    if state is S.data_requested:
        row.asked_at, row.asked_by = at + timedelta(hours=1), world.staff("secretariat")
    if far >= STEPS.index(S.referent_contacted):
        row.contacted_at, row.contacted_by = at + timedelta(hours=3), world.staff("secretariat")
        row.channel = world.rng.choice(tuple(ContactChannel))
    if far >= STEPS.index(S.registration_mail_sent):
        row.registration_sent_at = at + timedelta(hours=4)
    if far >= STEPS.index(S.confirmed):
        row.confirmed_at = at + timedelta(hours=22)
    if far >= STEPS.index(S.address_received):
        _address(world, row)
    if state is S.cancelled:
        row.cancelled_because = "Ordine annullato dal cliente."
    world.add(row)


def _address(world: World, row: Onboarding) -> None:
    assert row.confirmed_at is not None
    assert row.order.referent is not None
    row.address_received_at = row.confirmed_at + timedelta(minutes=1)
    row.received_address, row.address_match = row.order.referent.email, AddressMatch.match
    if world.chance(0.2) and row.received_address:
        row.received_address = f"privacy@{row.received_address.partition('@')[2]}"
        waiting = row.state in (S.address_received, S.licenses_generated)
        row.address_match = AddressMatch.mismatch if waiting else AddressMatch.accepted
