"""M8: a key that leads nowhere is refused; it never makes a new row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from backoffice.database import RecordSession
from models.company import Company
from models.staff import Staff
from tests.toolkit.stock import Firm, Person, Stock
from tests.views.programs import Program, as_stored


def test_the_stock_api_makes_an_empty_row_for_an_unknown_key() -> None:
    class PersonApi(ModelRestApi):
        datamodel = SQLAInterface(Person)
        add_columns = ["name", "firm"]

    stock = Stock()
    stock.add_view(PersonApi)
    answer = stock.app.test_client().post("/api/v1/personapi/", json={"name": "Anna", "firm": 5}, headers=stock.bearer)
    assert answer.status_code == 201
    assert stock.count(Firm) == 1, "a firm with key 5 and without a name"


def test_ours_refuses_an_unknown_key(
    application: Any, desk: Flask, staff: Callable[[str], Staff], session: RecordSession
) -> None:
    count = sa.select(sa.func.count()).select_from(Company)
    before = session.scalar(count)
    api = Program(application, desk, staff("administrator"))
    answer = api.post("/contact/", json={"first_name": "Anna", "last_name": "Bianchi", "company": 987_654})
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"company"})
    assert as_stored(session).scalar(count) == before
