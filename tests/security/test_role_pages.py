"""Administrators change roles at the desk: what they change counts at once, everywhere, and they cannot lock it all."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Permission, PermissionView, Role, ViewMenu

from backoffice.actors import SYSTEM, Context, Door, ScopeKind
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.operations import role_changes, role_rows, roles
from backoffice.operations.role_rows import actions_of, stored_values, value_of
from backoffice.permissions import AREAS, SHIPPED_RIGHTS
from models.base import ENTITIES
from models.company import Company
from models.history_entry import HistoryEntry
from models.role_right import RoleMask, RoleRight
from tests.clients import DeskClient
from tests.visitors import Visitor


def role_of(session: RecordSession, name: str) -> Role:
    session.rollback()
    session.expire_all()
    return session.scalars(sa.select(Role).where(Role.name == name)).one()


def values_now(session: RecordSession, role: Role) -> dict[str, str]:
    """Return what is stored by now."""
    key = role.id
    session.rollback()
    session.expire_all()
    return stored_values(session, session.get_one(Role, key))


def form_of(client: DeskClient, role: Role) -> dict[str, Any]:
    """Return what the form of a role would send as it stands."""
    page = client.get(f"/roles/{role.id}/edit").text
    found: dict[str, Any] = {}
    for name, options in re.findall(r'<select[^>]*name="(right-[^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    found["mask"] = re.findall(r'name="mask" value="([^"]+)" checked', page)
    return found


def answered_by(page: str) -> dict[str, Any]:
    """Return the fields that a question sends along."""
    found: dict[str, Any] = {}
    for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page):
        if name != "csrf_token":
            found.setdefault(name, []).append(html.unescape(value))
    return found


def change(client: DeskClient, role: Role, **changes: Any) -> str:
    """Change a role as people do, and return the question they are asked before."""
    values = form_of(client, role) | {name.replace("__", "-"): value for name, value in changes.items()}
    asked = client.submit(f"/roles/{role.id}/edit", values)
    assert asked.status_code == 200, asked.text
    done = client.submit(f"/roles/{role.id}/edit", answered_by(asked.text))
    assert done.status_code == 303, done.text
    return html.unescape(asked.text)


@pytest.fixture
def boss(desk_client: Callable[..., DeskClient]) -> DeskClient:
    return desk_client("admin")


def test_a_value_is_read_as_it_was_written() -> None:
    for area, (letters, scope) in SHIPPED_RIGHTS["operator1"].items():
        value = f"{letters}:{scope}"
        assert area in AREAS
        if letters:
            assert value_of(actions_of(value)) == value
    mixed = "RX:group RU:unit"
    assert value_of(actions_of(mixed)) == mixed
    assert sorted(set(actions_of(mixed).values())) == [ScopeKind.group, ScopeKind.unit]


def test_a_changed_right_counts_at_once_on_list_page_api_and_grid(
    session: RecordSession, boss: DeskClient, person: Callable[[str], Visitor]
) -> None:
    sales: Visitor = person("sales")
    key = session.scalars(sa.select(Company.id).where(Company.group_id == 1, Company.deleted_at.is_(None))).first()
    places = ["/company/", f"/company/{key}", "/grid/company/", "/company/export.csv"]
    assert [sales.get(place).status_code for place in places] == [200] * 4
    assert sales.api("GET", f"company/{key}").status_code == 200
    question = change(
        boss, role_of(session, "sales"), **{f"right__companies__{a}": "" for a in ("create", "update", "export")}
    )
    assert "Aziende e sedi" in question
    assert [sales.get(place).status_code for place in places] == [200, 200, 403, 403]
    assert sales.api("PATCH", f"company/{key}", json={}, headers={"If-Match": '"1"'}).status_code == 403
    change(boss, role_of(session, "sales"), right__companies__read="")
    assert [sales.get(place).status_code for place in places] == [403] * 4
    assert sales.api("GET", f"company/{key}").status_code == 403


def test_the_toolkit_s_permissions_follow_at_once(session: RecordSession, boss: DeskClient) -> None:
    statement = (
        sa.select(Permission.name)
        .join(PermissionView, PermissionView.permission_id == Permission.id)
        .join(ViewMenu, PermissionView.view_menu_id == ViewMenu.id)
        .join(PermissionView.role)
        .where(Role.name == "sales", ViewMenu.name == "contact")
    )
    assert "can_delete" not in session.scalars(statement).all()
    session.rollback()
    change(boss, role_of(session, "sales"), right__contacts__delete="group")
    session.rollback()
    assert "can_delete" in session.scalars(statement).all()
    session.rollback()
    with begin_writing():
        assert roles.synchronise_roles(session) == []


def test_actions_of_one_area_may_have_rows_of_their_own(
    session: RecordSession, boss: DeskClient, person: Callable[[str], Visitor]
) -> None:
    """Reads the whole group, and changes what the own unit answers for."""
    evaluator: Visitor = person("evaluator")
    change(boss, role_of(session, "evaluator"), right__companies__read="group", right__companies__update="unit")
    rows = session.scalars(
        sa.select(RoleRight).where(RoleRight.area == "companies", RoleRight.role_id == role_of(session, "evaluator").id)
    )
    assert {(row.actions, row.scope.value) for row in rows} == {("R", "group"), ("RU", "unit")}
    unit = evaluator.client.staff.business_unit_id  # type: ignore[union-attr]
    group = (Company.group_id == 1, Company.deleted_at.is_(None))
    mine = session.scalars(sa.select(Company).where(*group, Company.business_unit_id == unit)).first()
    other = session.scalars(sa.select(Company).where(*group, Company.business_unit_id != unit)).first()
    assert mine is not None
    assert other is not None
    for company, status in ((mine, 200), (other, 404)):
        assert evaluator.api("GET", f"company/{company.id}").status_code == 200
        headers = {"If-Match": f'"{company.version}"'}
        answer = evaluator.api("PATCH", f"company/{company.id}", json={"notes": "Visitata"}, headers=headers)
        assert answer.status_code in ({200} if status == 200 else {403, 404, 422}), answer.text


def test_a_mask_put_on_at_the_desk_hides_the_value(
    session: RecordSession, boss: DeskClient, person: Callable[[str], Visitor]
) -> None:
    sales: Visitor = person("sales")
    company = session.scalars(sa.select(Company).where(Company.group_id == 1, Company.vat_number.is_not(None))).first()
    assert company is not None
    assert company.vat_number in sales.get(f"/company/{company.id}").text
    change(boss, role_of(session, "sales"), mask=["company.vat_number", "company.tax_code"])
    assert company.vat_number not in sales.get(f"/company/{company.id}").text
    session.rollback()
    masks = session.scalars(sa.select(RoleMask).join(RoleMask.role).where(Role.name == "sales"))
    assert {mask.field for mask in masks} == {"vat_number", "tax_code"}


def test_the_history_tells_who_changed_which_right(session: RecordSession, boss: DeskClient) -> None:
    change(boss, role_of(session, "sales"), right__contacts__delete="group")
    session.rollback()
    entry = session.scalars(
        sa.select(HistoryEntry).where(HistoryEntry.entity == "role_right").order_by(HistoryEntry.id.desc())
    ).first()
    assert entry is not None
    assert entry.actor_id == boss.staff.id  # type: ignore[union-attr]
    assert entry.changes == {"actions": ["CRUX", "CRUDX"]}


@pytest.mark.long
def test_what_stands_in_the_form_is_what_is_stored(session: RecordSession, boss: DeskClient) -> None:
    for name in SHIPPED_RIGHTS:
        role = role_of(session, name)
        answer = boss.submit(f"/roles/{role.id}/edit", form_of(boss, role))
        assert answer.status_code == 303, name  # nothing changes, so nothing is asked


def test_a_copy_begins_with_the_same_rights_and_goes_when_nobody_has_it(
    session: RecordSession, boss: DeskClient, staff: Callable[[str], Any]
) -> None:
    source = role_of(session, "operator1")
    for name in ("", "Sales", "commerciale", "x" * 65):
        assert boss.submit(f"/roles/{source.id}/copy", {"name": name}).status_code == 422, name
    assert boss.submit(f"/roles/{source.id}/copy", {"name": "Stagisti"}).status_code == 303
    copy = role_of(session, "Stagisti")
    assert values_now(session, copy) == values_now(session, source)
    change(boss, copy, right__companies__export="")
    assert actions_of(values_now(session, copy)["right:companies"]).keys() == {"read"}
    person = staff("quality")
    with begin_writing():
        own = role_of(session, "Stagisti")
        person.roles.append(own)
        session.commit()
    assert boss.submit(f"/roles/{copy.id}/delete").status_code == 409
    with begin_writing():
        own = role_of(session, "Stagisti")
        person.roles.remove(own)
        session.commit()
    assert boss.submit(f"/roles/{copy.id}/delete").status_code == 303
    session.rollback()
    assert session.scalars(sa.select(Role).where(Role.name == "Stagisti")).all() == []
    assert session.scalars(sa.select(RoleRight).where(RoleRight.role_id == copy.id)).all() == []
    assert boss.submit(f"/roles/{source.id}/delete").status_code == 409


def test_the_administrators_keep_their_rights(session: RecordSession, boss: DeskClient) -> None:
    role = role_of(session, "administrator")
    for field in ("right-roles-update", "right-staff-update", "right-staff-read"):
        answer = boss.submit(f"/roles/{role.id}/edit", form_of(boss, role) | {field: "", "confirmed": "1"})
        assert answer.status_code == 422, field
        assert "Qualcuno deve potersi occupare" in answer.text
    change(boss, role, right__outbox__transition="")


def test_nobody_takes_the_administration_from_themselves(
    session: RecordSession, boss: DeskClient, desk_client: Callable[..., DeskClient], staff: Callable[[str], Any]
) -> None:
    """Whoever administers by a copied role keeps it as well."""
    assert boss.submit(f"/roles/{role_of(session, 'administrator').id}/copy", {"name": "Capi"}).status_code == 303
    person = staff("quality")
    with begin_writing():
        person.roles, person.may_switch_group = [role_of(session, "Capi")], True
        session.commit()
    deputy, role = desk_client("quality"), role_of(session, "Capi")
    own = form_of(deputy, role) | {"confirmed": "1"}
    answer = deputy.submit(f"/roles/{role.id}/edit", own | {"right-roles-update": ""})
    assert answer.status_code == 422
    assert "Nessuno può togliere a se stesso" in answer.text
    change(deputy, role, right__calls__create="")  # what is not administration may go
    change(boss, role, right__roles__update="")  # another administrator may take that too
    assert deputy.get(f"/roles/{role.id}/edit").status_code == 403


def test_only_administrators_give_what_they_do_not_have(
    session: RecordSession, boss: DeskClient, desk_client: Callable[..., DeskClient], staff: Callable[[str], Any]
) -> None:
    person = staff("security")
    with begin_writing():
        person.may_switch_group = True
        session.commit()
    guard, role = desk_client("security"), role_of(session, "security")
    answer = guard.submit(f"/roles/{role.id}/edit", form_of(guard, role) | {"right-staff-update": "group"})
    assert answer.status_code == 422
    assert "Solo gli amministratori possono dare" in answer.text
    change(guard, role_of(session, "quality"), right__history__read="")  # taking away is their work


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("right-companies-read", "unit", "La lettura deve comprendere"),
        ("right-companies-update", "everything", "non sono fra quelle offerte"),
        ("right-companies-read", "", "La lettura deve comprendere"),
    ],
)
def test_rights_that_make_no_sense_are_refused_with_what_was_chosen(
    session: RecordSession, boss: DeskClient, field: str, value: str, said: str
) -> None:
    role = role_of(session, "sales")
    answer = boss.submit(f"/roles/{role.id}/edit", form_of(boss, role) | {field: value, "right-calls-create": "group"})
    assert answer.status_code == 422
    assert said in answer.text
    assert re.search(r'name="right-calls-create".*?<option value="group" selected', answer.text, re.DOTALL)


def test_who_answers_an_old_question_is_asked_again(session: RecordSession, boss: DeskClient) -> None:
    role = role_of(session, "sales")
    asked = boss.submit(f"/roles/{role.id}/edit", form_of(boss, role) | {"right-contacts-delete": "group"})
    change(boss, role, right__calls__create="group")
    again = boss.submit(f"/roles/{role.id}/edit", answered_by(asked.text))
    assert again.status_code == 409
    assert "Chiamate e comunicazioni" in again.text  # which the old answer would undo
    assert boss.submit(f"/roles/{role.id}/edit", answered_by(again.text)).status_code == 303


@pytest.fixture
def newer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A version of the product that ships other rights for sales."""
    new = {code: dict(rights) for code, rights in SHIPPED_RIGHTS.items()}
    new["sales"] |= {"companies": ("RX", ScopeKind.own), "contracts": ("RX", ScopeKind.group)}
    monkeypatch.setattr(role_rows, "SHIPPED_RIGHTS", new)
    return


def test_a_new_version_asks_about_what_was_changed_here(
    session: RecordSession, boss: DeskClient, engine: sa.Engine, newer: None
) -> None:
    role = role_of(session, "sales")
    change(boss, role, right__companies__create="", right__orders__create="")
    for _run in range(2):
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as own, own.begin():
            roles.synchronise_roles(own)
    values = values_now(session, role)
    assert values["right:companies"] == "RUX:group"  # changed here: kept
    assert values["right:contracts"] == "RX:group"  # nobody touched it: taken over
    page = html.unescape(boss.get(f"/roles/{role.id}").text)
    assert "La nuova versione porta queste modifiche" in page
    assert page.count('name="take"') == 1
    boss.submit(f"/roles/{role.id}/news", {"take": "right:companies"})
    assert values_now(session, role)["right:companies"] == "RX:own"
    page = boss.get(f"/roles/{role.id}").text
    assert 'name="take"' not in page
    assert "modificato qui" in page  # the orders still are


def test_what_is_kept_is_asked_about_no_more(
    session: RecordSession, boss: DeskClient, engine: sa.Engine, newer: None
) -> None:
    role = role_of(session, "sales")
    change(boss, role, right__companies__create="")
    assert 'name="keep"' in boss.get(f"/roles/{role.id}").text
    boss.submit(f"/roles/{role.id}/news", {"keep": "right:companies"})
    assert 'name="keep"' not in boss.get(f"/roles/{role.id}").text
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as own, own.begin():
        roles.synchronise_roles(own)
    assert values_now(session, role)["right:companies"] == "RUX:group"


def test_back_to_the_shipped_rights(session: RecordSession, boss: DeskClient) -> None:
    role = role_of(session, "management")
    shipped = values_now(session, role)
    change(boss, role, right__outbox__read="group", mask=["contact.first_name"])
    session.rollback()
    assert values_now(session, role) != shipped
    session.rollback()
    asked = boss.get(f"/roles/{role.id}/shipped")
    assert "confirmed" in asked.text
    assert boss.submit(f"/roles/{role.id}/shipped", answered_by(asked.text)).status_code == 303
    assert role_changes.changed_keys(values_now(session, role), shipped) == []


def test_the_form_stays_small(session: RecordSession, boss: DeskClient) -> None:
    """It has every area and every field that can be masked: so many bytes an entity, whatever the rows."""
    page = boss.get(f"/roles/{role_of(session, 'management').id}/edit").get_data()
    assert len(page) < 2_500 * len(ENTITIES)


def test_others_may_look_at_most(session: RecordSession, desk_client: Callable[..., DeskClient]) -> None:
    key = role_of(session, "sales").id
    security, sales, stranger = desk_client("security"), desk_client("sales"), desk_client()
    assert security.get(f"/roles/{key}").status_code == 200
    for page in ("edit", "shipped", "copy", "delete"):
        assert security.get(f"/roles/{key}/{page}").status_code == 403
        assert stranger.get(f"/roles/{key}/{page}").status_code == 302
    assert security.submit(f"/roles/{key}/news", {"keep": "right:companies"}).status_code == 403
    assert sales.get(f"/roles/{key}").status_code == 403
    assert sales.get("/rights/user/1").status_code == 403
    assert security.get("/rights/why/company/1").status_code == 403
