"""M12: with the toolkit every worker writes tables and permissions as it starts, and workers collide; ours never."""

from __future__ import annotations

import sqlalchemy as sa
from flask_appbuilder.security.sqla.manager import SecurityManager
from sqlalchemy.pool import StaticPool

import config
from tests.toolkit.managed import start, statements
from views.security import DeskSecurityManager


def _empty() -> sa.Engine:
    return sa.create_engine("sqlite://", poolclass=StaticPool)


def test_the_stock_start_writes_to_the_database() -> None:
    engine = _empty()
    with statements(engine) as seen:
        start(SecurityManager, engine)
    assert any(text.startswith("INSERT INTO ab_permission") for text in seen)
    assert any("CREATE TABLE ab_user" in text for text in seen)


def test_ours_sends_nothing_even_if_the_configuration_asks() -> None:
    engine = _empty()
    with statements(engine) as seen:
        start(DeskSecurityManager, engine, FAB_CREATE_DB=True, FAB_UPDATE_PERMS=True)
    assert not seen


def test_both_applications_start_without_a_statement(settings: config.Settings, engine: sa.Engine) -> None:
    from backoffice.app import create_application

    with statements(engine) as seen:
        create_application(settings, engine)
    assert not seen
