"""M3: a cell may be changed only by who may edit, and a refused value is an answer, not a crash."""

from __future__ import annotations

from collections.abc import Callable

from flask_admin import Admin
from flask_admin.base import AdminIndexView
from flask_admin.contrib.sqla import ModelView
from wtforms.validators import Length

from backoffice.database import RecordSession
from models.company import Company
from tests.clients import DeskClient
from tests.toolkit.stock import Firm, Stock
from tests.views.programs import as_stored, make_company


def _stock_grid(*, can_edit: bool) -> Stock:
    class FirmGrid(ModelView):
        column_editable_list = ("name",)
        form_args = {"name": {"validators": [Length(max=5)]}}
        can_create = can_delete = False

    FirmGrid.can_edit = can_edit
    stock = Stock()
    with stock.app.app_context():
        admin = Admin(stock.app, url="/grid", endpoint="grid", index_view=AdminIndexView(url="/grid", endpoint="grid"))
        admin.add_view(FirmGrid(Firm, stock.db, endpoint="grid_firm"))
    stock.store(Firm(name="Before"))
    stock.app.config["WTF_CSRF_ENABLED"] = False
    return stock


def _name(stock: Stock) -> str | None:
    with stock.app.app_context():
        return stock.db.session.query(Firm.name).scalar()


def test_the_stock_grid_saves_a_cell_although_editing_is_off() -> None:
    stock = _stock_grid(can_edit=False)
    answer = stock.client().post("/grid/grid_firm/ajax/update/", data={"list_form_pk": "1", "name": "After"})
    assert answer.status_code == 200
    assert _name(stock) == "After"


def test_the_stock_grid_answers_500_to_a_refused_value() -> None:
    stock = _stock_grid(can_edit=True)
    answer = stock.client().post("/grid/grid_firm/ajax/update/", data={"list_form_pk": "1", "name": "Too long"})
    assert answer.status_code == 500
    assert _name(stock) == "Before"


def test_ours_asks_for_the_right_and_answers_with_a_sentence(
    desk_client: Callable[..., DeskClient], session: RecordSession
) -> None:
    company = make_company(session)

    def save(role: str, column: str, value: str) -> int:
        client = desk_client(role)
        cell = {"pk": company.id, "column": column, "value": value, "version": 1}
        answer = client.post("/grid/company/ajax/update/", data=cell, headers={"X-CSRFToken": client.csrf_token})
        return answer.status_code

    assert save("quality", "city", "Ala") == 403
    assert save("sales", "postal_code", "x") == 422
    assert as_stored(session).get_one(Company, company.id).version == 1
    assert save("sales", "city", "Ala") == 200
