"""Sending a list as a spreadsheet, and keeping a line about it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Response, flash, redirect, request, send_file, stream_with_context, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound as NoSuchPage

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.errors import BadRequest
from backoffice.operations.exports import LIST, export_line, is_made_beside, keep_export, request_export
from backoffice.records import export
from backoffice.records.lookup import parse_key
from models.base import Recorded
from views.door import commit, current_actor, current_session, door, engine
from views.downloads import csv_response
from views.generated.listing import Listing

_SEPARATORS = {"": ";", "semicolon": ";", "comma": ","}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def respond(listing: Listing, kind: str, *, beside: bool = True) -> Any:
    """Return the list as a file: its columns, or all with ``all=1``; CSV flows while it is read.

    ``beside``: whether a long workbook may be made beside the page, where there is a page to fetch it from.
    """
    if kind not in ("csv", "xlsx"):
        raise NoSuchPage
    listing.query = replace(listing.query, keys=_chosen_keys())
    columns = listing.every_column() if request.args.get("all") else listing.columns
    name = f"{listing.entity.__admin__.plural} {clock.today():%Y-%m-%d}.{kind}"
    tally = export.Tally()
    asked = request.query_string.decode("utf-8", "replace")[:4_000]
    log = export_line(current_actor(), listing.entity, [field.name for field in columns], kind, asked)
    if beside and kind == "xlsx" and listing.query.keys is None and is_made_beside(current_session(), [listing.query]):
        return _ask_for(listing, columns, name, asked)
    # A session of its own: the request's is closed before the last row of a stream is read.
    session = open_session(engine(), Context(current_actor(), door()))
    if kind == "xlsx":
        return _send_xlsx(session, listing, columns, name, tally, log)
    separator = _SEPARATORS.get(request.args.get("separator", ""))
    if separator is None:
        raise BadRequest(reason=_("the separator is “semicolon” or “comma”."))
    read = export.columns_for(session, columns, current_actor())
    lines = export.write_csv(export.find_rows(session, listing.query, read), read, tally, separator=separator)
    flow = _begun(_flow(lines, session, engine(), tally, log))
    return csv_response(stream_with_context(flow), name)


def _chosen_keys() -> tuple[int, ...] | None:
    """Return the keys of the rows that were ticked; None where all of the list are meant."""
    wanted = request.args.get("keys", "")
    keys = [parse_key(text) for text in wanted.split(",")[:500]] if wanted else []
    return tuple(key for key in keys if key is not None) if wanted else None


def _ask_for(listing: Listing, columns: list[Any], name: str, asked: str) -> Any:
    """Have the workbook made beside the page, and lead to where it will be."""
    args = request.args
    arguments = {
        "entity": listing.entity.__table__.name,
        "filters": args.getlist("f"),
        "term": args.get("q", ""),
        "sort": args.get("s", ""),
        "columns": [field.name for field in columns],
        "conditions": asked,
    }
    return ask_for_file(LIST, arguments, name)


def ask_for_file(kind: str, arguments: dict[str, Any], name: str) -> Any:
    """Have the file ``name`` made beside the page, and lead to where it will be.

    :raises TooManyExports: so many are on their way that this one would only wait.
    """
    if request.method == "GET":  # link checkers only ask for the heading
        spoken = {"language": str(get_locale() or "it")}
        request_export(current_session(), kind, arguments | spoken, subject=name)
        commit()
        flash(_("“%(name)s” is being made. It is saved from this page as soon as it is there.", name=name), "info")
    return redirect(url_for("JobsView.list"), 303)


def _begun(flow: Iterator[str]) -> Iterator[str]:
    """Return the stream with its first piece already made: what the database refuses is still told by a page."""
    first = next(flow, "")

    def go_on() -> Iterator[str]:
        yield first
        yield from flow

    return go_on()


def _flow(
    lines: Iterator[str], session: Session, bind: sa.Engine, tally: export.Tally, log: dict[str, Any]
) -> Iterator[str]:
    with closing(session):
        try:
            yield from lines
        finally:
            session.close()
            _keep(bind, log, tally)


def _send_xlsx(
    session: Session, listing: Listing, columns: list[Any], name: str, tally: export.Tally, log: dict[str, Any]
) -> Response:
    with closing(session), tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        read = export.columns_for(session, columns, current_actor())
        rows = export.find_rows(session, listing.query, read)
        export.write_xlsx(Path(file.name), rows, read, tally, str(listing.entity.__admin__.plural))
        session.close()
        _keep(engine(), log, tally)
        # The name may go now: the open file lasts until it is sent.
        return send_file(Path(file.name).open("rb"), _XLSX, as_attachment=True, download_name=name)


def keep_entry(
    entity: type[Recorded], columns: list[Any], kind: str, *, conditions: str, row_count: int, is_complete: bool
) -> None:
    """Write down one export that is no list (EX-02)."""
    tally = export.Tally(row_count, is_complete)
    line = export_line(current_actor(), entity, [field.name for field in columns], kind, conditions)
    _keep(engine(), line, tally)


def _keep(bind: sa.Engine, log: dict[str, Any], tally: export.Tally) -> None:
    """Write down what was taken, also when the download was stopped half-way (EX-02)."""
    with begin_writing(), open_session(bind, Context(SYSTEM, Door.desk)) as session:
        keep_export(session, log, row_count=tally.rows, is_complete=tally.complete)
        session.commit()
