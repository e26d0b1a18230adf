"""What the pages of settings, texts and mail templates have in common: a list, and a form with a way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_login import current_user

from backoffice.actors import Action
from backoffice.errors import BadRequest, Text
from backoffice.records import show
from models.base import Recorded
from views import addresses, interrupted
from views.door import current_actor
from views.generated.guarding import require_same_group


def refused_entry(entity: type[Recorded], action: Action) -> Any:
    """Return the way to the sign-in page where nobody is signed in; raise ``Forbidden`` without the right."""
    if not current_user.is_authenticated:
        return interrupted.sign_in_first()
    current_actor().require(action, entity)
    require_same_group()
    return None


def changed(record: Any) -> dict[str, Any]:
    """Return who changed a row last, when, and where its history stands; empty where nobody ever did."""
    if record is None:
        return {"who": "", "when": "", "when_iso": "", "history_url": None, "version": 0}
    who = show.label(record.updated_by, current_actor()) if record.updated_by is not None else ""
    when = record.updated_at
    history = addresses.record_url(record, tab="history")
    return {
        "who": who,
        "when": show.when(when),
        "when_iso": when.isoformat(),
        "history_url": history,
        "version": record.version,
    }


def sent_version() -> int:
    """Return the version of the row that the sent form was made from; 0 where there was none."""
    text = request.form.get("version", "")
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BadRequest(reason=_("the form does not say which version of the record it was made from."))
    return int(text)


def is_reset() -> bool:
    """Say whether the sent form asks for what is shipped."""
    return request.form.get("do") == "reset"


def problem_list(problems: Mapping[str, Text], anchors: Sequence[str]) -> list[dict[str, Any]]:
    """Return the sentences as the summary of a form shows them, each leading to its field."""
    return [{"text": str(text), "anchor": name if name in anchors else None} for name, text in problems.items()]
