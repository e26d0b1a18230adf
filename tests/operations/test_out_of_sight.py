"""An operator works on tickets of clients that others serve: what counts is what is there, not what they see."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from backoffice.operations.assistance import is_due, judge
from backoffice.operations.ticket_mails import tell_of_end
from backoffice.operations.ticket_states import ConsentMissing
from backoffice.operations.verbs import perform
from models.account import AccountState
from models.company import Company
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.support_package import PackageState
from models.ticket import Ticket, TicketState
from tests.operations.world import World

Work = tuple[RecordSession, Actor, Ticket]


@pytest.fixture(params=[AccountState.active, AccountState.consent_revoked])
def work(
    request: pytest.FixtureRequest, session: RecordSession, engine: sa.Engine, staff: Callable[[str], Staff]
) -> Iterator[Work]:
    """A ticket within packages, of a client with ten hours left whom its operator does not see."""
    operator = staff("operator1")
    with begin_writing():
        world = World(session, group_id=operator.group_id)
        world.queue.requires_package = world.queue.requires_consent = True
        world.package(PackageState.active)
        account = world.account(request.param)
        key = world.ticket(TicketState.assigned, account=account, team=world.second_level).id
        actor = load_actor(session, operator.id)
        session.commit()
    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as opened:
        ticket = opened.get_one(Ticket, key)
        assert (opened.get(Company, ticket.company_id), ticket.company) == (None, None)
        yield opened, actor, ticket


@pytest.mark.parametrize("work", [AccountState.active], indirect=True)
def test_packages_count_though_the_client_is_not_seen(work: Work) -> None:
    session, actor, ticket = work
    assert is_due(judge(session, ticket))
    perform(session, ticket, "take_charge", actor=actor)
    tell_of_end(session, ticket)
    mails = sa.select(OutboxMail).where(OutboxMail.template == "ticket_ended", OutboxMail.cause_id == ticket.id)
    (mail,) = session.scalars(mails, execution_options=INTERNAL).all()
    assert mail.arguments["residual"] == "10 h"


@pytest.mark.parametrize("work", [AccountState.consent_revoked], indirect=True)
def test_a_consent_withdrawn_out_of_sight_stops_the_work(work: Work) -> None:
    session, actor, ticket = work
    assert not is_due(judge(session, ticket))
    with pytest.raises(ConsentMissing):
        perform(session, ticket, "take_charge", actor=actor)
