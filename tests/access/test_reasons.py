"""Why somebody may or may not do something with a record: the explanation and the session never disagree."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from backoffice.actors import SYSTEM, Action, Context, Door
from backoffice.database import RecordSession, open_session
from backoffice.identity import find_identity
from backoffice.permissions import ROLES
from backoffice.records import reasons
from models.base import ENTITIES, Recorded
from models.catalogue import slug
from models.company import Company
from tests.access.person import daily, make_rows_of_every_kind
from tests.clients import DeskClient


def sample(session: RecordSession) -> list[Recorded]:
    """Return some rows of every entity: the first and last, which often are of different groups."""
    found: list[Recorded] = []
    for entity in ENTITIES.values():
        keys = session.execute(sa.select(sa.func.min(entity.id), sa.func.max(entity.id))).one()
        middle = sum(keys) // 2 if None not in keys else None
        wanted = {*keys, middle} - {None}
        found += session.scalars(sa.select(entity).where(entity.id.in_(wanted))).all()
    return found


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
@pytest.mark.parametrize("role", [pytest.param(role, marks=daily(role)) for role in ROLES])
def test_the_lines_agree_with_what_the_session_returns(
    session: RecordSession, engine: sa.Engine, staff: Callable[[str], Any], role: str
) -> None:
    make_rows_of_every_kind(engine)
    person = find_identity(session, staff(role).id)
    assert person is not None
    answers = set()
    with open_session(engine, Context(person.actor, Door.desk)) as theirs:
        for record in sample(session):
            for action in (Action.read, Action.update):
                reached = reasons.is_reached(theirs, type(record), record.id, action)
                found = list(reasons.steps(session, record, person, action, viewer=SYSTEM))
                assert reasons.comes_to(found) == reached, (record, action, found)
                answers.add(reached)
    assert answers == {True, False}


def lines_of(page: str) -> list[str]:
    text = html.unescape(page.partition('<ol class="reasons">')[2].partition("</ol>")[0])
    return [re.sub(r"<[^>]+>", "", line).strip() for line in re.findall(r"<li>(?!<b>)(.*?)</li>", text)]


def test_the_page_names_the_condition_that_fails(
    session: RecordSession, desk_client: Callable[..., DeskClient], staff: Callable[[str], Any]
) -> None:
    admin, person = desk_client("administrator"), staff("evaluator")
    group = (Company.group_id == 1, Company.deleted_at.is_(None))
    mine = sa.select(Company).where(*group, Company.business_unit_id == person.business_unit_id)
    other = sa.select(Company).where(*group, Company.business_unit_id != person.business_unit_id)
    for statement, word, answer in ((mine, "Sì", "Sì: a"), (other, "No", "No: a")):
        company = session.scalars(statement.order_by(Company.id)).first()
        assert company is not None
        address = f"/rights/why/company/{company.id}"
        assert address in admin.get(f"/company/{company.id}").text
        page = admin.get(f"{address}?user={person.id}").text
        assert answer in html.unescape(page)
        unit = f"{company.business_unit}; quella dell’utente: {person.business_unit}."
        assert any(line.startswith(f"{word}: ") and line.endswith(unit) for line in lines_of(page)), lines_of(page)


def test_the_page_is_for_who_looks_after_users(session: RecordSession, desk_client: Callable[..., DeskClient]) -> None:
    key = session.scalars(sa.select(Company.id).where(Company.group_id == 1)).first()
    other = session.scalars(sa.select(Company.id).where(Company.group_id != 1)).first()
    for role in ("security", "sales"):
        assert "/rights/why/" not in desk_client(role).get(f"/company/{key}").text
        assert desk_client(role).get(f"/rights/why/company/{key}").status_code == 403
    admin = desk_client("administrator")
    assert admin.get(f"/rights/why/company/{other}?user=1").status_code == 404
    assert admin.get("/rights/why/nothing/1").status_code == 404
    assert "Questo utente non esiste" in admin.get(f"/rights/why/company/{key}?user-text=xyzzy").text


def test_effective_rights_say_which_role_gives_what(
    session: RecordSession, desk_client: Callable[..., DeskClient], staff: Callable[[str], Any]
) -> None:
    person = staff("operator1")
    person.roles.append(session.scalars(sa.select(Role).where(Role.name == "management")).one())
    session.commit()
    admin = desk_client("administrator")
    assert f"/rights/user/{person.id}" in admin.get(f"/{slug(type(person))}/{person.id}").text
    page = html.unescape(admin.get(f"/rights/user/{person.id}").text)
    row = page[page.index("Aziende e sedi</th>") :].partition("</tr>")[0]
    assert re.search(r"Leggi\w*\s*<span class=\"quiet\">\(Direzione\)", row), row
    assert "Shown" not in page
