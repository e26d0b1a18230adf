"""M11: every refusal of the API has the right code, one shape, and no SQL in it."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from tests.toolkit.stock import Firm, Person, Stock


@pytest.fixture
def stock() -> Stock:
    class PersonApi(ModelRestApi):
        datamodel = SQLAInterface(Person)
        add_columns = edit_columns = ["name"]

    class FirmApi(ModelRestApi):
        datamodel = SQLAInterface(Firm)

    stock = Stock()
    stock.add_view(PersonApi)
    stock.add_view(FirmApi)
    stock.store(Firm(id=1, name="Firm"), Person(id=1, name="Anna", firm_id=1), Person(id=2, name="Bruno"))
    return stock


@pytest.fixture
def client(stock: Stock) -> FlaskClient:
    return stock.app.test_client()


def test_the_stock_api_calls_its_error_messages_by_three_names(stock: Stock, client: FlaskClient) -> None:
    without_token = client.get("/api/v1/personapi/1")
    unknown = client.get("/api/v1/personapi/99", headers=stock.bearer)
    nowhere = client.get("/api/v1/nothing", headers=stock.bearer)
    assert list(without_token.json or {}) == ["msg"]
    assert list(unknown.json or {}) == ["message"]
    assert nowhere.json is None


def test_the_stock_api_puts_sql_into_the_answer_to_a_duplicate(stock: Stock, client: FlaskClient) -> None:
    answer = client.put("/api/v1/personapi/2", json={"name": "Anna"}, headers=stock.bearer)
    assert answer.status_code == 422
    assert "UPDATE person SET name=? WHERE person.id = ?" in answer.text


def test_the_stock_api_crashes_on_a_malformed_filter(stock: Stock, client: FlaskClient) -> None:
    answer = client.get("/api/v1/personapi/?q=(filters:!((col:firm,opr:rel_o_m,value:x)))", headers=stock.bearer)
    assert answer.status_code == 500
