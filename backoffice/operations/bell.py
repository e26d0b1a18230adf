"""The bell: what people who can sign in are told, how they hear of it, and what of it they have read (AC-41)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, context_of
from backoffice.actors import Actor
from backoffice.errors import NotFound
from backoffice.mail.rendering import TEMPLATES, Audience, ShippedTemplate
from models.account import Account, AccountState
from models.base import Recorded
from models.notice import Notice, NoticeChoice, NoticeWay

_notice = cast("sa.Table", Notice.__table__)
_choice = cast("sa.Table", NoticeChoice.__table__)
#: How many notices the page of the bell shows.
SHOWN = 100
#: How long a notice is kept.
KEPT = timedelta(days=180)


@dataclass(frozen=True)
class Reader:
    """Whose bell it is: a member of staff's, or that of the person behind a client's account."""

    staff_id: int | None = None
    account_id: int | None = None

    @property
    def audience(self) -> Audience:
        return Audience.staff if self.staff_id is not None else Audience.clients

    @property
    def key(self) -> dict[str, int | None]:
        return {"staff_id": self.staff_id, "account_id": self.account_id}

    def owns(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Build the condition that a row of ``table`` is theirs."""
        if self.staff_id is not None:
            return table.c.staff_id == self.staff_id
        return table.c.account_id == self.account_id

    def is_acting(self, session: Session) -> bool:
        """Say whether it is this person who does what the session does."""
        context = context_of(session)
        if self.staff_id is not None:
            return self.staff_id in (context.actor.staff_id, context.staff_id)
        return self.account_id in (context.actor.account_id, context.account_id)


def reader_of(actor: Actor) -> Reader | None:
    """Return whose bell an actor looks at; None for whoever has none."""
    if actor.staff_id is None and actor.account_id is None:
        return None
    return Reader(actor.staff_id, actor.account_id)


def reader_at(session: Session, address: str, about: Recorded, *, staff_id: int | None = None) -> Reader | None:
    """Return whose bell rings for a mail to ``address``: the member of staff's, or the account's that has it."""
    if staff_id is not None:
        return Reader(staff_id=staff_id)
    account = Account.__table__
    wanted = sa.select(account.c.id).where(
        account.c.group_id == getattr(about, "group_id", None),
        account.c.email == address,
        account.c.state == AccountState.active,
    )
    found = session.scalar(wanted, execution_options=INTERNAL)
    return Reader(account_id=found) if found is not None else None


def ring(session: Session, event: str, reader: Reader, *, about: Recorded) -> NoticeWay:
    """Put a notice under the reader's bell, if such events ring it; return how else they want to hear of it."""
    template = TEMPLATES[event]
    if template.bell is not reader.audience:
        return NoticeWay.mail
    way = NoticeWay.mail if template.always_mailed else chosen_ways(session, reader).get(event, NoticeWay.mail)
    values = {
        **reader.key,
        "event": event,
        "cause_entity": about.__table__.name,
        "cause_id": about.id,
        "at": clock.now(),
        "in_digest": way is NoticeWay.digest,
    }
    session.execute(sa.insert(_notice).values(values), execution_options=INTERNAL)
    return way


def unread(reader: Reader) -> sa.ScalarSelect[int]:
    """Build the number of the reader's notices that they have not read."""
    count = sa.select(sa.func.count()).select_from(_notice)
    return count.where(reader.owns(_notice), _notice.c.read_at.is_(None)).scalar_subquery()


def find_notices(session: Session, reader: Reader) -> Sequence[Any]:
    """Return the reader's notices, those not read first, then the newest first."""
    wanted = sa.select(_notice).where(reader.owns(_notice))
    newest = wanted.order_by(_notice.c.read_at.is_not(None), _notice.c.id.desc()).limit(SHOWN)
    return session.execute(newest, execution_options=INTERNAL).all()


def mark_read(session: Session, reader: Reader, notice_id: int) -> tuple[str, int]:
    """Write down that the reader has seen a notice; return table and key of what it is about.

    :raises NotFound: they have no such notice.
    """
    own = sa.and_(reader.owns(_notice), _notice.c.id == notice_id)
    first = sa.func.coalesce(_notice.c.read_at, clock.now())
    seen = sa.update(_notice).where(own).values(read_at=first, in_digest=False)
    row = session.execute(
        seen.returning(_notice.c.cause_entity, _notice.c.cause_id), execution_options=INTERNAL
    ).one_or_none()
    if row is None:
        raise NotFound
    return row.cause_entity, row.cause_id


def mark_all_read(session: Session, reader: Reader) -> int:
    """Write down that the reader has seen all their notices; return how many were new."""
    new = sa.and_(reader.owns(_notice), _notice.c.read_at.is_(None))
    seen = sa.update(_notice).where(new).values(read_at=clock.now(), in_digest=False)
    return len(session.execute(seen.returning(_notice.c.id), execution_options=INTERNAL).all())


def clear_old(session: Session, now: datetime) -> int:
    """Delete notices that are too old to be news; return how many."""
    old = sa.delete(_notice).where(_notice.c.at < now - KEPT)
    return len(session.execute(old.returning(_notice.c.id), execution_options=INTERNAL).all())


def kinds_for(audience: Audience) -> list[ShippedTemplate]:
    """Return what rings the bells of such people."""
    return [template for template in TEMPLATES.values() if template.bell is audience]


def chosen_ways(session: Session, reader: Reader) -> dict[str, NoticeWay]:
    """Return what the reader has chosen, by event; what is missing comes by mail at once."""
    wanted = sa.select(_choice.c.event, _choice.c.way).where(reader.owns(_choice))
    return {row.event: row.way for row in session.execute(wanted, execution_options=INTERNAL)}


def choose_ways(session: Session, reader: Reader, wanted: Mapping[str, str]) -> None:
    """Keep how the reader wants to hear of each kind of event; what ``wanted`` does not name stays as it is.

    :raises NotFound: there is no such way.
    """
    free = {template.name for template in kinds_for(reader.audience) if not template.always_mailed}
    if not set(wanted.values()) <= set(NoticeWay.__members__):
        raise NotFound
    new = {event: NoticeWay[way] for event, way in wanted.items() if event in free}
    before = sa.delete(_choice).where(reader.owns(_choice), _choice.c.event.in_(new))
    session.execute(before, execution_options=INTERNAL)
    rows = [{**reader.key, "event": event, "way": way} for event, way in new.items() if way is not NoticeWay.mail]
    if rows:
        session.execute(sa.insert(_choice).values(rows), execution_options=INTERNAL)


def forget(session: Session, account: Account) -> None:
    """Take the bell from an account that is nobody's any more."""
    for table in (_notice, _choice):
        session.execute(sa.delete(table).where(table.c.account_id == account.id), execution_options=INTERNAL)
