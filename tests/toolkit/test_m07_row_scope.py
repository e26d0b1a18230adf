"""M7: a write must not point at a row that the writer may not see."""

from __future__ import annotations

from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.filters import FilterEqual
from flask_appbuilder.models.sqla.interface import SQLAInterface

from tests.toolkit.stock import Firm, Person, Stock


def test_the_stock_api_accepts_the_key_of_a_hidden_row() -> None:
    class FirmApi(ModelRestApi):
        datamodel = SQLAInterface(Firm)
        base_filters = [["owner", FilterEqual, "us"]]

    class PersonApi(ModelRestApi):
        datamodel = SQLAInterface(Person)
        add_columns = ["name", "firm"]
        add_query_rel_fields = {"firm": [["owner", FilterEqual, "us"]]}

    stock = Stock()
    stock.add_view(FirmApi)
    stock.add_view(PersonApi)
    stock.store(Firm(id=7, name="Theirs", owner="them"))
    client = stock.app.test_client()
    assert client.get("/api/v1/firmapi/7", headers=stock.bearer).status_code == 404, "hidden when read"
    answer = client.post("/api/v1/personapi/", json={"name": "Anna", "firm": 7}, headers=stock.bearer)
    assert answer.status_code == 201, "and yet it can be pointed at"
