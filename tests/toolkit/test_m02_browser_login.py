"""M2: a session cookie must never write through the API, which is exempt from the CSRF check."""

from __future__ import annotations

from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from tests.toolkit.stock import Firm, Stock


def test_the_stock_api_writes_by_cookie_without_a_csrf_token() -> None:
    class FirmApi(ModelRestApi):
        datamodel = SQLAInterface(Firm)
        allow_browser_login = True

    stock = Stock()
    stock.add_view(FirmApi)
    answer = stock.client().post("/api/v1/firmapi/", json={"name": "Forged", "owner": "them"})
    assert answer.status_code == 201
    assert stock.count(Firm) == 1
