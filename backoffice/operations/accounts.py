"""The lifecycle of client accounts, as far as staff and the product drive it (chapter 4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import get_history

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.mail.rendering import register_template
from backoffice.operations.client_links import client_path
from backoffice.operations.credentials import INVITE, SEND_CREDENTIALS
from backoffice.operations.plain import before_create
from backoffice.operations.preferences import language_of
from backoffice.outbox import queue_mail
from models.account import Account, AccountState
from models.company import CompanyState
from models.outbox_mail import OutboxMail
from models.reading import fold

S = AccountState


@before_create(Account)
def _complete(session: Session, account: Account, *, actor: Actor) -> None:
    """Give a new account its user name, and its company where only the contact was named."""
    if account.company is None and account.contact is not None:
        account.company = account.contact.company
    account.username = make_username(session, account.email)


def make_username(session: Session, email: str) -> str:
    """Return a user name made from the address that no account has, whichever group it is in."""
    base = re.sub(r"[^a-z0-9.]+", "", fold(email.partition("@")[0]))[:60] or "utente"
    # "_" and "%" are gone from the base, so the pattern means what it says.
    alike = sa.select(Account.username).where(Account.username.like(f"{base}%"))
    taken = set(session.scalars(alike, execution_options=INTERNAL))
    name, number = base, 1
    while name in taken:
        number += 1
        name = f"{base}{number}"
    return name


def _sign_decision(_session: Session, account: Account, _values: Mapping[str, Any], actor: Actor) -> None:
    account.validated_at, account.validated_by_id = clock.now(), actor.staff_id


class CompanyNoClient(DomainError):
    """AC-02: the mail would promise what signing in refuses."""

    template = _l("%(company)s is no client at present, so the person could not sign in: make it a client first.")


def _is_client(_session: Session, _account: Account, values: Mapping[str, Any], _actor: Actor) -> None:
    if values["company"].state is not CompanyState.client:
        raise CompanyNoClient(field="company", company=str(values["company"]))


def _welcome(session: Session, account: Account, values: Mapping[str, Any], actor: Actor) -> None:
    """Sign the decision, and tell the person that they can sign in (N-23)."""
    _sign_decision(session, account, values, actor)
    arguments = {"name": account.full_name, "username": account.username, "portal": _portal_name(account)}
    _tell(session, account, "account_activated", arguments)


def _turn_down(session: Session, account: Account, values: Mapping[str, Any], actor: Actor) -> None:
    """Sign the decision, and tell the person why (N-24)."""
    _sign_decision(session, account, values, actor)
    tell_rejected(session, account)


def tell_rejected(session: Session, account: Account) -> None:
    """Tell the person that their registration was turned down, and why (N-24)."""
    reason = account.validation_notes or ""
    arguments = {"name": account.full_name, "portal": _portal_name(account), "reason": reason}
    _tell(session, account, "account_rejected", arguments)


def _portal_name(account: Account) -> str:
    return account.portal.name if account.portal else str(_CLIENT_AREA)


def _tell(session: Session, account: Account, template: str, arguments: Mapping[str, Any]) -> None:
    queue_mail(
        session,
        template,
        arguments,
        to=account.email,
        about=account,
        language=language_of(session, account.id),
    )


def sign_in_path(session: Session, mail: OutboxMail) -> str:
    """Return the path of the sign-in page, for whoever has just got an account."""
    return client_path(session, mail, "login/")


def _remember_state(_session: Session, account: Account, _values: Mapping[str, Any], _actor: Actor) -> None:
    account.state_before = next(iter(get_history(account, "state").deleted))


def _return_to_state(_session: Session, account: Account, _values: Mapping[str, Any], _actor: Actor) -> None:
    account.state, account.state_before = account.state_before or S.active, None


def _empty(_session: Session, account: Account, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Take away what is left of an account that was made a pseudonym; tickets keep pointing at the row."""
    account.password_hash = account.declared_company = account.validation_notes = account.legal_hold = None
    account.contact = account.state_before = account.credentials_contact = account.credentials_reason = None


_STAFF = (
    Transition(
        name="validate",
        label=_l("Validate the registration"),
        sources=(S.pending_validation,),
        target=S.active,
        icon="check-circle",
        tone="primary",
        inputs=("company", "contact", "validation_notes"),
        optional=("contact", "validation_notes"),
        guard=_is_client,
        effect=_welcome,
        confirm=_l("The person may sign in, sees what belongs to the company you choose, and gets a mail."),
    ),
    Transition(
        name="reject",
        label=_l("Reject the registration"),
        sources=(S.pending_validation,),
        target=S.rejected,
        icon="x-circle",
        tone="danger",
        inputs=("validation_notes",),
        effect=_turn_down,
        confirm=_l("The registration ends here; say why: the person reads it in a mail."),
    ),
    Transition(
        name="reconsider",
        label=_l("Look at the registration again"),
        sources=(S.rejected,),
        target=S.pending_validation,
        icon="arrow-counterclockwise",
        confirm=_l("The registration waits to be validated again; nothing is sent to the person yet."),
    ),
    Transition(
        name="suspend",
        label=_l("Suspend the account"),
        sources=(S.active,),
        target=S.suspended,
        icon="pause-circle",
        inputs=("validation_notes",),
        optional=("validation_notes",),
        confirm=_l("The person can no longer reach the services."),
    ),
    Transition(
        name="resume",
        label=_l("Reactivate the account"),
        sources=(S.suspended,),
        target=S.active,
        icon="play-circle",
        tone="primary",
    ),
    Transition(
        name="remove",
        label=_l("Remove access"),
        sources=(S.suspended,),
        target=S.removed,
        icon="person-x",
        tone="danger",
        confirm=_l("The access ends for good; the data are kept."),
    ),
    Transition(
        name="lock", label=_l("Lock the account"), sources=(S.active,), target=S.locked, icon="lock", tone="danger"
    ),
    Transition(
        name="unlock",
        label=_l("Unlock the account"),
        sources=(S.locked,),
        target=S.active,
        icon="unlock",
        tone="primary",
    ),
)

#: What the person does in the client area, which then acts as the product.
_PERSON = (
    Transition(name="register", label=_l("Register"), sources=(S.invited,), target=S.registered, automatic=True),
    Transition(
        name="confirm_address",
        label=_l("Confirm the address"),
        sources=(S.registered,),
        target=S.confirmed,
        automatic=True,
    ),
    Transition(
        name="submit",
        label=_l("Submit for validation"),
        sources=(S.registered, S.confirmed),
        target=S.pending_validation,
        automatic=True,
    ),
    Transition(
        name="activate",
        label=_l("Activate"),
        sources=(S.provisioned, S.invited, S.confirmed),
        target=S.active,
        automatic=True,
    ),
    Transition(
        name="revoke_consent",
        label=_l("Withdraw consent"),
        sources=(S.active,),
        target=S.consent_revoked,
        automatic=True,
    ),
    Transition(
        name="grant_consent", label=_l("Consent again"), sources=(S.consent_revoked,), target=S.active, automatic=True
    ),
    Transition(
        name="request_deletion",
        label=_l("Ask for deletion"),
        sources=(S.active, S.suspended, S.consent_revoked),
        target=S.deletion_requested,
        effect=_remember_state,
        automatic=True,
    ),
    Transition(
        name="cancel_deletion",
        label=_l("Cancel the deletion"),
        sources=(S.deletion_requested,),
        target=None,
        effect=_return_to_state,
        automatic=True,
    ),
    Transition(
        name="delete",
        label=_l("Make anonymous"),
        sources=(S.deletion_requested,),
        target=S.deleted,
        effect=_empty,
        automatic=True,
    ),
)

ACCOUNTS = register(Machine(Account, "state", (INVITE, *_STAFF, SEND_CREDENTIALS, *_PERSON)))

_CLIENT_AREA = _l("Client area")

register_template(
    "account_activated",
    _l("Registration: account activated"),
    {"name": "Giulia Rossi", "username": "giulia.rossi", "portal": "Area di supporto"},
    mint=sign_in_path,
    for_clients=True,
)
register_template(
    "account_rejected",
    _l("Registration: not accepted"),
    {"name": "Giulia Rossi", "portal": "Area di supporto", "reason": "L’azienda non risulta cliente."},
    for_clients=True,
)
