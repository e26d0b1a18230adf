"""M11: every refusal of the API has the right code, one shape, and no SQL in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from backoffice.database import RecordSession
from models.staff import Staff
from tests.toolkit.stock import Firm, Person, Stock
from tests.views.programs import PROBLEM, Program, make_company


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


def test_ours_refuses_in_one_shape_without_sql(
    application: Any, desk: Flask, staff: Callable[[str], Staff], session: RecordSession
) -> None:
    make_company(session, "Prima srl", vat_number="00743110157")
    second = make_company(session, "Seconda srl")
    api, stranger = Program(application, desk, staff("administrator")), Program(application, desk, None)
    taken = {"vat_number": "00743110157"}
    answers = {
        401: stranger.get("/company/"),
        404: api.get("/nothing/"),
        400: api.get("/company/?f=account_manager:in:x"),
        405: api.put("/company/", json={}),
        422: api.put(f"/company/{second.id}", json=taken, version=1),
        409: api.put(f"/company/{second.id}", json={}, version=7),
    }
    for status, answer in answers.items():
        assert (answer.status_code, answer.mimetype) == (status, PROBLEM), answer.text
        assert {"type", "title", "status", "detail"} <= set(answer.json)
    assert set(answers[422].json["errors"]) == {"vat_number"}
