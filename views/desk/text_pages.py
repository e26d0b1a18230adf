"""The texts of the client area at the desk: of each portal in every language, with a way back to the shipped words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from backoffice.actors import Action, Actor
from backoffice.errors import Conflict, InvalidRecord, NotFound, Text
from backoffice.operations.overrides import change_text, find_override
from backoffice.records.lookup import get_record
from backoffice.texts import TEXTS, TextKey, text_values
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.text_block import TextBlock
from views.desk.overriding import changed, is_reset, problem_list, refused_entry, sent_version
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, reads, set_place
from views.generated.forms import RecordForm
from views.generated.pages import add_link

#: How addresses call what counts where a portal has no words of its own.
ALL = "all"


class TextsView(BaseView):
    """Texts of portals that an administrator puts in their own words (AC-03, AC-30, TK-18)."""

    route_base = "/texts"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show every text of every portal in every language, and who changed it last."""
        if (refused := refused_entry(TextBlock, Action.read)) is not None:
            return refused
        return render_template("overrides.html", page=_list_page())

    @expose("/<portal>/<name>/<language>", methods=["GET", "POST"])
    def edit(self, portal: str, name: str, language: str) -> Any:
        """Ask for other words, or go back to the shipped ones."""
        if (refused := refused_entry(TextBlock, Action.update)) is not None:
            return refused
        if name not in TEXTS or language not in MailLanguage.__members__:
            raise NotFound
        text = _Words(_portal(portal), TEXTS[name], MailLanguage[language])
        set_place(text.heading, request.path)
        if request.method != "POST":
            return render_template("override.html", page=_form_page(text))
        typed = None if is_reset() else request.form.get("body", "")
        try:
            change_text(
                current_session(), text.key, text.language, text.portal, typed,
                version=sent_version(), actor=current_actor(),
            )  # fmt: skip
            commit()
        except InvalidRecord as error:
            read_again()
            return render_template("override.html", page=_form_page(text, error.problems)), 422
        except Conflict as error:
            read_again()
            return render_template("override.html", page=_form_page(text, {"": str(error)})), 409
        flash(_("“%(name)s” is saved.", name=text.heading), "good")
        return redirect(url_for("TextsView.list"), 303)


@dataclass(frozen=True)
class _Words:
    """One text of a portal, or without one of all that have no words of their own, in a language."""

    portal: Portal | None
    key: TextKey
    language: MailLanguage

    @property
    def heading(self) -> str:
        return f"{_place(self.portal)}: {self.key.label} ({self.language.label})"

    @property
    def url(self) -> str:
        place = self.portal.id if self.portal is not None else ALL
        return url_for("TextsView.edit", portal=place, name=self.key.name, language=self.language.value)

    @property
    def shipped(self) -> str:
        with force_locale(self.language.value):
            return str(self.key.default)

    @property
    def read(self) -> str:
        """What clients read at present; of all portals, those that have no words of their own."""
        with force_locale(self.language.value):
            return text_values(current_session(), self.portal, self.language)[self.key.name]


def _portal(place: str) -> Portal | None:
    """Return the portal of an address.

    :raises NotFound: there is none of this number, or only the whole installation's administrators may change it.
    """
    if place != ALL:
        found: Portal = get_record(current_session(), Portal, place)
        return found
    if not current_actor().may_switch_group:
        raise NotFound
    return None


def _place(portal: Portal | None) -> str:
    return str(portal) if portal is not None else _("All portals")


def _list_page() -> dict[str, Any]:
    session, actor = current_session(), current_actor()
    statement = sa.select(TextBlock).options(selectinload(TextBlock.updated_by))
    rows = {(row.portal_id, row.key, row.language): row for row in session.scalars(statement)}
    portals: list[Portal | None] = [*session.scalars(sa.select(Portal).order_by(Portal.name, Portal.id))]
    if actor.may_switch_group:
        portals.append(None)
    return {
        "title": _("Texts"),
        "text": _("What clients read, in your own words: in each portal and each language."),
        "sections": [
            {
                "title": f"{_place(portal)}: {key.label}",
                "icon": "card-text",
                "text": key.help,
                "rows": [_row(_Words(portal, key, language), rows, actor) for language in MailLanguage],
            }
            for portal in portals
            for key in TEXTS.values()
        ],
    }


def _row(text: _Words, rows: dict[Any, TextBlock], actor: Actor) -> dict[str, Any]:
    portal_id = text.portal.id if text.portal is not None else None
    record = rows.get((portal_id, text.key.name, text.language))
    is_own, value = record is not None and record.body is not None, text.read
    return {
        "label": text.language.label,
        "value": value or "–",
        "lang": text.language.value,
        "is_own": is_own,
        "notes": [_("As for all portals.")] if not is_own and value != text.shipped else [],
        "url": text.url if actor.may(Action.update, TextBlock) else None,
        **changed(record),
    }


def _form_page(text: _Words, problems: dict[str, Text] | None = None) -> dict[str, Any]:
    session = current_session()
    portal_id = text.portal.id if text.portal is not None else None
    place = {"portal_id": portal_id, "key": text.key.name, "language": text.language}
    record = find_override(session, TextBlock, place)
    is_own = record is not None and record.body is not None
    sent = request.form if request.method == "POST" else None
    initial = {"body": text.read}
    form = RecordForm(TextBlock, current_actor(), session, sent=sent, names=("body",), initial=initial)
    form.fields["body"].help, form.fields["body"].lang = text.key.help, text.language.value
    form.refuse(problems or {})
    return {
        "heading": text.heading,
        "fields": list(form.fields.values()),
        "notes": [_("Line breaks are kept; everything is shown as plain text.")],
        "problems": problem_list(problems or {}, list(form.fields)),
        "action": request.script_root + request.path,
        "cancel_url": url_for("TextsView.list"),
        "reset_label": _("Back to the shipped words") if is_own else None,
        **changed(record),
    }


def _texts_link(_record: Portal, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.read, TextBlock):
        return None
    return {"label": _("Texts"), "icon": "card-text", "url": url_for("TextsView.list")}


add_link(Portal, _texts_link)
add_page(OwnPage("texts", _l("Texts"), "card-text", "TextsView.list", reads(TextBlock), rank=7))
