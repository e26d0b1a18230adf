"""Files that a request brings along."""

from __future__ import annotations

from typing import Any

from flask import current_app, request


def sent_files(name: str) -> list[tuple[str, bytes]]:
    """Return name and content of each file sent under ``name``; a field left empty sends none."""
    found = []
    for file in request.files.getlist(name):
        # Large ones lie in a temporary file, which goes when it is closed.
        with file.stream as stream:
            if file.filename:
                found.append((file.filename, stream.read()))
    return found


def storing() -> dict[str, Any]:
    """Return where files of this installation go, and how large they may be: what ``attach_file`` wants to know."""
    return {"store": current_app.extensions["files"], "limit_mb": current_app.config["MAX_ATTACHMENT_MB"]}
