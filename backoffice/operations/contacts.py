"""People at client companies: one of them at most is the main referent (AC-07)."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.operations.merge_steps import set_mark
from backoffice.operations.plain import before_save
from models.contact import Contact


@before_save(Contact)
def _take_over(session: Session, contact: Contact, *, actor: Actor) -> None:
    """Take the mark of the main referent from whoever had it, in the same transaction and told in their history.

    Before the contact itself is flushed: for a moment there would be two, which the database refuses.
    """
    if not contact.is_main_referent or contact.company is None:
        return
    table = cast("sa.Table", Contact.__table__)
    others = sa.select(table.c.id).where(table.c.company_id == contact.company.id, table.c.is_main_referent)
    others = others.where(table.c.deleted_at.is_(None))
    with session.no_autoflush:
        keys = session.scalars(others, execution_options=INTERNAL).all()
        set_mark(session, table, "is_main_referent", [key for key in keys if key != contact.id], False)
        _read_again(session, {*keys} - {contact.id})


def _read_again(session: Session, keys: set[int]) -> None:
    loaded: list[Any] = [row for row in session if isinstance(row, Contact) and row.id in keys]
    for row in loaded:
        session.expire(row)


__all__: list[str] = []
