"""Accounts that people register themselves: the address is confirmed, then staff look at it (AC-31 to AC-38)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock, passwords
from backoffice.access import context_of
from backoffice.errors import DomainError, InvalidRecord
from backoffice.mail.rendering import register_template
from backoffice.operations.accounts import make_username, tell_rejected
from backoffice.operations.cleaning import REQUIRED
from backoffice.operations.client_links import (
    ask_for_password_link,
    check_account_password,
    client_path,
    find_account_of_link,
)
from backoffice.operations.consents import give_consent
from backoffice.operations.links import LinkUsed, make_link, use_up
from backoffice.operations.preferences import choose_preferences
from backoffice.operations.service_requests import ConsentMissing
from backoffice.operations.verbs import perform
from backoffice.outbox import queue_mail
from backoffice.setting_keys import CREDENTIALS_LINK_HOURS
from backoffice.settings import setting_value
from models.account import Account, AccountState
from models.account_preference import PreferenceKey
from models.catalogue import fields
from models.client_link import ClientLink, LinkPurpose
from models.outbox_mail import MailLanguage, OutboxMail
from models.portal import Portal
from models.reading import BadValue, clean_text

TYPED = {"full_name": "full_name", "company_name": "declared_company", "email": "email"}


class RegistrationClosed(DomainError):
    template = _l("Nobody can register here: ask whoever looks after you for an account.")
    status = 404


class AlreadyConfirmed(LinkUsed):
    """Whoever opens the link a second time is told that all is well, not to ask for another link."""

    template = _l("This address is confirmed already. Once we have looked at the registration, we write to you.")


class NobodyToConfirm(DomainError):
    """Said in the outbox: between queueing and sending the registration ended."""

    template = _l("The registration is gone or confirmed by now.")


def register_account(
    session: Session,
    portal: Portal,
    typed: Mapping[str, str],
    password: str,
    *,
    consents: bool,
    language: MailLanguage,
) -> None:
    """Write down a registration and send a link that confirms its address (AC-34).

    Whoever registers an address that has an account is told by mail how it stands, see ``_write_to_known``, and the
    page says the same: nobody learns who has one. Needs a session in which the system acts, on behalf of that person.

    :raises RegistrationClosed: the portal takes none.
    :raises InvalidRecord: some values are refused, with a sentence per field.
    """
    if not portal.registration_open:
        raise RegistrationClosed
    values, problems = _read(typed)
    if not consents:
        problems["consent"] = str(ConsentMissing())
    account = Account(**values, group_id=portal.group_id, portal=portal, state=AccountState.registered)
    account.username = account.email and make_username(session, account.email)
    try:
        check_account_password(session, account, password)
    except passwords.WeakPassword as error:
        problems["new"] = str(error)
    if problems:
        raise InvalidRecord(problems)
    # What takes longest is done either way, so that the time tells as little as the page.
    account.password_hash, account.password_changed_at = passwords.hash_password(password), clock.now()
    if (known := _find_known(session, portal, values["email"])) is not None:
        _write_to_known(session, known, portal, language)
        return
    session.add(account)
    session.flush()
    give_consent(session, account, portal, language)
    if language is not MailLanguage.it:  # whoever registers in a language is written to in it
        choose_preferences(session, account, {PreferenceKey.language: language.value})
    _send_confirmation(session, account, portal, language)


def _write_to_known(session: Session, account: Account, portal: Portal, language: MailLanguage) -> None:
    """Send the link that confirms the address once more, why the registration was turned down, or the link for a
    forgotten password; nothing to an account that may not be used or waits to be validated.
    """
    if account.state is AccountState.registered:
        _send_confirmation(session, account, portal, language)
    elif account.state is AccountState.rejected:
        tell_rejected(session, account)
    else:
        ask_for_password_link(session, portal, account.email, language=language)


def _find_known(session: Session, portal: Portal, email: str) -> Account | None:
    alive = sa.and_(Account.group_id == portal.group_id, Account.state != AccountState.deleted)
    return session.scalar(sa.select(Account).where(alive, Account.email == email))


def _read(typed: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the values of the form, and what is wrong with them."""
    values: dict[str, Any] = {}
    problems: dict[str, Any] = {}
    for name, attribute in TYPED.items():
        text = clean_text(typed.get(name, ""))
        values[attribute] = ""
        if not text:
            problems[name] = REQUIRED
            continue
        try:
            values[attribute] = fields(Account)[attribute].parse(text)
        except BadValue as error:
            problems[name] = str(error)
    return values, problems


def _send_confirmation(session: Session, account: Account, portal: Portal, language: MailLanguage) -> None:
    hours = setting_value(session, CREDENTIALS_LINK_HOURS, account.group_id)
    arguments = {
        "name": account.full_name,
        "username": account.username,
        "company": account.declared_company or "",
        "portal": portal.name,
        "hours": hours,
    }
    queue_mail(
        session,
        "account_registration",
        arguments,
        to=account.email,
        about=account,
        language=language,
    )


def mint_confirmation(session: Session, mail: OutboxMail) -> str:
    """Make a token that confirms the address the mail goes to, and return the path that takes it."""
    account = session.get(Account, mail.cause_id)
    if account is None or account.state is not AccountState.registered or account.email != mail.recipient:
        raise NobodyToConfirm
    hours, purpose = timedelta(hours=int(mail.arguments["hours"])), LinkPurpose.confirm
    token = make_link(session, ClientLink, good_for=hours, purpose=purpose, account_id=account.id)
    return client_path(session, mail, f"confirm/{token}")


def find_registration(session: Session, token: str) -> Account:
    """Return whose address a link confirms; see ``find_account_of_link``.

    :raises AlreadyConfirmed: the link was used, or another one.
    """
    try:
        account = find_account_of_link(session, token, LinkPurpose.confirm)
    except LinkUsed:
        raise AlreadyConfirmed from None
    if account.state is not AccountState.registered:
        raise AlreadyConfirmed
    return account


def confirm_address(session: Session, token: str) -> Account:
    """Take a registration on to whoever validates it, and tell them (AC-35).

    Needs a session in which the system acts.

    :raises NoSuchLink: nobody made such a link.
    :raises AlreadyConfirmed: the link was used, or another one.
    :raises LinkExpired: its time is over.
    """
    account = find_registration(session, token)
    use_up(session, ClientLink, token)
    actor = context_of(session).actor
    perform(session, account, "confirm_address", actor=actor)
    perform(session, account, "submit", actor=actor)
    _tell_staff(session, account)
    return account


def _tell_staff(session: Session, account: Account) -> None:
    """Tell those who look after the portal's queue that a registration waits for them (N-22)."""
    queue = account.portal.queue if account.portal else None
    if queue is None or queue.email is None:
        return
    arguments = {"name": account.full_name, "company": account.declared_company or "", "email": account.email}
    queue_mail(session, "registration_to_validate", arguments, to=queue.email, about=account, language=MailLanguage.it)


register_template(
    "account_registration",
    _l("Registration: confirm the address"),
    {
        "name": "Giulia Rossi",
        "username": "giulia.rossi",
        "company": "Rossi S.r.l.",
        "portal": "Area di supporto",
        "hours": 72,
    },
    mint=mint_confirmation,
    for_clients=True,
)
register_template(
    "registration_to_validate",
    _l("Registration to validate"),
    {"name": "Giulia Rossi", "company": "Rossi S.r.l.", "email": "giulia@rossi.example"},
)

__all__ = [
    "TYPED",
    "AlreadyConfirmed",
    "RegistrationClosed",
    "confirm_address",
    "find_registration",
    "register_account",
]
