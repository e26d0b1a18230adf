"""A client withdraws from a service and comes back: at the desk, by night, and in the client area (AC-18 to AC-21)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from backoffice.jobs import advance
from backoffice.operations.grants import covers
from models.account import Account
from models.company_service import CompanyService, GrantState
from models.contract import Contract, ContractState
from models.contract_line import ContractLine
from models.online_service import OnlineService
from models.service import Service
from tests.client_area.conftest import ClientBrowser
from tests.clients import DeskClient

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


def shown(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def test_from_withdrawal_to_return(
    browser_of: Callable[..., ClientBrowser],
    desk_client: Callable[..., DeskClient],
    account: Callable[[str], Account],
    session: RecordSession,
    engine: sa.Engine,
) -> None:
    browser, desk, company_id = (
        browser_of("demo.client"),
        desk_client("administrator"),
        account("demo.client").company_id,
    )
    service = session.scalars(sa.select(OnlineService).where(OnlineService.code == "ANALISI")).one()
    of_client = sa.and_(CompanyService.company_id == company_id, CompanyService.online_service_id == service.id)
    grant_id = session.scalars(sa.select(CompanyService.id).where(of_client)).one()
    house = session.scalars(
        sa.select(Contract.group_company_id).where(Contract.company_id == company_id).limit(1)
    ).one()
    opening = session.scalars(sa.select(Service.id).where(Service.online_service_id == service.id).limit(1)).one()

    def contract(number: str, state: ContractState) -> int:
        """Write a contract that covers the service; return the key of its line."""
        with begin_writing():
            session.rollback()
            made = Contract(
                number=number,
                company_id=company_id,
                group_company_id=house,
                state=state,
                signed_on=clock.today() - timedelta(days=90),
                starts_on=clock.today() - timedelta(days=90),
                subject="Analisi",
            )
            session.add(made)
            session.flush()
            line = ContractLine(contract=made, service_id=opening)
            session.add(line)
            session.commit()
        key = line.id
        session.rollback()
        return key

    with begin_writing():
        session.rollback()
        others = [cover.line_id for cover in covers(session, company_id or 0, service.id)]
        ended = {"state": "withdrawn", "withdrawal_on": clock.today()}
        session.execute(sa.update(ContractLine.__table__).where(ContractLine.id.in_(others)).values(ended))  # type: ignore[arg-type]
        session.commit()
    line = contract("C-PRIMA", ContractState.active)

    def do(path: str, key: int, verb: str, **values: str) -> None:
        entity = {"contract_line": ContractLine, "company_service": CompanyService}[path]
        session.rollback()
        version = session.get_one(entity, key).version
        session.rollback()
        answer = desk.submit(f"/{path}/{key}/do/{verb}", {"version": version, "group": "1", **values})
        assert answer.status_code == 303, answer.text

    def night() -> None:
        session.rollback()
        advance(engine)
        session.expire_all()

    def grant() -> CompanyService:
        session.rollback()
        session.expire_all()
        return session.get_one(CompanyService, grant_id)

    today = clock.today()
    assert browser.get("/it/analysis/").status_code == 200
    do("contract_line", line, "notify_withdrawal", withdrawal_on=shown(today), withdrawal_mode="suspend")
    do("contract_line", line, "withdraw")
    assert (grant().state, grant().frozen_from) == (GrantState.suspended, today)
    assert f"Sospeso dal {shown(today)}" in browser.get("/it/").text
    assert browser.get("/it/analysis/").status_code in (403, 404)
    with begin_writing():
        grant().frozen_from = today - timedelta(days=30)  # it was a month ago
        session.commit()
    contract("C-RITORNO", ContractState.signed)
    night()
    assert grant().return_proposed_on == today
    assert "Servizi da riattivare" in desk.get("/").text
    assert f'href="/backoffice/company_service/{grant_id}/do/resume"' in desk.get(f"/company_service/{grant_id}").text
    do("company_service", grant_id, "resume")
    assert (grant().state, grant().gap_from, grant().gap_to) == (GrantState.active, today - timedelta(days=30), today)
    assert browser.get("/it/analysis/").status_code == 200
    page = browser.get("/it/").text
    assert f"Senza dati dal {shown(today - timedelta(days=30))} al {shown(today)}" in page
    assert grant().return_proposed_on is None
