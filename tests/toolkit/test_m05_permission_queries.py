"""M5: the toolkit asks the database at every permission check; ours answers from the rights of the request."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder.security.sqla.manager import SecurityManager
from sqlalchemy.orm import Session

from models.base import ENTITIES
from models.staff import Staff
from tests.toolkit.managed import start, statements


def test_the_stock_manager_queries_at_every_check(engine: sa.Engine) -> None:
    app = start(SecurityManager, engine, FAB_CREATE_DB=False, FAB_UPDATE_PERMS=False)
    manager = app.extensions["appbuilder"].sm
    with app.app_context(), Session(engine) as session, app.extensions["appbuilder"].session:
        user = session.scalars(sa.select(Staff).where(Staff.username == "demo.sales")).one()
        user.roles, user.groups  # noqa: B018  # loaded beforehand: they are not what is counted
        with statements(engine) as seen:
            answers = [manager._has_view_access(user, "can_list", name) for name in ENTITIES]
    assert any(answers)
    assert len(seen) >= len(answers)


def test_ours_never_queries(engine: sa.Engine, desk: Flask, staff: Callable[[str], Staff]) -> None:
    manager = desk.extensions["appbuilder"].sm
    with desk.test_request_context("/"):
        user = manager.load_user(staff("sales").get_id())
        with statements(desk.extensions["engine"]) as seen:
            answers = {name: manager._has_view_access(user, "can_list", name) for name in ENTITIES}
            menu = manager._get_user_permission_view_menus(user, "menu_access", list(ENTITIES))
            assert not manager.is_item_public("can_list", "company")
    assert answers["company"]
    assert not answers["role_right"]
    assert menu == {name for name, open_ in answers.items() if open_}
    assert not seen
