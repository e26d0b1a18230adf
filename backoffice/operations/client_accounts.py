"""What people change of their own account in the client area (AC-39, AC-40)."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import passwords
from backoffice.errors import InvalidRecord, Text
from backoffice.history import recording
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.client_links import check_account_password, set_account_password
from backoffice.operations.client_sessions import end_sessions
from backoffice.operations.staff import WrongOldPassword
from models.account import Account
from models.catalogue import fields
from models.contact import Contact
from models.history_entry import EventName
from models.reading import BadValue, clean_text

#: What a person says of how to reach them, beside the address: it is kept with the contact.
NUMBERS = ("phone", "mobile")
_PROFILE = "account.change_profile"
EventName.words[_PROFILE] = _l("Change the profile")


def change_profile(session: Session, account: Account, typed: Mapping[str, str]) -> None:
    """Change the name of an account's person, and the numbers of its contact; the user name never changes.

    Records ``account.change_profile``. Needs a session in which the system acts, on behalf of that person.

    :raises InvalidRecord: there is no name, or a value cannot be stored.
    """
    contact = contact_of(account)
    values: list[tuple[Account | Contact, str]] = [(account, "full_name")]
    values += [(contact, name) for name in NUMBERS] if contact is not None else []
    problems: dict[str, Text] = {}
    for record, name in values:
        if name in NUMBERS and name not in typed:
            continue
        text = clean_text(typed.get(name, ""))
        if not text and name == "full_name":
            problems[name] = REQUIRED
            continue
        try:
            setattr(record, name, fields(type(record))[name].parse(text) if text else None)
        except BadValue as error:
            problems[name] = str(error)
    if problems:
        raise InvalidRecord(problems)
    for record in dict.fromkeys(record for record, _name in values):
        with recording(session, record, _PROFILE):
            session.flush()


def contact_of(account: Account) -> Contact | None:
    """Return the contact that an account is of, unless it was deleted."""
    return account.contact if account.contact is not None and account.contact.deleted_at is None else None


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


__all__ = ["NUMBERS", "change_own_account_password", "change_profile", "contact_of"]
