"""What the five checks of a requested service look at: the records themselves, one click away (AR-15).

Facts are values, read whatever the actor sees, because a business unit judges clients that are not its own. Whether
the record behind them may be opened is for the page to ask, within the actor's scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.errors import Text
from backoffice.operations.service_records import count_records
from models.activation_check import CheckKind
from models.activation_request import ActivationRequest
from models.base import Recorded
from models.company import Company, SizeClass
from models.company_service import CompanyService
from models.contract import IN_FORCE, Contract
from models.contract_line import ContractLine, LineState
from models.service import Service


@dataclass(frozen=True)
class Evidence:
    """One record that was looked at: its key, its name, and what of it counts."""

    entity: type[Recorded]
    record_id: int
    title: str
    #: In what state it is, where it has one.
    state: Text = ""
    #: Whether that state is one in which it counts.
    is_good: bool = True
    begins: date | None = None
    ends: date | None = None
    count: int | None = None


def evidence_of(session: Session, request: ActivationRequest) -> dict[int, dict[CheckKind, list[Evidence]]]:
    """Return, by the key of each requested service, what its checks look at; nothing while the client is unknown."""
    if request.company_id is None:
        return {}
    table = Company.__table__
    wanted = sa.select(table).where(table.c.id == request.company_id)
    company = session.execute(wanted, execution_options=INTERNAL).one()
    services = [item.online_service_id for item in request.items]
    contracts = _by_service(_contracts(session, company.id, services))
    records = _by_service(_records(session, company.id, services))
    return {
        item.id: {
            CheckKind.client: [_of(company, company.state.label)],
            CheckKind.contract: contracts.get(item.online_service_id, []),
            CheckKind.records: [
                *_counted(session, company.id, item.online_service.code),
                *records.get(item.online_service_id, []),
            ],
            CheckKind.size: _size(company) if item.online_service.large_clients_only else [],
        }
        for item in request.items
    }


def _of(company: Any, state: Text, is_good: bool = True) -> Evidence:
    return Evidence(Company, company.id, company.legal_name, state, is_good)


def _size(company: Any) -> list[Evidence]:
    size = company.size_class
    return [] if size is None else [_of(company, size.label, size is SizeClass.large)]


def _by_service(found: Iterable[tuple[int, Evidence]]) -> dict[int, list[Evidence]]:
    sorted_by_service: dict[int, list[Evidence]] = {}
    for service_id, one in found:
        sorted_by_service.setdefault(service_id, []).append(one)
    return sorted_by_service


def _contracts(session: Session, company_id: int, services: Sequence[int]) -> Iterator[tuple[int, Evidence]]:
    """Yield the contracts whose lines open a service, those in force first, and how long each line counts."""
    line, contract, service = (entity.__table__ for entity in (ContractLine, Contract, Service))
    columns = (contract.c.id, contract.c.number, contract.c.state, contract.c.starts_on, contract.c.ends_on)
    statement = (
        sa.select(service.c.online_service_id, *columns, line.c.state.label("line_state"), line.c.withdrawal_on)
        .join(contract, contract.c.id == line.c.contract_id)
        .join(service, service.c.id == line.c.service_id)
        .where(contract.c.company_id == company_id, service.c.online_service_id.in_(services))
        .order_by(contract.c.starts_on.desc(), contract.c.id.desc())
    )
    # One contract may open a service by several lines: it is told once, by one that counts if there is any.
    rows = sorted(session.execute(statement, execution_options=INTERNAL), key=lambda row: not _counts(row))
    told = {(row.online_service_id, row.id): row for row in reversed(rows)}
    for row in reversed(told.values()):
        state = row.state.label if row.state not in IN_FORCE else row.line_state.label
        ends = row.withdrawal_on or row.ends_on
        yield row.online_service_id, Evidence(Contract, row.id, row.number, state, _counts(row), row.starts_on, ends)


def _counts(row: Any) -> bool:
    return row.state in IN_FORCE and row.line_state is not LineState.withdrawn


def _counted(session: Session, company_id: int, service: str) -> Iterator[Evidence]:
    """Yield what of the service's data is kept here, the newest record standing for all of its kind."""
    for one in count_records(session, company_id, service):
        plural = str(one.entity.__admin__.plural)
        # Deadlines lie ahead: what is known of them is as of today.
        newest = min(one.newest_on, clock.today()) if one.newest_on is not None else None
        yield Evidence(one.entity, one.newest_id, plural, ends=newest, count=one.count)


def _records(session: Session, company_id: int, services: Sequence[int]) -> Iterator[tuple[int, Evidence]]:
    grant = CompanyService.__table__
    statement = sa.select(grant).where(grant.c.company_id == company_id, grant.c.online_service_id.in_(services))
    for row in session.execute(statement, execution_options=INTERNAL):
        latest = row.last_data_at.date() if row.last_data_at is not None else None
        count = row.records_count
        yield (
            row.online_service_id,
            Evidence(CompanyService, row.id, "", row.state.label, bool(count), None, latest, count),
        )
