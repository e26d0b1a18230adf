"""Links with which members of staff choose their password: sent by mail, good once, for some hours.

Whatever ends the person's sessions ends them all.
"""

from __future__ import annotations

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock, passwords
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.history import recording
from backoffice.mail.rendering import register_template
from backoffice.operations.links import LinkUsed, NoSuchLink, check_link, find_link, make_link, use_up
from backoffice.operations.staff import check_new_password
from backoffice.outbox import Queued, queue_mail
from backoffice.setting_keys import PASSWORD_LINK_HOURS
from backoffice.settings import setting_value
from models.history_entry import EventName
from models.outbox_mail import MailLanguage, OutboxMail
from models.password_link import PasswordLink
from models.staff import Staff

#: The page that takes a token, counted from the desk's own root.
PATH = "/security/link/"
_SEND, _CHOOSE = "ab_user.send_password_link", "ab_user.choose_password"
EventName.words |= {_SEND: _l("Send a link to choose the password"), _CHOOSE: _l("Choose the password by the link")}


class NotWorkingHere(DomainError):
    template = _l("This user is not active: nobody could sign in with the password.")


class NobodyToWriteTo(DomainError):
    """Said in the outbox: between queueing and sending the person left or has another address."""

    template = _l("The user is gone, inactive or has another address by now.")


def link_hours(session: Session, staff: Staff) -> int:
    """Return for how many hours a link for this person is good."""
    return setting_value(session, PASSWORD_LINK_HOURS, staff.group_id)


def send_password_link(session: Session, staff: Staff, *, language: MailLanguage, actor: Actor) -> Queued:
    """Queue a mail with a link by which the person chooses a password. Records ``ab_user.send_password_link``.

    :raises Forbidden: the actor may not change users, or not this one.
    :raises NotWorkingHere: the user is not active.
    """
    actor.require(Action.update, Staff)
    if not staff.active:
        raise NotWorkingHere
    arguments = {"name": staff.first_name, "username": staff.username, "hours": link_hours(session, staff)}
    staff.updated_at = clock.now()  # so that the history tells of it
    with recording(session, staff, _SEND):
        session.flush()
    return queue_mail(session, "staff_password", arguments, to=staff.email, about=staff, language=language)


def mint_password_link(session: Session, mail: OutboxMail) -> str:
    """Make a token for the person the mail is for and return the path that takes it."""
    staff = session.get(Staff, mail.cause_id)
    if staff is None or not staff.active or staff.email != mail.recipient:
        raise NobodyToWriteTo
    hours = timedelta(hours=int(mail.arguments["hours"]))
    token = make_link(session, PasswordLink, good_for=hours, staff_id=staff.id, session_epoch=staff.session_epoch)
    return PATH + token


def find_by_link(session: Session, token: str) -> Staff:
    """Return whose password a link sets; needs a session in which the product itself acts.

    :raises NoSuchLink: nobody made such a link.
    :raises LinkUsed: it was used, or another password was set since.
    :raises LinkExpired: its hours are over.
    """
    link = find_link(session, PasswordLink, token)
    staff = session.get(Staff, link.staff_id)
    if staff is None:
        raise NoSuchLink
    if link.session_epoch != staff.session_epoch or not staff.active:
        raise LinkUsed
    check_link(link)
    return staff


def choose_password(session: Session, token: str, password: str) -> Staff:
    """Set the password of whoever the link was sent to; their sessions end, and so do all their links.

    Records ``ab_user.choose_password``. Needs a session in which the product itself acts.

    :raises WeakPassword: others would guess it; the link stays good.
    """
    staff = find_by_link(session, token)
    check_new_password(session, staff, password)
    use_up(session, PasswordLink, token)
    staff.password = passwords.hash_password(password)
    staff.must_change_password = False
    with recording(session, staff, _CHOOSE):
        session.flush()
    return staff


register_template(
    "staff_password",
    _l("Link to choose a password"),
    {"name": "Giulia", "username": "giulia.rossi", "hours": 24},
    mint=mint_password_link,
)

__all__ = [
    "choose_password",
    "find_by_link",
    "link_hours",
    "send_password_link",
]
