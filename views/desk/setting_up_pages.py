"""The walk through the first setting up: what to do in which order, left and taken up again at any time."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Actor
from backoffice.errors import DomainError, Forbidden
from backoffice.operations.demonstration import ask_to_remove_demonstration, may_remove_demonstration
from backoffice.operations.setting_up import STEPS, done_steps, finish_step, may_set_up, reopen_step, send_test_mail
from backoffice.outbox import has_demonstration
from backoffice.records.lookup import get_record
from models.company import Company
from models.corporate_group import CorporateGroup
from models.group_company import GroupCompany
from models.outbox_mail import OutboxMail
from models.portal import Portal
from models.staff import Staff
from views import addresses
from views.desk.password_links import told
from views.door import commit, current_actor, current_session
from views.interrupted import sign_in_first


class SettingUpView(BaseView):
    """Six steps from an empty installation to the first import."""

    route_base = "/start"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    def index(self) -> Any:
        """Show the steps; write down that one is done, or is not."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        if not may_set_up(actor):
            raise Forbidden
        if request.method == "POST":
            return self._take(actor)
        return render_template("setting_up.html", page=_page(actor))

    @expose("/demonstration", methods=["GET", "POST"])
    def demonstration(self) -> Any:
        """Say what removing the demonstration data means; have it done beside the page."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        if not may_remove_demonstration(actor):
            raise Forbidden
        if request.method != "POST":
            return render_template("confirm.html", page=_removal())
        ask_to_remove_demonstration(current_session(), language=str(get_locale() or "it"), actor=actor)
        commit()
        flash(_("The demonstration data are being removed: here you see how it goes."), "good")
        return redirect(url_for("JobsView.list"), 303)

    def _take(self, actor: Actor) -> Any:
        session, name = current_session(), request.form.get("step", "")
        try:
            if "test" in request.form:
                staff = get_record(session, Staff, actor.staff_id or 0)
                flash(*told(send_test_mail(session, staff, actor=actor)))
            elif "reopen" in request.form:
                reopen_step(session, name, actor=actor)
            else:
                finish_step(session, name, actor=actor)
            commit()
        except Forbidden:
            raise
        except DomainError as error:
            flash(str(error), "bad")
        return redirect(url_for(f"{self.endpoint}.index"), 303)


def _page(actor: Actor) -> dict[str, Any]:
    done = done_steps(current_session(), actor)
    steps = [{"name": name, "done": name in done, **_STEPS[name]()} for name in STEPS]
    following = next((step["name"] for step in steps if not step["done"]), "")
    return {
        "steps": [step | {"open": step["name"] == following} for step in steps],
        "done": len(done),
        "all": len(STEPS),
        "home_url": url_for("Home.index"),
        "action": request.script_root + request.path,
    }


def _group() -> dict[str, Any]:
    return {
        "title": _("Your group and its companies"),
        "text": _("Give the corporate group and its companies the names under which they appear in mails and papers."),
        "links": [_list(CorporateGroup), _list(GroupCompany)],
    }


def _portal() -> dict[str, Any]:
    return {
        "title": _("The client area"),
        "text": _(
            "Name, host names, sender of the mails, legal footer, data controller, services shown: what clients see "
            "before they sign in. Then put conditions and privacy notice in force."
        ),
        "links": [_list(Portal), {"label": _("Texts of the product"), "url": url_for("TextsView.list")}],
    }


def _mail() -> dict[str, Any]:
    return {
        "title": _("Mail"),
        "text": _(
            "The mail server stands in the settings of the machine (BACKOFFICE_MAIL_…). Send yourself a test: it "
            "should be there within a minute. What holds a mail back, the outbox says."
        ),
        "links": [{"label": _("Outbox"), "url": addresses.list_url(OutboxMail)}],
        "test": True,
    }


def _people() -> dict[str, Any]:
    return {
        "title": _("People and roles"),
        "text": _(
            "Enter your colleagues with their roles and send each a link to choose a password. What each role may do "
            "can be changed; a second factor can be required."
        ),
        "links": [
            _list(Staff),
            {"label": _("Roles and rights"), "url": url_for("RolesView.list")},
            {"label": _("Settings"), "url": url_for("SettingsView.list")},
        ],
    }


def _demonstration() -> dict[str, Any]:
    text, links = _("There is no demonstration data here."), []
    is_left = has_demonstration(current_session())
    if is_left:
        text = _(
            "The invented records are for trying things out, and as long as they are here no mail leaves. When you "
            "have seen enough, remove them: nothing else goes."
        )
        if may_remove_demonstration(current_actor()):
            url = url_for(f"{SettingUpView.__name__}.demonstration")
            links = [{"label": _("Remove the demonstration data"), "url": url}]
    return {"title": _("Demonstration data"), "text": text, "links": links, "settled": not is_left}


def _removal() -> dict[str, Any]:
    """Return the question before the demonstration data go."""
    return {
        "heading": _("Remove the demonstration data"),
        "text": _(
            "All invented companies, contacts, contracts, tickets and users are deleted, in every corporate group; "
            "what you have entered yourself stays. Where a record of yours refers to an invented one, nothing is "
            "deleted and the page of the work in the background says which. Mail leaves from then on."
        ),
        "action": request.script_root + request.path,
        "submit_label": _("Remove the demonstration data"),
        "tone": "danger",
        "cancel_url": url_for(f"{SettingUpView.__name__}.index"),
    }


def _import() -> dict[str, Any]:
    url = addresses.list_url(Company)
    return {
        "title": _("The first import"),
        "text": _(
            "Bring your companies in from the spreadsheet you have: every refused row is explained, and an import can "
            "be undone whole."
        ),
        "links": [{"label": _("Import companies"), "url": f"{url}import/"}],
    }


def _list(entity: Any) -> dict[str, Any]:
    return {"label": entity.__admin__.plural, "url": addresses.list_url(entity)}


#: What each step is called, why it is there, and where it is done.
_STEPS = {
    "group": _group,
    "portal": _portal,
    "mail": _mail,
    "people": _people,
    "demonstration": _demonstration,
    "import": _import,
}
