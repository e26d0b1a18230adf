"""Credentials of the client area: as a rule to the client's main referent, to others for a reason (AC-06, AC-07)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Transition
from backoffice.mail.rendering import register_template
from backoffice.operations.client_links import MAY_CHOOSE, mint_account_link
from backoffice.operations.notices import person_of
from backoffice.operations.referents import first_referent
from backoffice.outbox import queue_mail
from backoffice.setting_keys import CREDENTIALS_LINK_HOURS
from backoffice.settings import setting_value
from models.account import Account, AccountState, CredentialsRecipient
from models.contact import Contact
from models.outbox_mail import MailLanguage

R = CredentialsRecipient


class ReasonMissing(DomainError):
    """AC-07: “di regola”: whoever departs from the rule says why."""

    template = _l("As a rule the credentials go to %(name)s: say why not this time.")


class ContactMissing(DomainError):
    template = _l("Choose the contact who is to get the credentials.")


class NoMailOfContact(DomainError):
    template = _l("%(name)s has no e-mail address: add it to the contact, or choose somebody else.")


def usual_recipient(session: Session, account: Account) -> Contact | None:
    """Return who gets the credentials of a company's accounts as a rule: the main referent, else a usual one (A-04).

    None where the company has neither, or their addresses are not known: then the person of the account does.
    """
    key = session.scalar(first_referent(account.company_id), execution_options=INTERNAL)
    return session.scalar(sa.select(Contact).where(Contact.id == key), execution_options=INTERNAL)


def _require_reason(session: Session, account: Account, values: Mapping[str, Any], _actor: Actor) -> None:
    """Raise unless the credentials go where they go as a rule, or a reason says why not."""
    to, chosen = values["credentials_to"], values.get("credentials_contact")
    if to is R.contact and chosen is None:
        raise ContactMissing(field="credentials_contact")
    if to is R.contact and chosen is not None and chosen.email is None:
        raise NoMailOfContact(field="credentials_contact", name=str(chosen))
    usual = usual_recipient(session, account) or account
    address = account.email if to is R.holder else usual.email if chosen is None or to is R.referent else chosen.email
    if address != usual.email and not values.get("credentials_reason"):
        raise ReasonMissing(field="credentials_reason", name=str(usual))


def _send(session: Session, account: Account, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Queue the mail with the user name and a link to set the password (A-05); say on the account where it went."""
    if account.credentials_to is R.referent:
        account.credentials_contact, account.credentials_reason = usual_recipient(session, account), None
    elif account.credentials_to is R.holder:
        account.credentials_contact = None
    account.credentials_sent_at = clock.now()
    recipient = person_of(account.credentials_contact)
    arguments = {
        "name": recipient.name if recipient else account.full_name,
        "person": account.full_name,
        "username": account.username,
        "company": account.company.legal_name if account.company else "",
        "hours": setting_value(session, CREDENTIALS_LINK_HOURS, account.group_id),
    }
    queue_mail(
        session,
        "account_credentials",
        arguments,
        to=recipient.email if recipient else account.email,
        about=account,
        language=recipient.language if recipient else MailLanguage.it,
    )


def _foretell(session: Session, account: Account) -> str:
    usual = person_of(usual_recipient(session, account))
    name = usual.name if usual else account.full_name
    address = usual.email if usual else account.email
    return str(_WHO) % {"name": name, "address": address}


_WHO = _l(
    "A mail names the user name and brings a link to set the password, which is good once. As a rule it goes to "
    "%(name)s (%(address)s); for somebody else, say why."
)

SEND_CREDENTIALS = Transition(
    name="send_credentials",
    label=_l("Send the credentials"),
    sources=tuple(state for state in MAY_CHOOSE if state is not AccountState.provisioned),
    target=None,
    icon="envelope",
    inputs=("credentials_to", "credentials_contact", "credentials_reason"),
    optional=("credentials_contact", "credentials_reason"),
    guard=_require_reason,
    effect=_send,
    confirm=_foretell,
    right=Action.update,
)
#: The first time, for an account that has been prepared: people call it the same.
INVITE = replace(
    SEND_CREDENTIALS,
    name="invite",
    sources=(AccountState.provisioned,),
    target=AccountState.invited,
    icon="send",
    tone="primary",
)

register_template(
    "account_credentials",
    _l("Credentials of the client area"),
    {
        "name": "Marco Bianchi",
        "person": "Giulia Rossi",
        "username": "giulia.rossi",
        "company": "Rossi S.r.l.",
        "hours": 72,
    },
    mint=mint_account_link,
    for_clients=True,
)
