"""Synchronising roles: everything once, nothing twice, and never against an administrator."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu

from backoffice.actors import SYSTEM, Action, Context, Door, ScopeKind
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import find_identity, load_actor
from backoffice.operations import role_rows, roles
from backoffice.permissions import ROLES, SHIPPED_RIGHTS, shipped_grants
from models.base import Model
from models.company import Company
from models.contact import Contact
from models.role_right import RightScope, RoleDefault, RoleMask, RoleRight


@pytest.fixture(autouse=True)
def _writing() -> Iterator[None]:
    with begin_writing():
        yield


def _right(session: RecordSession, role: str, area: str) -> RoleRight | None:
    statement = sa.select(RoleRight).join(RoleRight.role).where(Role.name == role, RoleRight.area == area)
    return session.scalars(statement).one_or_none()


def _permissions(session: RecordSession, role: str) -> set[tuple[str, str]]:
    """Return what Flask-AppBuilder's own tables say."""
    statement = (
        sa.select(Permission.name, ViewMenu.name)
        .join(PermissionView, PermissionView.permission_id == Permission.id)
        .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
        .join(PermissionView.role)
        .where(Role.name == role)
    )
    return {(name, view) for name, view in session.execute(statement)}


def test_a_second_run_finds_nothing_to_do(session: RecordSession) -> None:
    assert roles.synchronise_roles(session) == []


def test_every_role_has_what_is_shipped(session: RecordSession) -> None:
    for code in ROLES:
        role = session.scalars(sa.select(Role).where(Role.name == code)).one()
        rows = session.scalars(sa.select(RoleRight).where(RoleRight.role_id == role.id))
        assert {row.area: (row.actions, row.scope.value) for row in rows} == SHIPPED_RIGHTS[code]


def test_actors_get_the_grants_of_their_role(session: RecordSession, staff: object) -> None:
    for code in ROLES:
        actor = load_actor(session, staff(code).id)  # type: ignore[operator]
        assert actor.roles == (code,)
        assert {area: grants[0] for area, grants in actor.grants.items()} == shipped_grants(code)


def test_an_actor_takes_at_most_three_statements(session: RecordSession, staff: object, engine: sa.Engine) -> None:
    key = staff("operator1").id  # type: ignore[operator]
    session.commit()
    seen: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    with open_session(engine, Context(SYSTEM, Door.desk)) as other:
        identity = find_identity(other, key)
    assert identity is not None
    assert identity.actor.team_ids
    assert len([text for text in seen if text.startswith("SELECT")]) <= 3


def test_permissions_of_the_toolkit_have_whole_names(session: RecordSession) -> None:
    """A rule for contact must not grant anything on contact_role (M9)."""
    found = _permissions(session, "sales")
    assert {("can_list", "contact"), ("can_edit", "contact"), ("can_export", "contact")} <= found
    assert ("can_delete", "contact") not in found
    right = _right(session, "sales", "contacts")
    assert right is not None
    right.actions = ""
    roles.synchronise_roles(session)
    assert not {view for _, view in _permissions(session, "sales")} & {"contact", "contact_role"}
    assert ("can_list", "contract") in _permissions(session, "sales")


def test_verbs_have_permissions_of_their_own(session: RecordSession) -> None:
    assert ("can_activate", "contract") in _permissions(session, "sales")
    assert ("can_activate", "contract") not in _permissions(session, "secretariat")


def test_nobody_may_write_history(session: RecordSession) -> None:
    assert {name for name, view in _permissions(session, "administrator") if view == "history_entry"} == {
        "can_list", "can_show", "can_export",
    }  # fmt: skip


def test_an_administrator_s_changes_stay(session: RecordSession) -> None:
    changed, removed = _right(session, "sales", "companies"), _right(session, "sales", "contacts")
    assert changed is not None
    assert removed is not None
    changed.actions, changed.scope = "R", RightScope.own
    session.delete(removed)
    mask = session.scalars(
        sa.select(RoleMask).join(RoleMask.role).where(Role.name == "management", RoleMask.field == "phone")
    ).first()
    session.delete(mask)
    session.commit()
    roles.synchronise_roles(session)
    session.commit()
    assert roles.synchronise_roles(session) == []
    assert (changed.actions, changed.scope) == ("R", RightScope.own)
    assert _right(session, "sales", "contacts") is None
    assert ("can_list", "contact") not in _permissions(session, "sales")


def test_what_nobody_touched_follows_the_product(session: RecordSession, monkeypatch: pytest.MonkeyPatch) -> None:
    touched = _right(session, "sales", "contracts")
    assert touched is not None
    touched.actions = "R"
    session.flush()
    new = {code: dict(rights) for code, rights in SHIPPED_RIGHTS.items()}
    new["sales"] |= {"companies": ("RX", ScopeKind.own), "contracts": ("RX", ScopeKind.group)}
    del new["sales"]["licenses"]
    monkeypatch.setattr(role_rows, "SHIPPED_RIGHTS", new)
    lines = roles.synchronise_roles(session)
    assert "sales: right:companies CRUX:group -> RX:own" in lines
    right = _right(session, "sales", "companies")
    assert right is not None
    assert (right.actions, right.scope) == ("RX", RightScope.own)
    assert touched.actions == "R"
    assert _right(session, "sales", "licenses") is None
    assert roles.synchronise_roles(session) == []


def test_a_role_of_the_administrator_s_own_is_left_alone(session: RecordSession, staff: object) -> None:
    own = Role(name="Stagisti")
    session.add_all([own, RoleRight(role=own, area="companies", actions="R", scope=RightScope.group)])
    session.flush()
    assert roles.synchronise_roles(session) == ["2 permissions granted"] or len(roles.synchronise_roles(session)) == 0
    assert {view for _, view in _permissions(session, "Stagisti")} >= {"company", "site"}
    person = staff("quality")  # type: ignore[operator]
    person.roles.append(own)
    session.flush()
    assert load_actor(session, person.id).roles == ("quality", "Stagisti")


def test_rights_of_several_roles_add_up(session: RecordSession, staff: object) -> None:
    person = staff("operator1")  # type: ignore[operator]
    person.roles.append(session.scalars(sa.select(Role).where(Role.name == "evaluator")).one())
    session.flush()
    actor = load_actor(session, person.id)
    assert actor.scopes(Action.read, Company) == {ScopeKind.teams, ScopeKind.unit}
    assert actor.scopes(Action.update, Contact) == {ScopeKind.teams}


def test_stale_names_of_the_toolkit_disappear(session: RecordSession) -> None:
    stale = PermissionView(permission=Permission(name="can_fly"), view_menu=ViewMenu(name="ContactView"))
    session.add(stale)
    role = session.scalars(sa.select(Role).where(Role.name == "sales")).one()
    role.permissions.append(stale)
    session.commit()
    assert roles.synchronise_roles(session)
    session.commit()
    assert session.scalar(sa.select(ViewMenu.id).where(ViewMenu.name == "ContactView")) is None
    assert session.scalar(sa.select(Permission.id).where(Permission.name == "can_fly")) is None
    assert roles.synchronise_roles(session) == []


@pytest.mark.databases("postgresql")
def test_a_machine_that_starts_beside_others_waits_longer_than_a_page(engine: sa.Engine) -> None:
    with open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
        roles.synchronise_roles(session)
        assert session.scalar(sa.text("SHOW lock_timeout")) == "5min"
        assert session.scalar(sa.text("SHOW statement_timeout")) == "5min"
    with open_session(engine, Context(SYSTEM, Door.cli)) as session:
        assert session.scalar(sa.text("SHOW lock_timeout")) == "10s"


def test_four_at_once_do_the_work_once(engine: sa.Engine) -> None:
    tables = Model.metadata.tables
    emptied = (
        "role_default",
        "role_mask",
        "role_right",
        "ab_permission_view_role",
        "ab_permission_view",
        "ab_view_menu",
        "ab_permission",
    )
    with engine.begin() as connection:
        for name in emptied:
            connection.execute(tables[name].delete())
    found: list[int] = []
    start = threading.Barrier(4)

    def run() -> None:
        start.wait()
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
            found.append(len(roles.synchronise_roles(session)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found)[:3] == [0, 0, 0]
    assert sorted(found)[3] > 100
    with open_session(engine, Context(SYSTEM, Door.cli)) as session:
        count = session.scalar(sa.select(sa.func.count()).select_from(RoleDefault))
        assert count == session.scalar(sa.select(sa.func.count()).select_from(RoleRight)) + session.scalar(
            sa.select(sa.func.count()).select_from(RoleMask)
        )
