"""Icons, states and values as HTML: the small parts of which pages have hundreds, the same everywhere.

They are functions of all templates. As macros of templates, with the menus of rows, they took a fifth of a list's time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup, escape

from backoffice.records.show import Cell


def install(app: Flask) -> None:
    """Give the templates of ``app`` these functions."""
    app.jinja_env.globals.update(icon=icon, state=state, show=show)


@lru_cache(maxsize=2_000)
def icon(name: str | None, kind: str = "") -> Markup:
    """Return an icon. It never stands alone: words beside it, or an aria-label on what it is in."""
    return Markup('<i class="bi bi-{}{}" aria-hidden="true"></i>').format(name or "circle", kind and f" {kind}")


def state(of: Any, large: bool = False) -> Markup:
    """Return the badge of what has ``tone``, ``icon`` and ``text``: a cell, or what a page describes so."""
    tone, name, text = (of.get(part) if isinstance(of, dict) else getattr(of, part) for part in _OF_STATE)
    return _badge(tone or "neutral", name, str(text), " state-lg" if large else "")


_OF_STATE = ("tone", "icon", "text")


@lru_cache(maxsize=2_000)
def _badge(tone: str, name: str, text: str, size: str) -> Markup:
    return Markup('<span class="state state-{}{}">{}<span>{}</span></span>').format(tone, size, icon(name), text)


def show(cell: Cell, href: str | None = None) -> Markup:
    """Return a value as people read it; ``href`` is where it leads where it is the name of the whole row."""
    url = href or cell.url
    if cell.masked:
        return _quiet("•••", _("(not shown to your role)"), _("Your role does not show this value."))
    if cell.unavailable:
        return _written(f'<span class="quiet">{escape(_("(not available)"))}</span>')
    if cell.empty and not href:
        return _quiet("–", _("(empty)"))
    if not url:
        return _inner(cell)
    away = ' target="_blank" rel="noopener noreferrer"' if cell.kind == "url" and not href else ""
    return _written(f'<a href="{escape(url)}"{away}>{escape(_("(empty)")) if cell.empty else _inner(cell)}</a>')


def _written(html: str) -> Markup:
    """Return what was put together here, each value escaped; to have a Markup format it takes ten times as long."""
    return Markup(html)  # noqa: S704


@lru_cache(maxsize=100)
def _quiet(sign: str, words: str, title: str = "") -> Markup:
    """Return a sign for the eyes and words for the ears."""
    heard = f'<span class="visually-hidden">{escape(words)}</span>'
    if title:
        return _written(
            f'<span class="quiet" title="{escape(title)}"><span aria-hidden="true">{sign}</span>{heard}</span>'
        )
    return _written(f'<span class="quiet" aria-hidden="true">{sign}</span>{heard}')


def _inner(cell: Cell) -> Markup:
    text = escape(cell.text)
    if cell.due:
        sign = icon("exclamation-circle-fill" if cell.due == "late" else "clock")
        about = f'class="due due-{escape(cell.due)}" datetime="{escape(cell.datetime)}" title="{escape(cell.title)}"'
        said = f'<span>{escape(cell.due_text)}</span><span class="due-at">{text}</span>'
        return _written(f"<time {about}>{sign}{said}</time>")
    if cell.datetime:
        about = f' title="{escape(cell.title)}"' if cell.title else ""
        return _written(f'<time datetime="{escape(cell.datetime)}"{about}>{text}</time>')
    if cell.kind == "boolean":
        return _written(f'<span class="truth">{icon(cell.icon)}{text}</span>')
    if cell.is_badge:
        return state(cell)
    if cell.tone and not cell.badge:
        return _written(f'<span class="word word-{escape(cell.tone)}">{icon(cell.icon)}<span>{text}</span></span>')
    if cell.kind == "long_text":
        return _written(f'<span class="lines">{text}</span>')
    return text
