"""Mails about work in the background: to administrators when something fails, to who asked when something long ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.identity import RoleRow, UserRole
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import Recipient, tell
from backoffice.operations.tasks import TASKS
from backoffice.permissions import ADMINISTRATOR
from backoffice.setting_keys import ALERTS, NOTICE_AFTER
from backoffice.settings import setting_value
from models.job import Job
from models.outbox_mail import MailLanguage, OutboxMail
from models.staff import Staff

#: Where the page of work in the background is, counted from the desk's root.
_WORK_PAGE = "/work/"


def alert_of_task(session: Session, name: str, result: str, *, language: MailLanguage) -> None:
    """Tell those who look after the installation that a task has failed; its caller does so once per failure."""
    if setting_value(session, ALERTS):
        for person in _administrators(session, None):
            what = str(TASKS[name].label) if name in TASKS else name
            values = {"what": what, "problem": result}
            tell(session, "work_failed", _recipient(person, language), values, about=person)


def alert_of_job(session: Session, job: Job) -> None:
    """Tell the administrators of its corporate group that a job has failed."""
    if setting_value(session, ALERTS):
        arguments = {"what": str(job), "problem": job.problem or ""}
        for person in _administrators(session, job.group_id):
            tell(session, "work_failed", _recipient(person, _language(job)), arguments, about=job)


def tell_of_end(session: Session, job: Job) -> None:
    """Tell who asked for a job that it has ended, where it took so long that they have gone on to other things."""
    person = session.get(Staff, job.created_by_id) if job.created_by_id is not None else None
    if person is None or not person.active or job.ended_at is None:
        return
    if job.ended_at - job.created_at < timedelta(minutes=setting_value(session, NOTICE_AFTER)):
        return
    arguments = {"what": str(job), "result": job.problem or job.result or ""}
    tell(session, "work_ended", _recipient(person, _language(job)), arguments, about=job)


def _recipient(person: Staff, language: MailLanguage) -> Recipient:
    return Recipient(person.first_name, person.email, language, person.id)


def _administrators(session: Session, group_id: int | None) -> Sequence[Staff]:
    """Return who looks after a corporate group, or, for None, after the whole installation."""
    statement = (
        sa.select(Staff)
        .join(UserRole, UserRole.c.user_id == Staff.id)
        .join(RoleRow, RoleRow.c.id == UserRole.c.role_id)
        .where(RoleRow.c.name == ADMINISTRATOR, Staff.active)
        .order_by(Staff.id)
    )
    concerned = Staff.may_switch_group.is_(True) if group_id is None else Staff.group_id == group_id
    return session.scalars(statement.where(concerned)).all()


def _language(job: Job) -> MailLanguage:
    return MailLanguage[job.arguments.get("language", "it")]


def _to_the_work(_session: Session, _mail: OutboxMail) -> str:
    return _WORK_PAGE


register_template(
    "work_failed",
    _l("Work in the background has failed"),
    {"name": "Giulia", "what": "Applicazione di un file: clienti.csv", "problem": "OperationalError"},
    mint=_to_the_work,
    bell=Audience.staff,
)
register_template(
    "work_ended",
    _l("Work in the background has ended"),
    {"name": "Giulia", "what": "Applicazione di un file: clienti.csv", "result": "5.000 righe"},
    mint=_to_the_work,
    bell=Audience.staff,
)

__all__ = ["alert_of_job", "alert_of_task", "tell_of_end"]
