"""M8: a key that leads nowhere is refused; it never makes a new row."""

from __future__ import annotations

from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from tests.toolkit.stock import Firm, Person, Stock


def test_the_stock_api_makes_an_empty_row_for_an_unknown_key() -> None:
    class PersonApi(ModelRestApi):
        datamodel = SQLAInterface(Person)
        add_columns = ["name", "firm"]

    stock = Stock()
    stock.add_view(PersonApi)
    answer = stock.app.test_client().post(
        "/api/v1/personapi/", json={"name": "Anna", "firm": 5}, headers=stock.bearer
    )
    assert answer.status_code == 201
    assert stock.count(Firm) == 1, "a firm with key 5 and without a name"
