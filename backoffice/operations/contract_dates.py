"""What the calendar brings on contracts and their lines: starts, announced ends, renewals, withdrawals come due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.operations.contracts import S
from backoffice.operations.verbs import perform
from models.contract import Contract
from models.contract_line import ContractLine, LineState

#: What is due on a day: the entity, the verb, and which rows.
Due = tuple[Any, str, sa.ColumnElement[bool]]


def advance_contracts(session: Session, today: date, *, actor: Actor, limit: int = 500) -> int:
    """Perform what the calendar brings on contracts and lines; return how many moved.

    At most ``limit`` of each kind a call, so that the caller commits in steps and calls again until nothing
    moves. The order matters: what ends is renewed before anything else may expire it.

    :raises Forbidden: ``actor`` is not the product itself.
    """
    moved = 0
    for entity, verb, due in (*_lines_due(today), *_contracts_due(session, today)):
        rows = session.scalars(sa.select(entity).where(due).order_by(entity.id).limit(limit)).all()
        for row in rows:
            perform(session, row, verb, actor=actor)
        moved += len(rows)
    return moved


def _lines_due(today: date) -> Iterator[Due]:
    notified = ContractLine.state == LineState.withdrawal_notified
    yield ContractLine, "withdraw", sa.and_(notified, ContractLine.withdrawal_on <= today)


def _contracts_due(session: Session, today: date) -> Iterator[Due]:
    state, ended = Contract.state, Contract.ends_on < today
    running = state.in_((S.active, S.expiring))
    yield Contract, "activate", sa.and_(state == S.signed, Contract.starts_on <= today)
    yield Contract, "withdraw", sa.and_(state == S.withdrawal_notified, Contract.withdrawal_on <= today)
    yield Contract, "renew", sa.and_(running, Contract.renews_itself, ended)
    yield Contract, "expire", sa.and_(sa.or_(running, state == S.suspended), ended)
    yield (
        Contract,
        "announce_end",
        sa.and_(state == S.active, Contract.renews_itself.is_(False), _ends_soon(session, today)),
    )


def _ends_soon(session: Session, today: date) -> sa.ColumnElement[bool]:
    """A contract announces its end as long before as a withdrawal would have to be notified.

    Written as one comparison for each length of notice in use, because the two databases count days differently.
    """
    lengths = session.scalars(sa.select(Contract.notice_days).where(Contract.state == S.active).distinct())
    soon = (sa.and_(Contract.notice_days == n, Contract.ends_on <= today + timedelta(days=n)) for n in lengths)
    return sa.or_(sa.false(), *soon)
