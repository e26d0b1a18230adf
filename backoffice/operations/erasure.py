"""Forgetting a person: the personal part of a record's history goes, the proof that something happened stays."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL, prove_scope
from backoffice.actors import Action, Actor
from backoffice.errors import InvalidRecord
from backoffice.operations.cleaning import REQUIRED
from models.base import Recorded
from models.history_entry import HistoryEntry, HistoryErasure, HistoryPersonal
from models.reading import BadValue, clean_text


def erase_personal_history(session: Session, record: Recorded, reason: str, *, actor: Actor) -> int:
    """Remove the personal values from the record's history; return how many entries lost theirs (PR-19).

    Who did it, when and on whose request is written down first, and is what lets the database permit it. The
    values on the record itself are another matter: change them beforehand. Flushes, never commits.

    :raises Forbidden: whoever may not delete such records may not make them forgotten either.
    :raises InvalidRecord: there is no reason.
    """
    actor.require(Action.delete, type(record))
    prove_scope(session, Action.delete, [record])
    try:
        why = clean_text(reason, lines=True)
    except BadValue as error:
        raise InvalidRecord({"reason": error.text}) from error
    if not why:
        raise InvalidRecord({"reason": REQUIRED})
    entity = record.__table__.name
    proof = {
        "at": clock.now(),
        "entity": entity,
        "record_id": record.id,
        "actor_id": actor.id,
        "actor_name": actor.name,
    }
    session.execute(sa.insert(HistoryErasure).values(**proof, reason=why), execution_options=INTERNAL)
    about = sa.select(HistoryEntry.id).where(HistoryEntry.entity == entity, HistoryEntry.record_id == record.id)
    statement = (
        sa.delete(HistoryPersonal).where(HistoryPersonal.entry_id.in_(about)).returning(HistoryPersonal.entry_id)
    )
    gone = session.execute(statement, execution_options=INTERNAL)
    return len(gone.all())
