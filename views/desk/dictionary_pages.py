"""The data dictionary: what is kept of everything, what it means, and which roles see it, from the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from flask import render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.sqla.models import Role
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp

from backoffice.actors import Action
from backoffice.dictionary import EVERYWHERE, meanings, summary
from backoffice.errors import NotFound, Text
from backoffice.operations.role_rows import Values, values_by_role
from backoffice.permissions import AREAS, role_label
from models.base import ENTITIES, Category, Recorded
from models.catalogue import Field, Kind, fields
from models.reading import fold
from models.role_right import RoleRight
from views.desk.role_matrix import in_order, parts_of
from views.desk.roles_pages import needing
from views.door import current_session
from views.frame import OwnPage, add_page, reads, set_place

#: What people call the kinds of values.
KIND_WORDS: dict[Kind, Text] = {
    Kind.text: _lp("kind of value", "Text"),
    Kind.long_text: _lp("kind of value", "Long text"),
    Kind.code: _lp("kind of value", "Code"),
    Kind.email: _lp("kind of value", "E-mail address"),
    Kind.phone: _lp("kind of value", "Telephone number"),
    Kind.url: _lp("kind of value", "Web address"),
    Kind.integer: _lp("kind of value", "Whole number"),
    Kind.decimal: _lp("kind of value", "Number"),
    Kind.money: _lp("kind of value", "Amount in euro"),
    Kind.minutes: _lp("kind of value", "Hours and minutes"),
    Kind.boolean: _lp("kind of value", "Yes or no"),
    Kind.date: _lp("kind of value", "Day"),
    Kind.time: _lp("kind of value", "Time of day"),
    Kind.datetime: _lp("kind of value", "Day and time"),
    Kind.choice: _lp("kind of value", "One of several values"),
    Kind.relation: _lp("kind of value", "Record"),
    Kind.relations: _lp("kind of value", "Records"),
    Kind.children: _lp("kind of value", "Lines"),
}
#: Longer terms nobody looks a field up by.
_LONGEST = 100


class DictionaryView(BaseView):
    """What is kept, for those who look after the rights."""

    route_base = "/dictionary"
    default_view = "index"

    @expose("/")
    @needing(Action.read)
    def index(self) -> Any:
        """Show every entity, or the fields that a term finds."""
        term = request.args.get("q", "").strip()[:_LONGEST]
        return render_template("dictionary.html", page=_found(term) if fold(term) else _all())

    @expose("/<name>")
    @needing(Action.read)
    def show(self, name: str) -> Any:
        """Show one entity: whose rows they are, who sees them, and each of its fields."""
        entity = ENTITIES.get(name)
        if entity is None:
            raise NotFound
        set_place(str(entity.__admin__.plural), _url(entity))
        return render_template("dictionary_entity.html", page=_entity_page(entity))


def _all() -> dict[str, Any]:
    groups = [
        {
            "label": category.label,
            "icon": category.icon,
            "entities": [_line(entity) for entity in _sorted() if entity.__admin__.category is category],
        }
        for category in Category
    ]
    return {"title": _("Data dictionary"), "term": "", "groups": groups, "found": [], "count": _count(ENTITIES)}


def _count(found: Iterable[Any]) -> str:
    number = len(list(found))
    return str(ngettext("%(num)s kind of record", "%(num)s kinds of record", number))


def _found(term: str) -> dict[str, Any]:
    """Return the entities and fields among whose words each word of the term begins one."""
    words = fold(term).split()
    found = []
    for entity in _sorted():
        line = _line(entity)
        hits = [_field(field) for field in fields(entity).values() if _says(words, *_words_of(field))]
        if hits or _says(words, line["label"], line["plural"], line["table"], line["meaning"]):
            found.append({**line, "fields": hits})
    return {"title": _("Data dictionary"), "term": term, "groups": [], "found": found, "count": _count(found)}


def _says(words: list[str], *texts: Text) -> bool:
    whole = f" {fold(' '.join(map(str, texts)))}"
    return all(f" {word}" in whole for word in words)


def _words_of(field: Field) -> Iterator[Text]:
    yield from (field.label, field.column or field.name, _meaning(field), KIND_WORDS[field.kind])
    yield from (member.label for member in field.choices or ())
    if field.personal:
        yield _("personal")


def _sorted() -> list[type[Recorded]]:
    return sorted(ENTITIES.values(), key=lambda entity: fold(str(entity.__admin__.plural)))


def _url(entity: type[Recorded]) -> str:
    return url_for("DictionaryView.show", name=entity.__table__.name)


def _line(entity: type[Recorded]) -> dict[str, Any]:
    admin = entity.__admin__
    return {
        "label": admin.label,
        "plural": admin.plural,
        "icon": admin.icon,
        "table": entity.__table__.name,
        "url": _url(entity),
        "meaning": summary(entity) if _is_english() else "",
        "count": ngettext("%(num)s field", "%(num)s fields", len(fields(entity))),
    }


def _is_english() -> bool:
    # What the code says of itself is English; labels and helps are in both languages.
    return str(get_locale()) == "en"


def _meaning(field: Field) -> str:
    """Return what a field means: its help, and in English, where it has none, what its declaration says."""
    if field.help:
        return str(field.help)
    said = meanings(field.entity)
    return said.get(field.name) or said.get(field.column or "", "") if _is_english() else ""


def _field(field: Field, masked: Iterable[str] = ()) -> dict[str, Any]:
    marks = (
        (field.required, _lp("field", "Required")),
        (field.verb_only, _lp("field", "By actions only")),
        (field.personal, _lp("field", "Personal datum")),
        (field.secret, _lp("field", "Secret: shown to nobody")),
    )
    is_entity = field.target in ENTITIES.values()
    return {
        "label": field.label,
        "name": field.column or field.name,
        "kind": KIND_WORDS[field.kind],
        "unit": field.unit,
        "target": field.target.__admin__.label if is_entity and field.target else None,
        "target_url": _url(field.target) if is_entity and field.target else None,
        "values": [str(member.label) for member in field.choices or ()],
        "marks": [word for holds, word in marks if holds],
        "meaning": _meaning(field),
        "masked": list(masked),
    }


def _entity_page(entity: type[Recorded]) -> dict[str, Any]:
    admin, table = entity.__admin__, entity.__table__.name
    session = current_session()
    roles = in_order(session.scalars(sa.select(Role)).all())
    values = values_by_role(session, roles)
    readers = _readers(entity, roles, values)
    known = fields(entity)
    return {
        **_line(entity),
        "title": admin.plural,
        "area": AREAS[admin.area],
        "whose": _whose(entity),
        "keys": [", ".join(_label(entity, part) for part in key) for key in admin.natural_keys],
        "readers": readers,
        "fields": [_field(f, _masking(f"mask:{table}.{f.name}", roles, values)) for f in known.values()],
        "parts": [
            {"label": other.__admin__.plural, "by": field.label, "url": _url(other)}
            for other in ENTITIES.values()
            for field in fields(other).values()
            if field.target is entity and field.kind is Kind.relation and field.column not in EVERYWHERE
        ],
        "index_url": url_for("DictionaryView.index"),
        "append_only": admin.append_only,
    }


def _label(entity: type[Recorded], name: str) -> str:
    """Return the label of the field that a column holds."""
    known = fields(entity)
    found = known.get(name) or next((field for field in known.values() if field.column == name), None)
    return str(found.label) if found else name


def _whose(entity: type[Recorded]) -> Text:
    scope = entity.__admin__.scope
    if scope.shared:
        return _l("All corporate groups share these records.")
    if scope.parents:
        return _l("A record is there for whoever sees the one it belongs to.")
    if scope.company:
        return _l("Each record belongs to one client of one corporate group.")
    return _l("Each record belongs to one corporate group.")


def _readers(entity: type[Recorded], roles: list[Role], values: Mapping[int, Values]) -> list[dict[str, Any]]:
    """Return the roles that may do anything with the entity's rows: which rows, and what."""
    key = f"right:{entity.__admin__.area}"
    found = [{"label": role_label(r.name), "parts": parts_of(values.get(r.id, {}).get(key)), "role": r} for r in roles]
    return [{**line, "url": url_for("RolesView.show", pk=line["role"].id)} for line in found if line["parts"]]


def _masking(key: str, roles: list[Role], values: Mapping[int, Values]) -> list[str]:
    return [str(role_label(role.name)) for role in roles if key in values.get(role.id, {})]


add_page(OwnPage("dictionary", _l("Data dictionary"), "book", "DictionaryView.index", reads(RoleRight), rank=2))
