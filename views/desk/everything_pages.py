"""The way out with all that one may see, and the way in to an empty installation."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from flask import render_template, send_file, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice import clock
from backoffice.actors import Action, Actor, Context
from backoffice.database import open_session
from backoffice.errors import Forbidden
from backoffice.records.everything import Everything, Part, in_order
from backoffice.spreadsheets.writing import XLSX
from views.door import current_actor, door, engine
from views.generated import exporting
from views.interrupted import sign_in_first

_ZIP = "application/zip"


def may_take_all(actor: Actor) -> bool:
    """Say whether there is anything that the actor may take along."""
    return any(actor.may(Action.read, entity) and actor.may(Action.export, entity) for entity in in_order())


class EverythingView(BaseView):
    """Everything in one file."""

    route_base = "/everything"
    default_view = "index"

    @expose("/")
    def index(self) -> Any:
        if not current_user.is_authenticated:
            return sign_in_first()
        if not may_take_all(current_actor()):
            raise Forbidden
        page = {
            "heading": _("Everything in one file"),
            "exports": [
                (_("One workbook (XLSX)"), url_for(".export", kind="xlsx")),
                (_("An archive of CSV files (ZIP)"), url_for(".export", kind="zip")),
            ],
        }
        return render_template("everything.html", page=page)

    @expose("/export.<kind>")
    def export(self, kind: str) -> Any:
        """Send all that the actor may see and take along; each kind of record has its line in the export log."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        if not may_take_all(actor):
            raise Forbidden
        if kind not in ("xlsx", "zip"):
            raise NoSuchPage
        file = tempfile.NamedTemporaryFile(suffix=f".{kind}")  # noqa: SIM115 - closed by whoever sends it
        with closing(open_session(engine(), Context(actor, door()))) as session:
            everything = Everything(session, actor)
            try:
                (everything.write_xlsx if kind == "xlsx" else everything.write_zip)(Path(file.name))
            finally:
                session.close()
                _log(everything.parts, kind)
        file.seek(0)
        name = f"{_('Everything')} {clock.today():%Y-%m-%d}.{kind}"
        return send_file(file, XLSX if kind == "xlsx" else _ZIP, as_attachment=True, download_name=name)


def _log(parts: list[Part], kind: str) -> None:
    for part in parts:
        exporting.keep_entry(
            part.entity,
            part.columns,
            kind,
            conditions="all=1",
            row_count=part.rows,
            is_complete=part.complete,
        )
