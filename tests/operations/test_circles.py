"""No record is part of itself, replaces itself or follows from itself, not even by way of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import InvalidRecord
from backoffice.identity import load_actor
from backoffice.operations.cleaning import CIRCLE, clean
from backoffice.operations.plain import change_record, flush, update_record
from models.base import ENTITIES
from models.catalogue import Field, Kind, fields
from models.request_type import RequestType
from models.staff import Staff
from tests.access.person import make_rows_of_every_kind

#: Relations of an entity to itself that people write.
LEADING_BACK = [
    field
    for entity in ENTITIES.values()
    for field in fields(entity).values()
    if field.kind is Kind.relation and field.target is entity and field.name in entity.__admin__.form_columns
]


@pytest.fixture
def writing(engine: sa.Engine, session: RecordSession, staff: Callable[[str], Staff]) -> Iterator[RecordSession]:
    make_rows_of_every_kind(engine)
    actor = load_actor(session, staff("admin").id)
    session.rollback()
    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as opened:
        opened.info["somebody"] = actor
        yield opened


@pytest.mark.parametrize("field", LEADING_BACK, ids=lambda field: f"{field.entity.__tablename__}.{field.name}")
def test_a_record_never_leads_back_to_itself(writing: RecordSession, field: Field) -> None:
    refused = set()
    for record in writing.scalars(sa.select(field.entity).limit(20)).all():
        with pytest.raises(InvalidRecord) as found:
            clean(writing, field.entity, {field.name: record.id}, actor=writing.info["somebody"], record=record)
        # Some say first that it cannot change any more.
        refused.add(str(found.value.problems[field.name]))
    assert str(CIRCLE) in refused


def test_nor_by_way_of_others(writing: RecordSession) -> None:
    actor: Any = writing.info["somebody"]
    first, second, third = writing.scalars(sa.select(RequestType).where(RequestType.parent_id.is_(None)).limit(3)).all()
    for lower, upper in ((first, second), (second, third)):
        update_record(writing, lower, {"parent": upper.id}, version=lower.version, actor=actor)
    with pytest.raises(InvalidRecord) as found:
        update_record(writing, third, {"parent": first.id}, version=third.version, actor=actor)
    assert found.value.problems == {"parent": CIRCLE}


def test_two_that_are_written_together_are_refused_as_well(writing: RecordSession) -> None:
    first, second = writing.scalars(sa.select(RequestType).where(RequestType.parent_id.is_(None)).limit(2)).all()
    change_record(first, {"parent": second})
    change_record(second, {"parent": first})
    with pytest.raises(InvalidRecord) as found:
        flush(writing, first)
    assert found.value.problems == {"": CIRCLE}
