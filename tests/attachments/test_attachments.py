"""Attachments: whose they are, what becomes of their contents, and what the history keeps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock, jobs
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import DomainError, Forbidden, NotFound, StillReferred
from backoffice.files.store import FolderStore, digest
from backoffice.identity import load_actor
from backoffice.operations import attachments
from backoffice.operations.attachments import ReasonMissing, attach_file, remove_attachment
from backoffice.operations.plain import delete_record
from backoffice.operations.restoring import get_deletion, restore_record
from models.attachment import Attachment
from models.base import Recorded
from models.company import Company
from models.contract import Contract, ContractState
from models.customer_order import CustomerOrder
from models.staff import Staff
from models.ticket import Ticket
from tests.attachments.samples import PDF, PNG
from tests.operations.world import World

Attach = Callable[..., Attachment]


@pytest.fixture
def attach(folder: FolderStore) -> Attach:
    """A function that attaches a file to a record."""

    def add(
        session: RecordSession, parent: Any, content: bytes = PNG, name: str = "a.png", **options: Any
    ) -> Attachment:
        actor = session.info["context"].actor
        return attach_file(session, parent, name, content, store=folder, limit_mb=1, actor=actor, **options)

    return add


@pytest.fixture
def scoped(engine: sa.Engine, session: RecordSession, staff: Callable[[str], Staff]) -> Callable[[str], RecordSession]:
    """A function that opens a session within the scope of somebody with a role."""
    return lambda name: open_session(engine, Context(load_actor(session, staff(name).id), Door.desk))


def kept(store: FolderStore) -> set[str]:
    return {item.key for item in store.kept()}


def first(session: RecordSession, entity: type[Recorded], *conditions: Any) -> Any:
    return session.scalars(sa.select(entity).where(*conditions).order_by(entity.id)).first()


def test_the_content_is_stored_before_the_row_and_once(
    session: RecordSession, attach: Attach, folder: FolderStore
) -> None:
    world = World(session)
    one, two = attach(session, world.company), attach(session, world.ticket(), name="b.png")
    assert (one.sha256, one.size_bytes, one.media_type) == (digest(PNG), len(PNG), "image/png")
    assert two.sha256 == one.sha256
    assert kept(folder) == {digest(PNG)}
    assert folder.get(one.sha256) == PNG
    session.rollback()
    assert first(session, Attachment, Attachment.sha256 == digest(PNG)) is None
    assert kept(folder) == {digest(PNG)}  # left over, for the sweep


def test_a_refused_file_leaves_nothing(session: RecordSession, attach: Attach, folder: FolderStore) -> None:
    world = World(session)
    with pytest.raises(DomainError):
        attach(session, world.company, b"<html>", "a.png")
    assert kept(folder) == set()
    assert first(session, Attachment, Attachment.company == world.company) is None


def test_attachments_are_there_for_whoever_sees_their_parent(
    session: RecordSession, scoped: Callable[[str], RecordSession], attach: Attach
) -> None:
    with scoped("operator1") as own:
        seen = first(own, Company).id
        visible = set(own.scalars(sa.select(Company.id)))
    hidden = first(session, Company, Company.group_id == 1, Company.id.not_in(visible)).id
    contract = first(session, Contract, Contract.company_id == hidden) or first(
        session, Contract, Contract.group_id == 1
    )
    order = first(session, CustomerOrder, CustomerOrder.group_id == 1)
    parents = (session.get(Company, seen), session.get(Company, hidden), contract, order)
    on_seen, on_hidden, on_contract, on_order = (attach(session, parent).id for parent in parents)
    session.commit()
    mine = sa.select(Attachment.id).where(Attachment.sha256 == digest(PNG))
    with scoped("operator1") as own:  # companies of their teams, all contracts, no orders
        assert set(own.scalars(mine)) == {on_seen, on_contract}
    with scoped("sales") as own:
        assert set(own.scalars(mine)) == {on_seen, on_hidden, on_contract, on_order}
    with scoped("demo.sales.2") as own:
        assert set(own.scalars(mine)) == set()
    with scoped("management") as own:  # files cannot be masked
        assert set(own.scalars(mine)) == set()
    session.get_one(Company, hidden).deleted_at = clock.now()
    session.commit()
    with scoped("sales") as own:
        assert set(own.scalars(mine)) == {on_seen, on_contract, on_order}


def test_whoever_may_not_work_on_the_parent_adds_and_removes_nothing(
    session: RecordSession, scoped: Callable[[str], RecordSession], attach: Attach
) -> None:
    contract = first(session, Contract, Contract.group_id == 1)
    attachment = attach(session, contract)
    other = first(session, Ticket, Ticket.group_id == 2)
    session.commit()
    with scoped("operator1") as own:  # reads contracts, works on tickets
        with pytest.raises(Forbidden):
            attach(own, own.get(Contract, contract.id))
        with pytest.raises(Forbidden):
            remove_attachment(own, own.get_one(Attachment, attachment.id), "x", actor=own.info["context"].actor)
        attach(own, first(own, Ticket))
    with scoped("sales") as own, pytest.raises(NotFound):  # a row of the other group, had somebody got hold of it
        attach(own, other)
    with scoped("consultant") as own:
        strange = first(session, Ticket, Ticket.group_id == 1, Ticket.id.not_in(set(own.scalars(sa.select(Ticket.id)))))
        with pytest.raises(NotFound):
            attach(own, strange)


def test_removing_says_why_in_the_history_of_the_parent(session: RecordSession, attach: Attach) -> None:
    from backoffice.records.timeline import find_entries

    ticket = World(session).ticket()
    attachment = attach(session, ticket, name="errore.png")
    with pytest.raises(ReasonMissing):
        remove_attachment(session, attachment, "  ", actor=SYSTEM)
    remove_attachment(session, attachment, "Mostra dati di altri", actor=SYSTEM)
    removed, added, *_rest = find_entries(session, ticket, SYSTEM)
    assert (removed.event, added.event) == ("attachment.remove", "attachment.add")
    told = {(change.old, change.new) for change in removed.changes}
    assert told == {("errore.png", ""), ("", "Mostra dati di altri")}
    assert [(change.old, change.new) for change in added.changes] == [("", "errore.png")]
    blind = replace(World(session).staff("tickets"), name="Cieca")
    assert "errore.png" not in str(find_entries(session, ticket, blind))


def test_a_record_with_files_is_not_deleted_and_a_hidden_one_keeps_them(session: RecordSession, attach: Attach) -> None:
    world = World(session)
    contract, company = world.contract(ContractState.draft), world.client()
    attachment, kept = attach(session, contract), attach(session, company).id
    with pytest.raises(StillReferred, match="1 attachment"):
        delete_record(session, contract, version=None, actor=SYSTEM)
    remove_attachment(session, attachment, "Doppio", actor=SYSTEM)
    delete_record(session, contract, version=None, actor=SYSTEM)
    delete_record(session, company, version=None, actor=SYSTEM)
    session.expire_all()
    deletion = get_deletion(session, Company, company.id, actor=SYSTEM)
    restore_record(session, deletion, actor=SYSTEM)
    assert session.get_one(Attachment, kept).company_id == company.id


def test_the_database_wants_exactly_one_parent(session: RecordSession) -> None:
    world = World(session)
    common = {"name": "a", "media_type": "x", "size_bytes": 1, "sha256": "0" * 64, "group_id": world.group.id}
    for parents in ({}, {"company": world.company, "ticket": world.ticket()}):
        with session.begin_nested() as savepoint:
            session.add(Attachment(**common, **parents))
            with pytest.raises(sa.exc.IntegrityError):
                session.flush()
            savepoint.rollback()


def test_left_over_contents_are_swept_after_a_day(
    engine: sa.Engine, session: RecordSession, attach: Attach, folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(session)
    used, gone = attach(session, world.company), attach(session, world.company, PDF, "b.pdf")
    remove_attachment(session, gone, "Doppio", actor=SYSTEM)
    session.commit()
    assert jobs.sweep_files(engine, folder) == 0  # somebody may be about to commit
    assert kept(folder) == {used.sha256, gone.sha256}
    later = clock.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert jobs.sweep_files(engine, folder) == 1
    assert kept(folder) == {used.sha256}


def test_a_content_attached_again_meanwhile_is_not_swept(
    engine: sa.Engine, session: RecordSession, attach: Attach, folder: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(session)
    folder.put(digest(PNG), PNG)
    session.commit()
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    keys = attachments.left_over(session, folder, later)
    assert keys == [digest(PNG)]
    attach(session, world.company)
    session.commit()
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as sweeping, sweeping.begin():
        assert attachments.sweep(sweeping, folder, keys) == 0
    assert kept(folder) == {digest(PNG)}


@pytest.mark.databases("postgresql")
def test_nobody_attaches_while_a_sweep_looks(
    engine: sa.Engine, session: RecordSession, attach: Attach, folder: FolderStore
) -> None:
    world = World(session)
    session.commit()
    with open_session(engine, Context(SYSTEM, Door.job)) as sweeping, sweeping.begin():
        attachments.sweep(sweeping, folder, [digest(PNG)])
        session.execute(sa.text("SET LOCAL lock_timeout = '100ms'"), execution_options={"internal": True})
        with pytest.raises(sa.exc.OperationalError):
            attach(session, world.company)
    assert kept(folder) == set()  # the row comes first: without it nothing is stored


def test_drafts_of_the_killed_are_swept(
    folder: FolderStore, tmp_path: Path, engine: sa.Engine, monkeypatch: Any
) -> None:
    draft = tmp_path / "files" / "drafts" / ("0" * 32)
    draft.parent.mkdir(parents=True)
    draft.write_bytes(b"half a")
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert jobs.sweep_files(engine, folder) == 1
    assert not draft.exists()
