"""Browsers of clients."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import Client, TestResponse

from backoffice.database import RecordSession, begin_writing
from models.account import Account
from tests.seeded import PASSWORD


class ClientBrowser(Client):
    """A browser without JavaScript in the client area: it fills in forms as it finds them."""

    def form(self, path: str, values: dict[str, Any], **options: Any) -> TestResponse:
        """Send a form of ours: with the token that its page gave out."""
        page = self.get(options.pop("page", path), **options)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        began = re.search(r'name="began" value="([^"]+)"', page.text)
        assert token, (path, page.status)
        sent = {"csrf_token": token[1], **({"began": began[1]} if began else {}), **values}
        return self.post(path, data=sent, **options)

    def sign_in(self, username: str, password: str = PASSWORD, *, next: str = "", **options: Any) -> TestResponse:  # noqa: A002
        return self.form("/it/login/", {"username": username, "password": password, "next": next}, **options)


@pytest.fixture
def browser_of(application: Any) -> Callable[..., ClientBrowser]:
    """A function that returns a browser, signed in with an account where one is named."""
    application.app.config["LEAST_FORM_SECONDS"] = application.app.config["LEAST_ANSWER_SECONDS"] = 0

    def open_browser(username: str = "", *, portal: str = "") -> ClientBrowser:
        browser = ClientBrowser(application)
        if portal:
            browser.get(f"/it/login/?portal={portal}")
        if username:
            answer = browser.sign_in(username)
            assert answer.status_code == 303, answer.text
        return browser

    return open_browser


@pytest.fixture
def account(session: RecordSession) -> Callable[[str], Account]:
    """A function that finds an account as it is stored now."""

    def find(username: str) -> Account:
        session.rollback()
        session.expire_all()
        return session.scalars(sa.select(Account).where(Account.username == username)).one()

    return find


@pytest.fixture
def store(session: RecordSession) -> Callable[..., None]:
    """A function that changes a stored row behind the product's back."""

    def write(entity: Any, key: int, **values: Any) -> None:
        session.rollback()
        with begin_writing():
            session.execute(sa.update(entity.__table__).where(entity.__table__.c.id == key).values(**values))
            session.commit()
        session.expire_all()

    return write
