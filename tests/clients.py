"""Browsers that are already signed in: a test client for pages, and the cookie a real browser needs."""

from __future__ import annotations

from typing import Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import Client, TestResponse

from models.staff import Staff

#: Where the desk is mounted.
DESK = "/backoffice"
_CSRF = "0123456789abcdef0123456789abcdef01234567"


def session_cookie(desk: Flask, staff: Staff) -> tuple[str, str]:
    """Return name and value of the cookie the desk gives ``staff`` at sign-in."""
    signer = desk.session_interface.get_signing_serializer(desk)  # type: ignore[attr-defined]
    value = signer.dumps({"_user_id": staff.get_id(), "_fresh": True, "csrf_token": _CSRF})
    return desk.config["SESSION_COOKIE_NAME"], value


class DeskClient(Client):
    """A browser without JavaScript, signed in at the desk; paths count from the desk's own root."""

    def __init__(self, application: Any, desk: Flask, staff: Staff | None = None) -> None:
        super().__init__(application)
        self.staff = staff
        self.csrf_token = URLSafeTimedSerializer(desk.secret_key, salt="wtf-csrf-token").dumps(_CSRF)  # type: ignore[arg-type]
        if staff is not None:
            name, value = session_cookie(desk, staff)
            self.set_cookie(name, value, path=f"{DESK}/")  # the very path the desk gives it

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Request a path of the desk; see werkzeug.test.Client.open."""
        if args and isinstance(args[0], str) and not args[0].startswith(DESK):
            args = (DESK + args[0], *args[1:])
        return super().open(*args, **kwargs)

    def submit(self, path: str, values: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form, with the token that proves that the page was ours."""
        return self.post(path, data={"csrf_token": self.csrf_token, **(values or {})}, **kwargs)
