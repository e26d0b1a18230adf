"""M10: what one request asks for must not live where another request finds it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask
from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from backoffice.database import RecordSession
from models.staff import Staff
from tests.clients import DeskClient
from tests.toolkit.stock import Firm, Stock
from tests.views.programs import Program, make_company


def test_two_requests_of_the_stock_api_mix_their_filters() -> None:
    class FirmApi(ModelRestApi):
        datamodel = SQLAInterface(Firm)

    view = Stock().add_view(FirmApi)

    def asked(name: str) -> list[dict[str, Any]]:
        return [{"col": "name", "opr": "eq", "value": name}]

    # The three lines of ModelRestApi._handle_filters_args, with a second request between the first two and the third.
    view._filters.clear_filters()
    view._filters.rest_add_filters(asked("first"))
    view._handle_filters_args({"filters": asked("second")})
    used_by_the_first = view._filters.get_joined_filters(view._base_filters)
    assert used_by_the_first.values == ["second"]


def test_our_views_keep_nothing_of_a_request(
    application: Any, desk: Flask, staff: Callable[[str], Staff], desk_client: Callable[..., DeskClient]
) -> None:
    views = [*desk.extensions["appbuilder"].baseviews, *desk.extensions["admin"][0]._views]
    desk_client("administrator").get("/company/")
    before = [(view, dict(vars(view))) for view in views]
    query = "?f=state:in:client&q=a&n=25"
    assert desk_client("administrator").get(f"/company/{query}").status_code == 200
    assert desk_client("administrator").get(f"/grid/company/{query}").status_code == 200
    assert Program(application, desk, staff("administrator")).get(f"/company/{query}").status_code == 200
    assert [(view, dict(vars(view))) for view in views] == before


def test_our_answers_hold_their_own_rows_when_asked_at_once(
    application: Any, desk: Flask, staff: Callable[[str], Staff], session: RecordSession
) -> None:
    names = [f"Ditta{number}" for number in range(8)]
    for name in names:
        make_company(session, name)
    administrator = staff("administrator")

    def ask(name: str) -> set[str]:
        answer = Program(application, desk, administrator).get(f"/company/?f=legal_name:is:{name}")
        return {row["legal_name"] for row in answer.json["result"]}

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, names * 4)) == [{name} for name in names * 4]
