"""The outbox at the desk: what the generator cannot guess of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app, render_template, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import NotFound
from backoffice.mail.rendering import LINK, TEMPLATES, TemplateError
from backoffice.outbox import has_demonstration, letter_of
from backoffice.records import show
from backoffice.records.lookup import get_record
from models.base import ENTITIES
from models.outbox_mail import OutboxMail
from models.work_task import WorkTask
from views import addresses
from views.door import current_actor, current_session, reading_as_system
from views.generated.pages import add_link, set_notice
from views.interrupted import sign_in_first

#: A sender that runs shows itself every minute.
_SILENT_AFTER = timedelta(minutes=30)


class MailTextView(BaseView):
    """The text of a mail in the outbox."""

    route_base = "/outbox_mail"
    default_view = "text"

    @expose("/<pk>/text")
    def text(self, pk: str) -> Any:
        """Show the text as it is or will be sent, links with a token left out."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        actor.require(Action.read, OutboxMail)
        mail = get_record(current_session(), OutboxMail, pk)
        if "subject" in actor.masked(OutboxMail) or mail.template not in TEMPLATES:
            raise NotFound
        try:
            text = mail.sent_text or letter_of(current_session(), mail).text
        except TemplateError as error:
            raise NotFound from error
        note = _("In place of %(mark)s the recipient finds a link, made as the mail is sent.", mark=LINK)
        page = {
            "title": show.label(mail, actor),
            "subject": mail.subject,
            "text": text,
            "note": note if LINK in text else None,
            "back_url": addresses.record_url(mail),
        }
        return render_template("mail.html", page=page)


def _text_link(mail: OutboxMail, actor: Actor) -> dict[str, Any] | None:
    if mail.template not in TEMPLATES or "subject" in actor.masked(OutboxMail):
        return None
    return {"label": _("Read the text"), "icon": "envelope-open", "url": url_for("MailTextView.text", pk=mail.id)}


def _cause_link(mail: OutboxMail, actor: Actor) -> dict[str, Any] | None:
    entity = ENTITIES.get(mail.cause_entity)
    if entity is None or not actor.may(Action.read, entity):
        return None
    url = url_for(addresses.endpoint(entity, "show"), pk=mail.cause_id)
    return {"label": _("Open what caused it"), "icon": entity.__admin__.icon, "url": url}


def _notice() -> str | None:
    """Say why nothing leaves at present, if so."""
    with reading_as_system() as records:
        if has_demonstration(records):
            return _("While demonstration data is loaded every mail is held back.")
        if not current_app.config["HAS_MAIL_SERVER"]:
            return _("No mail server is set, so mails wait here: see BACKOFFICE_MAIL_SERVER in the settings.")
        task = WorkTask.__table__
        last_seen = sa.select(task.c.last_run_at).where(task.c.name == "send_mail")
        seen = records.scalar(last_seen, execution_options=INTERNAL)
    if seen is None or seen < clock.now() - _SILENT_AFTER:
        return _("Nobody is sending: start run.py serve or run.py work.")
    return None


add_link(OutboxMail, _text_link)
add_link(OutboxMail, _cause_link)
set_notice(OutboxMail, _notice)
