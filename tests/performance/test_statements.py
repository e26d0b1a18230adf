"""No page needs more than fifteen statements, whatever the entity (design, chapter 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from bench.watching import watched
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from tests.clients import DeskClient

MOST = 15
#: A form stays small however large the tables it refers to.
LARGEST_FORM = 100_000


@pytest.mark.databases("sqlite", "postgresql", long=("sqlite",))
def test_every_page_of_every_entity(desk_client: Callable[..., DeskClient], desk: Flask, engine: sa.Engine) -> None:
    client, serving = desk_client("administrator"), desk.extensions["engine"]
    installation = desk_client("admin")  # alone edits what all groups share
    for entity in ENTITIES.values():
        with engine.connect() as connection:
            key = connection.execute(_fullest(entity)).scalar()
        paths = [f"/{slug(entity)}/"]
        closed = entity.__admin__.append_only or entity.__admin__.written_by_verbs
        if key is not None:
            paths += [f"/{slug(entity)}/{key}"]
            # A ledger is a record of what happened itself, and has no history of its own.
            paths += [f"/{slug(entity)}/{key}?tab=history"] if "version" in entity.__table__.c else []
            paths += [] if closed else [f"/{slug(entity)}/{key}/edit"]
        for path in paths:
            with watched(serving) as seen:
                shared = path.endswith("/edit") and entity.__admin__.scope.shared
                answer = (installation if shared else client).get(path)
            assert answer.status_code == 200, path
            assert len(seen) <= MOST, (path, len(seen), [text[:200] for text, _values in seen])
            if path.endswith("/edit"):
                assert len(answer.data) <= LARGEST_FORM, (path, len(answer.data))


@pytest.mark.parametrize(
    "path", ["/", "/search/?q=a", "/search/?q=a&part=1", "/dictionary/ticket", "/security/api-keys/"]
)
def test_pages_of_no_entity(desk_client: Callable[..., DeskClient], desk: Flask, path: str) -> None:
    with watched(desk.extensions["engine"]) as seen:
        assert desk_client("administrator").get(path).status_code == 200
    assert len(seen) <= MOST, [text[:200] for text, _values in seen]


def test_starting_runs_no_statement(settings: object, engine: sa.Engine) -> None:
    from backoffice.app import create_desk

    with watched(engine) as seen:
        create_desk(settings, engine)  # type: ignore[arg-type]
    assert seen == []


def _fullest(entity: type[Recorded]) -> sa.Select[Any]:
    """Select the key of the first group's row that refers to most others, each of which its page reads."""
    table = entity.__table__
    filled = sum((sa.case((column.is_(None), 0), else_=1) for column in table.c if column.foreign_keys), sa.literal(0))
    of_group = [table.c.group_id == 1] if "group_id" in table.c else []
    return sa.select(table.c.id).where(*of_group).order_by(filled.desc(), table.c.id).limit(1)
