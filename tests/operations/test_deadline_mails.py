"""Reminders of deadlines: once for each of the days in the settings, to clients served and to colleagues (ED-11)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.operations.deadline_mails import remind_of_deadlines
from backoffice.operations.deadlines import advance_deadlines
from backoffice.operations.plain import update_record
from models.company_service import CompanyService, GrantState
from models.deadline import TO_DO, Deadline, DeadlineState
from models.notice import Notice
from models.online_service import OnlineService
from models.outbox_mail import OutboxMail

TODAY = clock.today()


def mails(session: RecordSession, template: str) -> list[OutboxMail]:
    wanted = sa.select(OutboxMail).where(OutboxMail.template == template).order_by(OutboxMail.id)
    return list(session.scalars(wanted))


def remind(session: RecordSession, today: date) -> int:
    advance_deadlines(session, today, actor=SYSTEM)
    return remind_of_deadlines(session, today, actor=SYSTEM)


@pytest.fixture
def deadline(session: RecordSession) -> Deadline:
    """The only deadline that is near: 45 days from now, of a client whose EDUPLAN is active."""
    session.execute(sa.update(Deadline.__table__).values(state="cancelled", cancelled_because="–", fulfilled_on=None))  # type: ignore[arg-type]
    served = (
        sa.select(CompanyService.company_id)
        .join(OnlineService, OnlineService.id == CompanyService.online_service_id)
        .where(OnlineService.code == "EDUPLAN", CompanyService.state == GrantState.active)
    )
    found = session.scalars(
        sa.select(Deadline).where(Deadline.company_id.in_(served), Deadline.worker_id.is_not(None)).limit(1)
    ).one()
    found.state, found.cancelled_because, found.fulfilled_on = DeadlineState.open, None, None
    found.due_on = TODAY + timedelta(days=45)
    session.flush()
    return found


def test_each_day_of_the_settings_reminds_once(session: RecordSession, deadline: Deadline) -> None:
    assert remind(session, TODAY) == 1
    assert remind(session, TODAY) == 0
    (mail,) = mails(session, "deadlines_near")
    assert mail.company_id == deadline.company_id
    assert f"{deadline.due_on:%d/%m/%Y} (45) {deadline.title} – {deadline.worker}" in mail.arguments["lines"]
    (colleague,) = {row.recipient for row in mails(session, "deadlines_of_clients_near")}
    assert colleague.startswith("demo.secretariat@")
    # Thirty days before, and a week before; days in between and the day after say nothing.
    counts = {days: remind(session, deadline.due_on - timedelta(days=days)) for days in (31, 30, 29, 8, 7, 0, -1)}
    assert counts == {31: 0, 30: 1, 29: 0, 8: 0, 7: 1, 0: 0, -1: 0}
    assert len(mails(session, "deadlines_near")) == 3


def test_a_run_that_was_missed_is_made_up_for_with_one_mail(session: RecordSession, deadline: Deadline) -> None:
    assert remind(session, deadline.due_on - timedelta(days=5)) == 1
    assert remind(session, deadline.due_on - timedelta(days=4)) == 0
    assert len(mails(session, "deadlines_near")) == 1


def test_a_moved_deadline_is_reminded_of_anew(session: RecordSession, deadline: Deadline) -> None:
    assert remind(session, TODAY) == 1
    later = deadline.due_on + timedelta(days=10)
    update_record(session, deadline, {"due_on": later}, version=deadline.version, actor=SYSTEM)
    assert deadline.reminded_days is None
    assert remind(session, TODAY) == 1


def test_only_clients_who_see_their_deadlines_are_told(session: RecordSession, deadline: Deadline) -> None:
    of_client = CompanyService.company_id == deadline.company_id
    session.execute(sa.update(CompanyService.__table__).where(of_client).values(state="suspended", frozen_from=TODAY))  # type: ignore[arg-type]
    assert remind(session, TODAY) == 1
    assert mails(session, "deadlines_near") == []
    assert len(mails(session, "deadlines_of_clients_near")) == 1
    assert [row.event for row in session.scalars(sa.select(Notice))] == ["deadlines_of_clients_near"]


def test_what_is_done_is_not_reminded_of(session: RecordSession, deadline: Deadline) -> None:
    deadline.state, deadline.fulfilled_on = DeadlineState.fulfilled, TODAY
    session.flush()
    assert DeadlineState.fulfilled not in TO_DO
    assert remind(session, TODAY) == 0
