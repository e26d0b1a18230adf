"""M1: the toolkit's security API does not start with marshmallow 4; we offer none of it, whatever is configured."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.manager import SecurityManager

from tests.toolkit.managed import start
from views.security import DeskSecurityManager

_ASKED = {"FAB_ADD_SECURITY_API": True, "FAB_CREATE_DB": False, "FAB_UPDATE_PERMS": False}


def test_the_stock_security_api_crashes_at_start() -> None:
    with pytest.raises(KeyError):
        start(SecurityManager, sa.create_engine("sqlite://"), **_ASKED)


def test_ours_starts_and_offers_tokens_only() -> None:
    app = start(DeskSecurityManager, sa.create_engine("sqlite://"), **_ASKED)
    paths = {str(rule) for rule in app.url_map.iter_rules() if "/security/" in str(rule)}
    assert paths == {
        "/api/v1/security/login", "/api/v1/security/refresh", "/security/password/", "/security/password/<pk>",
        "/security/password/<pk>/link", "/security/link/", "/security/link/<token>",
        "/security/second-factor/", "/security/second-factor/<pk>/remove", "/security/api-keys/",
    }  # fmt: skip
    assert not {
        rule for rule in app.url_map.iter_rules() if str(rule).startswith(("/users", "/list_roles", "/register"))
    }
