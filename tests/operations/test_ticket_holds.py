"""Tickets of people who withdrew their consent: they wait, and in the end they are closed (TK-36, A-38)."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.operations.account_deletions import obstacles
from backoffice.operations.ticket_holds import close_held_tickets
from backoffice.operations.verbs import perform
from models.account import AccountState
from models.consent import Consent
from models.outbox_mail import OutboxMail
from models.ticket import Ticket, TicketState
from tests.operations.world import World


def held(session: RecordSession, world: World) -> Ticket:
    account = world.account(AccountState.active)
    ticket = world.ticket(TicketState.in_progress, account=account)
    session.scalars(sa.select(Consent).where(Consent.account_id == account.id)).one().revoked_at = clock.now()
    perform(session, account, "revoke_consent", actor=SYSTEM)
    assert ticket.state is TicketState.on_hold_consent
    return ticket


def test_after_the_days_of_the_setting_they_are_closed(session: RecordSession) -> None:
    ticket = held(session, World(session))
    close_held_tickets(session, clock.now() + timedelta(days=29), actor=SYSTEM)  # the demonstration has some older ones
    assert ticket.state is TicketState.on_hold_consent
    assert close_held_tickets(session, clock.now() + timedelta(days=31), actor=SYSTEM) >= 1
    assert (ticket.state, ticket.closed_at is not None) == (TicketState.closed_final, True)
    told = sa.select(OutboxMail).where(OutboxMail.template == "ticket_ended", OutboxMail.cause_id == ticket.id)
    mail = session.scalars(told).one()
    assert "consent that assistance needs was withdrawn" in mail.arguments["activities"]


def test_consent_given_again_lets_them_go_on(session: RecordSession) -> None:
    world = World(session)
    ticket = held(session, world)
    assert ticket.account is not None
    world.add(Consent(account=ticket.account, granted_at=clock.now()))
    perform(session, ticket.account, "grant_consent", actor=SYSTEM)
    assert ticket.state is TicketState.in_progress
    close_held_tickets(session, clock.now() + timedelta(days=31), actor=SYSTEM)
    assert ticket.state is TicketState.in_progress


def test_staff_need_not_wait_where_the_person_wants_to_be_deleted(session: RecordSession) -> None:
    ticket = held(session, World(session))
    assert ticket.account is not None
    assert obstacles(session, ticket.account) == (1, False)
    perform(session, ticket, "end_hold", actor=SYSTEM)
    session.flush()
    assert obstacles(session, ticket.account) == (0, False)
