"""Links by which clients choose the password of their account, asked for here or sent with their credentials."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock, passwords
from backoffice.access import INTERNAL
from backoffice.errors import DomainError
from backoffice.history import recording
from backoffice.mail.rendering import register_template
from backoffice.operations.client_sessions import end_sessions, find_account
from backoffice.operations.links import LinkUsed, NoSuchLink, check_link, find_link, make_link, use_up
from backoffice.outbox import portal_of, queue_mail
from backoffice.setting_keys import CLIENT_LINK_MINUTES, PASSWORD_LENGTH
from backoffice.settings import setting_value
from models.account import Account, AccountState
from models.client_link import ClientLink, LinkPurpose
from models.history_entry import EventName
from models.outbox_mail import MailLanguage, OutboxMail
from models.portal import Portal

_CHOOSE = "account.choose_password"
EventName.words |= {_CHOOSE: _l("Choose the password by the link")}
#: States in which somebody may choose a password; what they may do with it afterwards is decided at sign-in.
MAY_CHOOSE = (
    AccountState.provisioned,
    AccountState.invited,
    AccountState.active,
    AccountState.suspended,
    AccountState.consent_revoked,
    AccountState.deletion_requested,
)


class NoAccountToWriteTo(DomainError):
    """Said in the outbox: between queueing and sending the account ended or has another address."""

    template = _l("The account is gone, ended or has another address by now.")


def ask_for_password_link(session: Session, portal: Portal, name: str, *, language: MailLanguage) -> None:
    """Queue a link for whoever forgot the password, if a portal knows them; whoever asks learns nothing (AC-16).

    Needs a session in which the system acts.
    """
    account = find_account(session, portal, name)
    if account is None or account.state not in MAY_CHOOSE:
        return
    minutes = setting_value(session, CLIENT_LINK_MINUTES, account.group_id)
    arguments = {"name": account.full_name, "username": account.username, "minutes": minutes}
    queue_mail(
        session,
        "account_password",
        arguments,
        to=account.email,
        about=account,
        language=language,
        sender=(account.portal or portal).sender,
        reply_to=(account.portal or portal).reply_to,
    )


def mint_account_link(session: Session, mail: OutboxMail) -> str:
    """Make a token for the account the mail is for and return the path that takes it."""
    account = session.get(Account, mail.cause_id)
    if account is None or account.state not in MAY_CHOOSE or mail.recipient not in _addresses(account):
        raise NoAccountToWriteTo
    good_for, purpose = _good_for(mail.arguments), LinkPurpose.password
    token = make_link(session, ClientLink, good_for=good_for, purpose=purpose, account_id=account.id)
    return client_path(session, mail, f"link/{token}")


def _addresses(account: Account) -> set[str | None]:
    """Return where a link to set the password may go: to the person, and to whom the credentials were sent last."""
    contact = account.credentials_contact
    return {account.email, contact.email if contact is not None and contact.deleted_at is None else None}


def client_path(session: Session, mail: OutboxMail, path: str) -> str:
    """Return the path of a page of the client area in the language of a mail; a portal without a host of its own is
    named in it."""
    portal = portal_of(session, mail.cause_entity, mail.cause_id, mail.group_id)
    chosen = f"?portal={portal.code}" if portal is not None and not portal.public_url else ""
    return f"/{mail.language.value}/{path}{chosen}"


def _good_for(arguments: Any) -> timedelta:
    return timedelta(hours=int(arguments.get("hours", 0)), minutes=int(arguments.get("minutes", 0)))


def find_account_by_link(session: Session, token: str) -> Account:
    """Return whose password a link sets; see ``find_account_of_link``.

    :raises LinkUsed: nobody may choose a password for the account any more, too.
    """
    account = find_account_of_link(session, token, LinkPurpose.password)
    if account.state not in MAY_CHOOSE:
        raise LinkUsed
    return account


def find_account_of_link(session: Session, token: str, purpose: LinkPurpose) -> Account:
    """Return whose account a link is for; needs a session in which the product itself acts.

    :raises NoSuchLink: nobody made such a link.
    :raises LinkUsed: it was used, or another password was set since.
    :raises LinkExpired: its time is over.
    """
    link = find_link(session, ClientLink, token)
    account = session.get(Account, link.account_id) if link.account_id else None
    if link.purpose is not purpose or account is None:
        raise NoSuchLink
    check_link(link)
    return account


def choose_account_password(session: Session, token: str, password: str) -> Account:
    """Set the password of whoever the link was sent to; their sessions end, and so do all their links.

    Records ``account.choose_password``. Needs a session in which the product itself acts.

    :raises WeakPassword: others would guess it; the link stays good.
    """
    account = find_account_by_link(session, token)
    check_account_password(session, account, password)
    use_up(session, ClientLink, token)
    set_account_password(session, account, password)
    end_sessions(session, account)
    return account


def set_account_password(session: Session, account: Account, password: str) -> None:
    """Store a password; no link made before sets another one."""
    account.password_hash, account.password_changed_at = passwords.hash_password(password), clock.now()
    account.must_change_password = False
    with recording(session, account, _CHOOSE):
        session.flush()
    end_links(session, account)


def end_links(session: Session, account: Account) -> None:
    """Have no link be good any more that was sent for an account."""
    table: Any = ClientLink.__table__
    unused = sa.update(table).where(table.c.account_id == account.id, table.c.used_at.is_(None))
    session.execute(unused.values(used_at=clock.now()), execution_options=INTERNAL)


def check_account_password(session: Session, account: Account, password: str) -> None:
    """Raise ``WeakPassword`` unless the password is long enough here, and hard to guess for this person."""
    company = account.company
    words = [account.username, account.email.partition("@")[0], account.full_name]
    words += [company.legal_name] if company else []
    passwords.check_strength(password, own_words=words, least=setting_value(session, PASSWORD_LENGTH))


register_template(
    "account_password",
    _l("Client area: another password"),
    {"name": "Giulia Rossi", "username": "giulia.rossi", "minutes": 60},
    mint=mint_account_link,
    for_clients=True,
)

__all__ = [
    "MAY_CHOOSE",
    "ask_for_password_link",
    "check_account_password",
    "choose_account_password",
    "client_path",
    "end_links",
    "find_account_by_link",
    "find_link",
    "mint_account_link",
    "set_account_password",
    "use_up",
]
