"""The product's texts at the desk: each in every language, with a form and a way back to the shipped words."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from backoffice.actors import Action
from backoffice.errors import Conflict, InvalidRecord, NotFound, Text
from backoffice.operations.overrides import change_text, find_override
from backoffice.texts import TEXTS, TextKey
from models.outbox_mail import MailLanguage
from models.text_block import TextBlock
from views.desk.overriding import changed, is_reset, problem_list, refused_entry, sent_version
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, reads, set_place
from views.generated.forms import RecordForm


class TextsView(BaseView):
    """Texts that an administrator puts in their own words (AC-30, TK-18)."""

    route_base = "/texts"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show every text in every language, and who changed it last."""
        if (refused := refused_entry(TextBlock, Action.read)) is not None:
            return refused
        return render_template("overrides.html", page=_list_page())

    @expose("/<name>/<language>", methods=["GET", "POST"])
    def edit(self, name: str, language: str) -> Any:
        """Ask for other words, or go back to the shipped ones."""
        if (refused := refused_entry(TextBlock, Action.update)) is not None:
            return refused
        key = TEXTS.get(name)
        if key is None or language not in MailLanguage.__members__:
            raise NotFound
        tongue = MailLanguage[language]
        set_place(_heading(key, tongue), request.path)
        if request.method != "POST":
            return render_template("override.html", page=_form_page(key, tongue))
        typed = None if is_reset() else request.form.get("body", "")
        try:
            change_text(current_session(), key, tongue, typed, version=sent_version(), actor=current_actor())
            commit()
        except InvalidRecord as error:
            read_again()
            return render_template("override.html", page=_form_page(key, tongue, error.problems)), 422
        except Conflict as error:
            read_again()
            return render_template("override.html", page=_form_page(key, tongue, {"": str(error)})), 409
        flash(_("“%(name)s” is saved.", name=_heading(key, tongue)), "good")
        return redirect(url_for("TextsView.list"), 303)


def _heading(key: TextKey, language: MailLanguage) -> str:
    return f"{key.label} ({language.label})"


def _shipped(key: TextKey, language: MailLanguage) -> str:
    with force_locale(language.value):
        return str(key.default)


def _list_page() -> dict[str, Any]:
    statement = sa.select(TextBlock).options(selectinload(TextBlock.updated_by))
    rows = {(row.key, row.language): row for row in current_session().scalars(statement)}
    return {
        "title": _("Texts"),
        "text": _("Words of the product that you may put differently, in each language."),
        "sections": [
            {
                "title": key.label,
                "icon": "card-text",
                "text": key.help,
                "rows": [_row(key, language, rows.get((key.name, language))) for language in MailLanguage],
            }
            for key in TEXTS.values()
        ],
    }


def _row(key: TextKey, language: MailLanguage, record: TextBlock | None) -> dict[str, Any]:
    may_change = current_actor().may(Action.update, TextBlock)
    is_own = record is not None and record.body is not None
    return {
        "label": language.label,
        "value": (record.body if record is not None and is_own else _shipped(key, language)) or "–",
        "lang": language.value,
        "is_own": is_own,
        "notes": [],
        "url": url_for("TextsView.edit", name=key.name, language=language.value) if may_change else None,
        **changed(record),
    }


def _form_page(key: TextKey, language: MailLanguage, problems: dict[str, Text] | None = None) -> dict[str, Any]:
    session = current_session()
    record = find_override(session, TextBlock, {"key": key.name, "language": language})
    is_own = record is not None and record.body is not None
    sent = request.form if request.method == "POST" else None
    initial = {"body": record.body if is_own else _shipped(key, language)}
    form = RecordForm(TextBlock, current_actor(), session, sent=sent, names=("body",), initial=initial)
    form.fields["body"].help, form.fields["body"].lang = key.help, language.value
    form.refuse(problems or {})
    return {
        "heading": _heading(key, language),
        "fields": list(form.fields.values()),
        "notes": [_("Line breaks are kept; everything is shown as plain text.")],
        "problems": problem_list(problems or {}, list(form.fields)),
        "action": request.script_root + request.path,
        "cancel_url": url_for("TextsView.list"),
        "reset_label": _("Back to the shipped words") if is_own else None,
        **changed(record),
    }


add_page(OwnPage("texts", _l("Texts"), "card-text", "TextsView.list", reads(TextBlock), rank=7))
