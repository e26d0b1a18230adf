"""Jobs: done in steps that last, by one worker at a time, for who asked, until they end, fail or are cancelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.background import work_off, worker_name
from backoffice.database import RecordSession, begin_writing, make_engine
from backoffice.jobs import Task, run_if_due
from backoffice.operations.jobs import MOST_ATTEMPTS
from backoffice.operations.overrides import change_setting
from backoffice.operations.verbs import perform
from backoffice.setting_keys import ALERTS, NOTICE_AFTER
from models.job import Job, JobState
from models.outbox_mail import OutboxMail
from models.staff import Staff
from tests.clients import DeskClient
from tests.visitors import Visitor
from tests.work.conftest import Ask, counted, found
from tests.work.counting import LANE, fails_after

S = JobState


@pytest.fixture(autouse=True)
def _whole() -> Iterator[None]:
    yield
    fails_after[0] = None


def change(session: RecordSession, job: Job, **values: object) -> None:
    with begin_writing():
        session.execute(sa.update(Job).where(Job.id == job.id).values(values))
        session.commit()


def mails(session: RecordSession, template: str) -> list[OutboxMail]:
    session.rollback()
    written = session.scalars(sa.select(OutboxMail).where(OutboxMail.template == template)).all()
    session.rollback()
    return list(written)


def test_a_job_is_done_step_by_step_for_who_asked(session: RecordSession, engine: sa.Engine, ask: Ask) -> None:
    job = ask(steps=4)
    assert (job.state, job.done_count, job.total_count) == (S.waiting, 0, 4)
    assert work_off(engine, "another lane") == 0
    assert work_off(engine, LANE) == 1
    after = found(session, job.id)
    assert (after.state, after.done_count, after.result) == (S.done, 4, "counted")
    assert (after.worker, after.lease_token) == (worker_name(), None)
    assert after.created_by_id == job.created_by_id is not None
    assert counted(session, job) == 4
    assert work_off(engine, LANE) == 0


def test_what_was_done_before_a_stop_stays_and_another_goes_on_at_once(
    session: RecordSession, engine: sa.Engine, ask: Ask
) -> None:
    job = ask(steps=5)
    asked = iter([False, False, True, True])
    work_off(engine, LANE, lambda: next(asked))
    stopped = found(session, job.id)
    assert (stopped.state, stopped.done_count, counted(session, job)) == (S.waiting, 2, 2)
    work_off(engine, LANE)
    assert (found(session, job.id).state, counted(session, job)) == (S.done, 5)


def test_who_lost_the_lease_changes_nothing_more(session: RecordSession, engine: sa.Engine, ask: Ask) -> None:
    job = ask(steps=5)
    steps: list[int] = []

    def taken_over() -> bool:
        steps.append(1)
        if len(steps) == 3:
            change(session, job, lease_token="another", lease_until=clock.now() + timedelta(minutes=1))
        return len(steps) > 5

    work_off(engine, LANE, taken_over)
    assert (found(session, job.id).lease_token, counted(session, job)) == ("another", 2)


def test_a_dead_worker_is_replaced_when_its_lease_ends(session: RecordSession, engine: sa.Engine, ask: Ask) -> None:
    job = ask()
    soon = clock.now() + timedelta(minutes=1)
    change(session, job, state=S.running, lease_token="dead", lease_until=soon, worker="gone:1")
    assert work_off(engine, LANE) == 0
    change(session, job, lease_until=clock.now())
    assert work_off(engine, LANE) == 1
    assert found(session, job.id).state is S.done


def test_several_workers_do_each_job_once(session: RecordSession, database_url: str, ask: Ask) -> None:
    jobs = [ask(steps=2) for _number in range(6)]
    start = Barrier(3)

    def work(_number: int) -> int:
        own = make_engine(database_url)
        start.wait(timeout=30)
        try:
            return work_off(own, LANE)
        finally:
            own.dispose()

    with ThreadPoolExecutor(3) as threads:
        assert sum(threads.map(work, range(3))) == len(jobs)
    assert [(found(session, job.id).state, counted(session, job)) for job in jobs] == [(S.done, 2)] * len(jobs)


def test_a_failure_is_told_once_with_a_sentence_and_may_be_tried_again(
    session: RecordSession, engine: sa.Engine, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    job = ask(steps=3)
    fails_after[0] = 1
    work_off(engine, LANE)
    failed = found(session, job.id)
    assert (failed.state, failed.done_count, counted(session, job)) == (S.failed, 1, 1)
    assert failed.problem == "Un errore imprevisto: il registro del programma dice di più (RuntimeError)."
    assert "broken" in caplog.text
    alerts = mails(session, "work_failed")
    assert {(mail.cause_entity, mail.cause_id) for mail in alerts} == {("job", job.id)}
    assert len({mail.recipient for mail in alerts}) == len(alerts)
    assert alerts[0].subject.endswith("non riuscito")
    fails_after[0] = None
    with begin_writing():
        perform(session, session.get_one(Job, job.id), "retry", actor=SYSTEM)
        session.commit()
    work_off(engine, LANE)
    assert (found(session, job.id).state, counted(session, job)) == (S.done, 3)


def test_alerts_may_be_switched_off(session: RecordSession, engine: sa.Engine, ask: Ask) -> None:
    with begin_writing():
        change_setting(session, ALERTS, "0", version=0, actor=SYSTEM)
        session.commit()
    ask()
    fails_after[0] = 0
    work_off(engine, LANE)
    assert mails(session, "work_failed") == []


def test_what_kills_its_workers_is_given_up(session: RecordSession, engine: sa.Engine, ask: Ask) -> None:
    job = ask()
    change(session, job, attempts=MOST_ATTEMPTS)
    work_off(engine, LANE)
    failed = found(session, job.id)
    assert (failed.state, failed.problem) == (S.failed, "È stato iniziato 20 volte senza mai andare avanti.")


def test_nobody_works_in_the_name_of_who_has_left(
    session: RecordSession, engine: sa.Engine, ask: Ask, staff: Callable[[str], Staff]
) -> None:
    job = ask("sales")
    with begin_writing():
        session.execute(sa.update(Staff).where(Staff.id == staff("sales").id).values(active=False))
        session.commit()
    work_off(engine, LANE)
    assert found(session, job.id).problem == "Chi l’aveva chiesto non è più attivo."
    assert counted(session, job) == 0


def test_who_asked_is_told_of_the_end_only_where_it_took_long(
    session: RecordSession, engine: sa.Engine, ask: Ask, staff: Callable[[str], Staff]
) -> None:
    ask("sales")
    work_off(engine, LANE)
    assert mails(session, "work_ended") == []
    with begin_writing():
        change_setting(session, NOTICE_AFTER, "0:00", version=0, actor=SYSTEM)
        session.commit()
    job = ask("sales")
    work_off(engine, LANE)
    (mail,) = mails(session, "work_ended")
    assert (mail.recipient, mail.cause_entity, mail.cause_id) == (staff("sales").email, "job", job.id)


def test_a_task_that_keeps_failing_is_told_once_until_it_succeeds(session: RecordSession, engine: sa.Engine) -> None:
    broken = [True]

    def run(_engine: sa.Engine, _stopped: Callable[[], bool]) -> str:
        if broken[0]:
            raise RuntimeError("broken")
        return "done"

    task = Task("advance", run, lambda _session, now: now)
    told = []
    for state in (True, True, False, True):
        broken[0] = state
        assert run_if_due(engine, task)
        told.append(len(mails(session, "work_failed")))
    assert told == [1, 1, 1, 2]
    assert mails(session, "work_failed")[0].subject == "Il lavoro della notte: non riuscito"


def test_a_person_sees_cancels_and_retries_their_own_jobs(
    session: RecordSession,
    engine: sa.Engine,
    ask: Ask,
    person: Callable[[str], Visitor],
    desk_client: Callable[..., DeskClient],
) -> None:
    job, other = ask("sales"), ask("secretariat")
    sales = person("sales")
    page = sales.get("/work/").text
    assert f"/job/{job.id}" in page
    assert f"/job/{other.id}" not in page
    assert '<meta http-equiv="refresh"' in page
    assert "0 di 3" in page
    assert "Esegui ora" not in page
    assert sales.get(f"/job/{other.id}").status_code == 404
    assert sales.submit(f"/job/{job.id}/do/cancel", {"version": "1"}).status_code == 303
    assert work_off(engine, LANE) == 1
    assert (found(session, job.id).state, found(session, other.id).state) == (S.cancelled, S.done)
    assert sales.submit(f"/job/{job.id}/do/retry", {"version": "2"}).status_code == 303
    work_off(engine, LANE)
    assert found(session, job.id).state is S.done
    assert '<meta http-equiv="refresh"' not in sales.get("/work/").text
    assert desk_client("quality").get("/work/").status_code == 403


def test_a_cancelled_job_does_no_further_step(session: RecordSession, engine: sa.Engine, ask: Ask) -> None:
    job = ask(steps=5)
    steps: list[int] = []

    def cancelled() -> bool:
        steps.append(1)
        if len(steps) == 3:
            with begin_writing():
                perform(session, session.get_one(Job, job.id), "cancel", actor=SYSTEM)
                session.commit()
        return len(steps) > 6

    work_off(engine, LANE, cancelled)
    assert (found(session, job.id).state, counted(session, job)) == (S.cancelled, 2)
