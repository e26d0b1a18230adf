"""Where results stand in a document: between two marks."""

from __future__ import annotations

from pathlib import Path


def put_between(document: Path, begin: str, end: str, text: str) -> None:
    """Put ``text`` between the marks, in place of what stood there.

    :raises ValueError: the document has no place for it.
    """
    head, found, rest = document.read_text(encoding="utf-8").partition(begin)
    _old, found_too, tail = rest.partition(end)
    if not found or not found_too:
        raise ValueError(f"{document.name} has no place for it: {begin} … {end}")
    document.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")
