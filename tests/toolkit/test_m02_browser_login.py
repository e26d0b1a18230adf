"""M2: a session cookie must never write through the API, which is exempt from the CSRF check."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from backoffice.database import RecordSession
from models.company import Company
from tests.clients import DeskClient
from tests.toolkit.stock import Firm, Stock
from tests.views.programs import as_stored


def test_the_stock_api_writes_by_cookie_without_a_csrf_token() -> None:
    class FirmApi(ModelRestApi):
        datamodel = SQLAInterface(Firm)
        allow_browser_login = True

    stock = Stock()
    stock.add_view(FirmApi)
    answer = stock.client().post("/api/v1/firmapi/", json={"name": "Forged", "owner": "them"})
    assert answer.status_code == 201
    assert stock.count(Firm) == 1


def test_ours_knows_tokens_only(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    browser = desk_client("administrator")
    for headers in ({}, {"X-CSRFToken": browser.csrf_token}):
        assert browser.post("/api/v1/company/", json={"legal_name": "Forged"}, headers=headers).status_code == 401
    assert not as_stored(session).scalar(sa.select(sa.func.count()).where(Company.legal_name == "Forged"))
