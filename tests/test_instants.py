"""Instants as people read and type them come back as they were, in the hours the clocks skip and repeat as well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import Babel
from hypothesis import given
from hypothesis import strategies as st

from models.reading import BadValue
from models.values import UtcInstant

INSTANT = UtcInstant()
CHANGES = (datetime(2025, 10, 26, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def italy() -> Flask:
    app = Flask("italy")
    app.config.update(BABEL_DEFAULT_TIMEZONE="Europe/Rome", BABEL_DEFAULT_LOCALE="it")
    Babel(app)
    return app


@given(st.sampled_from(CHANGES), st.integers(-14_400, 14_400))
def test_what_a_field_shows_is_read_back(italy: Flask, change: datetime, seconds: int) -> None:
    instant = change + timedelta(seconds=seconds)
    with italy.test_request_context():
        assert INSTANT.parse(INSTANT.edit(instant)) == instant


def test_the_hour_that_comes_twice_says_which_one_it_is(italy: Flask) -> None:
    with italy.test_request_context():
        assert INSTANT.edit(datetime(2025, 10, 26, 0, 30, tzinfo=UTC)) == "26/10/2025 02:30"
        assert INSTANT.edit(datetime(2025, 10, 26, 1, 30, tzinfo=UTC)) == "26/10/2025 02:30 +01:00"
        assert INSTANT.parse("26/10/2025 2.30 +02:00") == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["26/10/2025 02:30 x", "26/10/2025 02:30 +99:00", "26/10/2025 +01:00", "02:30"])
def test_anything_else_is_refused(italy: Flask, text: str) -> None:
    with italy.test_request_context(), pytest.raises(BadValue):
        INSTANT.parse(text)
