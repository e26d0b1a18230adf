"""M10: what one request asks for must not live where another request finds it."""

from __future__ import annotations

from typing import Any

from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.interface import SQLAInterface

from tests.toolkit.stock import Firm, Stock


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
