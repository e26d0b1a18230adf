"""Asking, at the desk, that the demonstration set be removed; ``backoffice.demo_jobs`` does it."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.errors import DomainError, Forbidden, Text
from backoffice.operations.jobs import IMPORTS, queue_job, register_kind
from backoffice.outbox import has_demonstration
from backoffice.permissions import ADMINISTRATOR

#: The kind of job, and what people call it.
REMOVAL = "remove_demonstration"
_EVERYWHERE: Text = _l("all corporate groups")
register_kind(REMOVAL, _l("Remove the demonstration data"))


class NoDemonstration(DomainError):
    template = _l("There is no demonstration data here.")
    status = 409


def may_remove_demonstration(actor: Actor) -> bool:
    """Say whether an actor looks after the whole installation, whose the demonstration set is."""
    return ADMINISTRATOR in actor.roles and actor.may_switch_group


def ask_to_remove_demonstration(session: Session, *, language: str, actor: Actor) -> int:
    """Queue the removal of exactly the demonstration rows and users; return the key of the job.

    :raises Forbidden: the actor does not look after the whole installation.
    :raises NoDemonstration: there is nothing to remove.
    """
    if not may_remove_demonstration(actor):
        raise Forbidden
    if not has_demonstration(session):
        raise NoDemonstration
    return queue_job(session, REMOVAL, {"language": language}, lane=IMPORTS, subject=str(_EVERYWHERE))


__all__ = ["REMOVAL", "ask_to_remove_demonstration", "may_remove_demonstration"]
