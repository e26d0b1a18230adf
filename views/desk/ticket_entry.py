"""Who comes into the ticket workspace."""

from __future__ import annotations

from typing import Any

from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.errors import Forbidden
from models.ticket import Ticket
from views import interrupted
from views.door import current_actor
from views.generated.guarding import require_same_group


def may_work(actor: Actor) -> bool:
    """Say whether somebody works on tickets."""
    return actor.may(Action.transition, Ticket) or actor.may(Action.update, Ticket)


def refused(*, readers: bool = False) -> Any:
    """Return the sign-in page for strangers; None for whoever works on tickets or, with ``readers``, may read them.

    :raises Forbidden: their roles do not allow it.
    :raises OtherGroup: the form was made for another corporate group.
    """
    if not current_user.is_authenticated:
        return interrupted.sign_in_first()
    actor = current_actor()
    if not (may_work(actor) or (readers and actor.may(Action.read, Ticket))):
        raise Forbidden
    require_same_group()
    return None
