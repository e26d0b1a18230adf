"""What accounts, orders and calls ask for before they move on."""

from __future__ import annotations

from typing import Any

import pytest

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import InvalidRecord
from backoffice.operations.calls import UrgencyMissing
from backoffice.operations.orders import (
    CompanyIncomplete,
    ExpiryMissing,
    LicensesGenerated,
    LicensesMissing,
    NothingOrdered,
    ReferentMissing,
)
from backoffice.operations.plain import create_record
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.call import Call, CallState
from models.company import CompanyState
from models.customer_order import CustomerOrder, OrderState
from tests.operations.world import World


def new_account(session: RecordSession, world: World, email: str) -> Any:
    values = {"full_name": "Ada Rossi", "email": email, "company": world.company.id}
    return create_record(session, Account, values, actor=world_writer(world))


def world_writer(world: World) -> Any:
    """The product itself has no group, so that whoever writes an account by hand is staff of one."""
    return SYSTEM


def test_user_names_are_made_from_the_address_and_never_twice(session: RecordSession) -> None:
    world = World(session)
    world.account(username="ada.verdi7")
    made = [world.account(username=name, email=f"{name}@x.example").username for name in ("ada.verdi7b",)]
    assert made == ["ada.verdi7b"]
    from backoffice.operations.accounts import make_username

    assert make_username(session, "Ada.Verdì7@prova.example") == "ada.verdi72"
    assert make_username(session, "%_@prova.example") == "utente"


def test_validation_names_a_company_and_signs(session: RecordSession) -> None:
    world, other = World(session), World(session)
    account = world.account(AccountState.pending_validation)
    account.company = None
    with pytest.raises(InvalidRecord) as refused:
        perform(session, account, "validate", {}, actor=SYSTEM)
    assert set(refused.value.problems) == {"company"}
    with pytest.raises(InvalidRecord) as refused:
        values = {"company": world.company, "contact": other.contact}
        perform(session, account, "validate", values, actor=SYSTEM)
    assert set(refused.value.problems) == {"contact"}
    perform(session, account, "validate", {"company": world.company}, actor=SYSTEM)
    assert account.validated_at is not None


def test_a_deleted_account_names_nobody(session: RecordSession) -> None:
    account = World(session).account(AccountState.active)
    perform(session, account, "request_deletion", actor=SYSTEM)
    perform(session, account, "delete", actor=SYSTEM)
    assert {account.username, account.full_name} == {f"deleted-{account.id}"}
    assert "prova" not in account.email


def test_a_cancelled_deletion_returns_to_where_it_was(session: RecordSession) -> None:
    account = World(session).account(AccountState.suspended)
    perform(session, account, "request_deletion", actor=SYSTEM)
    perform(session, account, "cancel_deletion", actor=SYSTEM)
    assert account.state is AccountState.suspended


def confirm(session: RecordSession, order: CustomerOrder) -> None:
    perform(session, order, "confirm", actor=SYSTEM)


def test_an_order_is_confirmed_only_when_complete(session: RecordSession) -> None:
    world, other = World(session), World(session)
    order = world.order()
    (line,) = order.lines
    order.referent = None
    with pytest.raises(ReferentMissing):
        confirm(session, order)
    order.referent = other.contact
    with pytest.raises(InvalidRecord):
        confirm(session, order)
    order.referent, line.license_expires_on = world.contact, None
    with pytest.raises(ExpiryMissing):
        confirm(session, order)
    line.license_months, world.company.state, world.company.phone = 12, CompanyState.prospect, None
    with pytest.raises(CompanyIncomplete):
        confirm(session, order)
    world.company.state = CompanyState.client
    confirm(session, order)
    assert order.state is OrderState.confirmed


def test_an_empty_order_is_not_confirmed(session: RecordSession) -> None:
    order = World(session).order()
    order.lines = []
    with pytest.raises(NothingOrdered):
        confirm(session, order)


def test_an_order_is_completed_when_licensed_and_cancelled_only_before(session: RecordSession) -> None:
    order = World(session).order(OrderState.confirmed)
    with pytest.raises(LicensesMissing):
        perform(session, order, "complete", actor=SYSTEM)
    perform(session, order, "generate_licenses", actor=SYSTEM)
    with pytest.raises(LicensesGenerated):
        perform(session, order, "cancel", actor=SYSTEM)
    perform(session, order, "complete", actor=SYSTEM)
    assert order.state is OrderState.completed


def test_a_voicemail_starts_as_one(session: RecordSession) -> None:
    world = World(session)
    values = {"channel": "voicemail", "description": "Richiamare", "contact": world.contact.id}
    call = create_record(session, Call, values, actor=SYSTEM)
    assert isinstance(call, Call)
    assert (call.state, call.company) == (CallState.voicemail, world.company)


def test_some_types_of_request_need_an_urgency(session: RecordSession) -> None:
    world = World(session)
    world.type.needs_urgency = True
    call = world.call()
    with pytest.raises(UrgencyMissing):
        perform(session, call, "classify", {"request_type": world.type}, actor=SYSTEM)
    perform(session, call, "classify", {"request_type": world.type, "urgency": "emergency"}, actor=SYSTEM)
    assert call.state is CallState.classified
