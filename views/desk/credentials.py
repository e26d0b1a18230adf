"""Sending a client the credentials of an account (AC-06)."""

from __future__ import annotations

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.operations.client_links import may_get_credentials, send_credentials
from backoffice.records.lookup import get_record
from models.account import Account
from models.outbox_mail import MailLanguage
from views import addresses
from views.desk.password_links import told
from views.door import commit, current_actor, current_session
from views.generated.guarding import require_same_group
from views.generated.pages import add_link
from views.interrupted import sign_in_first


class CredentialsView(BaseView):
    """Sending the person behind an account the link with which they set their first password."""

    route_base = "/credentials"
    default_view = "send"

    @expose("/<pk>", methods=["GET", "POST"])
    def send(self, pk: str) -> Any:
        """Ask, and queue the mail."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        actor.require(Action.update, Account)
        require_same_group()
        account = get_record(current_session(), Account, pk)
        if request.method != "POST":
            return render_template("confirm.html", page=_question(account))
        language = MailLanguage[current_app.config["BABEL_DEFAULT_LOCALE"]]
        try:
            queued = send_credentials(current_session(), account, language=language, actor=actor)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            return render_template("confirm.html", page=_question(account, error)), error.status
        flash(*told(queued))
        return redirect(addresses.record_url(account), 303)


def _question(account: Account, problem: DomainError | None = None) -> dict[str, Any]:
    return {
        "heading": _("Send %(name)s the credentials", name=account.full_name),
        "text": _(
            "A mail to %(address)s names the user name and brings a link to set the password, which is good once.",
            address=account.email,
        ),
        "problem": str(problem) if problem else None,
        "blocked": problem is not None,
        "action": request.script_root + request.path,
        "submit_label": _("Send the credentials"),
        "cancel_url": addresses.record_url(account),
    }


def _link(account: Account, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.update, Account) or not may_get_credentials(account):
        return None
    url = url_for(f"{CredentialsView.__name__}.send", pk=account.id)
    return {"label": _("Send the credentials"), "icon": "envelope", "url": url}


add_link(Account, _link)
