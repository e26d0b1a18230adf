"""Files of records, opened by whoever sees the record (WS-07, AN-07)."""

from __future__ import annotations

from typing import Any

from flask import current_app, url_for

from backoffice.files.store import get_content
from backoffice.records.lookup import get_record
from models.attachment import Attachment
from views.client_area import door
from views.client_area.blueprint import area
from views.door import current_session
from views.downloads import file_response
from views.generated.section import set_section_url


@area.route("/file/<pk>")
def file(pk: str) -> Any:
    """Send a file as it is kept; one of a record out of sight is not there."""
    if door.client() is None:
        return door.sign_in_first()
    attachment: Attachment = get_record(current_session(), Attachment, pk)
    content = get_content(current_app.extensions["files"], attachment.sha256)
    return file_response(content, attachment.name, attachment.media_type, inline=False)


set_section_url(Attachment, lambda attachment: url_for("clients.file", pk=attachment.id))
