"""Another e-mail address for one's own account: asked for with the password, good once it is confirmed (AC-39)."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import passwords
from backoffice.access import INTERNAL
from backoffice.errors import DomainError, InvalidRecord
from backoffice.history import recording
from backoffice.mail.rendering import register_template
from backoffice.operations.client_links import NoAccountToWriteTo, client_path, end_links, find_account_of_link
from backoffice.operations.links import LinkUsed, make_link, use_up
from backoffice.operations.staff import WrongOldPassword
from backoffice.outbox import queue_mail
from backoffice.setting_keys import CREDENTIALS_LINK_HOURS
from backoffice.settings import setting_value
from models.account import Account, AccountState
from models.catalogue import fields
from models.client_link import ClientLink, LinkPurpose
from models.history_entry import EventName
from models.outbox_mail import MailLanguage, OutboxMail
from models.reading import BadValue

_ASK, _TAKE = "account.ask_for_address", "account.take_address"
EventName.words |= {_ASK: _l("Ask for another e-mail"), _TAKE: _l("Take the new e-mail")}


class SameAddress(DomainError):
    template = _l("This is the present address.")


class AddressLinkUsed(LinkUsed):
    """Whoever opens the link a second time is told where to look, not to ask for another link."""

    template = _l("This link has been used. Your profile says which e-mail counts now.")


def ask_for_address(session: Session, account: Account, typed: str, password: str, *, language: MailLanguage) -> None:
    """Note the address and send the link that confirms it. Records ``account.ask_for_address``.

    Where another account has the address nothing is sent, and whoever asks is not told. Needs a session in which the
    system acts, on behalf of that person.

    :raises WrongOldPassword: the present password was not given.
    :raises InvalidRecord: it is no address.
    :raises SameAddress: the account has it already.
    """
    if not passwords.is_right(account.password_hash, password):
        raise WrongOldPassword
    try:
        address = fields(Account)["email"].parse(typed)
    except BadValue as error:
        raise InvalidRecord({"new_email": str(error)}) from error
    if address == account.email:
        raise SameAddress(field="new_email")
    account.new_email = address
    with recording(session, account, _ASK):
        session.flush()
    if not _is_taken(session, account, address):
        hours = setting_value(session, CREDENTIALS_LINK_HOURS, account.group_id)
        arguments = {"name": account.full_name, "username": account.username, "hours": hours}
        queue_mail(session, "account_new_address", arguments, to=address, about=account, language=language)


def _is_taken(session: Session, account: Account, address: str) -> bool:
    table = Account.__table__
    others = sa.select(table.c.id).where(
        table.c.group_id == account.group_id,
        table.c.email == address,
        table.c.id != account.id,
        table.c.state != AccountState.deleted,
    )
    return session.scalar(others.limit(1), execution_options=INTERNAL) is not None


def mint_address_link(session: Session, mail: OutboxMail) -> str:
    """Make a token that confirms the address the mail goes to, and return the path that takes it."""
    account = session.get(Account, mail.cause_id)
    if account is None or account.new_email != mail.recipient:
        raise NoAccountToWriteTo
    hours, purpose = timedelta(hours=int(mail.arguments["hours"])), LinkPurpose.address
    token = make_link(session, ClientLink, good_for=hours, purpose=purpose, account_id=account.id)
    return client_path(session, mail, f"address/{token}")


def find_account_of_address(session: Session, token: str) -> Account:
    """Return whose new address a link confirms; see ``find_account_of_link``.

    :raises AddressLinkUsed: it was used, the account wants another address by now, or another account has it.
    """
    try:
        account = find_account_of_link(session, token, LinkPurpose.address)
    except LinkUsed:
        raise AddressLinkUsed from None
    if account.new_email is None or _is_taken(session, account, account.new_email):
        raise AddressLinkUsed
    return account


def take_address(session: Session, token: str, *, language: MailLanguage) -> Account:
    """Give an account the address that its owner has confirmed, and tell the former one.

    Records ``account.take_address``. A contact with the former address gets the new one, too. No link sent to the
    former address is good any more. Needs a session in which the system acts.

    :raises AddressLinkUsed: see ``find_account_of_address``.
    """
    account = find_account_of_address(session, token)
    former, address, contact = account.email, account.new_email or "", account.contact
    use_up(session, ClientLink, token)
    end_links(session, account)
    account.email, account.new_email, account.unreachable_since = address, None, None
    with recording(session, account, _TAKE):
        session.flush()
    if contact is not None and contact.deleted_at is None and contact.email == former:
        contact.email, contact.unreachable_since = address, None
        with recording(session, contact, _TAKE):
            session.flush()
    arguments = {"name": account.full_name, "username": account.username, "address": address}
    queue_mail(session, "account_address_changed", arguments, to=former, about=account, language=language)
    return account


register_template(
    "account_new_address",
    _l("Client area: confirm another e-mail"),
    {"name": "Giulia Rossi", "username": "giulia.rossi", "hours": 72},
    mint=mint_address_link,
    for_clients=True,
)
register_template(
    "account_address_changed",
    _l("Client area: the e-mail has changed"),
    {"name": "Giulia Rossi", "username": "giulia.rossi", "address": "giulia@nuovo.example"},
    for_clients=True,
)

__all__ = ["SameAddress", "ask_for_address", "find_account_of_address", "take_address"]
