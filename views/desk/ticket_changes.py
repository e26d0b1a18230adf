"""Whether anything has changed in the queue since somebody looked: asked every few seconds, so it costs one statement.

The page carries a signed token that says for which corporate group it may ask; the answer says nothing but yes or no,
and what has changed is then read through the door that everything else is read through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from flask import Response, current_app, jsonify, request
from flask_appbuilder import BaseView, expose
from itsdangerous import BadSignature, URLSafeTimedSerializer

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import NotFound
from models.ticket import Ticket
from models.ticket_message import TicketMessage
from views.door import reading_as_system

#: How long a page may ask without being loaded anew, in seconds.
GOOD_FOR = 12 * 3600


class TicketChanges(BaseView):
    """The one question a quiet page asks."""

    route_base = "/support-changes"
    default_view = "changes"

    @expose("/<token>")
    def changes(self, token: str) -> Any:
        """Answer 204 where nothing has changed since ``since``, else what to ask with the next time."""
        try:
            group_id = _signer().loads(token, max_age=GOOD_FOR)
        except BadSignature as error:
            raise NotFound from error
        with reading_as_system() as records:
            row = records.execute(sa.select(*change_columns(group_id)), execution_options=INTERNAL).one()
        latest = change_word(tuple(row))
        if latest == request.args.get("since", ""):
            return Response(status=204)
        return jsonify({"since": latest})


def poll_token(actor: Actor) -> str:
    """Return what a page asks with."""
    return str(_signer().dumps(actor.group_id))


def change_columns(group_id: int | None) -> tuple[sa.ScalarSelect[Any], ...]:
    """Build the instants of the last change of a ticket and of the last message of a group."""
    ticket, message = Ticket.__table__, TicketMessage.__table__
    return (
        sa.select(sa.func.max(ticket.c.updated_at)).where(ticket.c.group_id == group_id).scalar_subquery(),
        sa.select(sa.func.max(message.c.created_at)).where(message.c.group_id == group_id).scalar_subquery(),
    )


def change_word(instants: Sequence[datetime | None]) -> str:
    """Return a word that is another one after every change."""
    return "/".join(f"{at:%y%m%d%H%M%S%f}" if at else "-" for at in instants)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="ticket changes")
