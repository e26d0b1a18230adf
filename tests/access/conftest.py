"""Somebody of each role, in one database with rows of every kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask_jwt_extended import create_access_token

from models.staff import Staff
from tests.access.person import Person, make_rows_of_every_kind
from tests.clients import DeskClient


@pytest.fixture
def people(
    desk_client: Callable[..., DeskClient], staff: Callable[[str], Staff], engine: sa.Engine, desk: Any
) -> Iterator[Callable[[str], Person]]:
    """A function that puts somebody at every door at once, by user name."""
    make_rows_of_every_kind(engine)
    with engine.connect() as connection:

        def find(name: str) -> Person:
            someone = staff(name)
            with desk.app_context():
                token = create_access_token(someone.get_id())
            return Person(desk_client(name), someone, connection, token)

        yield find
