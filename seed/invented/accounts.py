"""Invented accounts of the client area, in every state."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle

from models.account import Account, AccountState
from models.account_deletion import AccountDeletion
from models.account_deletion import DeletionState as D
from models.company import CompanyState
from models.consent import Consent
from models.contact import Contact
from seed.invented.clients import Client
from seed.invented.world import World, slug

S = AccountState
STATES = {
    S.active: 40, S.provisioned: 8, S.invited: 5, S.registered: 4, S.confirmed: 4, S.pending_validation: 5, S.locked: 3,
    S.suspended: 4, S.consent_revoked: 3, S.deletion_requested: 3, S.removed: 3, S.rejected: 3, S.deleted: 3,
}  # fmt: skip
#: People who register themselves: nobody has matched their company yet.
UNMATCHED = frozenset({S.registered, S.confirmed, S.pending_validation, S.rejected})
#: States that are reached only after somebody has signed in.
SEEN = frozenset({S.active, S.locked, S.suspended, S.consent_revoked, S.deletion_requested, S.removed})


def invent_accounts(world: World, clients: Sequence[Client]) -> list[Account]:
    """Make accounts for people at clients, for people who registered themselves, and some already anonymous."""
    known = [client for client in clients if client.company.state is not CompanyState.prospect]
    people = [contact for client in known for contact in client.contacts]
    world.rng.shuffle(people)
    accounts = []
    for number, state in enumerate(world.deck(STATES)):
        if state in UNMATCHED:
            account = _registrant(world, state, number)
        elif state is S.deleted:
            account = _anonymous(world, next(world.serials))
        else:
            account = _of_contact(world, state, people.pop())
        account.group_id = world.group.id
        accounts.append(world.add(account))
        if state in SEEN:
            withdrawn = account.last_login_at if state is S.consent_revoked else None
            world.add(Consent(account=account, granted_at=account.created_at, revoked_at=withdrawn))
    world.session.flush()
    return accounts


def invent_deletions(world: World, accounts: Sequence[Account]) -> None:
    """Make the request behind each account that is about to go, and behind each that is gone."""
    waiting = cycle((D.requested, D.scheduled, D.blocked))
    for account in accounts:
        if account.state not in (S.deletion_requested, S.deleted):
            continue
        state = D.executed if account.state is S.deleted else next(waiting)
        asked = world.rng.randint(40, 200) if state is D.executed else world.rng.randint(3, 6)
        row = AccountDeletion(account=account, state=state, due_on=world.day(30 - asked))
        row.created_at = world.instant(-asked)
        if state is not D.requested:
            row.verified_at = row.created_at
        if state is D.scheduled:
            row.execute_on = world.day(7 - asked)
        if state is D.blocked:
            row.is_on_hold, account.legal_hold = True, "Controversia in corso con l’azienda."
        if state is D.executed:
            row.executed_at, row.kept_tickets, row.kept_claims = world.instant(7 - asked), 0, 0
        world.add(row)
    world.session.flush()


def _of_contact(world: World, state: AccountState, contact: Contact) -> Account:
    assert contact.email is not None
    created_at = world.instant(-world.rng.randint(40, 900))
    account = Account(
        username=_username(world, contact.email), email=contact.email, full_name=str(contact),
        company=contact.company, contact=contact, is_referent=contact.is_main_referent, state=state,
        must_change_password=state is S.provisioned,
    )  # fmt: skip
    account.created_at = created_at
    if state in SEEN:
        account.last_login_at = max(world.instant(-world.rng.randint(0, 39)), created_at)
        account.password_changed_at = created_at + timedelta(days=1)
    if state is S.deletion_requested:
        account.state_before = S.active
    if state is S.suspended:
        account.validation_notes = "Recesso dal contratto: accesso sospeso."
    return account


def _registrant(world: World, state: AccountState, number: int) -> Account:
    first, last, _woman = world.person()
    company = f"{last} e Figli"
    email = f"{slug(first)}{number}@{slug(company)}.example"
    account = Account(
        username=_username(world, email), email=email,
        full_name=f"{first} {last}", declared_company=company, state=state,
    )  # fmt: skip
    account.created_at = world.instant(-world.rng.randint(2, 20))
    if state is S.rejected:
        account.validated_at, account.validated_by = world.instant(-1), world.staff("operator1")
        account.validation_notes = "L’azienda indicata non risulta cliente."
    return account


def _username(world: World, email: str) -> str:
    """Return a user name made from the address that no invented account has, whichever group it is in."""
    base = name = email.partition("@")[0]
    number = 1
    while name in world.usernames:
        number += 1
        name = f"{base}{number}"
    world.usernames.add(name)
    return name


def _anonymous(world: World, serial: int) -> Account:
    """Make what is left of an account whose person asked to be forgotten."""
    name = f"deleted-{serial}"
    account = Account(username=name, email=f"{name}@deleted.example", full_name=name, state=S.deleted)
    account.created_at = world.instant(-world.rng.randint(400, 900))
    return account
