"""The second factor of staff: proven before it counts, asked for at every sign-in, no code taken twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.database import RecordSession, begin_writing
from backoffice.setting_keys import SECOND_FACTOR
from models.history_entry import HistoryEntry, SignInEntry, SignInEvent
from models.second_factor import RecoveryCode, SecondFactor
from models.setting import Setting
from models.staff import Staff
from tests.clients import DeskClient
from tests.views.programs import as_stored

Clients = Callable[..., DeskClient]
Find = Callable[[str], Staff]
PAGE = "/security/second-factor/"


def token_in(text: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
    assert found
    return found[1]


def send(client: DeskClient, path: str, form: dict[str, Any], *, page: str = "") -> Any:
    return client.post(path, data={"csrf_token": token_in(client.get(page or path).text), **form})


def sign_in(client: DeskClient, name: str, password: str) -> Any:
    return send(client, "/login/", {"username": name, "password": password})


def give_code(client: DeskClient, answer: Any, code: str) -> Any:
    return client.post("/login/code", data={"csrf_token": token_in(answer.text), "code": code, "next": "/ticket/"})


def is_in(client: DeskClient) -> bool:
    return client.get("/security/password/").status_code == 200


def key_in(page: str) -> str:
    key = re.search(r'<code class="lines">([A-Z2-7 ]+)</code>', page)
    assert key
    return key[1]


def set_up(client: DeskClient) -> tuple[pyotp.TOTP, list[str]]:
    """Set the second factor up as a person does: the key from the page, a code of the app, the recovery codes."""
    assert "<svg" not in client.get(PAGE).text  # looking at the page makes nothing
    assert send(client, PAGE, {"begin": "1"}).status_code == 303
    page = client.get(PAGE).text
    assert "<svg" in page
    assert client.get(PAGE).text.count(key_in(page)) == 1
    app = pyotp.TOTP(key_in(page).replace(" ", ""))
    assert send(client, PAGE, {"code": "000000"}).status_code == 401
    # The code of half a minute ago, so that the present one is still good; asked again where the next has just begun.
    for _attempt in range(2):
        done = send(client, PAGE, {"code": app.at(clock.now() - timedelta(seconds=30))})
        if done.status_code == 200:
            break
    assert done.status_code == 200
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", done.text)
    assert len(set(codes)) == 10
    return app, codes


def test_a_code_opens_the_desk_once_and_a_recovery_code_too(
    desk_client: Clients, password: str, session: RecordSession, staff: Find
) -> None:
    app, codes = set_up(desk_client("sales"))
    me = staff("sales").id
    client = desk_client()
    asked = sign_in(client, "demo.sales", password)
    assert asked.status_code == 200
    assert not is_in(client)
    assert give_code(client, asked, "123456").status_code == 401
    assert not is_in(client)
    code = app.now()
    answer = give_code(client, asked, code)
    assert (answer.status_code, answer.location) == (303, "/backoffice/ticket/")
    assert is_in(client)
    # Neither the same code nor a recovery code works twice.
    for typed, status in ((code, 401), (codes[0].upper().replace("-", " "), 303), (codes[0], 401)):
        again = desk_client()
        assert give_code(again, sign_in(again, "demo.sales", password), typed).status_code == status, typed
    entries = sa.select(SignInEntry.event).where(SignInEntry.staff_id == me).order_by(SignInEntry.id)
    failed, entered = SignInEvent.failed, SignInEvent.signed_in
    assert list(as_stored(session).scalars(entries)) == [failed, entered, failed, entered, failed]
    told = sa.select(HistoryEntry.event).where(HistoryEntry.entity == "ab_user", HistoryEntry.record_id == me)
    assert set(session.scalars(told)) >= {"ab_user.confirm_second_factor", "ab_user.use_recovery_code"}
    assert session.get_one(SecondFactor, me).secret == app.secret
    assert codes[1] not in str(session.scalars(sa.select(RecoveryCode.digest)).all())


def test_without_the_password_there_is_nothing_to_give_a_code_to(desk_client: Clients, password: str) -> None:
    app, _codes = set_up(desk_client("sales"))
    client = desk_client()
    sign_in(client, "demo.sales", "not-this-one-at-all")
    page = client.get("/login/").text
    assert client.post("/login/code", data={"csrf_token": token_in(page), "code": app.now()}).status_code == 303
    assert not is_in(client)


def test_guessing_codes_is_stopped(desk_client: Clients, password: str) -> None:
    app, _codes = set_up(desk_client("sales"))
    client = desk_client()
    asked = sign_in(client, "demo.sales", password)
    answers = [give_code(client, asked, f"{number:06}").status_code for number in range(6)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert give_code(client, asked, app.now()).status_code == 429


def test_programs_give_the_code_with_the_password(desk_client: Clients, password: str) -> None:
    app, _codes = set_up(desk_client("sales"))
    sent = {"username": "demo.sales", "password": password}
    client = desk_client()
    assert client.post("/api/v1/security/login", json=sent).status_code == 401
    assert client.post("/api/v1/security/login", json=sent | {"code": app.now()}).status_code == 200


def test_where_it_is_required_it_is_set_up_before_anything_else(
    desk_client: Clients, password: str, session: RecordSession, staff: Find
) -> None:
    with begin_writing():
        session.add(Setting(key=SECOND_FACTOR.name, value="1", group_id=staff("sales").group_id))
        session.commit()
    client = desk_client()
    assert sign_in(client, "demo.sales", password).status_code == 303
    assert client.get("/ticket/").location == f"/backoffice{PAGE}"
    sent = {"username": "demo.sales", "password": password}
    assert client.post("/api/v1/security/login", json=sent).status_code == 403
    # A new password does not make up for it.
    new = "sette-lampioni-blu-41"
    changed = send(client, "/security/password/", {"current": password, "new": new, "again": new})
    assert changed.status_code == 303
    assert client.get("/ticket/").location == f"/backoffice{PAGE}"
    set_up(client)
    assert client.get("/ticket/").status_code == 200
    # Whoever removes it is asked for another at once.
    assert send(client, PAGE, {"remove": "1", "current": new}).status_code == 303
    assert client.get("/ticket/").location == f"/backoffice{PAGE}"


def test_it_is_removed_with_the_password_or_by_an_administrator(
    desk_client: Clients, password: str, staff: Find, session: RecordSession
) -> None:
    client = desk_client("sales")
    set_up(client)
    assert send(client, PAGE, {"remove": "1", "current": "wrong-wrong-wrong"}).status_code == 422
    assert send(client, PAGE, {"remove": "1", "current": password}).status_code == 303
    assert as_stored(session).scalars(sa.select(SecondFactor)).all() == []
    set_up(client)
    path = f"{PAGE}{staff('sales').id}/remove"
    assert desk_client("secretariat").get(path).status_code == 403
    group = staff("administrator").group_id
    assert send(desk_client("administrator"), path, {"group": str(group)}).status_code == 303
    entering = desk_client()
    assert sign_in(entering, "demo.sales", password).status_code == 303
    assert is_in(entering)


@pytest.mark.parametrize("typed", ["", "12345", "١٢٣٤٥٦", "9" * 5_000])
def test_odd_codes_are_only_wrong(desk_client: Clients, password: str, typed: str) -> None:
    set_up(desk_client("sales"))
    client = desk_client()
    assert give_code(client, sign_in(client, "demo.sales", password), typed).status_code == 401
