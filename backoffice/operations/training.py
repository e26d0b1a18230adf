"""Training records: what covers them, what they earn, and what makes them refused (ED-03, ED-07, ED-08, SV-11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import Text
from backoffice.operations.admission import Draft, Refusal, admits
from backoffice.operations.plain import before_save
from models.contract import Contract, ContractState
from models.contract_line import ContractLine
from models.online_service import OnlineService
from models.service import Service
from models.training_record import DeliveryMode, TrainingOutcome, TrainingRecord, TrainingSource

#: The online service whose contract lines cover training.
EDUPLAN = "EDUPLAN"
#: States of contracts in which nothing has been agreed yet, or nothing came of it.
_NO_AGREEMENT = (ContractState.draft, ContractState.cancelled)

_NOT_COVERED: Text = _l("No contract of the client covers training on that day: is it earlier training, or others’?")
_NOT_BY_THIS: Text = _l("This contract does not cover training on that day.")
_NO_DATA_ENTRY: Text = _l("No contract of the client agrees on entering earlier training: write that down there first.")
_NOT_IN_THIS: Text = _l("This contract does not agree on entering earlier training.")
_NO_CRITERIA: Text = _l("The course names no State-Regions Agreement, which e-learning must follow.")
_TO_COME: Text = _l("This day has not come yet.")


@dataclass(frozen=True)
class Ground:
    """What a training record may rest on: a contract line that covers training, or an agreement on data entry."""

    contract_id: int
    starts_on: date
    ends_on: date | None

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)


@admits(TrainingRecord)
def _refuse_unfounded(session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    """Refuse our own training without a contract that covers it, and others' without an agreement on data entry."""
    asked = [draft for draft in drafts if draft.changes("worker", "source", "completed_on", "contract")]
    companies = {draft.company_id for draft in asked}
    covering, agreed = _covering(session, companies), _agreed(session, companies)
    for draft in asked:
        is_own, contract = draft.value("source") is TrainingSource.own, draft.value("contract")
        day = draft.value("completed_on") if is_own else None
        grounds = _holding(covering if is_own else agreed, draft.company_id, day)
        if not grounds:
            yield draft, "source", _NOT_COVERED if is_own else _NO_DATA_ENTRY
        elif contract is not None and contract.id not in {ground.contract_id for ground in grounds}:
            yield draft, "contract", _NOT_BY_THIS if is_own else _NOT_IN_THIS


@admits(TrainingRecord)
def _refuse_impossible(_session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    for draft in drafts:
        if draft.changes("completed_on") and draft.value("completed_on") > clock.today():
            yield draft, "completed_on", _TO_COME
        is_elearning = draft.value("delivery_mode") is DeliveryMode.elearning
        if is_elearning and draft.changes("course", "delivery_mode") and not draft.value("course").agreement_reference:
            yield draft, "delivery_mode", _NO_CRITERIA


@before_save(TrainingRecord)
def _complete(session: Session, record: TrainingRecord, *, actor: Actor) -> None:
    """Find the contract that a record rests on, and the credits that it earns, where nobody has written them."""
    if record.contract is None:
        is_own = record.source in (None, TrainingSource.own)
        company_id = record.worker.company_id
        found = _covering(session, {company_id}) if is_own else _agreed(session, {company_id})
        grounds = _holding(found, company_id, record.completed_on if is_own else None)
        record.contract = session.get(Contract, grounds[-1].contract_id) if grounds else None
    if record.credits is None and record.outcome in (None, TrainingOutcome.passed):
        record.credits = ", ".join(str(credit) for credit in record.course.credits)[:200] or None


def _holding(found: dict[int, list[Ground]], company_id: int | None, day: date | None) -> list[Ground]:
    grounds = found.get(company_id or 0, [])
    return [ground for ground in grounds if day is None or ground.holds_on(day)]


def _covering(session: Session, companies: Iterable[int | None]) -> dict[int, list[Ground]]:
    """Return by company which contract lines open the online service of training, and when they hold."""
    contract, line = Contract.__table__, ContractLine.__table__
    service, online = Service.__table__, OnlineService.__table__
    statement = (
        sa.select(
            contract.c.company_id,
            contract.c.id,
            sa.func.coalesce(line.c.starts_on, contract.c.starts_on).label("starts_on"),
            contract.c.ends_on,
            contract.c.withdrawal_on,
            line.c.withdrawal_on.label("line_withdrawal_on"),
        )
        .join(line, line.c.contract_id == contract.c.id)
        .join(service, service.c.id == line.c.service_id)
        .join(online, online.c.id == service.c.online_service_id)
        .where(online.c.code == EDUPLAN, *_of_companies(companies))
        .order_by(contract.c.id)
    )
    found: dict[int, list[Ground]] = {}
    for row in session.execute(statement, execution_options=INTERNAL):
        ends = [day for day in (row.ends_on, row.withdrawal_on, row.line_withdrawal_on) if day is not None]
        ground = Ground(row.id, row.starts_on, min(ends, default=None))
        found.setdefault(row.company_id, []).append(ground)
    return found


def _agreed(session: Session, companies: Iterable[int | None]) -> dict[int, list[Ground]]:
    """Return by company which contracts agree on entering training that we did not hold."""
    contract = Contract.__table__
    statement = (
        sa.select(contract.c.company_id, contract.c.id, contract.c.data_entry_on)
        .where(contract.c.data_entry_on <= clock.today(), *_of_companies(companies))
        .order_by(contract.c.id)
    )
    found: dict[int, list[Ground]] = {}
    for row in session.execute(statement, execution_options=INTERNAL):
        found.setdefault(row.company_id, []).append(Ground(row.id, row.data_entry_on, None))
    return found


def _of_companies(companies: Iterable[int | None]) -> tuple[sa.ColumnElement[bool], ...]:
    contract = Contract.__table__
    ids = {key for key in companies if key is not None}
    return contract.c.company_id.in_(ids), contract.c.state.not_in(_NO_AGREEMENT)
