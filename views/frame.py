"""What every page of the desk has around it: navigation, person, languages, groups."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, has_request_context, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from backoffice.actors import Action, Actor
from backoffice.outbox import has_demonstration
from backoffice.permissions import role_label
from models.base import ENTITIES, Category
from models.catalogue import slug
from models.corporate_group import CorporateGroup
from views import addresses
from views.door import current_actor, reading_as_system

LANGUAGES = {"it": "Italiano", "en": "English"}


def install(app: Flask) -> None:
    """Give every template ``frame``."""
    app.context_processor(lambda: {"frame": Frame()})


def chosen_language() -> str:
    """Return the language of this request: the one chosen, else the installation's."""
    chosen = session.get("language") if has_request_context() else None
    return chosen if chosen in LANGUAGES else str(current_app.config["BABEL_DEFAULT_LOCALE"])


class Frame:
    """Read by ``frame.html``; each part is computed only when a template asks for it."""

    def __init__(self) -> None:
        self.actor: Actor = current_actor()

    @property
    def brand(self) -> str:
        """The corporate group one works for; before signing in the product's own name."""
        names = {key: name for key, name in self._group_names if key == self.actor.group_id}
        return names.get(self.actor.group_id) or str(current_app.config["APP_NAME"])

    @cached_property
    def _group_names(self) -> list[tuple[int | None, str]]:
        if self.actor.staff_id is None:
            return []
        statement = sa.select(CorporateGroup.id, CorporateGroup.name).order_by(CorporateGroup.name)
        with reading_as_system() as records:
            return [(row.id, row.name) for row in records.execute(statement)]

    @property
    def lang(self) -> str:
        return str(get_locale() or "it")

    @property
    def home_url(self) -> str:
        return url_for("Home.index")

    search_url = None

    @property
    def logout_url(self) -> str:
        return str(current_app.appbuilder.get_url_for_logout)  # type: ignore[attr-defined]

    @property
    def password_url(self) -> str:
        return url_for("PasswordView.own")

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

    @property
    def navigation(self) -> list[dict[str, Any]]:
        found = []
        for category in Category:
            items = [
                self._item(entity)
                for entity in ENTITIES.values()
                if entity.__admin__.menu
                and entity.__admin__.category is category
                and self.actor.may(Action.read, entity)
            ]
            if category is Category.system and current_app.appbuilder.sm.has_access("can_list", "role_right"):  # type: ignore[attr-defined]
                items.append(
                    {
                        "label": _("Roles"),
                        "icon": "shield-lock",
                        "url": url_for("RolesView.list"),
                        "current": _at("roles"),
                    }
                )
            if items:
                found.append({"label": category.label, "icon": category.icon, "items": sorted(items, key=_by_label)})
        return found

    def _item(self, entity: Any) -> dict[str, Any]:
        admin = entity.__admin__
        return {
            "label": admin.plural,
            "icon": admin.icon,
            "url": addresses.list_url(entity),
            "current": _at(slug(entity)),
        }

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
                return found if len(here) == 1 else [*found, {"label": _crumb(here), "url": None}]
        return []

    @property
    def groups(self) -> list[dict[str, Any]]:
        if not self.actor.may_switch_group:
            return []
        return [{"id": key, "name": name, "current": key == self.actor.group_id} for key, name in self._group_names]

    @property
    def demo(self) -> bool:
        with reading_as_system() as records:
            return has_demonstration(records)


def _at(name: str) -> bool:
    return _here()[0] == name


def _here() -> list[str]:
    """Return the parts of the address; a grid stands where the list of its entity stands."""
    return request.path.strip("/").removeprefix("grid/").split("/")


def _by_label(item: dict[str, Any]) -> str:
    return str(item["label"])


def _crumb(here: list[str]) -> str:
    if here[1] == "new":
        return _("Add")
    if here[1] == "import":
        return _("Import")
    words = {"edit": _("Edit"), "delete": _("Delete")}
    return words.get(here[2], here[1]) if len(here) > 2 else here[1]
