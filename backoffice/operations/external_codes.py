"""The codes that records have in other programmes: found and kept many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from models.base import Recorded
from models.external_code import ExternalCode

#: Characters that a code may have.
LONGEST = 160


def find_holders(
    session: Session, entity: type[Recorded], system: str, codes: Iterable[str], actor: Actor
) -> dict[tuple[Any, ...], list[int]]:
    """Return by ``(code,)`` the key of the record that has it, as ``[key]``, hidden ones too.

    Codes of records that were deleted are free again.
    """
    table = entity.__table__
    statement = (
        sa.select(ExternalCode.code, ExternalCode.record_id)
        .join(table, table.c.id == ExternalCode.record_id)
        .where(*_of(entity, system, actor), ExternalCode.code.in_(set(codes)))
    )
    if "deleted_at" in table.c:
        statement = statement.where(table.c.deleted_at.is_(None))
    return {(code,): [number] for code, number in session.execute(statement, execution_options=INTERNAL)}


def keep_codes(session: Session, entity: type[Recorded], system: str, codes: Mapping[str, int], actor: Actor) -> None:
    """Have each code name the record with the given key from now on."""
    known = sa.select(ExternalCode).where(*_of(entity, system, actor), ExternalCode.code.in_(codes))
    rest = dict(codes)
    for kept in session.scalars(known, execution_options=INTERNAL):
        kept.record_id = rest.pop(kept.code)
    now = clock.now()
    session.add_all(
        ExternalCode(
            group_id=actor.group_id, entity=table_name(entity), system=system, code=code, record_id=key, created_at=now
        )
        for code, key in rest.items()
    )
    session.flush()


def table_name(entity: type[Recorded]) -> str:
    return str(entity.__table__.name)


def _of(entity: type[Recorded], system: str, actor: Actor) -> tuple[Any, ...]:
    return (
        ExternalCode.group_id == actor.group_id,
        ExternalCode.entity == table_name(entity),
        ExternalCode.system == system,
    )
