"""What a person may have forgotten, and what must stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.errors import Forbidden, InvalidRecord
from backoffice.identity import load_actor
from backoffice.operations.erasure import erase_personal_history
from models.contact import Contact
from models.history_entry import HistoryEntry, HistoryErasure, HistoryPersonal
from models.staff import Staff


def personal(session: RecordSession, contact: Contact) -> sa.Select[tuple[HistoryPersonal]]:
    about = sa.select(HistoryEntry.id).where(HistoryEntry.entity == "contact", HistoryEntry.record_id == contact.id)
    return sa.select(HistoryPersonal).where(HistoryPersonal.entry_id.in_(about))


def test_the_values_go_and_the_proof_stays(session: RecordSession) -> None:
    first, second = session.scalars(sa.select(Contact).limit(2)).all()
    entries = sa.select(sa.func.count(HistoryEntry.id)).where(HistoryEntry.record_id == first.id)
    before = session.scalar(entries)
    assert session.scalars(personal(session, first)).all()

    assert erase_personal_history(session, first, "Richiesta del 20/11/2026", actor=SYSTEM) == 1
    session.expunge_all()

    assert session.scalars(personal(session, first)).all() == []
    assert session.scalars(personal(session, second)).all()
    assert session.scalar(entries) == before
    proof = session.scalars(sa.select(HistoryErasure)).one()
    assert (proof.entity, proof.record_id, proof.reason) == ("contact", first.id, "Richiesta del 20/11/2026")


def test_nothing_goes_without_a_reason(session: RecordSession) -> None:
    contact = session.scalars(sa.select(Contact).limit(1)).one()
    with pytest.raises(InvalidRecord):
        erase_personal_history(session, contact, "  ", actor=SYSTEM)
    assert session.scalars(sa.select(HistoryErasure)).all() == []


def test_the_database_refuses_it_without_the_proof(session: RecordSession) -> None:
    with pytest.raises(DBAPIError):
        session.execute(sa.delete(HistoryPersonal.__table__))


def test_only_who_may_delete_may_erase(
    session: RecordSession, engine: sa.Engine, staff: Callable[[str], Staff]
) -> None:
    actor = load_actor(session, staff("operator2").id)
    with open_session(engine, Context(actor, Door.desk)) as scoped:
        contact = scoped.scalars(sa.select(Contact).limit(1)).one()
        with pytest.raises(Forbidden):
            erase_personal_history(scoped, contact, "Richiesta", actor=actor)
