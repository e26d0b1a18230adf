"""What forms for a new password share: the rules as sentences, and the password typed twice."""

from __future__ import annotations

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from backoffice.errors import DomainError
from backoffice.setting_keys import PASSWORD_LENGTH
from backoffice.settings import setting_value
from views.door import reading_as_system


class NotTypedTwice(DomainError):
    template = _l("The two are not the same.")


def password_rules() -> list[str]:
    """Return what makes a good password, in sentences."""
    # In a session apart: the request's own may be about to wait for an attempt to be counted.
    with reading_as_system() as records:
        least = setting_value(records, PASSWORD_LENGTH)
    return [
        _("At least %(limit)s characters: a few unrelated words are easy to remember.", limit=least),
        _("Not just a name, a month, a team or “qwerty”: those are guessed first."),
    ]


def typed_twice() -> str:
    """Return the new password of the sent form; raise ``NotTypedTwice`` where the two fields differ."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        raise NotTypedTwice(field="again")
    return new
