"""The API keeps what its description promises, whoever asks and whatever is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_jwt_extended import create_access_token

from backoffice.actors import SYSTEM, Action, Context, Door
from backoffice.database import open_session
from backoffice.identity import load_actor
from models.base import ENTITIES
from models.staff import Staff
from tests.access.person import make_rows_of_every_kind
from tests.fuzz.driving import About, Driver

#: With a lifecycle, with lines, written once, written by verbs only; and what is about no entity: signing in.
FEW = [*(ENTITIES[name] for name in ("company", "support_team", "history_entry", "outbox_mail")), None]
#: So many requests that fit, and as many that do not, for each operation.
DAILY, LONG = 4, 20
#: Whoever sees every row of all groups, and somebody who sees the rows of their teams and few fields of others.
PEOPLE = ("admin", "demo.operator1")


def cases() -> list[Any]:
    daily = [pytest.param(name, FEW, DAILY, id=f"{name}-few") for name in PEOPLE]
    # One case for each entity: a row that one has deleted is missing to no other.
    return daily + [
        pytest.param(name, [entity], LONG, id=f"{name}-{key}", marks=[pytest.mark.long])
        for name in PEOPLE
        for key, entity in {**ENTITIES, "none": None}.items()
    ]


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
@pytest.mark.parametrize(("name", "entities", "examples"), cases())
def test_every_operation_answers_as_described(
    application: Any,
    desk: Flask,
    engine: sa.Engine,
    staff: Callable[[str], Staff],
    name: str,
    entities: list[About],
    examples: int,
) -> None:
    make_rows_of_every_kind(engine)
    with desk.app_context():
        driver = Driver(application, create_access_token(staff(name).get_id(), expires_delta=False, fresh=True))
    faults = [
        fault
        for entity, operation in driver.operations(entities)
        for fault in driver.drive(entity, operation, examples)
    ]
    assert not faults, "\n\n".join(faults)
    statuses = {status for _method, status in driver.answers}
    with open_session(engine, Context(SYSTEM, Door.cli)) as session:
        actor = load_actor(session, staff(name).id)
    if any(entity is None or actor.may(Action.read, entity) for entity in entities):
        # Some came through to the rules, others were stopped before.
        assert len(statuses) > 2, driver.answers
    else:
        assert statuses == {401, 403}, driver.answers
