"""Sending what was made as a file: with a name that every browser reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from flask import Response

CSV = "text/csv; charset=utf-8"
#: Nothing is loaded or run, and what is shown belongs to no site.
_HARMLESS = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


def csv_response(lines: Iterable[str] | str, name: str) -> Response:
    """Return an answer that browsers store as the file ``name``."""
    response = Response(lines, content_type=CSV)
    _name(response, name, "attachment")
    return response


def file_response(content: bytes, name: str, media_type: str, *, inline: bool) -> Response:
    """Return a file that somebody uploaded: whatever it holds, no part of it may act on our behalf.

    ``inline`` lets browsers show it; else they save it.
    """
    response = Response(content, content_type=media_type)
    _name(response, name, "inline" if inline else "attachment")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = _HARMLESS
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def _name(response: Response, name: str, disposition: str) -> None:
    # Headers are Latin-1: older programs get the plain letters, all others the whole name (RFC 6266).
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode() or "file"
    response.headers.set("Content-Disposition", disposition, filename=plain)
    response.headers["Content-Disposition"] += f"; filename*=UTF-8''{quote(name, safe='')}"
