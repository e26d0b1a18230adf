"""What every page of the desk has around it: navigation, person, languages, groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, has_request_context, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.utils import cached_property

from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import Text
from backoffice.operations.bell import Reader, unread
from backoffice.outbox import demonstration_left
from backoffice.permissions import role_label
from backoffice.records import show
from models.api_key import ApiKey
from models.base import ENTITIES, Category, Recorded
from models.catalogue import slug
from models.corporate_group import CorporateGroup
from views import addresses
from views.door import current_actor, reading_as_system

LANGUAGES = {"it": "Italiano", "en": "English"}


@dataclass(frozen=True)
class OwnPage:
    """A page of the desk that is no entity's: its place in the navigation, and whose right opens it."""

    #: The first part of its address.
    name: str
    label: Text
    icon: str
    endpoint: str
    #: Whether somebody may open it.
    opens: Callable[[Actor], bool]
    category: Category = Category.system
    rank: int = 5


def reads(entity: type[Recorded]) -> Callable[[Actor], bool]:
    """Return the condition that somebody may read rows of ``entity``."""
    return lambda actor: actor.may(Action.read, entity)


_own_pages: dict[str, OwnPage] = {}


def add_page(page: OwnPage) -> None:
    """Give a page its place in the navigation and in the breadcrumb."""
    _own_pages[page.name] = page


def install(app: Flask) -> None:
    """Give every template ``frame``."""
    app.context_processor(lambda: {"frame": Frame()})


def chosen_language() -> str:
    """Return the language of this request: the one chosen, else the installation's."""
    chosen = session.get("language") if has_request_context() else None
    return chosen if chosen in LANGUAGES else str(current_app.config["BABEL_DEFAULT_LOCALE"])


def set_place(title: str, url: str, step: Text = "") -> None:
    """Say which record the page of this request is about, and what of it, for the breadcrumb."""
    g.place = {"label": title, "url": url, "step": step}


class Frame:
    """Read by ``frame.html``; each part is computed only when a template asks for it."""

    def __init__(self) -> None:
        self.actor: Actor = current_actor()

    @property
    def brand(self) -> str:
        """The corporate group one works for; before signing in, when that is unknown, what the program is."""
        names: dict[int | None, str] = {key: name for key, name in self._group_names if key == self.actor.group_id}
        return names.get(self.actor.group_id) or _("Back office")

    @property
    def _group_names(self) -> list[tuple[int, str]]:
        return [] if self.actor.staff_id is None else self._installation[0]

    @cached_property
    def _installation(self) -> tuple[list[tuple[int, str]], bool, int]:
        """The corporate groups, whether demonstration data are left, and how many notices wait for the actor.

        In one statement, because every page asks.
        """
        group, new = CorporateGroup.__table__, unread(Reader(staff_id=self.actor.staff_id)).label("unread")
        statement = sa.select(group.c.id, group.c.name, demonstration_left().label("demo"), new).order_by(group.c.name)
        with reading_as_system() as records:
            rows = records.execute(statement, execution_options=INTERNAL).all()
        demo, waiting = any(row.demo for row in rows), max((row.unread for row in rows), default=0)
        return [(row.id, row.name) for row in rows], demo, waiting

    @property
    def lang(self) -> str:
        return str(get_locale() or "it")

    @property
    def printed(self) -> str:
        """When this page was made and by whom, for whoever holds it in hand."""
        return show.printed(self.actor.name)

    @property
    def home_url(self) -> str:
        return url_for("Home.index")

    @property
    def search_url(self) -> str | None:
        """Where everything is searched, for those who are signed in."""
        return url_for("SearchView.results") if self.actor.staff_id is not None else None

    @property
    def logout_url(self) -> str:
        return str(current_app.appbuilder.get_url_for_logout)  # type: ignore[attr-defined]

    @property
    def password_url(self) -> str:
        return url_for("PasswordView.own")

    @property
    def factor_url(self) -> str:
        return url_for("SecondFactorView.own")

    @property
    def calendar_url(self) -> str:
        return url_for("CalendarView.own")

    @property
    def keys_url(self) -> str | None:
        """Where those who may have keys of the API look after them."""
        return url_for("ApiKeysView.own") if self.actor.may(Action.create, ApiKey) else None

    @property
    def notices_url(self) -> str:
        return url_for("NoticesView.index")

    @property
    def unread(self) -> int:
        """How many notices the actor has not read."""
        return self._installation[2]

    @property
    def switch_group_url(self) -> str:
        return url_for("Home.switch_group")

    @property
    def user(self) -> dict[str, str] | None:
        if self.actor.staff_id is None:
            return None
        initials = "".join(word[0] for word in self.actor.name.split()[:2]).upper()
        role = ", ".join(str(role_label(code)) for code in self.actor.roles)
        return {"name": self.actor.name, "initials": initials, "role": role}

    @property
    def languages(self) -> list[dict[str, Any]]:
        here = request.full_path.rstrip("?") if request.method == "GET" else request.path
        return [
            {
                "code": code,
                "label": label,
                "current": code == self.lang,
                "url": url_for("Home.language", code=code, next=here),
            }
            for code, label in LANGUAGES.items()
        ]

    @cached_property
    def _entities(self) -> list[Any]:
        """What the menu leads to: the entities the actor may read."""
        return [e for e in ENTITIES.values() if e.__admin__.menu and self.actor.may(Action.read, e)]

    @cached_property
    def _pages(self) -> list[OwnPage]:
        """What else it leads to: the pages the actor may open."""
        return [page for page in _own_pages.values() if page.opens(self.actor)]

    @property
    def navigation_key(self) -> tuple[str, ...]:
        """What the menu depends on: what the actor may open, and where one is."""
        return (_here()[0], *(e.__tablename__ for e in self._entities), "", *(page.name for page in self._pages))

    @property
    def navigation(self) -> list[dict[str, Any]]:
        found = []
        for category in Category:
            items = [self._item(entity) for entity in self._entities if entity.__admin__.category is category]
            items += [self._own_item(page) for page in self._pages if page.category is category]
            if items:
                found.append({"label": category.label, "icon": category.icon, "items": sorted(items, key=_order)})
        return found

    def _item(self, entity: Any) -> dict[str, Any]:
        admin = entity.__admin__
        return {
            "label": admin.plural,
            "icon": admin.icon,
            "url": addresses.list_url(entity),
            "current": _at(slug(entity)),
            "rank": admin.rank,
        }

    def _own_item(self, page: OwnPage) -> dict[str, Any]:
        url, current = url_for(page.endpoint), _at(page.name)
        return {"label": page.label, "icon": page.icon, "url": url, "current": current, "rank": page.rank}

    @property
    def crumbs(self) -> list[dict[str, Any]]:
        here = _here()
        for entity in ENTITIES.values():
            if here[0] == slug(entity):
                admin = entity.__admin__
                found: list[dict[str, Any]] = [
                    {"label": admin.category.label, "url": None},
                    {"label": admin.plural, "url": addresses.list_url(entity)},
                ]
                return [*found, *_inside(here)]
        return _crumbs_of_own(here)

    @property
    def groups(self) -> list[dict[str, Any]]:
        if not self.actor.may_switch_group:
            return []
        return [{"id": key, "name": name, "current": key == self.actor.group_id} for key, name in self._group_names]

    @property
    def demo(self) -> bool:
        return self._installation[1]


def _at(name: str) -> bool:
    return _here()[0] == name


def _here() -> list[str]:
    """Return the parts of the address; a grid stands where the list of its entity stands."""
    return request.path.strip("/").removeprefix("grid/").split("/")


def _order(item: dict[str, Any]) -> tuple[int, str]:
    return item["rank"], str(item["label"])


def _inside(here: list[str]) -> list[dict[str, Any]]:
    """Return what stands after the list: a step, or the record and perhaps what is being done with it."""
    if len(here) == 1:
        return []
    if here[1] in ("new", "import"):
        return [{"label": _("Add") if here[1] == "new" else _("Import"), "url": None}]
    place = g.get("place")
    if place is None:
        return []
    words: dict[str, Text] = {"edit": _("Edit"), "delete": _("Delete")}
    step = words.get(here[2], place["step"]) if len(here) > 2 else ""
    return [place, {"label": step, "url": None}] if step else [place]


def _crumbs_of_own(here: list[str]) -> list[dict[str, Any]]:
    """Return the way to a page of the desk that is no entity's, and perhaps to what it is about."""
    page, place = _own_pages.get(here[0]), g.get("place")
    if page is None and place is None:
        return []
    category = page.category if page is not None else Category.system
    found: list[dict[str, Any]] = [{"label": category.label, "url": None}]
    if page is not None:
        found.append({"label": page.label, "url": url_for(page.endpoint)})
    return found if place is None else [*found, *_of_place(place)]


def _of_place(place: dict[str, Any]) -> list[dict[str, Any]]:
    return [place, {"label": place["step"], "url": None}] if place["step"] else [place]
