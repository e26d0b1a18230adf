"""Parts of pages that are the same for everybody with the same rights and the same language: each is rendered once."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from flask import Flask, current_app, render_template, request
from flask_babel import Domain, get_locale
from markupsafe import Markup

#: So many are kept; when there are more, all are made anew.
MOST = 2_000
_kept: dict[Hashable, Markup] = {}


def fragment(template: str, key: Hashable, **values: Any) -> Markup:
    """Return a part of a page, rendered for the first page that has it.

    ``key`` names everything it depends on besides the language and where the application is mounted: what a role does
    not see must be told from it.
    """
    place = (template, current_app.name, str(get_locale()), request.script_root, key)
    found = _kept.get(place)
    if found is None:
        if len(_kept) >= MOST:
            _kept.clear()
        found = _kept[place] = Markup(render_template(template, **values))  # noqa: S704  # what a template has escaped
    return found


class KeptDomain(Domain):
    """Sentences in the language of the request, whose catalogue is found without writing out the locale's name.

    A page has hundreds of them, and that took longer than looking the sentence up.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._by_language: dict[tuple[str, str | None], Any] = {}

    def get_translations(self) -> Any:
        locale = get_locale()
        if locale is None:
            return super().get_translations()
        key = (locale.language, locale.territory)
        if key not in self._by_language:
            self._by_language[key] = super().get_translations()
        return self._by_language[key]


def install(app: Flask) -> None:
    """Give templates ``fragment``, and the application a quicker way to its sentences; after its Babel."""
    app.jinja_env.globals["fragment"] = fragment
    babel = app.extensions["babel"]
    babel.instance.domain_instance = KeptDomain(domain=babel.default_domain)
