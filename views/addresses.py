"""Where things are: the addresses of records and lists on the desk, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from flask import Flask, current_app, g, request, url_for

from models.base import ENTITIES, Recorded
from models.catalogue import Field, slug


def endpoint(entity: type[Recorded], name: str) -> str:
    """Return the Flask endpoint of one of an entity's pages, in the application that serves this request."""
    return f"{page_group(current_app, entity)}.{name}"


def page_group(app: Flask, entity: type[Recorded]) -> str:
    """Return the name of the blueprint that holds an entity's pages: each application has pages of its own."""
    return f"{app.name}_{slug(entity)}"


def has_pages(entity: type[Any]) -> bool:
    """Say whether the class is an entity with pages of its own here: clients have fewer than the desk."""
    return entity in ENTITIES.values() and endpoint(entity, "list") in current_app.view_functions


def list_url(entity: type[Recorded], **query: Any) -> str:
    return _with(_root(entity), query)


def record_url(record: Any, **query: Any) -> str:
    """Return the address of a record's page; empty for rows that are no entities of ours."""
    if not has_pages(type(record)):
        return ""
    return _with(f"{_root(type(record))}{record.id}", query)


def action_url(record: Recorded, name: str, *, verb: str = "") -> str:
    """Return the address of a page about a record: its form, its deletion, a verb (``do``)."""
    return key_url(type(record), record.id, f"{name}/{verb}" if verb else name)


def key_url(entity: type[Recorded], key: int, name: str) -> str:
    """Return the address of a page about the record with a key, which may be gone."""
    return f"{_root(entity)}{key}/{name}"


def _root(entity: type[Recorded]) -> str:
    """Return the address of an entity's list, which all its others begin with: built once a request, asked often."""
    roots: dict[type[Recorded], str] = g.setdefault("roots", {})
    if entity not in roots:
        roots[entity] = url_for(endpoint(entity, "list"))
    return roots[entity]


def _with(address: str, query: dict[str, Any]) -> str:
    return f"{address}?{urlencode(query, doseq=True)}" if query else address


def add_url(entity: type[Recorded], **query: Any) -> str | None:
    """Return the address of the form for a new record; None where people cannot add any."""
    admin = entity.__admin__
    if admin.append_only or admin.written_by_verbs or endpoint(entity, "add") not in current_app.view_functions:
        return None
    return url_for(endpoint(entity, "add"), **query)


def options_url(field: Field) -> str:
    """Return where a relation field asks for its options."""
    return url_for(endpoint(field.entity, "options"), name=field.name)


def relation_choices(session: Any, field: Field) -> Sequence[tuple[str, str, str]]:
    """Return the choices of a many-valued relation, which are few by nature: key, name, and a sentence about it."""
    target = field.target
    assert target is not None
    rows = session.scalars(sa.select(target).limit(200)).all()
    found = ((str(row.id), str(row), str(getattr(row, "summary", ""))) for row in rows)
    return sorted(found, key=lambda choice: choice[1])


def export_url(entity: type[Recorded], kind: str, **query: Any) -> str:
    """Return the address of a list as a file."""
    return _with(f"{_root(entity)}export.{kind}", query)


def figures_url(entity: type[Recorded]) -> str:
    """Return the address of a list's figures."""
    return f"{_root(entity)}figures"


def grid_url(entity: type[Recorded]) -> str:
    """Return the address of an entity's grid."""
    return url_for(f"grid_{slug(entity)}.index_view")


def local_path(wanted: str) -> str:
    """Return where to go on this desk, or nothing for an address that leads elsewhere or makes no sense."""
    if not wanted or not wanted.isprintable() or "\\" in wanted or wanted.startswith("//"):
        return ""
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return ""
    if parts.netloc and (parts.scheme, parts.netloc) != (request.scheme, request.host):
        return ""
    # A path of two slashes would be read as another host.
    if (parts.scheme and not parts.netloc) or not parts.path.startswith("/") or parts.path.startswith("//"):
        return ""
    inside = parts.path.startswith(f"{request.script_root}/")
    path = parts.path if inside else request.script_root + parts.path
    return f"{path}?{parts.query}" if parts.query else path
