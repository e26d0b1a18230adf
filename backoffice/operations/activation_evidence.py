"""What the five checks of a requested service look at: the records themselves, one click away (AR-15).

Facts are values, read whatever the actor sees, because a business unit judges clients that are not its own. Whether
the record behind them may be opened is for the page to ask, within the actor's scope.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import Text
from models.activation_check import CheckKind
from models.activation_request_item import ActivationRequestItem
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


def evidence_for(session: Session, item: ActivationRequestItem) -> dict[CheckKind, list[Evidence]]:
    """Return what each check of the service looks at; nothing where nobody knows which client it is."""
    company_id = item.request.company_id
    if company_id is None:
        return {}
    table = Company.__table__
    wanted = sa.select(table).where(table.c.id == company_id)
    company = session.execute(wanted, execution_options=INTERNAL).one()
    found = {
        CheckKind.client: [_of(company, company.state.label)],
        CheckKind.contract: list(_contracts(session, company_id, item.online_service_id)),
        CheckKind.records: list(_records(session, company_id, item.online_service_id)),
    }
    if item.online_service.large_clients_only and company.size_class is not None:
        found[CheckKind.size] = [_of(company, company.size_class.label, company.size_class is SizeClass.large)]
    return found


def _of(company: Any, state: Text, is_good: bool = True) -> Evidence:
    return Evidence(Company, company.id, company.legal_name, state, is_good)


def _contracts(session: Session, company_id: int, online_service_id: int) -> Iterator[Evidence]:
    """Yield the contracts whose lines open the service, those in force first, and how long each line counts."""
    line, contract, service = (entity.__table__ for entity in (ContractLine, Contract, Service))
    columns = (contract.c.id, contract.c.number, contract.c.state, contract.c.starts_on, contract.c.ends_on)
    statement = (
        sa.select(*columns, line.c.state.label("line_state"), line.c.withdrawal_on)
        .join(contract, contract.c.id == line.c.contract_id)
        .join(service, service.c.id == line.c.service_id)
        .where(contract.c.company_id == company_id, service.c.online_service_id == online_service_id)
        .order_by(contract.c.starts_on.desc(), contract.c.id.desc())
    )
    rows = {row.id: row for row in session.execute(statement, execution_options=INTERNAL)}
    for row in sorted(rows.values(), key=lambda row: not _counts(row)):
        state = row.state.label if row.state not in IN_FORCE else row.line_state.label
        ends = row.withdrawal_on or row.ends_on
        yield Evidence(Contract, row.id, row.number, state, _counts(row), row.starts_on, ends)


def _counts(row: Any) -> bool:
    return row.state in IN_FORCE and row.line_state is not LineState.withdrawn


def _records(session: Session, company_id: int, online_service_id: int) -> Iterator[Evidence]:
    grant = CompanyService.__table__
    statement = sa.select(grant).where(grant.c.company_id == company_id, grant.c.online_service_id == online_service_id)
    for row in session.execute(statement, execution_options=INTERNAL):
        latest = row.last_data_at.date() if row.last_data_at is not None else None
        yield Evidence(
            CompanyService, row.id, "", row.state.label, bool(row.records_count), ends=latest, count=row.records_count
        )
