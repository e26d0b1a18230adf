"""Who is calling: people and clients known under a number, as far as whoever takes the call may see them (CC-06)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from backoffice.actors import Action, Actor
from models.call import Call
from models.company import Company
from models.contact import Contact
from models.site import Site

#: More than these share no number in earnest; the rest is found by name.
_MOST = 8
#: So many earlier calls are shown.
_EARLIER = 5


@dataclass(frozen=True)
class Caller:
    """Somebody known under a number: a person at a client, or the client with the place that rings."""

    company: Company
    contact: Contact | None = None
    site: Site | None = None

    @property
    def key(self) -> str:
        """What forms call this choice."""
        return f"contact-{self.contact.id}" if self.contact is not None else f"company-{self.company.id}"


def recognise(session: Session, number: str, *, actor: Actor) -> list[Caller]:
    """Return who is known under a number in international form: people first, else clients by switchboard or site.

    A number that the actor sees as a mask only recognises nobody.
    """
    people = _contacts(session, number, actor)
    if people:
        return people
    found = [Caller(row) for row in _rows(session, Company, number, actor)]
    places = [Caller(row.company, site=row) for row in _rows(session, Site, number, actor) if row.company is not None]
    known = {caller.company.id for caller in found}
    return [*found, *(caller for caller in places if caller.company.id not in known)]


def _contacts(session: Session, number: str, actor: Actor) -> list[Caller]:
    readable = [name for name in ("phone", "mobile") if name not in actor.masked(Contact)]
    if not readable or not actor.may(Action.read, Contact):
        return []
    same = sa.or_(*(getattr(Contact, name) == number for name in readable))
    wanted = sa.select(Contact).where(same).options(joinedload(Contact.company)).order_by(Contact.id).limit(_MOST)
    # Of a contact one may see, the company may still be out of reach.
    rows: Sequence[Any] = session.scalars(wanted).all()
    return [Caller(row.company, row) for row in rows if row.company is not None]


def _rows(session: Session, entity: type[Any], number: str, actor: Actor) -> Sequence[Any]:
    if "phone" in actor.masked(entity) or not actor.may(Action.read, entity):
        return []
    wanted = sa.select(entity).where(entity.phone == number).order_by(entity.id).limit(_MOST)
    if entity is Site:
        wanted = wanted.options(joinedload(Site.company))
    return session.scalars(wanted).all()


def earlier_calls(session: Session, number: str | None, company_id: int | None, *, actor: Actor) -> Sequence[Call]:
    """Return the last calls of a client, else those from a number, the newest first."""
    if not actor.may(Action.read, Call):
        return []
    if company_id is not None:
        same = Call.company_id == company_id
    elif number and "caller_phone" not in actor.masked(Call):
        same = Call.caller_phone == number
    else:
        return []
    wanted = sa.select(Call).where(same).options(joinedload(Call.request_type), joinedload(Call.ticket))
    return session.scalars(wanted.order_by(Call.started_at.desc(), Call.id.desc()).limit(_EARLIER)).all()


__all__ = ["Caller", "earlier_calls", "recognise"]
