"""M3: a cell may be changed only by who may edit, and a refused value is an answer, not a crash."""

from __future__ import annotations

from flask_admin import Admin
from flask_admin.base import AdminIndexView
from flask_admin.contrib.sqla import ModelView
from wtforms.validators import Length

from tests.toolkit.stock import Firm, Stock


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
