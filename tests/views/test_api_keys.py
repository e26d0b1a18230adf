"""Keys of the API: made at the desk, shown once, as good as their person, limited, and over when they are revoked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from backoffice.setting_keys import API_REQUESTS
from models.api_key import ApiKey
from models.corporate_group import CorporateGroup
from models.history_entry import HistoryEntry
from models.setting import Setting
from models.staff import Staff
from tests.clients import DeskClient
from tests.views.programs import PROBLEM, Program, as_stored

pytestmark = pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
PAGE = "/security/api-keys/"


@pytest.fixture
def holder(
    desk_client: Callable[..., DeskClient], program: Callable[..., Program]
) -> Callable[..., tuple[DeskClient, Program]]:
    """A function that returns the desk of a role, and a program with a key of theirs."""

    def make(role: str, name: str = "Gestionale") -> tuple[DeskClient, Program]:
        client, caller = desk_client(role), program(None)
        caller.headers = {"Authorization": f"Bearer {make_key(client, name)}"}
        return client, caller

    return make


@contextmanager
def storing(session: RecordSession) -> Iterator[None]:
    """Store what is changed inside, beginning from what is stored by now."""
    as_stored(session)
    with begin_writing():
        yield
        session.commit()


def make_key(client: DeskClient, name: str = "Gestionale", days: str = "30") -> str:
    answer = client.submit(PAGE, {"name": name, "days": days})
    assert answer.status_code == 200, answer.text
    (token,) = re.findall(r'value="(bok_[^"]+)"', answer.text)
    return str(token)


def test_it_may_do_what_its_person_may(holder: Callable[..., tuple[DeskClient, Program]]) -> None:
    _client, mine = holder("operator1")
    assert mine.get("/ticket/").status_code == 200
    assert mine.get("/customer_order/").status_code == 403
    created = mine.post("/company/", json={"legal_name": "Da programma srl"})
    assert created.status_code == 403
    _client, other = holder("sales")
    made = other.post("/company/", json={"legal_name": "Da programma srl"})
    assert made.status_code == 201
    path = f"/company/{made.json['id']}"
    changed = other.patch(path, json={"city": "Trento"}, version=1)
    assert changed.status_code == 200
    assert changed.headers["ETag"] == '"2"'


def test_it_is_shown_once_and_stored_nowhere(
    holder: Callable[..., tuple[DeskClient, Program]], session: RecordSession, engine: sa.Engine
) -> None:
    client, mine = holder("operator2")
    token = mine.headers["Authorization"].removeprefix("Bearer ")
    page = client.get(PAGE)
    assert token not in page.text
    assert token[:10] in page.text
    assert page.headers["Cache-Control"].startswith("no-store")
    key = as_stored(session).scalars(sa.select(ApiKey)).one()
    assert key.digest not in client.get(f"/api_key/{key.id}").text
    with engine.connect() as connection:
        for table in ("api_key", "history_entry", "history_personal"):
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()
            assert token not in str(rows), table
        assert key.digest not in str(connection.execute(sa.text("SELECT * FROM history_entry")).all())


def test_a_revoked_or_expired_key_is_good_for_nothing(
    holder: Callable[..., tuple[DeskClient, Program]], session: RecordSession
) -> None:
    client, mine = holder("operator1")
    _client, late = holder("operator2")
    key, expired = as_stored(session).scalars(sa.select(ApiKey).order_by(ApiKey.id)).all()
    answer = client.submit(f"/api_key/{key.id}/do/revoke", {"version": "1"})
    assert answer.status_code == 303
    with storing(session):
        expired.expires_on = clock.today()
    assert late.get("/ticket/").status_code == 200, "the last day counts"
    with storing(session):
        expired.expires_on = clock.today() - timedelta(days=1)
    for caller in (mine, late):
        answer = caller.get("/ticket/")
        assert (answer.status_code, answer.mimetype) == (401, PROBLEM)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert as_stored(session).get_one(ApiKey, key.id).revoked_at is not None
    assert make_key(client), "the name is free again"


def test_it_ends_with_its_person(
    holder: Callable[..., tuple[DeskClient, Program]], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    _client, mine = holder("operator1")
    person = staff("operator1")
    assert mine.get("/ticket/").status_code == 200
    with storing(session):
        person.active = False
    assert mine.get("/ticket/").status_code == 401
    with storing(session):
        person.active = True
    assert mine.get("/ticket/").status_code == 200
    with storing(session):
        elsewhere = sa.select(sa.func.max(CorporateGroup.id)).scalar_subquery()
        session.execute(sa.update(Staff).where(Staff.id == person.id).values(group_id=elsewhere))
    assert mine.get("/ticket/").status_code == 401, "the program does not go over to another group"


def test_it_is_used_so_often_and_no_more(
    holder: Callable[..., tuple[DeskClient, Program]], session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    _client, mine = holder("operator1")
    with storing(session):
        session.add(Setting(key=API_REQUESTS.name, value="3", group_id=staff("administrator").group_id))
    answers = [mine.get("/ticket/?n=1") for _number in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].mimetype == PROBLEM
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60
    _client, other = holder("operator2")
    assert other.get("/ticket/?n=1").status_code == 200, "each key counts by itself"
    key = as_stored(session).scalars(sa.select(ApiKey).order_by(ApiKey.id)).first()
    assert key is not None
    assert key.used_at is not None
    noted = sa.select(sa.func.count()).select_from(HistoryEntry).where(HistoryEntry.entity == "api_key")
    assert session.scalar(noted.where(HistoryEntry.record_id == key.id)) == 1, "using it is no change"


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "", "days": "30"}, "valore"),
        ({"name": "Gestionale", "days": "366"}, "giorni"),
        ({"name": "Gestionale", "days": "0"}, "giorni"),
        ({"name": "Gestionale", "days": "molti"}, "intero"),
        ({"name": "G" * 81, "days": "30"}, "caratteri"),
    ],
)
def test_what_is_refused_is_said_and_kept(
    desk_client: Callable[..., DeskClient], values: dict[str, str], said: str
) -> None:
    answer = desk_client("sales").submit(PAGE, values)
    assert answer.status_code == 422
    assert said in answer.text.partition('role="alert"')[2][:400]
    assert f'value="{values["days"]}"' in answer.text


def test_two_keys_of_one_name_are_told_apart(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("sales")
    make_key(client)
    answer = client.submit(PAGE, {"name": "Gestionale", "days": "30"})
    assert answer.status_code == 422
    assert "bok_" in answer.text
    assert not re.findall(r'value="bok_', answer.text)


def test_nonsense_is_no_key(program: Callable[..., Program]) -> None:
    caller = program(None)
    for token in ("bok_", "bok_x", "bok_" + "à" * 40, "bok_" + "a" * 10_000):
        caller.headers = {"Authorization": f"Bearer {token}"}
        assert caller.get("/company/").status_code == 401
