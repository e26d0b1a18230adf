"""The first setting up of a corporate group: which steps there are, and which of them are done (issue 4, chapter 4)."""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import Forbidden, NotFound
from backoffice.mail.rendering import register_template
from backoffice.outbox import Queued, has_demonstration, queue_mail
from backoffice.permissions import ADMINISTRATOR
from models.outbox_mail import MailLanguage
from models.setup_step import SetupStep
from models.staff import Staff

#: In the order in which they make sense.
STEPS = ("group", "portal", "mail", "people", "demonstration", "import")


def may_set_up(actor: Actor) -> bool:
    """Say whether the setting up is the actor's business."""
    return ADMINISTRATOR in actor.roles and actor.group_id is not None


def done_steps(session: Session, actor: Actor) -> frozenset[str]:
    """Return the steps that are done in the actor's corporate group; where no demonstration is left, its step is."""
    done = _written_down(session, actor)
    return done if has_demonstration(session) else done | {"demonstration"}


def has_begun(session: Session, actor: Actor) -> bool:
    """Say whether somebody of the actor's corporate group has said of any step that it is done."""
    return bool(_written_down(session, actor))


def finish_step(session: Session, name: str, *, actor: Actor) -> None:
    """Write down that a step is done; once more changes nothing. Flushes.

    :raises Forbidden: the actor is no administrator.
    :raises NotFound: there is no such step.
    """
    _require(name, actor)
    if name not in _written_down(session, actor):
        values = {"group_id": actor.group_id, "name": name, "done_at": clock.now(), "staff_id": actor.staff_id}
        session.execute(sa.insert(SetupStep).values(values), execution_options=INTERNAL)


def reopen_step(session: Session, name: str, *, actor: Actor) -> None:
    """Take back that a step is done. Flushes.

    :raises Forbidden: the actor is no administrator.
    :raises NotFound: there is no such step.
    """
    _require(name, actor)
    gone = sa.delete(SetupStep).where(SetupStep.group_id == actor.group_id, SetupStep.name == name)
    session.execute(gone, execution_options=INTERNAL)


def _written_down(session: Session, actor: Actor) -> frozenset[str]:
    wanted = sa.select(SetupStep.name).where(SetupStep.group_id == actor.group_id)
    return frozenset(session.scalars(wanted, execution_options=INTERNAL)) & frozenset(STEPS)


def _require(name: str, actor: Actor) -> None:
    if not may_set_up(actor):
        raise Forbidden
    if name not in STEPS:
        raise NotFound


def send_test_mail(session: Session, staff: Staff, *, actor: Actor) -> Queued:
    """Queue a mail to whoever asks, to see whether mail arrives.

    :raises Forbidden: the actor is no administrator.
    :raises NoAddress: their address cannot receive mail.
    """
    _require("mail", actor)
    arguments = {"name": staff.first_name}
    return queue_mail(session, "mail_test", arguments, to=staff.email, about=staff, language=MailLanguage.it)


register_template("mail_test", _l("Setting up: a test mail"), {"name": "Anna"})

__all__ = ["STEPS", "done_steps", "finish_step", "has_begun", "may_set_up", "reopen_step", "send_test_mail"]
