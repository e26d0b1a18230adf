"""Requests that were being worked on before they came here: the states they may come in with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Opening
from models.ticket import TicketState as S


class InTheFuture(DomainError):
    template = _l("This lies in the future.")


def _has_begun(_session: Session, ticket: Any, _values: Mapping[str, Any], _actor: Actor) -> None:
    for name in ("created_at", "taken_at", "closed_at"):
        moment = getattr(ticket, name)
        if moment is not None and moment > clock.now():
            raise InTheFuture(field=name)


#: Whether consent and package are there is not asked: somebody was working on it, whatever we think of that.
OPENING = Opening(
    states={
        S.qualification: (),
        S.waiting_package: (),
        S.waiting_quote: (),
        S.assigned: (),
        S.in_progress: ("assignee",),
        S.waiting_customer: ("assignee",),
        S.waiting_change: ("assignee",),
        S.on_site_planned: ("assignee", "due_at"),
        S.closed_final: ("closed_at", "solution", "closure_reason"),
    },
    fields=("number", "created_at", "taken_at"),
    guard=_has_begun,
)
