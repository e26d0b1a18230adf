"""Reminding clients and those who look after them of deadlines ahead of time (ED-11, N-12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session, selectinload

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import Forbidden
from backoffice.mail.rendering import Audience, register_template
from backoffice.operations.notices import group_name, referent_of, tell, with_role
from backoffice.setting_keys import DEADLINE_REMINDERS
from backoffice.settings import setting_value
from models.company import Company
from models.company_service import CompanyService, GrantState
from models.corporate_group import CorporateGroup
from models.deadline import TO_DO, Deadline
from models.online_service import OnlineService
from models.outbox_mail import OutboxMail

_table = cast("sa.Table", Deadline.__table__)
#: The online service that shows deadlines to clients, and the role that looks after them.
_SERVICE, _ROLE = "EDUPLAN", "secretariat"
#: So many deadlines one mail names; the others stand in the list.
_NAMED = 50


def remind_of_deadlines(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Remind of each deadline once for each of the days before it that the settings name; return of how many.

    One mail for each client whose deadlines service is active, and one for each colleague who looks after them. At
    most ``limit`` deadlines a call: call until it returns 0.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    if not actor.is_system:
        raise Forbidden
    return sum(_remind_in(session, key, today, limit) for key in session.scalars(sa.select(CorporateGroup.id)))


def _remind_in(session: Session, group_id: int, today: date, limit: int) -> int:
    due: list[Deadline] = []
    for days in sorted({setting_value(session, setting, group_id) for setting in DEADLINE_REMINDERS} - {0}):
        found = _due(session, group_id, today, days, limit - len(due))
        due += [deadline for deadline in found if deadline not in due]
        _note(session, found, days)
    if due:
        _tell_clients(session, group_id, due, today)
        _tell_colleagues(session, group_id, due, today)
    return len(due)


def _due(session: Session, group_id: int, today: date, days: int, limit: int) -> Sequence[Deadline]:
    """Return the deadlines that are so near, and of which nobody was reminded when they were."""
    if limit <= 0:
        return ()
    new = sa.or_(Deadline.reminded_days.is_(None), Deadline.reminded_days > days)
    near = Deadline.due_on.between(today, today + timedelta(days=days))
    statement = sa.select(Deadline).where(Deadline.group_id == group_id, Deadline.state.in_(TO_DO), near, new)
    named = (selectinload(Deadline.company), selectinload(Deadline.worker))
    return session.scalars(statement.options(*named).order_by(Deadline.due_on, Deadline.id).limit(limit)).all()


def _note(session: Session, deadlines: Iterable[Deadline], days: int) -> None:
    # Not as a change of the deadline: it is the product's own note, and also made where a client's data stand still.
    keys = [deadline.id for deadline in deadlines]
    noted = sa.update(_table).where(_table.c.id.in_(keys)).values(reminded_days=days)
    session.execute(noted, execution_options=INTERNAL)
    for deadline in deadlines:
        session.expire(deadline, ["reminded_days"])


def _tell_clients(session: Session, group_id: int, deadlines: Sequence[Deadline], today: date) -> None:
    by_company: dict[Company, list[Deadline]] = defaultdict(list)
    for deadline in deadlines:
        by_company[deadline.company].append(deadline)
    served = _with_service(session, [company.id for company in by_company])
    for company, own in by_company.items():
        if company.id in served:
            values = {
                "company": str(company),
                "lines": _lines(own, today, lambda one: one.title),
                "group": group_name(session, group_id),
            }
            tell(session, "deadlines_near", referent_of(session, company.id), values, about=company)


def _tell_colleagues(session: Session, group_id: int, deadlines: Sequence[Deadline], today: date) -> None:
    lines = _lines(deadlines, today, lambda one: f"{one.company}: {one.title}")
    values = {"count": len(deadlines), "lines": lines}
    for person in with_role(session, _ROLE, group_id):
        tell(session, "deadlines_of_clients_near", person, values, about=deadlines[0])


def _with_service(session: Session, company_ids: Sequence[int]) -> frozenset[int]:
    """Return those of the clients who may see their deadlines."""
    statement = (
        sa.select(CompanyService.company_id)
        .join(OnlineService, OnlineService.id == CompanyService.online_service_id)
        .where(
            CompanyService.company_id.in_(company_ids),
            CompanyService.state == GrantState.active,
            OnlineService.code == _SERVICE,
        )
    )
    return frozenset(session.scalars(statement))


def _lines(deadlines: Sequence[Deadline], today: date, what: Any) -> str:
    """Return a line for each: the day, how many days are left, what is due and for whom."""
    named = [
        f"{one.due_on:%d/%m/%Y} ({(one.due_on - today).days}) {what(one)}{f' – {one.worker}' if one.worker else ''}"
        for one in deadlines[:_NAMED]
    ]
    return "\n".join([*named, "…"] if len(deadlines) > _NAMED else named)


def _to_list(_session: Session, _mail: OutboxMail) -> str:
    return "/deadline/"


def _to_section(_session: Session, mail: OutboxMail) -> str:
    return f"/{mail.language.value}/deadline/"


_LINES = "28/12/2026 (30) Aggiornamento antincendio – Mario Rossi"
register_template(
    "deadlines_near",
    _l("Deadlines approaching"),
    {
        "name": "Beatrice Togni",
        "company": "Galvanica Orobica S.p.A.",
        "lines": _LINES,
        "group": "Gruppo Ecoopera",
    },
    mint=_to_section,
    for_clients=True,
    bell=Audience.clients,
)
register_template(
    "deadlines_of_clients_near",
    _l("Deadlines of clients approaching"),
    {"name": "Sara", "count": 1, "lines": f"Galvanica Orobica S.p.A.: {_LINES}"},
    mint=_to_list,
    bell=Audience.staff,
)

__all__ = ["remind_of_deadlines"]
