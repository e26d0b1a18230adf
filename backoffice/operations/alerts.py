"""Mails about work in the background: to administrators when something fails, to who asked when something long ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import Recipient, tell, with_role
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
        values = {"what": str(TASKS[name].label) if name in TASKS else name, "problem": result}
        for person in with_role(session, ADMINISTRATOR, None):
            about = session.get_one(Staff, person.staff_id)
            tell(session, "work_failed", replace(person, language=language), values, about=about)


def alert_of_job(session: Session, job: Job) -> None:
    """Tell the administrators of its corporate group that a job has failed."""
    if setting_value(session, ALERTS):
        arguments = {"what": str(job), "problem": job.problem or ""}
        for person in with_role(session, ADMINISTRATOR, job.group_id):
            tell(session, "work_failed", replace(person, language=_language(job)), arguments, about=job)


def tell_of_end(session: Session, job: Job) -> None:
    """Tell who asked for a job that it has ended, where it took so long that they have gone on to other things."""
    person = session.get(Staff, job.created_by_id) if job.created_by_id is not None else None
    if person is None or not person.active or job.ended_at is None:
        return
    if job.ended_at - job.created_at < timedelta(minutes=setting_value(session, NOTICE_AFTER)):
        return
    arguments = {"what": str(job), "result": job.problem or job.result or ""}
    recipient = Recipient(person.first_name, person.email, _language(job), person.id)
    tell(session, "work_ended", recipient, arguments, about=job)


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
