"""M4: starting the application must not create tables: migrations do."""

from __future__ import annotations

import sqlalchemy as sa

from tests.toolkit.stock import Stock


def test_stock_start_up_creates_tables_behind_the_migrations() -> None:
    stock = Stock(FAB_CREATE_DB=True)
    with stock.app.app_context():
        tables = sa.inspect(stock.db.engine).get_table_names()
    assert "ab_user" in tables
