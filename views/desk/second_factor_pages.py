"""The desk's page about one's second factor, and the taking away of somebody else's."""

from __future__ import annotations

import io
from typing import Any

import segno
from flask import flash, redirect, render_template, request, session, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from backoffice.actors import SYSTEM, Action, Actor, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.errors import DomainError
from backoffice.operations.second_factors import (
    address_for_apps,
    codes_left,
    confirm_factor,
    has_factor,
    is_required,
    propose_factor,
    proposed_secret,
    remove_factor,
)
from backoffice.records.lookup import get_record
from models.staff import Staff
from views import addresses
from views.desk.security_pages import check_present_password
from views.door import current_actor, current_session, engine, fresh_session
from views.generated.guarding import require_same_group
from views.generated.pages import add_link
from views.interrupted import sign_in_first
from views.sign_in import FACTOR_DUE, count_code, forget_codes

#: What apps call the desk.
_ISSUER = "Backoffice"


class SecondFactorView(BaseView):
    """Setting up one's second factor, and removing it."""

    route_base = "/security/second-factor"
    default_view = "own"

    @expose("/", methods=["GET", "POST"])
    def own(self) -> Any:
        """Show how the second factor stands; set it up with a code of the app, or remove it with the password."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        if request.method != "POST":
            return _page(actor)
        try:
            if "remove" in request.form:
                return _remove(actor)
            return _begin(actor) if "begin" in request.form else _confirm(actor)
        except DomainError as error:
            return _page(actor, error), error.status

    @expose("/<pk>/remove", methods=["GET", "POST"])
    def remove(self, pk: str) -> Any:
        """Take away the second factor of a user who has lost it."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        actor.require(Action.update, Staff)
        require_same_group()
        staff = get_record(current_session(), Staff, pk)
        if request.method != "POST":
            return render_template("confirm.html", page=_question(staff))
        key, name, url = staff.id, str(staff), addresses.record_url(staff)
        fresh_session()  # one writes at a time on SQLite, and the product has to
        with begin_writing(), open_session(engine(), Context(SYSTEM, Door.desk, on_behalf_of=actor.name)) as records:
            remove_factor(records, records.get_one(Staff, key), actor=actor)
            records.commit()
        flash(_("%(name)s signs in with the password alone, until they set up a new one.", name=name), "good")
        return redirect(url, 303)


def _begin(actor: Actor) -> Any:
    """Make a secret to try; showing the page again shows the same one."""
    with begin_writing(), open_session(engine(), Context(SYSTEM, Door.desk)) as records:
        propose_factor(records, records.get_one(Staff, actor.staff_id))
        records.commit()
    return redirect(url_for(f"{SecondFactorView.__name__}.own"), 303)


def _confirm(actor: Actor) -> Any:
    code = request.form.get("code", "")
    count_code(current_user.username)
    with begin_writing(), open_session(engine(), Context(SYSTEM, Door.desk)) as records:
        codes = confirm_factor(records, records.get_one(Staff, actor.staff_id), code)
        forget_codes(records, current_user.username)
        records.commit()
    session.pop(FACTOR_DUE, None)
    return render_template("second_factor.html", page={"codes": codes, "home_url": url_for("Home.index")})


def _remove(actor: Actor) -> Any:
    check_present_password()
    with begin_writing(), open_session(engine(), Context(SYSTEM, Door.desk)) as records:
        remove_factor(records, records.get_one(Staff, actor.staff_id), actor=actor)
        if is_required(records, actor.group_id):
            session[FACTOR_DUE] = True
        records.commit()
    flash(_("The second factor is removed."), "good")
    return redirect(url_for(f"{SecondFactorView.__name__}.own"), 303)


def _page(actor: Actor, error: DomainError | None = None) -> str:
    staff_id = actor.staff_id or 0
    with begin_writing(False), open_session(engine(), Context(SYSTEM, Door.desk)) as records:
        page: dict[str, Any] = {
            "problem": str(error) if error else "",
            "has_one": has_factor(records, staff_id),
            "left": codes_left(records, staff_id),
            "required": is_required(records, actor.group_id),
            "due": FACTOR_DUE in session,
            "username": current_user.username,
        }
        if (secret := proposed_secret(records, staff_id)) is not None:
            page["picture"] = _picture(address_for_apps(secret, current_user.username, _ISSUER))
            page["secret"] = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return render_template("second_factor.html", page=page)


def _picture(address: str) -> Markup:
    """Return the address as a picture that phones read: shapes alone, so that no policy of ours needs an exception."""
    buffer = io.BytesIO()
    segno.make(address, error="m").save(
        buffer, kind="svg", xmldecl=False, svgns=True, scale=5, border=3, light="#fff", dark="#000", omitsize=False
    )
    return Markup(buffer.getvalue().decode())  # noqa: S704 - made of shapes by the library, not of what people wrote


def _question(staff: Staff) -> dict[str, Any]:
    return {
        "heading": _("Remove the second factor of %(name)s", name=staff),
        "text": _(
            "Do this for somebody who has lost phone and recovery codes, once you are sure that it is they who ask."
        ),
        "action": request.script_root + request.path,
        "submit_label": _("Remove the second factor"),
        "tone": "danger",
        "cancel_url": addresses.record_url(staff),
    }


def _remove_link(staff: Staff, actor: Actor) -> dict[str, Any] | None:
    if not actor.may(Action.update, Staff) or staff.id == actor.staff_id:
        return None
    url = url_for(f"{SecondFactorView.__name__}.remove", pk=staff.id)
    return {"label": _("Remove the second factor"), "icon": "phone", "url": url}


add_link(Staff, _remove_link)
