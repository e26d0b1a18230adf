"""M9: the toolkit's configured roles match the beginning of names; ours match whole names."""

from __future__ import annotations

from types import SimpleNamespace

import sqlalchemy as sa
from flask_appbuilder.security.sqla.manager import SecurityManager

import models  # noqa: F401  # declares every entity
from backoffice.actors import Action, Actor, ActorKind, Grant
from backoffice.identity import Identity
from tests.toolkit.managed import start
from views.security import DeskSecurityManager
from views.signed_in import SignedIn

_CONFIGURED = {
    "FAB_ROLES": {"reader": [["service", "can_list"]]},
    "FAB_CREATE_DB": False,
    "FAB_UPDATE_PERMS": False,
}


def test_a_stock_rule_for_one_view_opens_others() -> None:
    app = start(SecurityManager, sa.create_engine("sqlite://"), **_CONFIGURED)
    manager = app.extensions["appbuilder"].sm
    with app.app_context():
        reader = SimpleNamespace(name="reader")
        assert manager._has_access_builtin_roles(reader, "can_list", "service_calendar")
        assert manager._has_access_builtin_roles(reader, "can_list_everything", "service")


def test_ours_opens_what_it_names_and_nothing_else() -> None:
    app = start(DeskSecurityManager, sa.create_engine("sqlite://"), **_CONFIGURED)
    manager = app.extensions["appbuilder"].sm
    grants = {"services": (Grant(frozenset({Action.read})),)}
    actor = Actor(ActorKind.staff, id=1, group_id=1, roles=("reader",), grants=grants)
    user = SignedIn(Identity(actor, "u", "U", "U", "u@backoffice.example", True, 1))
    with app.app_context():
        assert manager._has_view_access(user, "can_list", "service")
        for permission, view in (
            ("can_list", "service_calendar"),
            ("can_list_everything", "service"),
            ("can_edit", "service"),
        ):
            assert not manager._has_view_access(user, permission, view)
