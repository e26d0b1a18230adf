"""What people may do with parts of a record, with verbs and with what all groups share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Action, Actor, ActorKind, Context, Door, Grant
from backoffice.database import RecordSession, open_session
from backoffice.errors import InvalidRecord
from backoffice.identity import load_actor
from backoffice.lifecycles import transitions_open
from backoffice.operations.cleaning import find_related
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.account import Account, AccountState
from models.catalogue import fields
from models.company import Company
from models.contract import Contract, ContractState
from models.contract_line import ContractLine
from models.corporate_group import CorporateGroup
from models.customer_order import CustomerOrder, OrderState
from models.reading import BadValue
from models.staff import Staff
from models.support_queue import SupportQueue
from models.ticket import Ticket
from tests.clients import DeskClient
from tests.visitors import Visitor


@pytest.fixture
def scoped(engine: sa.Engine, session: RecordSession, staff: Callable[[str], Staff]) -> Callable[[str], RecordSession]:
    """A function that opens a session within the scope of somebody with a role."""

    def find(name: str) -> RecordSession:
        return open_session(engine, Context(load_actor(session, staff(name).id), Door.desk))

    return find


def test_whoever_may_change_a_contract_may_remove_its_lines(scoped: Callable[[str], RecordSession]) -> None:
    with scoped("sales") as session:
        actor = session.info["context"].actor
        statement = sa.select(Contract).where(Contract.state == ContractState.draft, Contract.lines.any())
        contract = session.scalars(statement).first()
        assert contract is not None
        assert not actor.may(Action.delete, ContractLine)
        count = len(contract.lines)
        lines = [{"id": contract.lines[0].id, "delete": True}]
        update_record(session, contract, {"lines": lines}, version=contract.version, actor=actor)
        session.expire_all()
        assert len(contract.lines) == count - 1


def test_a_row_out_of_reach_is_refused_beside_its_field(scoped: Callable[[str], RecordSession]) -> None:
    with scoped("consultant") as session:
        actor = session.info["context"].actor
        actor = replace(actor, grants={**actor.grants, "queues": (Grant(frozenset(Action)),)})
        session.info["context"] = Context(actor, Door.desk)
        queue = session.scalars(sa.select(SupportQueue)).first()
        values = {"queue": queue, "subject": "Senza azienda", "description": "Prova"}
        with pytest.raises(InvalidRecord) as refusal:
            create_record(session, Ticket, values, actor=actor)
        assert "company" in refusal.value.problems


def test_a_verb_never_writes_over_a_mask(session: RecordSession, engine: sa.Engine) -> None:
    account = session.scalars(sa.select(Account).where(Account.state == AccountState.pending_validation)).first()
    assert account is not None
    every = frozenset(Action)
    grants = {"accounts": (Grant(every, masked=frozenset({"account.validation_notes"})),)}
    actor = Actor(ActorKind.staff, id=1, name="Prova", group_id=account.group_id, grants=grants)
    with open_session(engine, Context(actor, Door.desk)) as masked:
        row = masked.get_one(Account, account.id)
        with pytest.raises(InvalidRecord) as refusal:
            perform(masked, row, "reject", {"validation_notes": "•••"}, actor=actor)
        assert "validation_notes" in refusal.value.problems


def test_a_verb_is_offered_only_with_the_rights_its_effect_needs(scoped: Callable[[str], RecordSession]) -> None:
    offered = {}
    for role in ("sales", "administrator"):
        with scoped(role) as session:
            order = session.scalars(sa.select(CustomerOrder).where(CustomerOrder.state == OrderState.confirmed)).first()
            assert order is not None
            offered[role] = {t.name for t in transitions_open(order, session.info["context"].actor)}
    assert "generate_licenses" not in offered["sales"]
    assert "generate_licenses" in offered["administrator"]


def test_what_groups_share_is_changed_by_installation_administrators_only(
    session: RecordSession, staff: Callable[[str], Staff], desk_client: Callable[..., DeskClient]
) -> None:
    group_administrator = load_actor(session, staff("administrator").id)
    installation = load_actor(session, staff("admin").id)
    assert not group_administrator.may(Action.update, CorporateGroup)
    assert installation.may(Action.update, CorporateGroup)
    assert desk_client("administrator").submit("/corporate_group/1/edit", {"version": "1"}).status_code == 403
    assert SYSTEM.may(Action.update, CorporateGroup)


def test_what_only_verbs_write_cannot_be_deleted(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("admin")
    assert "delete" not in client.get("/role_right/1").text.partition("<main")[2].partition("</main")[0]
    assert client.submit("/role_right/1/delete", {"version": "1"}).status_code == 403


def test_a_relation_out_of_sight_stays_as_it_is(
    person: Callable[[str], Visitor], session: RecordSession, scoped: Callable[[str], RecordSession]
) -> None:
    operator = person("operator1")
    with scoped("operator1") as own:
        seen = set(own.scalars(sa.select(Company.id)))
    hidden = sa.and_(Ticket.group_id == 1, Ticket.company_id.is_not(None), Ticket.company_id.not_in(seen))
    ticket = session.scalars(sa.select(Ticket).where(hidden)).first()
    assert ticket is not None
    answer = operator.api(
        "PUT", f"ticket/{ticket.id}", json={"company": None}, headers={"If-Match": f'"{ticket.version}"'}
    )
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["company"])
    assert operator.api("GET", f"ticket/?f=company:in:{ticket.company_id}").json["count"] == 0
    known = session.scalars(sa.select(Ticket).where(Ticket.company_id.in_(seen))).first()
    assert known is not None
    assert operator.api("GET", f"ticket/?f=company:in:{known.company_id}").json["count"] > 0
    assert operator.get(f"/ticket/export.csv?f=company:in:{ticket.company_id}").text.count("\r\n") == 1


def test_a_masked_key_finds_nothing(session: RecordSession, engine: sa.Engine) -> None:
    known = sa.and_(Company.group_id == 1, Company.tax_code.is_not(None), Company.vat_number.is_(None))
    company = session.scalars(sa.select(Company).where(known)).first()
    assert company is not None
    rights = frozenset(Action)
    masking = Grant(rights, masked=frozenset({"company.tax_code"}))
    actor = Actor(ActorKind.staff, group_id=1, grants={"companies": (masking,), "contracts": (Grant(rights),)})
    relation = fields(Contract)["company"]
    with open_session(engine, Context(actor, Door.desk)) as own:
        assert find_related(own, relation, company.legal_name).id == company.id
        with pytest.raises(BadValue):
            find_related(own, relation, str(company.tax_code))


def test_attempts_under_unknown_names_are_seen_by_the_installation_s_administrators(
    person: Callable[[str], Visitor], desk_client: Callable[..., DeskClient]
) -> None:
    wrong = {"username": "nessuno", "password": "x"}
    assert desk_client().post("/api/v1/security/login", json=wrong).status_code == 401
    assert "nes…" in person("admin").get("/sign_in_entry/").text
    assert "nes…" not in person("administrator").get("/sign_in_entry/").text
