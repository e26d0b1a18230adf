"""The composition root: the staff desk and the client area, two applications over one schema, mounted together."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import AppBuilder
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect
from werkzeug.local import LocalProxy
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import config
from backoffice.database import make_engine
from backoffice.files.s3 import file_store
from views import cells, client_area, desk, door, errors, fragments, frame, headers, interrupted, problems, sign_in
from views.desk import attachments
from views.generated import api, grid, importing
from views.generated import desk as generated_desk
from views.routing import Application
from views.security import DeskSecurityManager

ROOT = Path(__file__).resolve().parent.parent
#: Where the desk lives beside the client area.
DESK_PREFIX = "/backoffice"


def create_application(settings: config.Settings, engine: sa.Engine | None = None) -> Any:
    """Return both applications as one: the client area at ``/``, the desk at ``/backoffice``."""
    # A page may hold two connections at once: with one more than there are threads, somebody always gets the second.
    connections = max(settings.pool_size, settings.threads)
    engine = engine or make_engine(
        settings.database_url, statement_timeout_ms=settings.statement_timeout_ms, pool_size=connections
    )
    return DispatcherMiddleware(
        create_client_area(settings, engine), {DESK_PREFIX: create_desk(settings, engine, prefix=DESK_PREFIX)}
    )


class DeskBuilder(AppBuilder):  # untyped
    """Flask-AppBuilder without its own pages: it would add /back, /lang and a menu endpoint past our own."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.sm.register_views()
        self.openapi_manager.register_views()


def create_desk(settings: config.Settings, engine: sa.Engine, *, prefix: str = "") -> Flask:
    """Return the staff desk: generated pages, API and grid, and its own views."""
    app = _new_app("desk", settings)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="backoffice",
        SESSION_COOKIE_PATH=f"{prefix}/",
        JWT_SECRET_KEY=settings.jwt_secret_key,
        STATEMENT_TIMEOUT_MS=settings.statement_timeout_ms,
        HAS_MAIL_SERVER=bool(settings.mail_server),
        # Migrations make the tables and a command the permissions: workers run no SQL at start (M4, M12).
        FAB_CREATE_DB=False,
        FAB_UPDATE_PERMS=False,
        FAB_BASE_TEMPLATE="frame.html",
        FAB_OPENAPI_SERVERS=[{"url": prefix or "/"}],
        FAB_API_SWAGGER_UI=False,
        LANGUAGES={code: {"name": name, "flag": code} for code, name in frame.LANGUAGES.items()},
    )
    app.extensions["files"] = file_store(settings)
    door.install(app, engine)
    headers.install(app)
    errors.install(app, errors.desk_page)
    interrupted.install(app, sign_in.ENTRANCE)
    frame.install(app)
    Bootstrap5(app)
    CSRFProtect(app)
    with app.app_context():
        appbuilder = DeskBuilder(
            app, LocalProxy(door.current_session), indexview=desk.Home, security_manager_class=DeskSecurityManager
        )
        # Flask-AppBuilder's own choice ignores what people chose and writes to anonymous sessions.
        app.extensions["babel"].locale_selector = frame.chosen_language
        fragments.install(app)
        generated_desk.register(appbuilder)
        importing.register(appbuilder)
        attachments.register(appbuilder)
        api.register_api(appbuilder)
        grid.register_grid(app)
        problems.register_problems(app)
    return app


def create_client_area(settings: config.Settings, engine: sa.Engine) -> Flask:
    """Return the client area, which shares the schema with the desk and nothing else."""
    app = _new_app("client_area", settings)
    app.config.update(SECRET_KEY=settings.client_secret_key, SESSION_COOKIE_NAME="clients")
    app.config["STATEMENT_TIMEOUT_MS"] = settings.statement_timeout_ms
    app.extensions["files"] = file_store(settings)
    headers.install(app)
    Bootstrap5(app)
    # Before tokens are looked at, so that a form whose session has ended finds its portal and its way back.
    client_area.install(app, engine, own_host=urlsplit(settings.root_url).hostname or "")
    CSRFProtect(app)
    return app


def _new_app(name: str, settings: config.Settings) -> Flask:
    app = Application(
        name,
        root_path=str(ROOT),
        template_folder=str(ROOT / "views" / "templates"),
        static_folder=str(ROOT / "views" / "static"),
    )
    app.config.update(
        APP_NAME="Backoffice",
        MAX_CONTENT_LENGTH=settings.max_upload_mb * 1024 * 1024,
        MAX_ATTACHMENT_MB=settings.max_attachment_mb,
        MAX_FORM_MEMORY_SIZE=settings.max_upload_mb * 1024 * 1024,
        MAX_FORM_PARTS=20_000,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        WTF_CSRF_TIME_LIMIT=None,
        BABEL_DEFAULT_LOCALE=settings.language,
        BABEL_DEFAULT_TIMEZONE="Europe/Rome",
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "backoffice" / "translations"),
        BOOTSTRAP_SERVE_LOCAL=True,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    cells.install(app)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    return app
