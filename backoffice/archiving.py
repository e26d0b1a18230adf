"""Closed tickets into the archive: one file each in the store, under its checksum (TK-16, TK-31, J-03).

The file is stored before the row that names it is committed, so a process killed in between leaves a ticket as it was,
and a content that nobody names, which is swept like any other.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.dossiers import ticket_dossier
from backoffice.files.store import FileGone, FileStore, digest, get_content
from backoffice.history import encode
from backoffice.operations.verbs import perform
from backoffice.paper import render_pdf
from models.attachment import Attachment
from models.base import Model
from models.history_entry import HistoryEntry, HistoryPersonal
from models.inbound_mail import InboundMail, InboundMailSource
from models.ticket import Ticket, TicketState
from models.ticket_archive import TicketArchive
from models.ticket_message import TicketMessage

#: Tables whose rows about a ticket are part of its bundle, by the column that names it.
_ABOUT = (
    *("ticket_message", "time_entry", "ticket_clock", "ticket_pause", "package_movement", "escalation"),
    *("intervention", "call", "inbound_mail"),
)
#: A day before there were any: bundles of the same rows are the same bytes.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


def archive_next(session: RecordSession, store: FileStore) -> int:
    """Archive one ticket that is closed for good; return how many were, one or none. Flushes.

    What is invented is not archived: it goes with the demonstration set, and its files with it.

    Needs a session in which the product itself acts.
    """
    over = sa.and_(Ticket.state == TicketState.closed_final, sa.not_(Ticket.is_demo))
    wanted = sa.select(Ticket).where(over).order_by(Ticket.id).limit(1)
    ticket = session.scalars(wanted.with_for_update(skip_locked=True)).first()
    if ticket is None:
        return 0
    content = bundle(session, ticket, store)
    key = digest(content)
    store.put(key, content)
    session.add(TicketArchive(ticket=ticket, sha256=key, size_bytes=len(content), is_demo=ticket.is_demo))
    session.flush()
    perform(session, ticket, "archive", actor=SYSTEM)
    return 1


def bundle(session: RecordSession, ticket: Ticket, store: FileStore) -> bytes:
    """Return a ticket as one ZIP file: its rows as JSON, mails as they came, files, and a summary as PDF."""
    out = io.BytesIO()
    sums: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in _members(session, ticket, store):
            made.writestr(zipfile.ZipInfo(name, _NO_DATE), content, zipfile.ZIP_DEFLATED)
            sums.append(f"{digest(content)}  {name}\n")
        made.writestr(zipfile.ZipInfo("SHA256SUMS", _NO_DATE), "".join(sums))
    return out.getvalue()


def _members(session: RecordSession, ticket: Ticket, store: FileStore) -> Iterator[tuple[str, bytes]]:
    rows: dict[str, Any] = {"ticket": _rows(session, "ticket", "id", ticket.id)}
    rows |= {name: _rows(session, name, "ticket_id", ticket.id) for name in _ABOUT}
    rows["history"] = _history(session, ticket)
    yield "ticket.json", json.dumps(rows, ensure_ascii=False, indent=1, default=_plain).encode()
    yield f"{ticket.number}.pdf", render_pdf(ticket_dossier(session, ticket, SYSTEM))
    source = InboundMailSource.__table__
    mails = sa.select(source).where(
        source.c.mail_id.in_(sa.select(InboundMail.id).where(InboundMail.ticket_id == ticket.id))
    )
    for row in session.execute(mails.order_by(source.c.mail_id), execution_options=INTERNAL):
        yield f"mails/{row.mail_id}.eml", row.content
    messages = sa.select(TicketMessage.id).where(TicketMessage.ticket_id == ticket.id).scalar_subquery()
    files = sa.select(Attachment).where(
        sa.or_(Attachment.ticket_id == ticket.id, Attachment.ticket_message_id.in_(messages))
    )
    for file in session.scalars(files.order_by(Attachment.id)).all():
        name = f"files/{file.id}-{file.name}"
        try:
            yield name, get_content(store, file.sha256)
        except FileGone:
            yield f"{name}.missing", file.sha256.encode()


def _rows(session: Session, name: str, column: str, key: int) -> list[dict[str, Any]]:
    table = Model.metadata.tables[name]
    kept = [part for part in table.c if part.name != "search_key"]
    wanted = sa.select(*kept).where(table.c[column] == key).order_by(table.c.id)
    return [dict(row) for row in session.execute(wanted, execution_options=INTERNAL).mappings()]


def _history(session: Session, ticket: Ticket) -> list[dict[str, Any]]:
    entry, personal = HistoryEntry.__table__, HistoryPersonal.__table__
    about = sa.and_(entry.c.entity == "ticket", entry.c.record_id == ticket.id)
    wanted = (
        sa.select(entry, personal.c.changes.label("personal"))
        .outerjoin(personal, personal.c.entry_id == entry.c.id)
        .where(about)
        .order_by(entry.c.id)
    )
    return [dict(row) for row in session.execute(wanted, execution_options=INTERNAL).mappings()]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    found = encode(value)
    return found if isinstance(found, str | int | float | bool) or found is None else str(found)
