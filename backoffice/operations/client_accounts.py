"""What people change of their own account in the client area (AC-39, AC-40)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import passwords
from backoffice.errors import InvalidRecord
from backoffice.history import recording
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.client_links import check_account_password, set_account_password
from backoffice.operations.client_sessions import end_sessions
from backoffice.operations.staff import WrongOldPassword
from models.account import Account
from models.catalogue import fields
from models.history_entry import EventName
from models.reading import BadValue, clean_text

_PROFILE = "account.change_profile"
EventName.words[_PROFILE] = _l("Change the profile")


def change_profile(session: Session, account: Account, full_name: str) -> None:
    """Change the name of an account's person; the user name never changes. Records ``account.change_profile``.

    Needs a session in which the system acts, on behalf of that person.

    :raises InvalidRecord: there is no name, or it cannot be stored.
    """
    name = clean_text(full_name)
    if not name:
        raise InvalidRecord({"full_name": REQUIRED})
    try:
        account.full_name = fields(Account)["full_name"].parse(name)
    except BadValue as error:
        raise InvalidRecord({"full_name": str(error)}) from error
    with recording(session, account, _PROFILE):
        session.flush()


def change_own_account_password(session: Session, account: Account, old: str, new: str, *, session_id: int) -> None:
    """Change one's own password; one's sessions in other browsers end (AC-09).

    :raises WrongOldPassword: the present one was not given.
    :raises WeakPassword: others would guess the new one, or it is the present one.
    """
    if not passwords.is_right(account.password_hash, old):
        raise WrongOldPassword
    if old == new:
        raise passwords.WeakPassword(_l("This is the present password: choose a new one."))
    check_account_password(session, account, new)
    set_account_password(session, account, new)
    end_sessions(session, account, but=session_id)


__all__ = ["change_own_account_password", "change_profile"]
