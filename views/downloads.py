"""Sending what was made as a file: with a name that every browser reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from flask import Response

CSV = "text/csv; charset=utf-8"


def csv_response(lines: Iterable[str] | str, name: str) -> Response:
    """Return an answer that browsers store as the file ``name``."""
    response = Response(lines, content_type=CSV)
    # Headers are Latin-1: older programs get the plain letters, all others the whole name (RFC 6266).
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "export.csv"
    response.headers.set("Content-Disposition", "attachment", filename=plain)
    response.headers["Content-Disposition"] += f"; filename*=UTF-8''{quote(name, safe='')}"
    return response
