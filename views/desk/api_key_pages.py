"""One's own keys of the API: made here, shown once, revoked at any time (issue 6)."""

from __future__ import annotations

from typing import Any

from flask import render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import no_cache
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Action, Actor
from backoffice.errors import Forbidden, InvalidRecord
from backoffice.operations.api_keys import make_key, own_keys
from backoffice.records.show import cell
from backoffice.setting_keys import API_KEY_DAYS, API_REQUESTS
from backoffice.settings import setting_value
from models.api_key import ApiKey
from models.catalogue import fields
from views import addresses
from views.door import commit, current_actor, current_session, read_again
from views.generated.guarding import require_same_group
from views.interrupted import sign_in_first

#: What the form proposes, where the settings allow so many.
_DAYS = 90


class ApiKeysView(BaseView):
    """The keys of whoever is signed in."""

    route_base = "/security/api-keys"
    default_view = "own"

    @expose("/", methods=["GET", "POST"])
    @no_cache
    def own(self) -> Any:
        """Show the keys and the form for another one; once it is made, the key itself, this once."""
        if not current_user.is_authenticated:
            return sign_in_first()
        actor = current_actor()
        if not actor.may(Action.create, ApiKey):
            raise Forbidden
        require_same_group()
        if request.method != "POST":
            return render_template("api_keys.html", page=_page(actor))
        name, days = request.form.get("name", ""), request.form.get("days", "")
        try:
            key, token = make_key(current_session(), name, days, actor=actor)
            commit()
        except InvalidRecord as error:
            read_again()
            problems = {field: str(text) for field, text in error.problems.items()}
            return render_template("api_keys.html", page=_page(actor, name, days, problems)), error.status
        return render_template("api_keys.html", page={**_page(actor), "made": {"name": key.name, "token": token}})


def _page(
    actor: Actor, name: str = "", days: str | None = None, problems: dict[str, str] | None = None
) -> dict[str, Any]:
    session, known = current_session(), fields(ApiKey)
    most = setting_value(session, API_KEY_DAYS, actor.group_id)
    return {
        "title": _("My API keys"),
        "owned": [
            {
                "name": key.name,
                "url": addresses.record_url(key),
                "revoke_url": addresses.action_url(key, "do", verb="revoke"),
                **{part: cell(key, known[part], actor) for part in ("begins", "expires_on", "used_at")},
            }
            for key in own_keys(session, actor)
        ],
        "name": name,
        "days": str(min(_DAYS, most)) if days is None else days,
        "most": most,
        "requests": setting_value(session, API_REQUESTS, actor.group_id),
        "problems": problems or {},
        "api_url": f"{request.host_url.rstrip('/')}{request.script_root}/api/v1/",
        "description_url": url_for("SwaggerView.show", version="v1"),
        "made": None,
    }


__all__ = ["ApiKeysView"]
