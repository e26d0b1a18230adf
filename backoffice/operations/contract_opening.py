"""Contracts that were running before they came here: the states they may come in with, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor, Door
from backoffice.errors import DomainError
from backoffice.lifecycles import Opening
from backoffice.records.timeline import decode
from models.catalogue import fields
from models.company import Company, CompanyState
from models.contract import Contract
from models.contract import ContractState as S
from models.history_entry import HistoryEntry, HistoryPersonal

#: States in which the client has, or had not long ago, what it bought.
_RUNNING = (S.active, S.suspended)
#: What a contract that comes in makes of its company.
_FOLLOWS = ("state", "client_since")


class StartsLater(DomainError):
    template = _l("It starts on %(day)s only: it comes in as signed.")


class EndedAlready(DomainError):
    template = _l("It ended on %(day)s: it comes in as expired, or renews itself.")


class EndsLater(DomainError):
    template = _l("It ends on %(day)s only: it is not over.")


def _dates_agree(_session: Session, contract: Any, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Raise where the dates say otherwise than the state; what the next night would change anyway is no opening."""
    today, end = clock.today(), contract.ends_on
    if contract.state in _RUNNING and contract.starts_on > today:
        raise StartsLater(field="starts_on", day=f"{contract.starts_on:%d/%m/%Y}")
    if contract.state in _RUNNING and end is not None and end < today and not contract.renews_itself:
        raise EndedAlready(field="ends_on", day=f"{end:%d/%m/%Y}")
    if contract.state is S.expired and end >= today:
        raise EndsLater(field="ends_on", day=f"{end:%d/%m/%Y}")
    if contract.state is S.withdrawn and contract.withdrawal_on > today:
        raise EndsLater(field="withdrawal_on", day=f"{contract.withdrawal_on:%d/%m/%Y}")


def _company_is_client(_session: Session, contract: Contract, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Whoever has a running contract is a client, from the start of the first one where nobody said since when."""
    company = contract.company
    if contract.state in _RUNNING and company.state is not CompanyState.client:
        company.state = CompanyState.client
        company.client_since = company.client_since or contract.starts_on


def _companies_as_before(session: Session, contracts: Sequence[Contract]) -> None:
    """Put companies back that became clients by contracts which now go, unless others are left or somebody said so."""
    ids, gone = {contract.company_id for contract in contracts}, [contract.id for contract in contracts]
    others = sa.select(Contract.company_id).where(
        Contract.company_id.in_(ids), Contract.id.not_in(gone), Contract.state.not_in((S.draft, S.signed, S.cancelled))
    )
    ids -= set(session.scalars(others, execution_options=INTERNAL))
    for company_id, entry in _latest_entries(session, ids).items():
        changes = {**(entry.changes or {}), **(entry.personal or {})}
        is_ours = entry.door == Door.spreadsheet and set(changes) <= set(_FOLLOWS)
        if is_ours and changes.get("state", [None, None])[1] == CompanyState.client:
            company = session.get_one(Company, company_id)
            for name, (old, _new) in changes.items():
                setattr(company, name, decode(fields(Company)[name], old))


def _latest_entries(session: Session, ids: set[int]) -> dict[int, Any]:
    entry, personal = HistoryEntry.__table__.c, HistoryPersonal.__table__
    statement = (
        sa.select(entry.record_id, entry.door, entry.changes, personal.c.changes.label("personal"))
        .outerjoin(personal, personal.c.entry_id == entry.id)
        .where(entry.entity == Company.__table__.name, entry.record_id.in_(ids))
        .order_by(entry.id)
    )
    return {row.record_id: row for row in session.execute(statement, execution_options=INTERNAL)}


OPENING = Opening(
    states={
        S.draft: (),
        S.signed: ("signed_on",),
        S.active: ("signed_on",),
        S.suspended: ("signed_on",),
        S.withdrawn: ("signed_on", "withdrawal_on"),
        S.expired: ("signed_on", "ends_on"),
    },
    guard=_dates_agree,
    effect=_company_is_client,
    take_back=_companies_as_before,
)
