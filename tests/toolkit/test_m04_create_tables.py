"""M4: starting the application must not create tables: migrations do."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from backoffice.app import create_desk
from backoffice.database import make_engine
from tests.conftest import settings_for
from tests.toolkit.stock import Stock


def test_stock_start_up_creates_tables_behind_the_migrations() -> None:
    stock = Stock(FAB_CREATE_DB=True)
    with stock.app.app_context():
        tables = sa.inspect(stock.db.engine).get_table_names()
    assert "ab_user" in tables


def test_ours_starts_without_a_single_statement(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'empty.sqlite'}"
    engine, statements = make_engine(url), []
    sa.event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    desk = create_desk(settings_for(url, tmp_path), engine)
    assert desk.config["FAB_CREATE_DB"] is desk.config["FAB_UPDATE_PERMS"] is False
    assert statements == []
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
