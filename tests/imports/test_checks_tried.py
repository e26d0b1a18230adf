"""What a CHECK of the table would refuse is said by the trial already, with the sentence its declaration has for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.constraints import broken_checks
from backoffice.database import RecordSession
from models.base import ENTITIES
from models.contract import Contract
from models.group_company import GroupCompany
from models.import_batch import ImportBatch, ImportMode
from models.service import Service
from models.training_record import TrainingRecord, TrainingSource
from tests.imports.test_imports import counts, sentences

Upload = Callable[..., ImportBatch]


def test_nothing_stored_breaks_a_check(session: RecordSession) -> None:
    for entity in ENTITIES.values():
        stored = session.execute(sa.select(entity.__table__).limit(50), execution_options=INTERNAL).mappings().all()
        assert broken_checks(entity, [dict(row) for row in stored]) == [{} for _row in stored], entity
    session.rollback()


def test_what_is_given_is_judged_and_what_is_missing_is_not() -> None:
    begun, ended = date(2027, 1, 1), date(2026, 1, 1)
    rows = [{"starts_on": begun, "ends_on": ended}, {"starts_on": begun}, {"ends_on": ended}, {"notice_days": -1}]
    wrong, *missing, short = broken_checks(Contract, rows)
    assert {name: str(text) for name, text in wrong.items()} == {"ends_on": "The end comes before the start."}
    assert missing == [{}, {}]
    assert set(short) == {"notice_days"}


def test_a_trial_refuses_what_the_table_would(records: RecordSession, upload: Upload) -> None:
    house = records.scalars(sa.select(GroupCompany.legal_name)).first()
    lines = ["Codice;Nome;Prezzo;Di", f"PROVA-1;Prova uno;10;{house}", f"PROVA-2;Prova due;-10;{house}"]
    columns = {"Codice": "code", "Nome": "name", "Prezzo": "list_price", "Di": "group_company"}
    batch = upload(
        Service, "\n".join(lines).encode(), apply=False, matched_by=None, system=None, mapping=columns,
        mode=ImportMode.create,
    )  # fmt: skip
    assert counts(batch) == (1, 0, 0, 0, 1)
    assert "negative" in sentences(records, batch)[3]


def test_a_trial_refuses_what_lacks_something(records: RecordSession, upload: Upload) -> None:
    """Our own training says how it was held; what the product completes by itself is not asked for."""
    own = records.scalars(sa.select(TrainingRecord).where(TrainingRecord.source == TrainingSource.own)).first()
    assert own is not None
    who, day = f"#{own.worker_id};{own.course.code}", own.completed_on
    rows = [f"{who};{day + timedelta(days=later):%d/%m/%Y};{how}" for later, how in ((1, ""), (2, "Online, live"))]
    lines = ["Persona;Corso;Concluso;Modalita", *rows]
    columns = {"Persona": "worker", "Corso": "course", "Concluso": "completed_on", "Modalita": "delivery_mode"}
    before = records.scalar(sa.select(sa.func.count(TrainingRecord.id)))
    batch = upload(
        TrainingRecord, "\n".join(lines).encode(), apply=False, matched_by=None, system=None, mapping=columns,
        mode=ImportMode.create,
    )  # fmt: skip
    assert counts(batch) == (1, 0, 0, 0, 1), sentences(records, batch)
    assert records.scalar(sa.select(sa.func.count(TrainingRecord.id))) == before
