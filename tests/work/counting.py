"""A kind of job that counts, and a worker as a process of its own, which may be killed at any moment."""

from __future__ import annotations

from datetime import timedelta
from multiprocessing.synchronize import Event

import sqlalchemy as sa

from backoffice import background
from backoffice import bulk_jobs as _bulk_jobs
from backoffice import import_jobs as _import_jobs
from backoffice.access import INTERNAL
from backoffice.background import Work, job_kind, work_off
from backoffice.database import make_engine
from backoffice.operations import bulk_deeds, imports
from backoffice.operations.jobs import register_kind
from models.company import Company

_ = (_bulk_jobs, _import_jobs)
#: Short, so that what a killed worker had is soon taken by the next.
LEASE = timedelta(seconds=1)
COUNTING, LANE = "counting", "counting"
#: How many steps the next runs do before they fail; None for all.
fails_after: list[int | None] = [None]


register_kind(COUNTING, "Counting")


@job_kind(COUNTING)
def count(work: Work) -> str:
    """Raise a company's ``notes`` by one letter a step: what was done twice would show."""
    company = Company.__table__
    with work.session() as session:
        length = sa.select(sa.func.length(company.c.notes)).where(company.c.id == work.arguments["company"])
        done = session.scalar(length, execution_options=INTERNAL)
        for number in range(done or 0, work.arguments["steps"]):
            if fails_after[0] is not None and number >= fails_after[0]:
                raise RuntimeError("broken")
            one = sa.update(company).where(company.c.id == work.arguments["company"])
            session.execute(one.values(notes=company.c.notes + "x"), execution_options=INTERNAL)
            work.keep(session, number + 1, work.arguments["steps"])
    return "counted"


def work(url: str, lane: str, begun: Event) -> None:
    """Do what is due in a lane, in small steps; say when that begins."""
    imports.CHUNK, imports.WHOLE, bulk_deeds.CHUNK, background.GIVE_WAY = 20, 0, 5, 0.0
    engine = make_engine(url)
    begun.set()
    work_off(engine, lane, lease=LEASE)
    engine.dispose()
