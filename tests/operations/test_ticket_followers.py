"""Following tickets: who is told of what, never of their own acts, never of what they may not see any more (TK-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession
from backoffice.errors import Forbidden
from backoffice.identity import load_actor
from backoffice.operations.bell import Reader, choose_ways, find_notices
from backoffice.operations.plain import create_record
from backoffice.operations.ticket_followers import follow, is_following, stop_following
from backoffice.operations.ticket_links import split_off
from backoffice.operations.verbs import perform
from models.company_consultant import CompanyConsultant
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.ticket import Ticket, TicketState
from models.ticket_follower import TicketFollower
from models.ticket_message import TicketMessage
from tests.operations.world import World

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
People = Callable[[str], Staff]
MESSAGE, STATE = "ticket_followed_message", "ticket_followed_state"


@contextmanager
def acting(session: RecordSession, person: Staff) -> Iterator[None]:
    """Let a member of staff do what is done inside, with the rights they have now."""
    before = session.info["context"]
    session.info["context"] = Context(load_actor(session, person.id), Door.desk)
    try:
        yield
    finally:
        session.info["context"] = before


@pytest.fixture
def world(session: RecordSession, staff: People) -> World:
    return World(session, group_id=staff("operator1").group_id)


def followed(session: RecordSession, ticket: Ticket, *people: Staff) -> None:
    for person in people:
        with acting(session, person):
            follow(session, ticket, actor=session.info["context"].actor)


def write(session: RecordSession, ticket: Ticket, person: Staff | None = None, **values: str) -> None:
    """Write a message on a ticket, as somebody or as the product."""
    told = {"ticket": ticket.id, "body": "Prova", "visibility": "public", "direction": "outgoing", **values}
    if person is None:
        create_record(session, TicketMessage, told, actor=SYSTEM)
        return
    with acting(session, person):
        create_record(session, TicketMessage, told, actor=session.info["context"].actor)


def heard(session: RecordSession, person: Staff) -> list[str]:
    """Return what rang somebody's bell of followed tickets, the oldest first."""
    found = find_notices(session, Reader(staff_id=person.id))
    return [row.event for row in sorted(found, key=lambda row: row.id) if row.event in (MESSAGE, STATE)]


def mailed(session: RecordSession, person: Staff) -> list[OutboxMail]:
    wanted = sa.and_(OutboxMail.template.in_((MESSAGE, STATE)), OutboxMail.recipient == person.email)
    return list(session.scalars(sa.select(OutboxMail).where(wanted).order_by(OutboxMail.id)))


def test_followers_hear_of_messages_and_states_and_nobody_of_their_own(
    session: RecordSession, world: World, staff: People
) -> None:
    ticket = world.ticket(TicketState.assigned)
    one, other = staff("operator1"), staff("quality")
    followed(session, ticket, one, other)
    write(session, ticket, one)
    assert (heard(session, one), heard(session, other)) == ([], [MESSAGE])
    write(session, ticket, one, visibility="internal")
    with acting(session, one):
        perform(session, ticket, "take_charge", actor=session.info["context"].actor)
    assert (heard(session, one), heard(session, other)) == ([], [MESSAGE, MESSAGE, STATE])
    assert mailed(session, one) == []
    last = mailed(session, other)[-1]
    assert last.arguments["number"] == ticket.number
    with acting(session, other):
        stop_following(session, ticket, actor=session.info["context"].actor)
    write(session, ticket)
    assert (heard(session, one), len(heard(session, other))) == ([MESSAGE], 3)


def test_what_the_product_does_for_somebody_is_their_own_act(
    session: RecordSession, world: World, staff: People
) -> None:
    ticket = world.ticket(TicketState.in_progress)
    write(session, ticket, direction="incoming", body="E la stampante")
    message = session.scalars(sa.select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)).one()
    one, other = staff("operator1"), staff("quality")
    followed(session, ticket, one, other)
    with acting(session, one):
        split_off(session, message, actor=session.info["context"].actor)
    assert (heard(session, one), heard(session, other)) == ([], [MESSAGE])


def test_whoever_may_no_longer_see_it_is_told_nothing(session: RecordSession, world: World, staff: People) -> None:
    consultant = staff("consultant")
    link = world.add(CompanyConsultant(company=world.company, staff=consultant))
    ticket = world.ticket(TicketState.assigned)
    followed(session, ticket, consultant)
    write(session, ticket)
    assert heard(session, consultant) == [MESSAGE]
    session.delete(link)
    session.flush()
    write(session, ticket)
    perform(session, ticket, "take_charge", actor=SYSTEM)
    assert heard(session, consultant) == [MESSAGE]
    assert len(mailed(session, consultant)) == 1


def test_whoever_left_is_told_nothing(session: RecordSession, world: World, staff: People) -> None:
    ticket, person = world.ticket(TicketState.assigned), staff("quality")
    followed(session, ticket, person)
    person.active = False
    session.flush()
    write(session, ticket)
    assert heard(session, person) == []


@pytest.mark.parametrize(("way", "mails"), [("mail", 1), ("bell", 0), ("digest", 0)])
def test_each_hears_as_they_have_chosen(
    session: RecordSession, world: World, staff: People, way: str, mails: int
) -> None:
    ticket, person = world.ticket(TicketState.in_progress), staff("quality")
    choose_ways(session, Reader(staff_id=person.id), {MESSAGE: way})
    followed(session, ticket, person)
    write(session, ticket)
    assert (heard(session, person), len(mailed(session, person))) == ([MESSAGE], mails)


def test_nobody_is_told_the_same_twice(session: RecordSession, world: World, staff: People) -> None:
    one, other = staff("operator1"), staff("quality")
    ticket = world.ticket(TicketState.qualification, assignee=one, team=world.first_level)
    followed(session, ticket, one, other)
    write(session, ticket, direction="incoming")  # the assignee is told of a client's answer anyway
    write(session, ticket, visibility="internal", body=f"@{other.username}, guardi?")
    qualified = {"request_type": world.type, "priority": "normal", "team": world.first_level, "assignee": one}
    perform(session, ticket, "assign", qualified, actor=SYSTEM)
    assert (heard(session, one), heard(session, other)) == ([MESSAGE], [MESSAGE, STATE])


def test_the_archive_is_nobodys_news_and_the_end_is(session: RecordSession, world: World, staff: People) -> None:
    ticket, person = world.ticket(TicketState.closed_provisional), staff("quality")
    followed(session, ticket, person)
    perform(session, ticket, "close_for_good", actor=SYSTEM)
    perform(session, ticket, "archive", actor=SYSTEM)
    perform(session, ticket, "archive_anew", actor=SYSTEM)
    assert heard(session, person) == [STATE]


def test_followers_of_a_merged_ticket_follow_the_other(session: RecordSession, world: World, staff: People) -> None:
    kept, dropped = world.ticket(TicketState.in_progress), world.ticket(TicketState.in_progress)
    one, other = staff("operator1"), staff("quality")
    followed(session, kept, one)
    followed(session, dropped, one, other)
    perform(session, dropped, "merge", {"linked_ticket": kept}, actor=SYSTEM)
    wanted = sa.select(TicketFollower.staff_id).where(TicketFollower.ticket_id == kept.id)
    assert sorted(session.scalars(wanted)) == sorted([one.id, other.id])


def test_following_twice_is_once_and_changes_nothing_of_the_ticket(
    session: RecordSession, world: World, staff: People
) -> None:
    ticket, person = world.ticket(TicketState.in_progress), staff("quality")
    version = ticket.version
    followed(session, ticket, person, person)
    assert is_following(session, ticket, load_actor(session, person.id))
    assert len(session.scalars(sa.select(TicketFollower).where(TicketFollower.ticket_id == ticket.id)).all()) == 1
    assert ticket.version == version


def test_only_staff_who_read_tickets_follow_them(session: RecordSession, world: World) -> None:
    ticket = world.ticket()
    for actor in (world.staff("companies"), world.staff("tickets")):  # one may not read them, one is nobody's account
        with pytest.raises(Forbidden):
            follow(session, ticket, actor=actor)
