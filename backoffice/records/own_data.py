"""All that is kept of one person, to read and to take elsewhere (PR-05): a workbook, and the same as JSON."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.permissions import OWN_DATA_GRANTS, OWN_TICKET_GRANTS
from backoffice.records.everything import Everything, titles


def as_person(actor: Actor, *, tickets_only: bool = False) -> Actor:
    """Return the actor as no more than one person: a referent, too, takes along what is their own."""
    return replace(actor, is_referent=False, grants=OWN_TICKET_GRANTS if tickets_only else OWN_DATA_GRANTS)


def write_own_tickets(session: Session, path: Path) -> int:
    """Write a workbook with the tickets of the session's actor, which is one ``as_person``; return how many rows."""
    everything = Everything(session, session.info["context"].actor)
    everything.write_xlsx(path)
    return everything.rows


def write_own_data(session: Session, path: Path, files: Iterable[tuple[str, bytes]]) -> int:
    """Write an archive with all rows of the session's actor, which is one ``as_person``, and ``files`` by name;
    return how many rows there were.
    """
    everything = Everything(session, session.info["context"].actor)
    with TemporaryDirectory(prefix="own-data-") as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        book = Path(folder) / "book.xlsx"
        everything.write_xlsx(book)
        archive.write(book, _("data") + ".xlsx")
        names = titles()
        content = {names[part.entity]: list(everything.records(part)) for part in everything.parts}
        archive.writestr(_("data") + ".json", json.dumps(content, ensure_ascii=False, indent=2))
        folder_name = _("attachments")
        for name, content_of_file in files:
            archive.writestr(f"{folder_name}/{name}", content_of_file)
    return sum(len(rows) for rows in content.values())


__all__ = ["as_person", "write_own_data", "write_own_tickets"]
