"""What somebody may not see or change, they do not change by taking many records at once either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask_appbuilder.security.sqla.models import Role

from models.base import Recorded
from models.bulk_run import BulkRow
from models.catalogue import slug
from models.company import Company
from models.role_right import RightScope, RoleRight
from tests.access.person import SWEEPS, Person, window
from tests.clients import DESK
from tests.views.test_bulk import actions, ticks

_row: Any = BulkRow.__table__
#: What each button needs, in letters of the matrix; verbs that are a change like any other need U.
_LETTERS = {"edit": "U", "delete": "D", "verb": "TU", "export": "X"}


@pytest.mark.databases("postgresql")
@pytest.mark.parametrize(("name", "entities"), SWEEPS)
def test_nobody_takes_rows_along_that_are_not_theirs(
    name: str, entities: list[type[Recorded]], people: Callable[[str], Person]
) -> None:
    person = people(name)
    for entity in entities:
        path = f"/{slug(entity)}/"
        page = person.client.get(path)
        hidden = [f"{key}.1" for key in person.hidden(entity)]
        if page.status_code == 403:
            answer = person.client.submit(f"{path}bulk", {"action": "edit", "row": hidden})
            assert answer.status_code == 403, path
            continue
        for action in actions(page.text):
            letters = _LETTERS[action.partition(":")[0]]
            # By the letters of the area: verbs write what no form does.
            assert set(letters) & set(person.right(entity).letters), (path, action)
            _try_hidden(person, entity, path, action, hidden)


def _try_hidden(person: Person, entity: type[Recorded], path: str, action: str, hidden: list[str]) -> None:
    """Send keys of rows that are not the person's, alone and with all of the list: they are never among those done."""
    if not hidden or action.startswith("export:"):
        return
    answer = person.client.submit(f"{path}bulk", {"action": action, "row": hidden})
    assert answer.location == f"{DESK}{path}", (path, action)
    narrowed, visible = window(person, entity)
    address = {"address": narrowed.removeprefix("&"), "everything": "1"}
    answer = person.client.submit(f"{path}bulk", {"action": action, **address})
    if not visible:
        assert "/bulk/" not in answer.location
        return
    run = int(answer.location.rpartition("/")[2])
    assert set(person.connection.scalars(sa.select(_row.c.record_id).where(_row.c.run_id == run))) == visible, path


@pytest.mark.databases("postgresql")
def test_what_one_sees_but_may_not_change_stays(people: Callable[[str], Person], engine: sa.Engine) -> None:
    """Who reads all companies and changes those entrusted to them changes no others by ticking all."""
    person = people("demo.consultant")
    own = person.visible(Company)
    with engine.begin() as connection:
        right: Any = RoleRight.__table__
        of_role = sa.select(right).join(Role, Role.id == right.c.role_id).where(Role.name == "consultant")
        row = connection.execute(of_role.where(right.c.area == "companies")).one()
        connection.execute(sa.update(right).where(right.c.id == row.id).values(actions="RU"))
        copy = {name: value for name, value in row._mapping.items() if name != "id"}
        connection.execute(sa.insert(right).values({**copy, "actions": "R", "scope": RightScope.group}))
    page = person.client.get("/company/?n=200")
    rows = ticks(page.text)
    assert "edit" in actions(page.text)
    assert own < {int(text.partition(".")[0]) for text in rows}
    answer = person.client.submit("/company/bulk", {"action": "edit", "row": rows})
    person.client.submit(answer.location.removeprefix(DESK), {"field": "city", "city": "Dappertutto"})
    changed = {key for (key,) in person.stored("SELECT id FROM company WHERE city = 'Dappertutto'")}
    assert changed == own
    refused = person.stored("SELECT record_id FROM bulk_row WHERE outcome = 'refused' AND problem <> ''")
    assert {key for (key,) in refused} == {int(text.partition(".")[0]) for text in rows} - own
