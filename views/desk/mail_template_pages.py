"""Mail templates at the desk: each kind of mail per language and sender, with a preview before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import selectinload

from backoffice.actors import Action
from backoffice.errors import Conflict, InvalidRecord, NotFound, Text
from backoffice.mail.rendering import TEMPLATES, ShippedTemplate, Wording, render, shipped_wording
from backoffice.operations.overrides import change_mail, clean_mail, find_override
from models.catalogue import fields
from models.mail_template import MailTemplate
from models.outbox_mail import MailLanguage
from models.reading import BadValue
from views.desk.overriding import changed, is_reset, problem_list, refused_entry, sent_version
from views.door import commit, current_actor, current_session, read_again
from views.frame import OwnPage, add_page, reads, set_place
from views.generated.forms import RecordForm


class MailTemplatesView(BaseView):
    """Subjects and texts of mails in an administrator's words (NT-01)."""

    route_base = "/mail-templates"
    default_view = "list"

    @expose("/")
    def list(self) -> Any:
        """Show every kind of mail in every language, and those for single senders."""
        if (refused := refused_entry(MailTemplate, Action.read)) is not None:
            return refused
        return render_template("overrides.html", page=_list_page())

    @expose("/<event>/<language>", methods=["GET", "POST"])
    def edit(self, event: str, language: str) -> Any:
        """Ask for other words; show what becomes of them, save them, or go back to the shipped ones."""
        if (refused := refused_entry(MailTemplate, Action.update)) is not None:
            return refused
        template = TEMPLATES.get(event)
        if template is None or language not in MailLanguage.__members__:
            raise NotFound
        form = _Form(template, MailLanguage[language], _sender())
        set_place(form.heading, request.path)
        if request.method != "POST":
            return render_template("override.html", page=form.page())
        try:
            preview = form.send()
        except InvalidRecord as error:
            read_again()
            return render_template("override.html", page=form.page(error.problems)), 422
        except Conflict as error:
            read_again()
            return render_template("override.html", page=form.page({"": str(error)})), 409
        if preview is not None:
            return render_template("override.html", page=form.page() | {"preview": preview})
        flash(_("“%(name)s” is saved.", name=form.heading), "good")
        return redirect(url_for("MailTemplatesView.list"), 303)


class _Form:
    """The form of one kind of mail in one language, for one sender or for all others."""

    def __init__(self, template: ShippedTemplate, language: MailLanguage, sender: str | None) -> None:
        self.template, self.language, self.sender = template, language, sender
        self.key = {"event": template.name, "language": language, "sender": sender}

    @property
    def heading(self) -> str:
        return _("%(mail)s (%(language)s)", mail=self.template.label, language=self.language.label)

    def send(self) -> dict[str, Any] | None:
        """Do what the pressed button asks for; return what is to be looked at, or None where something was saved."""
        wording = Wording(request.form.get("subject", ""), request.form.get("body", ""))
        if request.form.get("do") == "preview":
            return self._preview(clean_mail(self.template.name, wording))
        sender = self.sender
        if sender is None and request.form.get("sender", "").strip():
            sender = _address(request.form["sender"])
        if is_reset():
            wording = Wording()
        change_mail(
            current_session(),
            self.template.name,
            self.language,
            sender,
            wording,
            version=sent_version() if sender == self.sender else 0,
            actor=current_actor(),
        )
        commit()
        return None

    def _preview(self, wording: Wording) -> dict[str, Any]:
        letter = render(self.template.name, self.language.value, self.template.examples, wording=wording)
        return {"subject": letter.subject, "text": letter.text, "lang": self.language.value}

    def page(self, problems: dict[str, Text] | None = None) -> dict[str, Any]:
        """Return what the page shows: what was typed, else the present words."""
        session = current_session()
        record = find_override(session, MailTemplate, self.key)
        shipped = shipped_wording(self.template.name, self.language.value)
        initial = {name: getattr(record, name, None) or getattr(shipped, name) for name in ("subject", "body")}
        names = ("subject", "body") if self.sender else ("sender", "subject", "body")
        sent = request.form if request.method == "POST" else None
        form = RecordForm(MailTemplate, current_actor(), session, sent=sent, names=names, initial=initial)
        form.fields["body"].rows = 14
        form.fields["subject"].span = form.fields["body"].span = "6"
        form.fields["subject"].help = form.fields["body"].help = None
        form.fields["subject"].lang = form.fields["body"].lang = self.language.value
        for name, field in form.fields.items():
            field.required = name != "sender"
        form.refuse(problems or {})
        is_own = record is not None and (record.subject is not None or record.body is not None)
        return {
            "heading": self.heading,
            "fields": list(form.fields.values()),
            "notes": self._notes(),
            "problems": problem_list(problems or {}, list(form.fields)),
            "action": request.script_root + request.full_path.rstrip("?"),
            "cancel_url": url_for("MailTemplatesView.list"),
            "reset_label": _("Back to the shipped text") if is_own else None,
            "may_preview": True,
            **changed(record),
        }

    def _notes(self) -> list[str]:
        """Return which placeholders there are, and for which sender the text is."""
        found = [
            _("{{ %(name)s }}, for example %(example)s", name=name, example=example)
            for name, example in self.template.examples.items()
        ]
        if self.template.mint is not None:
            found.append(_("{{ link }}, made as the mail is sent; not in the subject"))
        if self.sender:
            found.append(_("Only for mails from %(sender)s", sender=self.sender))
        return found


def _sender() -> str | None:
    """Return the sender that the address of the page names, if any."""
    text = request.args.get("sender", "")
    return _address(text) if text else None


def _address(typed: str) -> str:
    try:
        return str(fields(MailTemplate)["sender"].parse(typed))
    except BadValue as error:
        raise InvalidRecord({"sender": str(error)}) from error


def _list_page() -> dict[str, Any]:
    statement = sa.select(MailTemplate).options(selectinload(MailTemplate.updated_by)).order_by(MailTemplate.sender)
    rows: dict[tuple[str, MailLanguage], list[MailTemplate]] = {}
    for row in current_session().scalars(statement):
        rows.setdefault((row.event, row.language), []).append(row)
    return {
        "title": _("Mail templates"),
        "text": _("What the product writes by mail, in your words: per event, language and, where you like, sender."),
        "sections": [
            {
                "title": template.label,
                "icon": "envelope-paper",
                "rows": _rows(template, rows),
            }
            for template in TEMPLATES.values()
        ],
    }


def _rows(
    template: ShippedTemplate, found: Mapping[tuple[str, MailLanguage], list[MailTemplate]]
) -> list[dict[str, Any]]:
    """Return per language the text for every sender, and then those for single ones."""
    rows = []
    for language in MailLanguage:
        by_sender = {row.sender: row for row in found.get((template.name, language), ())}
        senders = (None, *filter(None, by_sender))
        rows += [_row(template, language, sender, by_sender.get(sender)) for sender in senders]
    return rows


def _row(
    template: ShippedTemplate, language: MailLanguage, sender: str | None, record: MailTemplate | None
) -> dict[str, Any]:
    may_change = current_actor().may(Action.update, MailTemplate)
    is_own = record is not None and (record.subject is not None or record.body is not None)
    subject = record.subject if record is not None else None
    return {
        "label": f"{language.label}, {sender}" if sender else language.label,
        "value": subject or shipped_wording(template.name, language.value).subject,
        "lang": language.value,
        "is_own": is_own,
        "notes": [],
        "url": url_for("MailTemplatesView.edit", event=template.name, language=language.value, sender=sender)
        if may_change
        else None,
        **changed(record),
    }


add_page(
    OwnPage(
        "mail-templates", _l("Mail templates"), "envelope-paper", "MailTemplatesView.list", reads(MailTemplate), rank=6
    )
)
