"""What may be done to people who sign in, and what ends their sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from backoffice.actors import Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import Conflict, Forbidden, InvalidRecord
from backoffice.identity import load_actor
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.staff import (
    WrongOldPassword,
    change_own_password,
    deactivate,
    ensure_administrator,
    ensure_demo_users,
    set_password,
    switch_group,
)
from backoffice.passwords import WeakPassword, is_right
from backoffice.permissions import ROLES
from models.corporate_group import CorporateGroup
from models.history_entry import HistoryEntry
from models.staff import Staff

NEW = "sette-lampioni-blu-41"
Find = Callable[[str], Staff]


@pytest.fixture(autouse=True)
def _writing() -> Iterator[None]:
    with begin_writing():
        yield


@pytest.fixture
def acting(engine: sa.Engine, staff: Find, session: RecordSession) -> Iterator[Callable[[str], RecordSession]]:
    """A function that returns a session in which a role acts."""
    opened: list[RecordSession] = []

    def begin(role: str) -> RecordSession:
        actor = load_actor(session, staff(role).id)
        session.rollback()
        opened.append(open_session(engine, Context(actor, Door.desk)))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def _load(session: RecordSession, name: str) -> Staff:
    return session.scalars(sa.select(Staff).where(Staff.username == name)).one()


def _actor(session: RecordSession):  # type: ignore[no-untyped-def]
    return session.info["context"].actor


def test_changing_one_s_password_ends_other_sessions_and_is_recorded(
    acting: Callable[[str], RecordSession], password: str
) -> None:
    session = acting("sales")
    me = _load(session, "demo.sales")
    epoch = me.session_epoch
    change_own_password(session, me, password, NEW, actor=_actor(session))
    session.commit()
    assert is_right(me.password, NEW)
    assert me.session_epoch > epoch
    entry = session.scalars(
        sa.select(HistoryEntry)
        .where(HistoryEntry.entity == "ab_user", HistoryEntry.record_id == me.id)
        .order_by(HistoryEntry.id.desc()),
        execution_options={"internal": True},
    ).first()
    assert entry is not None
    assert entry.event == "ab_user.change_password"
    assert entry.changes == {"password": None}


def test_the_present_password_must_be_known(acting: Callable[[str], RecordSession], password: str) -> None:
    session = acting("sales")
    me = _load(session, "demo.sales")
    with pytest.raises(WrongOldPassword):
        change_own_password(session, me, "something else", NEW, actor=_actor(session))
    with pytest.raises(WeakPassword):
        change_own_password(session, me, password, password, actor=_actor(session))
    with pytest.raises(WeakPassword):
        change_own_password(session, me, password, "demo.sales-demo.sales", actor=_actor(session))


def test_nobody_changes_somebody_else_s_password_as_their_own(
    acting: Callable[[str], RecordSession], password: str
) -> None:
    session = acting("sales")
    with pytest.raises(Forbidden):
        change_own_password(session, _load(session, "demo.quality"), password, NEW, actor=_actor(session))


def test_an_administrator_sets_a_password_that_must_be_changed(acting: Callable[[str], RecordSession]) -> None:
    session = acting("administrator")
    other = _load(session, "demo.sales")
    epoch = other.session_epoch
    set_password(session, other, NEW, actor=_actor(session))
    assert other.must_change_password
    assert other.session_epoch > epoch
    assert is_right(other.password, NEW)


@pytest.mark.parametrize("role", [code for code in ROLES if code != "administrator"])
def test_no_other_role_sets_passwords(acting: Callable[[str], RecordSession], role: str) -> None:
    session = acting(role)
    with pytest.raises(Forbidden):
        set_password(session, _load(session, "demo.sales"), NEW, actor=_actor(session))


def test_an_administrator_of_one_group_gets_no_hold_on_one_of_the_installation(
    acting: Callable[[str], RecordSession],
) -> None:
    session = acting("administrator")
    with pytest.raises(Forbidden):
        set_password(session, _load(session, "admin"), NEW, actor=_actor(session))
    session.rollback()
    other = _load(session, "demo.sales")
    other.may_switch_group = True
    with pytest.raises(InvalidRecord) as refused:
        session.flush()
    assert "may_switch_group" in refused.value.problems


def test_nobody_shuts_themselves_out(acting: Callable[[str], RecordSession]) -> None:
    session = acting("administrator")
    with pytest.raises(InvalidRecord):
        deactivate(session, _load(session, "demo.administrator"), actor=_actor(session))
    session.rollback()
    me = _load(session, "demo.administrator")
    me.roles.clear()
    with pytest.raises(InvalidRecord):
        session.flush()


def test_deactivating_by_any_door_ends_sessions(session: RecordSession, staff: Find) -> None:
    person = staff("sales")
    epoch = person.session_epoch
    person.active = False
    session.flush()
    assert person.session_epoch > epoch


def test_only_administrators_of_the_installation_change_group(
    acting: Callable[[str], RecordSession], session: RecordSession
) -> None:
    other_group = session.scalars(sa.select(CorporateGroup.id).order_by(CorporateGroup.id)).all()[1]
    scoped = acting("admin")
    me = _load(scoped, "admin")
    switch_group(scoped, me, other_group, actor=_actor(scoped))
    scoped.commit()
    assert me.group_id == other_group
    scoped.close()
    scoped = acting("administrator")
    with pytest.raises(Forbidden):
        switch_group(scoped, _load(scoped, "demo.administrator"), other_group, actor=_actor(scoped))


def test_roles_that_may_change_users_do_not_make_administrators(
    acting: Callable[[str], RecordSession], session: RecordSession
) -> None:
    from models.role_right import RoleRight

    right = session.scalars(
        sa.select(RoleRight).join(RoleRight.role).where(Role.name == "quality", RoleRight.area == "staff")
    ).one()
    right.actions = "RU"
    session.commit()
    scoped = acting("quality")
    me = _load(scoped, "demo.quality")
    me.roles.append(scoped.scalars(sa.select(Role).where(Role.name == "administrator")).one())
    with pytest.raises(InvalidRecord):
        scoped.flush()


def test_first_users_are_made_once(session: RecordSession, staff: Find) -> None:
    assert ensure_administrator(session, "another") is None
    assert ensure_demo_users(session, "another") is None
    assert staff("admin").may_switch_group
    assert not staff("admin").is_demo
    for code in ROLES:
        for suffix in ("", ".2"):
            person = _load(session, f"demo.{code}{suffix}")
            assert person.is_demo
            assert person.email.endswith(".example")
    assert staff("sales").group_id != _load(session, "demo.sales.2").group_id
    assert staff("evaluator").business_unit_id is not None


def test_two_people_who_save_the_same_user_conflict(acting: Callable[[str], RecordSession]) -> None:
    """The toolkit's own mapper knows no version, so the usual check would be left out without a word."""
    session = acting("administrator")
    person = _load(session, "demo.sales")
    version = person.version
    update_record(session, person, {"last_name": "Rossi"}, version=version, actor=_actor(session))
    session.commit()
    with pytest.raises(Conflict):
        update_record(session, person, {"last_name": "Bianchi"}, version=version, actor=_actor(session))


def test_names_to_sign_in_with_are_one_space_whatever_the_case(acting: Callable[[str], RecordSession]) -> None:
    session = acting("administrator")
    person = {"first_name": "Eva", "last_name": "Finta"}
    for username, email, field in (
        ("ADMIN", "eva@altrove.example", "username"),
        ("eva.finta", "Admin@Backoffice.Example", "email"),
        ("admin@backoffice.example", "eva@altrove.example", "username"),
        ("eva.finta", "non un indirizzo", "email"),
    ):
        with pytest.raises(InvalidRecord) as refusal:
            create_record(session, Staff, {**person, "username": username, "email": email}, actor=_actor(session))
        assert list(refusal.value.problems) == [field], username
        session.rollback()
    made = create_record(
        session, Staff, {**person, "username": "Eva.Finta", "email": "EVA@altrove.example"}, actor=_actor(session)
    )
    assert (made.username, made.email) == ("eva.finta", "eva@altrove.example")  # type: ignore[attr-defined]


def test_nobody_gives_up_changing_groups(acting: Callable[[str], RecordSession]) -> None:
    session = acting("admin")
    me = _load(session, "admin")
    with pytest.raises(InvalidRecord) as refusal:
        update_record(session, me, {"may_switch_group": False}, version=me.version, actor=_actor(session))
    assert "may_switch_group" in refusal.value.problems


def test_of_two_who_deactivate_each_other_one_remains(
    session: RecordSession, engine: sa.Engine, staff: Find, acting: Callable[[str], RecordSession]
) -> None:
    other = staff("administrator")
    other.may_switch_group = True
    session.commit()
    ids = (staff("admin").id, other.id)
    actors = [load_actor(session, key) for key in ids]
    session.rollback()
    start = Barrier(2)

    def leave(number: int) -> bool:
        start.wait(timeout=60)
        with begin_writing(), open_session(engine, Context(actors[number], Door.desk)) as own:
            try:
                deactivate(own, own.get_one(Staff, ids[1 - number]), actor=actors[number])
            except (InvalidRecord, Conflict):
                return False
            own.commit()
            return True

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(leave, range(2))) == [False, True]
