"""The second level is told of what is passed on to it: its members, and the team's own address (ES-05, TK-27).

A second level outside the house has no account here: its team has an address and no members, and works by mail.
"""

from __future__ import annotations

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import colleague, tell
from backoffice.outbox import queue_mail
from models.escalation import Escalation
from models.outbox_mail import MailLanguage, OutboxMail
from models.team_member import TeamMember


def tell_second_level(session: Session, escalation: Escalation) -> None:
    """Tell each member of the team, and write the whole of it to the team's address, where it has one."""
    ticket, team = escalation.ticket, escalation.to_team
    known = {
        "number": ticket.number,
        "subject": ticket.subject,
        "company": str(ticket.company) if ticket.company is not None else "–",
        "problem": escalation.description,
    }
    members = sa.select(TeamMember.staff_id).where(TeamMember.team_id == team.id).order_by(TeamMember.id)
    for key in session.scalars(members, execution_options=INTERNAL).all():
        tell(session, "escalation_received", colleague(session, key), {**known, "team": team.name}, about=ticket)
    if team.email:
        whole = {**known, "actions": escalation.actions, "workaround": escalation.workaround}
        address = ticket.queue.email
        queue_mail(
            session,
            "escalation_to_team",
            whole,
            to=team.email,
            about=ticket,
            language=MailLanguage.it,
            sender=address,
            reply_to=address,
        )


def _to_ticket(_session: Session, mail: OutboxMail) -> str:
    return f"/support/{mail.cause_id}"


_EXAMPLE = {
    "number": "SUP-123",
    "subject": "Impossibile accedere",
    "company": "Galvanica Orobica",
    "problem": "Il certificato del server è scaduto.",
}
register_template(
    "escalation_received",
    _l("Ticket passed to the second level"),
    {"name": "Elena", **_EXAMPLE, "team": "Sistemisti"},
    mint=_to_ticket,
    bell=Audience.staff,
)
register_template(
    "escalation_to_team",
    _l("Ticket passed to a team, to its address"),
    {**_EXAMPLE, "actions": "Riavvio del server", "workaround": "Nessuno"},
)

__all__ = ["tell_second_level"]
