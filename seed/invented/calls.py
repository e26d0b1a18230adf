"""Invented calls and other communications of the contact centres, in every state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from models.call import Call, CallerRole, CallOutcome, CallState
from models.request_type import RequestType
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.ticket import Channel, Ticket, Urgency
from models.ticket_message import Direction
from seed import codes
from seed.invented import texts
from seed.invented.clients import Client
from seed.invented.world import World

S = CallState
#: Where calls come in.
QUEUE = "CC"
STATES = {
    S.closed: 50, S.handled: 36, S.received: 8, S.classified: 8, S.routed: 10, S.voicemail: 6, S.callback_due: 6,
    S.out_of_scope: 4, S.referred: 5,
}  # fmt: skip
ENDED = frozenset({S.closed, S.handled, S.referred})
#: States in which nobody has said yet what it is about.
UNSORTED = frozenset({S.received, S.voicemail, S.callback_due})


def invent_calls(world: World, clients: Sequence[Client], tickets: Sequence[Ticket]) -> None:
    """Make calls of clients and of citizens; some concern a ticket, some came in from another system."""
    reachable = [client for client in clients if client.contacts]
    for number, state in enumerate(world.deck(STATES)):
        call = _call(world, state)
        ticket = world.rng.choice(tickets) if state in ENDED and world.chance(0.4) else None
        if ticket is not None and ticket.company is not None:
            call.ticket, call.company, call.contact = ticket, ticket.company, ticket.contact
            call.queue = ticket.queue
        elif world.chance(0.75):
            client = world.rng.choice(reachable)
            call.company, call.contact = client.company, client.contacts[0]
        _name_caller(world, call)
        if number % 11 == 0:
            call.channel, call.external_system = Channel.sim, "SIM"
            call.external_reference = f"SIM-{next(world.serials)}"
            call.synced_at = min(call.started_at + timedelta(minutes=20), world.now) if number % 22 else None
        world.add(call)
    world.session.flush()


def _call(world: World, state: CallState) -> Call:
    kind, description = world.rng.choice(texts.CALLS)
    call = Call(description=description, state=state, direction=Direction.incoming, channel=Channel.phone)
    call.group_id = world.group.id
    call.started_at = world.instant(-world.rng.randint(1, 400) if state in ENDED else -world.rng.randint(0, 3))
    call.created_at = call.started_at
    call.operator = world.staff("contact_centre")
    call.queue = next((queue for queue in world.all_of(SupportQueue) if queue.code == QUEUE), None)
    if state not in UNSORTED:
        call.request_type = world.by_code(RequestType, kind)
        call.urgency = world.rng.choice((Urgency.low, Urgency.normal, Urgency.high))
    if state in (S.routed, *ENDED):
        call.team = world.rng.choice(world.all_of(SupportTeam))
    if state in (S.voicemail, S.callback_due):
        call.channel, call.outcome = Channel.voicemail, CallOutcome.voicemail
        call.callback_due_at = world.now + timedelta(hours=world.rng.randint(-4, 30))
    else:
        call.duration_seconds, call.wait_seconds = world.rng.randint(20, 900), world.rng.randint(0, 120)
        call.outcome = CallOutcome.answered
    if state in ENDED:
        call.handled_minutes = (call.duration_seconds or 0) // 60 + world.rng.randint(1, 30)
    if state is S.referred:
        call.referred_to = texts.OUTSIDE
    if state in ENDED and world.chance(0.15):
        call.direction = Direction.outgoing
    return call


def _name_caller(world: World, call: Call) -> None:
    if call.contact is not None and call.company is not None:
        call.caller_name, call.caller_role = str(call.contact), CallerRole.client
        call.caller_phone = call.contact.mobile or call.company.phone
        call.province, call.business_unit = call.company.province, call.company.business_unit
    else:
        first, last, _woman = world.person()
        call.caller_name, call.caller_role = f"{first} {last}", CallerRole.citizen
        call.caller_phone, call.province = codes.mobile(next(world.serials)), world.rng.choice(world.places).province
