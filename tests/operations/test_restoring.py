"""What was deleted comes back as it was, and earlier values stand in the form again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM
from backoffice.database import RecordSession, begin_writing
from backoffice.errors import InvalidRecord, NotFound
from backoffice.operations import removal
from backoffice.operations.erasure import erase_personal_history
from backoffice.operations.plain import delete_record, update_record
from backoffice.operations.restoring import NotRestorable, get_deletion, may_restore, restore_record
from models.analysis import AnalysisState
from models.base import ENTITIES, Recorded, SoftDeleted
from models.certificate import Certificate
from models.contact import Contact
from models.corporate_group import CorporateGroup
from models.group_company import GroupCompany
from models.history_entry import HistoryEntry
from models.holiday_set import HolidaySet
from models.mailbox import Mailbox
from models.on_call_shift import OnCallShift
from models.portal import Portal
from models.quick_reply import QuickReply
from models.site import Site
from models.sla_policy import SlaKind, SlaPolicy
from models.staff import Staff
from models.support_package_type import SupportPackageType
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.terms_version import TermsState
from tests.operations.world import World
from tests.views.programs import as_stored
from tests.visitors import Visitor, form_of

RESTORABLE = [entity for entity in ENTITIES.values() if may_restore(entity, SYSTEM)]
#: What is kept for good whatever its state: it never has to come back.
KEPT = {entity for entity in RESTORABLE if (kept := entity.__admin__.deletion) is not None and not kept.states}
#: What a restored row may differ in: it was saved once more, by somebody else.
DIFFERENT = {"version", "updated_at", "updated_by_id"}


def stored(session: RecordSession, entity: type[Recorded], key: int) -> dict[str, Any]:
    table = entity.__table__
    row = session.execute(sa.select(table).where(table.c.id == key), execution_options=INTERNAL).mappings().one()
    return {name: value for name, value in row.items() if name not in DIFFERENT}


def lines_of(session: RecordSession, record: Recorded) -> list[dict[str, Any]]:
    return [stored(session, type(line), line.id) for name in record.__admin__.inline for line in getattr(record, name)]


def make_what_nothing_refers_to(session: RecordSession) -> None:
    """Store a row of each kind whose stored rows are all referred to, or that has none."""
    world, person = World(session), session.scalars(sa.select(Staff).order_by(Staff.id)).first()
    queue = SupportQueue(code="LIBERA", name="Libera", group_company=world.house, group_id=world.group.id)
    now = clock.now()
    shift = OnCallShift(team=world.first_level, person=person, starts_at=now, ends_at=now + timedelta(hours=8))
    kind = SupportPackageType(group_id=world.group.id, code="ORE10", name="Dieci ore", included_minutes=600)
    server = {"host": "imap.example", "port": 993, "username": "posta", "active": False}
    for row in (
        CorporateGroup(name="Gruppo nuovo"),
        GroupCompany(group_id=world.group.id, legal_name="Nuova S.r.l."),
        HolidaySet(code="PATRONO", name="Patrono"),
        SupportTeam(name="Squadra nuova", group_company=world.house),
        queue,
        Mailbox(code="NUOVA", queue=world.queue, address="nuova@gruppo.example", **server),
        kind,
        SlaPolicy(group_id=world.group.id, name="Nuova", kind=SlaKind.close, target_minutes=60),
        QuickReply(name="Ricevuto", group_id=world.group.id, queue=world.queue, body="La ringraziamo."),
        shift,
        Certificate(analysis=world.analysis(AnalysisState.validated), number="RP/NUOVO", signer="Ada", signed_at=now),
        Portal(code="nuovo", name="Nuovo", group_company=world.house),
    ):
        world.add(row)
    made = (World.client, World.account, World.online_service, World.company_service, World.account_service)
    for maker in (*made, World.ticket, World.intervention, World.change, World.complaint, World.worker, World.course):
        maker(world)
    world.clause(), world.unit(), world.terms(TermsState.draft), world.order()


def test_every_kind_of_record_comes_back_as_it_was(session: RecordSession) -> None:
    make_what_nothing_refers_to(session)
    session.commit()
    tried = []
    for entity in RESTORABLE:
        rows = session.scalars(sa.select(entity).order_by(entity.id.desc()).limit(40))
        record = next((row for row in rows if removal.obstacle(session, row) is None), None)
        if record is None:
            continue
        key, version, before, lines = record.id, record.version, None, None
        session.expire(record)
        before, lines = stored(session, entity, key), lines_of(session, record)
        secrets = [column.key for column in entity.__table__.c if column.info.get("secret")]
        delete_record(session, record, version=None, actor=SYSTEM)
        again = restore_record(session, get_deletion(session, entity, key, actor=SYSTEM), actor=SYSTEM)
        after = stored(session, entity, key)
        assert after == before | dict.fromkeys(secrets), entity
        assert lines_of(session, again) == lines, entity
        assert again.version > version, entity
        tried.append(entity)
        session.rollback()
    assert set(RESTORABLE) - set(tried) == KEPT


def test_a_counter_that_no_page_shows_counts_on(session: RecordSession) -> None:
    queue = World(session).add(SupportQueue(code="PROVA", name="Prova", last_number=41, group_company_id=1, group_id=1))
    key = queue.id
    delete_record(session, queue, version=None, actor=SYSTEM)
    restore_record(session, get_deletion(session, SupportQueue, key, actor=SYSTEM), actor=SYSTEM)
    assert session.get_one(SupportQueue, key).last_number == 41


def test_a_record_is_restored_once(session: RecordSession) -> None:
    site = World(session).company
    gone = Site(company=site, name="Deposito", city="Trento")
    session.add(gone)
    session.flush()
    key = gone.id
    with pytest.raises(NotFound):
        get_deletion(session, Site, key, actor=SYSTEM)
    delete_record(session, gone, version=None, actor=SYSTEM)
    restore_record(session, get_deletion(session, Site, key, actor=SYSTEM), actor=SYSTEM)
    with pytest.raises(NotFound):
        get_deletion(session, Site, key, actor=SYSTEM)


def test_what_was_taken_meanwhile_is_said(session: RecordSession) -> None:
    world = World(session)

    def queue() -> SupportQueue:
        return world.add(SupportQueue(code="UNICA", name="Prova", group_company=world.house, group_id=world.group.id))

    first = queue()
    key = first.id
    delete_record(session, first, version=None, actor=SYSTEM)
    queue()
    with pytest.raises(InvalidRecord) as refusal:
        restore_record(session, get_deletion(session, SupportQueue, key, actor=SYSTEM), actor=SYSTEM)
    assert list(refusal.value.problems) == ["code"]


def test_what_was_forgotten_stays_forgotten(session: RecordSession) -> None:
    """A contact keeps its row, so its name is erased there first; what is really gone has only its history."""
    personal = [
        entity
        for entity in RESTORABLE
        if not issubclass(entity, SoftDeleted)
        and any(c.info.get("personal") and not c.nullable for c in entity.__table__.c)
    ]
    for entity in personal:
        rows = session.scalars(sa.select(entity).limit(40))
        record = next((row for row in rows if removal.obstacle(session, row) is None), None)
        if record is None:
            continue
        key = record.id
        delete_record(session, record, version=None, actor=SYSTEM)
        record.id = key
        deletion = get_deletion(session, entity, key, actor=SYSTEM)
        erase_personal_history_of(session, entity, key)
        with pytest.raises(NotRestorable):
            restore_record(session, deletion, actor=SYSTEM)
        session.rollback()


def erase_personal_history_of(session: RecordSession, entity: type[Recorded], key: int) -> None:
    fresh = entity()
    fresh.id = key
    erase_personal_history(session, fresh, "Richiesta della persona", actor=SYSTEM)


def test_earlier_values_are_put_back_as_a_new_change(admin: Visitor, session: RecordSession) -> None:
    with begin_writing():
        contact = session.scalars(
            sa.select(Contact).where(Contact.job_title.is_not(None), Contact.group_id == 1)
        ).first()
        assert contact is not None
        before = contact.job_title
        update_record(session, contact, {"job_title": "Direttrice"}, version=None, actor=SYSTEM)
        session.commit()
    page = admin.get(f"/contact/{contact.id}?tab=history").text
    entry = session.scalars(sa.select(HistoryEntry.id).order_by(HistoryEntry.id.desc())).first()
    path = f"/contact/{contact.id}/edit?earlier={entry}"
    assert path in page
    form = form_of(admin, path)
    assert form["job_title"] == before
    assert admin.submit(path, form).status_code == 303
    assert as_stored(session).get_one(Contact, contact.id).job_title == before


def test_another_record_s_entry_gives_nothing(admin: Visitor, session: RecordSession) -> None:
    keys = session.scalars(sa.select(Contact.id).where(Contact.group_id == 1).limit(2)).all()
    other = session.scalars(
        sa.select(HistoryEntry.id).where(HistoryEntry.entity == "contact", HistoryEntry.record_id == keys[0])
    ).first()
    assert admin.get(f"/contact/{keys[1]}/edit?earlier={other}").status_code == 404
    assert admin.get(f"/contact/{keys[1]}/edit?earlier=x").status_code == 200


def test_the_desk_deletes_and_restores(admin: Visitor, session: RecordSession) -> None:
    contact = next(
        row
        for row in session.scalars(sa.select(Contact).where(Contact.group_id == 1))
        if removal.obstacle(session, row) is None
    )
    path = f"/contact/{contact.id}"
    admin.submit(f"{path}/delete", {"version": str(contact.version)})
    assert admin.get(path).status_code == 404
    deleted = admin.get("/history_entry/?f=entity:is:contact&f=event:is:deleted").text
    entry = as_stored(session).scalars(sa.select(HistoryEntry.id).order_by(HistoryEntry.id.desc())).first()
    assert f"/history_entry/{entry}" in deleted
    words = re.sub(r"<[^>]+>", " ", deleted)
    assert re.search(r"Evento\s+è\s+Eliminazione", words)
    assert re.search(r"Tipo di scheda\s+è\s+Contatto", words)
    assert f"{path}/restore" in admin.get(f"/history_entry/{entry}").text
    assert admin.submit(f"{path}/restore", {}).status_code == 303
    assert admin.get(path).status_code == 200
    assert admin.get(f"{path}/restore").status_code == 404
