"""From the day on which a client's data in an online service stand still, nothing dated later is written (AC-19)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Actor
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations import imports
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.analysis import AnalysisState
from models.base import ENTITIES
from models.business_unit import BusinessUnit
from models.client_document import ClientDocument
from models.company import Company
from models.company_service import CompanyService, GrantState
from models.contract_line import ContractLine, LineState, WithdrawalMode
from models.import_batch import ImportBatch, ImportMode, ImportState
from models.online_service import OnlineService
from models.service import ServiceState
from models.waste_movement import MovementState, WasteMovement
from tests.clients import DeskClient
from tests.imports.conftest import actor, finish, records, upload  # noqa: F401  # fixtures
from tests.imports.register import csv_bytes
from tests.imports.test_imports import counts, sentences
from tests.operations.world import World, day
from tests.views.conftest import program  # noqa: F401  # a fixture
from tests.views.programs import Program, as_stored

FROZEN = day(-10)


def at(offset: int) -> datetime:
    """Return noon so many days from the day this began on, in Italy: it may be the next one by now."""
    return datetime.combine(FROZEN + timedelta(days=offset + 10), datetime.min.time(), clock.ROME) + timedelta(hours=12)


def frozen(world: World, code: str, since: date | None = FROZEN) -> CompanyService:
    """Freeze the world's company in an online service."""
    known = world.session.scalars(
        sa.select(OnlineService).where(OnlineService.code == code, OnlineService.group_id == world.group.id)
    ).first()
    grant = world.company_service(GrantState.active, known or world.online_service(code=code))
    grant.frozen_from = since
    return world.add(grant)  # type: ignore[no-any-return]


def values_of(world: World, **changes: Any) -> dict[str, Any]:
    """Return what somebody types for a waste movement."""
    values = {"company": world.company, "form_number": "FIR 1", "business_unit": world.unit(), "waste_code": "15 01 06"}
    return {**values, "quantity": "1.000", "picked_up_at": at(-9), **changes}


def test_what_is_dated_later_is_refused_and_what_is_earlier_is_not(session: RecordSession) -> None:
    world = World(session)
    frozen(world, "WINSMART")
    for offset in (-10, -9, 0):
        with pytest.raises(InvalidRecord) as refused, session.begin_nested():
            create_record(session, WasteMovement, values_of(world, picked_up_at=at(offset)), actor=SYSTEM)
        assert set(refused.value.problems) == {"picked_up_at"}
        assert f"{FROZEN:%d/%m/%Y}" in str(refused.value.problems["picked_up_at"])
    earlier: Any = create_record(session, WasteMovement, values_of(world, picked_up_at=at(-11)), actor=SYSTEM)
    with pytest.raises(InvalidRecord), session.begin_nested():
        update_record(session, earlier, {"picked_up_at": at(-2)}, version=None, actor=SYSTEM)
    update_record(session, earlier, {"description": "Imballaggi"}, version=None, actor=SYSTEM)
    # Another company, and another online service of the same one, go on.
    values = values_of(world, company=world.client(), form_number="FIR 2")
    create_record(session, WasteMovement, values, actor=SYSTEM)
    document = {"company": world.company, "title": "DVR", "area": "safety", "dated_on": day(0)}
    create_record(session, ClientDocument, document, actor=SYSTEM)


def test_the_day_is_that_in_italy(session: RecordSession) -> None:
    world = World(session)
    frozen(world, "WINSMART")
    midnight = datetime.combine(FROZEN, datetime.min.time(), clock.ROME)
    values = values_of(world, picked_up_at=midnight - timedelta(minutes=1))
    create_record(session, WasteMovement, values, actor=SYSTEM)
    with pytest.raises(InvalidRecord), session.begin_nested():
        create_record(session, WasteMovement, values_of(world, form_number="2", picked_up_at=midnight), actor=SYSTEM)


def test_earlier_ones_are_completed_by_verbs(session: RecordSession) -> None:
    world = World(session)
    for code in ("WINSMART", "ANALISI"):
        frozen(world, code)
    movement = world.movement(MovementState.delivered, picked_up_at=at(-20))
    perform(session, movement, "weigh", {"destination_kg": "980", "weighed_at": clock.now()}, actor=SYSTEM)
    analysis = world.analysis(AnalysisState.preliminary, sampled_on=day(-20))
    perform(session, analysis, "validate", actor=SYSTEM)
    certificate = world.certificate(analysis=analysis)
    perform(session, certificate, "issue", actor=SYSTEM)
    assert (movement.state, analysis.state) == (MovementState.weighed, AnalysisState.certified)


@pytest.mark.parametrize("mode", WithdrawalMode)
def test_a_withdrawal_freezes_and_a_restart_thaws(session: RecordSession, mode: WithdrawalMode) -> None:
    world = World(session)
    grant = frozen(world, "WINSMART", None)
    service = world.service(ServiceState.offered, online_service=grant.online_service)
    line = ContractLine(contract=world.contract(), service=service, state=LineState.withdrawal_notified)
    line.withdrawal_on, line.withdrawal_mode = day(0), mode
    world.add(line)
    create_record(session, WasteMovement, values_of(world, picked_up_at=at(0)), actor=SYSTEM)
    perform(session, line, "withdraw", actor=SYSTEM)
    with pytest.raises(InvalidRecord), session.begin_nested():
        create_record(session, WasteMovement, values_of(world, form_number="2", picked_up_at=at(0)), actor=SYSTEM)
    # What is there stays, whatever becomes of access (AC-20).
    assert session.scalar(sa.select(sa.func.count()).where(WasteMovement.company_id == world.company.id)) == 1
    grant.frozen_from, grant.state = None, GrantState.active
    session.flush()
    create_record(session, WasteMovement, values_of(world, form_number="2", picked_up_at=at(0)), actor=SYSTEM)


def test_counts_and_dates_follow_the_records(session: RecordSession) -> None:
    world = World(session)
    grant = frozen(world, "ANALISI", None)
    grant.last_data_at, grant.records_count = at(-100), 900
    session.flush()
    analysis = world.analysis()
    session.refresh(grant)
    assert (grant.records_count, grant.last_data_at) == (1, at(-100)), "what the product does makes nothing fresher"
    session.delete(analysis.results[0])
    session.delete(analysis)
    session.flush()
    session.refresh(grant)
    assert grant.records_count == 0


def test_every_kind_of_client_data_can_be_frozen() -> None:
    found = {name: entity.__admin__.freeze for name, entity in ENTITIES.items() if entity.__admin__.freeze}
    services = {name: freeze.service for name, freeze in found.items()}
    assert services == {
        **dict.fromkeys(("training_record", "deadline", "client_document"), "EDUPLAN"),
        "analysis": "ANALISI",
        "waste_movement": "WINSMART",
    }


def _a_frozen_client(session: RecordSession) -> Company:
    """Freeze one client of the demonstration set, which the people of its group know."""
    online = session.scalars(sa.select(OnlineService).where(OnlineService.code == "WINSMART")).one()
    clients = sa.select(Company).where(Company.group_id == online.group_id, Company.vat_number.is_not(None))
    without = ~sa.exists().where(CompanyService.company_id == Company.id)
    company = session.scalars(clients.where(without).order_by(Company.id)).first()
    assert company is not None
    grant = CompanyService(company=company, online_service=online, state=GrantState.active, active_from=day(-400))
    grant.frozen_from = FROZEN
    session.add(grant)
    session.commit()
    return company


def _waste_unit(session: RecordSession) -> BusinessUnit:
    return session.scalars(sa.select(BusinessUnit).where(BusinessUnit.name == "Gestione rifiuti")).one()


def test_an_import_refuses_such_rows_and_says_why(
    session: RecordSession, records: RecordSession, actor: Actor, upload: Callable[..., ImportBatch]  # noqa: F811
) -> None:  # fmt: skip
    unit = _waste_unit(session).name
    company = _a_frozen_client(session)
    rows = [
        {"ditta": str(company.vat_number), "n": f"F{days}", "quando": f"{day(days):%d/%m/%Y} 10:00", "eer": "150106",
         "kg": "120", "unita": unit}
        for days in (-30, -9, -1)
    ]  # fmt: skip
    mapping = {"ditta": "company", "n": "form_number", "quando": "picked_up_at", "eer": "waste_code", "kg": "quantity",
               "unita": "business_unit"}  # fmt: skip
    batch = upload(
        WasteMovement, csv_bytes(*rows), mapping=mapping, mode=ImportMode.create, matched_by=None, apply=False
    )
    assert counts(batch) == (1, 0, 0, 0, 2), sentences(records, batch)
    assert all(f"{FROZEN:%d/%m/%Y}" in text for text in sentences(records, batch).values())
    finish(records, imports.apply_rows(records, batch, actor=actor))
    assert (batch.state, counts(batch)) == (ImportState.applied, (1, 0, 0, 0, 2))
    numbers = records.scalars(sa.select(WasteMovement.form_number).where(WasteMovement.company_id == company.id))
    assert list(numbers) == ["F-30"]


def test_the_surfaces_refuse_alike(
    session: RecordSession, desk_client: Callable[[str], DeskClient], program: Callable[..., Program]  # noqa: F811
) -> None:  # fmt: skip
    unit, company = _waste_unit(session), _a_frozen_client(session)
    typed = {
        "company": str(company.id), "business_unit": str(unit.id), "form_number": "F1", "waste_code": "150106",
        "quantity": "10", "unit": "kg", "picked_up_at": f"{day(-1):%d/%m/%Y} 10:00",
    }  # fmt: skip
    client = desk_client("administrator")
    page = client.submit("/waste_movement/new", typed)
    assert (page.status_code, "ha receduto" in page.text) == (422, True)
    api = program("administrator")
    body = {
        **typed,
        "company": company.id,
        "business_unit": unit.id,
        "quantity": 10,
        "picked_up_at": at(-1).isoformat(),
    }
    answer = api.post("/waste_movement/", json=body)
    assert (answer.status_code, "WINSMART" in answer.text) == (422, True), answer.text
    made = api.post("/waste_movement/", json={**body, "picked_up_at": at(-40).isoformat()})
    assert made.status_code == 201, made.text
    cell = {"pk": made.json["id"], "column": "picked_up_at", "value": typed["picked_up_at"], "version": 1}
    changed = client.submit("/grid/waste_movement/ajax/update/", cell)
    assert (changed.status_code, "ha receduto" in changed.get_data(as_text=True)) == (422, True)
    stored = as_stored(session).scalars(sa.select(WasteMovement).where(WasteMovement.company_id == company.id)).one()
    assert stored.picked_up_at == at(-40)
