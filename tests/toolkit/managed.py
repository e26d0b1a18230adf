"""A bare application around one security manager, to compare the toolkit's with ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import AppBuilder
from sqlalchemy.orm import Session


def start(manager: type, engine: sa.Engine, **config: Any) -> Flask:
    """Return an application started with ``manager`` on the database of ``engine``."""
    app = Flask("managed")
    app.config.update(SECRET_KEY="k" * 48, JWT_SECRET_KEY="k" * 48, **config)
    with app.app_context():
        AppBuilder(app, Session(engine), security_manager_class=manager)
    return app


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[str]]:
    """Collect the text of every statement sent to the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_rest: Any) -> None:
        seen.append(text)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
