"""Jobs that somebody asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
import sqlalchemy as sa

from backoffice import background
from backoffice.access import INTERNAL
from backoffice.actors import Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from backoffice.operations.jobs import queue_job
from models.company import Company
from models.job import Job
from models.staff import Staff
from tests.work.counting import COUNTING, LANE

Ask = Callable[..., Job]
_table = cast("sa.Table", Company.__table__)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits to write here."""
    monkeypatch.setattr(background, "GIVE_WAY", 0.0)


@pytest.fixture
def actor(session: RecordSession, staff: Callable[[str], Staff]) -> Actor:
    """The administrator of one corporate group."""
    return load_actor(session, staff("administrator").id)


@pytest.fixture
def ask(engine: sa.Engine, session: RecordSession, staff: Callable[[str], Staff]) -> Ask:
    """A function that has the demonstration user of a role ask for counting, each time on another company."""
    taken: list[int] = []

    def queue(role: str = "administrator", *, steps: int = 3) -> Job:
        someone = load_actor(session, staff(role).id)
        wanted = sa.select(Company).where(Company.group_id == someone.group_id, Company.id.not_in(taken))
        company = session.scalars(wanted.order_by(Company.id)).first()
        assert company is not None
        taken.append(company.id)
        session.rollback()
        arguments = {"company": company.id, "steps": steps, "language": "it"}
        with begin_writing(), open_session(engine, Context(someone, Door.desk)) as own, own.begin():
            emptied = sa.update(_table).where(_table.c.id == company.id).values(notes="")
            own.execute(emptied, execution_options=INTERNAL)
            key = queue_job(own, COUNTING, arguments, lane=LANE, subject="prova", about=company, total=steps)
        return found(session, key)

    return queue


def found(session: RecordSession, key: int) -> Job:
    """Return a job as it is stored now."""
    session.rollback()
    session.expire_all()
    job = session.get_one(Job, key)
    session.rollback()
    return job


def counted(session: RecordSession, job: Job) -> int:
    """Return how far a job has counted."""
    session.rollback()
    notes = session.scalar(sa.select(_table.c.notes).where(_table.c.id == job.arguments["company"]))
    session.rollback()
    return len(notes or "")
