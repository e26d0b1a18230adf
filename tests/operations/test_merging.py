"""Two records that are one become one, with all that refers to either; and it can be undone."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Action, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.errors import Conflict, Forbidden, InvalidRecord, NotFound
from backoffice.identity import load_actor
from backoffice.operations.bell import Reader, ring
from backoffice.operations.merge_plan import make_plan
from backoffice.operations.merge_steps import references_to
from backoffice.operations.merge_undo import AlreadyUndone, MergeKept, undo_merge
from backoffice.operations.merging import NotMergeable, OtherOwner, may_merge, merge_records
from backoffice.operations.plain import update_record
from backoffice.operations.restoring import get_deletion
from models.attachment import PARENTS
from models.base import ENTITIES, Model, Recorded
from models.company import Company, CompanyState
from models.company_service import CompanyService, GrantState
from models.contact import Contact
from models.contact_role import ContactRole, ContactRoleKind
from models.external_code import ExternalCode
from models.history_entry import HistoryEntry
from models.package_movement import MovementKind, PackageMovement
from models.record_merge import RecordMerge
from tests.operations.world import World

both = pytest.mark.databases("sqlite", "postgresql")

MERGEABLE = [entity for entity in ENTITIES.values() if may_merge(entity, SYSTEM)]
#: What a row that came back may differ in: it was saved again, by somebody.
SAVED = {"version", "updated_at", "updated_by_id"}
#: What is only ever added to.
BOOKS = {"history_entry", "history_personal", "record_merge"}


def everything(session: RecordSession) -> dict[str, list[Any]]:
    """Return every row of every table, without what any save changes."""
    found = {}
    for table in Model.metadata.tables.values():
        if table.name not in BOOKS:
            columns = [column for column in table.c if column.name not in SAVED]
            rows = session.execute(sa.select(*columns), execution_options=INTERNAL)
            found[table.name] = sorted(map(repr, rows))
    return found


def referring(session: RecordSession, entity: type[Recorded], key: int) -> dict[str, int]:
    """Return by column how many rows of the whole schema refer to a row."""
    found = {}
    for reference in references_to(entity.__table__):
        statement = sa.select(sa.func.count()).select_from(reference.table).where(reference.to(key))
        found[str(reference.column)] = session.scalar(statement, execution_options=INTERNAL) or 0
    return found


def crowded(session: RecordSession) -> World:
    """Return a client with something of everything."""
    world = World(session)
    world.license()
    world.fee()
    world.account_service()
    world.check()
    world.intervention()
    world.entitlement()
    world.escalation()
    world.onboarding()
    world.handover()
    world.call()
    world.mail()
    world.inbound()
    world.timed()
    world.archived()
    world.penalty()
    world.alert()
    world.package()
    world.signed_in(world.account())
    return world


def test_what_can_be_merged_has_what_undoing_needs() -> None:
    assert {entity.__table__.name for entity in MERGEABLE} == {"company", "contact"}


@both
@pytest.mark.parametrize("entity", MERGEABLE, ids=lambda entity: entity.__tablename__)
def test_every_column_that_refers_to_the_dropped_record_is_moved(
    session: RecordSession, entity: type[Recorded]
) -> None:
    """Generated from the schema: a table that comes later is covered before it exists."""
    world = World(session)
    keep, drop = (world.client(), world.client()) if entity is Company else (world.contact, _twin(world))
    world.mail()
    world.job()
    world.inbound()
    world.timed()
    world.archived()
    world.penalty()
    world.alert()
    world.follower()
    world.signed_in(world.account())
    world.add(code_of(keep))
    ring(session, "activation_answer", Reader(account_id=world.account().id), about=drop)
    for reference in references_to(entity.__table__):
        table, column = reference.table, reference.column
        # Any row will do, whoever's it is: what counts is where it leads.
        (key,) = table.primary_key.columns
        row = session.scalar(sa.select(sa.func.max(key)), execution_options=INTERNAL)
        assert row is not None, f"Nothing to try {column} with: add a row to this test"
        values: dict[str, Any] = {column.name: drop.id}
        if reference.named_by is not None:
            values[reference.named_by.name] = reference.named
        if table.name == "attachment":  # which has one parent
            values |= {f"{name}_id": None for name in PARENTS if f"{name}_id" != column.name}
        session.execute(sa.update(table).where(key == row).values(values), execution_options=INTERNAL)
    foreign = [key for table in Model.metadata.tables.values() for key in table.foreign_keys]
    declared = {str(key.parent) for key in foreign if key.column is entity.__table__.c.id}
    before = referring(session, entity, drop.id)
    assert declared <= before.keys()
    assert [name for name, count in before.items() if not count] == []
    merge_records(session, keep, drop, (), actor=SYSTEM)
    after = referring(session, entity, keep.id)
    assert not any(referring(session, entity, drop.id).values())
    assert {name for name, count in before.items() if count} <= {name for name, count in after.items() if count}


def code_of(record: Any) -> ExternalCode:
    return ExternalCode(
        group_id=record.group_id,
        entity=record.__table__.name,
        system="Prova",
        code=f"{record.id}",
        record_id=record.id,
        created_at=record.created_at,
    )


def _twin(world: World, **values: Any) -> Contact:
    return world.add(  # type: ignore[no-any-return]
        Contact(**{"company": world.company, "first_name": "Ada", "last_name": "Rosi", "email": None, **values})
    )


@both
def test_a_merged_company_has_everything_and_undoing_puts_it_all_back(session: RecordSession) -> None:
    world = crowded(session)
    drop = world.company
    drop.vat_number, drop.email = "00123456789", "info@prova.example"
    keep = world.client(legal_name="COMUNE DI PROVA", website="https://prova.example")
    package = world.package()
    session.flush()
    session.expire_all()
    before = everything(session)
    merge = merge_records(session, keep, drop, ["vat_number", "legal_name"], actor=SYSTEM)
    session.expire_all()
    assert not any(referring(session, Company, drop.id).values())
    assert (keep.vat_number, keep.legal_name, keep.email) == ("00123456789", "Comune di Prova", None)
    assert keep.legal_name_key == "comune di prova"
    assert keep.state is CompanyState.prospect  # only verbs change it
    assert drop.deleted_at is not None
    assert package.company_id == keep.id
    undo_merge(session, merge, actor=SYSTEM)
    after = everything(session)
    assert [name for name in before if before[name] != after[name]] == []
    events = session.scalars(
        sa.select(HistoryEntry.event)
        .where(HistoryEntry.entity == "company", HistoryEntry.record_id == keep.id)
        .order_by(HistoryEntry.id)
    )
    assert [*events] == ["created", "merged", "unmerged"]
    with pytest.raises(AlreadyUndone):
        undo_merge(session, merge, actor=SYSTEM)


@both
def test_what_is_there_on_both_sides_becomes_one_and_comes_apart_again(session: RecordSession) -> None:
    world = World(session)
    keep, drop = world.company, world.client(legal_name="Comune di Prova 2")
    service = world.covered()
    ours = world.company_service(GrantState.proposed, service)
    twin = _twin(world, company=drop, email="ada@prova.example", is_main_referent=True)
    other = _twin(world, company=drop, email="ugo@prova.example", first_name="Ugo")
    world.contact.is_main_referent = True
    world.company = drop
    theirs = world.company_service(GrantState.active, service)
    ticket = world.ticket(contact=twin)
    world.add(ContactRole(contact=world.contact, role=ContactRoleKind.executor))
    world.add(ContactRole(contact=twin, role=ContactRoleKind.executor))
    world.add(code_of(twin))
    session.flush()
    session.expire_all()
    before = everything(session)
    plan = make_plan(session, Company.__table__, drop.id, keep.id)
    found = {(fold.table.name, fold.stays, fold.goes) for fold in plan.folds}
    assert ("contact", world.contact.id, twin.id) in found
    assert ("company_service", theirs.id, ours.id) in found  # the one in force stays, whosever it is
    merge = merge_records(session, keep, drop, (), actor=SYSTEM)
    session.expire_all()
    assert twin.deleted_at is not None
    assert ticket.contact_id == world.contact.id
    assert ticket.company_id == keep.id
    assert other.company_id == keep.id
    assert theirs.company_id == keep.id
    assert session.get(CompanyService, ours.id) is None
    undo_merge(session, merge, actor=SYSTEM)
    session.expire_all()
    after = everything(session)
    assert [name for name in before if before[name] != after[name]] == []


def test_of_two_main_referents_the_kept_one_stays(session: RecordSession) -> None:
    world = World(session)
    world.contact.is_main_referent = True
    drop = world.client()
    other = _twin(world, company=drop, first_name="Ugo", is_main_referent=True)
    session.flush()
    merge = merge_records(session, world.company, drop, (), actor=SYSTEM)
    session.expire_all()
    assert (world.contact.is_main_referent, other.is_main_referent) == (True, False)
    undo_merge(session, merge, actor=SYSTEM)
    session.expire_all()
    assert (other.is_main_referent, other.company_id) == (True, drop.id)


def test_what_follows_the_company_of_a_ledger_follows_it_there(session: RecordSession) -> None:
    world = World(session)
    package = world.package()
    world.add(PackageMovement(package=package, kind=MovementKind.purchase, minutes=600))
    keep = world.client()
    merge_records(session, keep, world.company, (), actor=SYSTEM)
    moved = session.scalars(sa.select(PackageMovement.company_id).where(PackageMovement.package_id == package.id))
    assert {*moved} == {keep.id}
    refused = sa.update(PackageMovement.__table__).values(minutes=1)
    with pytest.raises(sa.exc.IntegrityError):
        session.execute(refused, execution_options=INTERNAL)


def test_a_merge_is_not_undone_over_later_changes(session: RecordSession) -> None:
    world = World(session)
    ticket = world.ticket()
    keep, drop = world.client(), world.company
    merge = merge_records(session, keep, drop, (), actor=SYSTEM)
    session.expire_all()
    ticket.subject = "Altro"
    session.flush()
    with pytest.raises(MergeKept, match="Tickets"):
        undo_merge(session, merge, actor=SYSTEM)


def test_a_merge_is_not_undone_when_later_rows_hang_on_what_moved(session: RecordSession) -> None:
    world = World(session)
    keep, drop = world.client(), world.company
    merge = merge_records(session, keep, drop, (), actor=SYSTEM)
    session.expire_all()
    world.company = keep
    world.ticket(contact=world.contact)
    with pytest.raises(MergeKept, match="Contacts"):
        undo_merge(session, merge, actor=SYSTEM)


def test_what_cannot_become_one(session: RecordSession) -> None:
    world = World(session)
    elsewhere = World(session)
    with pytest.raises(NotMergeable):
        merge_records(session, world.company, world.company, (), actor=SYSTEM)
    with pytest.raises(NotFound):
        merge_records(session, world.company, elsewhere.company, (), actor=SYSTEM)
    with pytest.raises(OtherOwner):
        merge_records(session, world.contact, _twin(world, company=world.client()), (), actor=SYSTEM)
    twin = world.client(CompanyState.former)
    for name in ("state", "nonsense"):
        with pytest.raises(InvalidRecord):
            merge_records(session, world.company, twin, [name], actor=SYSTEM)
    with pytest.raises(Conflict):
        merge_records(session, world.company, twin, (), versions=(world.company.version, 7), actor=SYSTEM)


def test_who_may_merge(session: RecordSession, staff: Any) -> None:
    found = {}
    for role in ("administrator", "sales", "secretariat", "operator1", "management", "quality"):
        actor = load_actor(session, staff(role).id)
        found[role] = [may_merge(entity, actor) for entity in (Company, Contact)]
    assert found.pop("administrator") == [True, True]
    assert {tuple(answers) for answers in found.values()} == {(False, False)}
    world = World(session)
    narrow = world.staff("companies", actions=frozenset({Action.read, Action.update, Action.create}))
    with pytest.raises(Forbidden):
        merge_records(session, world.company, world.client(), (), actor=narrow)


def test_an_administrator_merges_within_their_own_group_and_is_named(session: RecordSession, staff: Any) -> None:
    person = staff("administrator")
    actor = load_actor(session, person.id)
    world = World(session, group_id=actor.group_id)
    stranger = World(session)
    twin = world.client(legal_name="Comune di Prova")
    ticket, keep_id, drop_id = world.ticket(), twin.id, world.company.id
    session.commit()
    with open_session(session.get_bind(), Context(actor, Door.desk)) as own:  # type: ignore[arg-type]
        keep, drop = own.get(Company, keep_id), own.get(Company, drop_id)
        assert keep is not None
        assert drop is not None
        assert own.get(Company, stranger.company.id) is None
        merge = merge_records(own, keep, drop, (), actor=actor)
        own.commit()
        merge_id = merge.id
    entry = session.scalars(
        sa.select(HistoryEntry)
        .where(HistoryEntry.entity == "ticket", HistoryEntry.record_id == ticket.id)
        .order_by(HistoryEntry.id.desc())
        .limit(1)
    ).one()
    assert (entry.event, entry.actor_name, entry.changes) == ("moved", str(person), {"company": [drop_id, keep_id]})
    assert get_deletion(session, Company, drop_id, actor=actor).record_id == drop_id
    with open_session(session.get_bind(), Context(actor, Door.desk)) as own:  # type: ignore[arg-type]
        undo_merge(own, own.get_one(RecordMerge, merge_id), actor=actor)
        own.commit()
    session.rollback()
    assert ticket.company_id == drop_id


def test_a_form_open_since_before_is_told(session: RecordSession) -> None:
    world = World(session)
    ticket, keep = world.ticket(), world.client()
    versions = ticket.version, keep.version
    merge_records(session, keep, world.company, (), actor=SYSTEM)
    session.expire_all()
    with pytest.raises(Conflict):
        update_record(session, ticket, {"subject": "Altro"}, version=versions[0], actor=SYSTEM)
    with pytest.raises(Conflict):
        update_record(session, keep, {"city": "Trento"}, version=versions[1], actor=SYSTEM)
