"""Settings at the desk: all of them on one page by subject, and a form for each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from backoffice.actors import Action
from backoffice.errors import Conflict, InvalidRecord, NotFound, Text
from backoffice.operations.overrides import change_setting, find_override
from backoffice.settings import SETTINGS, SettingKey, Subject, setting_value
from models.catalogue import Kind
from models.setting import Setting
from views.desk.overriding import changed, is_reset, problem_list, refused_entry, sent_version
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, reads, set_place
from views.generated.forms import RecordForm

Key = SettingKey[Any]


class SettingsView(BaseView):
    """Figures that an administrator changes in the product (BO-08)."""

    route_base = "/settings"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show every setting with its value, default and bounds, and who changed it last."""
        if (refused := refused_entry(Setting, Action.read)) is not None:
            return refused
        return render_template("overrides.html", page=_list_page())

    @expose("/<name>", methods=["GET", "POST"])
    def edit(self, name: str) -> Any:
        """Ask for a new value, or go back to the default."""
        if (refused := refused_entry(Setting, Action.update)) is not None:
            return refused
        key = SETTINGS.get(name)
        if key is None or not _may_change(key):
            raise NotFound
        set_place(str(key.label), request.path)
        if request.method != "POST":
            return render_template("override.html", page=_form_page(key))
        typed = None if is_reset() else _form(key).values()["value"]
        try:
            change_setting(current_session(), key, _text(typed), version=sent_version(), actor=current_actor())
            commit()
        except InvalidRecord as error:
            read_again()
            return render_template("override.html", page=_form_page(key, error.problems)), 422
        except Conflict as error:
            read_again()
            return render_template("override.html", page=_form_page(key, {"": str(error)})), 409
        flash(_("“%(name)s” is saved.", name=key.label), "good")
        return redirect(url_for("SettingsView.list"), 303)


def _text(typed: Any) -> str | None:
    return typed if typed is None or isinstance(typed, str) else ("1" if typed else "0")


def _may_change(key: Key) -> bool:
    actor = current_actor()
    return actor.may(Action.update, Setting) and (key.per_group or actor.may_switch_group)


def _value(key: Key) -> Any:
    return setting_value(current_session(), key, current_actor().group_id)


def _list_page() -> dict[str, Any]:
    statement = sa.select(Setting).options(selectinload(Setting.updated_by))
    rows = {(row.group_id, row.key): row for row in current_session().scalars(statement)}
    places = list(Subject)
    keys = sorted(SETTINGS.values(), key=lambda key: places.index(key.subject))
    return {
        "title": _("Settings"),
        "text": _("Figures in which organisations differ. A change counts from the next time the figure is needed."),
        "sections": [
            {
                "title": subject.label,
                "icon": subject.icon,
                "rows": [_row(key, rows.get((_group_of(key), key.name))) for key in of_subject],
            }
            for subject, of_subject in groupby(keys, key=lambda key: key.subject)
        ],
    }


def _group_of(key: Key) -> int | None:
    return current_actor().group_id if key.per_group else None


def _row(key: Key, record: Setting | None) -> dict[str, Any]:
    value = _value(key)
    return {
        "label": key.label,
        "text": key.help,
        "value": key.show(value) or "–",
        "is_own": record is not None and record.value is not None,
        "notes": [*_facts(key)],
        "url": url_for("SettingsView.edit", name=key.name) if _may_change(key) else None,
        **changed(record),
    }


def _facts(key: Key) -> Iterator[Text]:
    """Yield what the page says of a setting beside its value."""
    yield _("Default: %(value)s", value=key.show(key.default) or "–")
    if key.kind not in (Kind.text, Kind.long_text):
        if key.least is not None and key.most is not None:
            yield _("From %(least)s to %(most)s", least=key.field.show(key.least), most=key.show(key.most))
        elif key.least is not None:
            yield _("At least %(limit)s", limit=key.show(key.least))
        elif key.most is not None:
            yield _("At most %(limit)s", limit=key.show(key.most))
    yield _("For this corporate group") if key.per_group else _("For the whole installation")


def _form(key: Key) -> RecordForm:
    sent = request.form if request.method == "POST" else None
    known, initial = {"value": key.field}, {"value": _value(key)}
    return RecordForm(
        Setting, current_actor(), current_session(), sent=sent, names=("value",), initial=initial, known=known
    )


def _form_page(key: Key, problems: dict[str, Text] | None = None) -> dict[str, Any]:
    record = find_override(current_session(), Setting, {"key": key.name, "group_id": _group_of(key)})
    form = _form(key)
    form.refuse(problems or {})
    return {
        "heading": key.label,
        "fields": list(form.fields.values()),
        "notes": [*_facts(key)],
        "problems": problem_list(problems or {}, list(form.fields)),
        "action": request.script_root + request.path,
        "cancel_url": url_for("SettingsView.list"),
        "reset_label": _("Back to the default") if record is not None and record.value is not None else None,
        **changed(record),
    }


add_page(OwnPage("settings", _l("Settings"), "sliders", "SettingsView.list", reads(Setting), rank=6))
