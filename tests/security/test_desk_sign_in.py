"""Signing in at the desk and for the API, as browsers and programs do it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.database import RecordSession, begin_writing
from backoffice.setting_keys import SIGN_IN_FAILURES
from models.corporate_group import CorporateGroup
from models.history_entry import SignInEntry, SignInEvent
from models.sign_in_failure import SignInFailure
from models.staff import Staff
from tests.clients import DeskClient
from tests.views.programs import as_stored
from views.addresses import local_path

NEW = "sette-lampioni-blu-41"
Clients = Callable[..., DeskClient]
Find = Callable[[str], Staff]

FREE_FAILURES = SIGN_IN_FAILURES.default


def _sign_in(client: DeskClient, name: str, password: str, **more: Any) -> Any:
    """Fetch the form and send it, as a browser does."""
    page = client.get("/login/").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    return client.post("/login/", data={"csrf_token": token[1], "username": name, "password": password, **more})


def _token(client: DeskClient, name: str, password: str, **more: Any) -> Any:
    return client.post("/api/v1/security/login", json={"username": name, "password": password, **more})


def _is_in(client: DeskClient) -> bool:
    return client.get("/security/password/").status_code == 200


def test_the_right_password_opens_the_desk(desk_client: Clients, password: str) -> None:
    client = desk_client()
    assert not _is_in(client)
    answer = _sign_in(client, "Demo.Sales", password)
    assert answer.status_code == 303
    assert _is_in(client)
    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("backoffice="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/backoffice/" in cookie


def test_the_wrong_password_keeps_the_name_and_says_no_more(desk_client: Clients) -> None:
    client = desk_client()
    wrong = _sign_in(client, "demo.sales", "not-this-one")
    unknown = _sign_in(client, "nobody", "not-this-one")
    assert wrong.status_code == unknown.status_code == 401
    assert 'value="demo.sales"' in wrong.get_data(as_text=True)
    assert "not-this-one" not in wrong.get_data(as_text=True)
    assert not _is_in(client)


def test_without_our_form_nobody_signs_in(desk_client: Clients, password: str) -> None:
    client = desk_client()
    assert client.post("/login/", data={"username": "demo.sales", "password": password}).status_code == 400
    assert not _is_in(client)


def test_signing_in_starts_a_new_session(desk_client: Clients, password: str) -> None:
    client = desk_client()
    client.get("/login/")
    before = client.get_cookie("backoffice", path="/backoffice/")
    _sign_in(client, "demo.sales", password)
    after = client.get_cookie("backoffice", path="/backoffice/")
    assert after is not None
    assert before is None or before.value != after.value


@pytest.mark.parametrize("door", ["form", "api"])
def test_after_repeated_failures_the_answer_is_429(
    desk_client: Clients, session: RecordSession, password: str, door: str
) -> None:
    client = desk_client()
    attempt = _sign_in if door == "form" else _token
    for _ in range(FREE_FAILURES):
        assert attempt(client, "admin", "wrong").status_code == 401
    for given in ("wrong", password):
        answer = attempt(client, "admin", given)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 60
    row = session.scalars(sa.select(SignInFailure).where(SignInFailure.account == "admin")).one()
    assert row.attempts == FREE_FAILURES
    elsewhere = {"REMOTE_ADDR": "198.51.100.9"}
    answer = client.post(
        "/api/v1/security/login", json={"username": "admin", "password": password}, environ_base=elsewhere
    )
    assert answer.status_code == 200


def test_the_form_and_the_api_share_their_counters(desk_client: Clients) -> None:
    client = desk_client()
    for number in range(FREE_FAILURES):
        (_sign_in if number % 2 else _token)(client, "demo.sales", "wrong")
    assert _sign_in(client, "demo.sales", "wrong").status_code == 429
    assert _token(client, "demo.sales", "wrong").status_code == 429


def test_signing_out_takes_a_form_and_is_recorded(desk_client: Clients, session: RecordSession, password: str) -> None:
    client = desk_client()
    _sign_in(client, "demo.sales", password)
    assert client.get("/logout/").status_code == 405
    assert _is_in(client)
    page = client.get("/security/password/").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    assert client.post("/logout/", data={"csrf_token": token[1]}).status_code == 303
    assert not _is_in(client)
    events = session.scalars(
        sa.select(SignInEntry.event).where(SignInEntry.username == "demo.sales").order_by(SignInEntry.id)
    )
    assert list(events)[-2:] == [SignInEvent.signed_in, SignInEvent.signed_out]


def test_a_new_password_ends_other_sessions_and_tokens(desk_client: Clients, password: str) -> None:
    here, there = desk_client("sales"), desk_client("sales")
    tokens = _token(there, "demo.sales", password, refresh=True).get_json()
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    refresh = {"Authorization": f"Bearer {tokens['refresh_token']}"}
    assert there.get("/api/v1/company/", headers=bearer).status_code == 200
    answer = here.submit("/security/password/", {"current": password, "new": NEW, "again": NEW})
    assert answer.status_code == 303
    assert _is_in(here)
    assert not _is_in(there)
    assert there.get("/api/v1/company/", headers=bearer).status_code == 401
    assert there.post("/api/v1/security/refresh", headers=refresh).status_code == 401
    assert _token(there, "demo.sales", password).status_code == 401
    assert _token(there, "demo.sales", NEW).status_code == 200


def test_a_refreshed_token_works_and_keeps_the_epoch(desk_client: Clients, password: str) -> None:
    client = desk_client()
    tokens = _token(client, "demo.sales", password, refresh=True).get_json()
    answer = client.post("/api/v1/security/refresh", headers={"Authorization": f"Bearer {tokens['refresh_token']}"})
    assert answer.status_code == 200
    bearer = {"Authorization": f"Bearer {answer.get_json()['access_token']}"}
    assert client.get("/api/v1/company/", headers=bearer).status_code == 200


def test_deactivation_ends_sessions_at_once(desk_client: Clients, session: RecordSession, staff: Find) -> None:
    client = desk_client("sales")
    assert _is_in(client)
    for active in (False, True):
        with begin_writing():
            staff("sales").active = active
            session.commit()
        assert not _is_in(client), "coming back does not revive old sessions either"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"current": "wrong", "new": NEW, "again": NEW}, "current"),
        ({"new": "short", "again": "short"}, "new"),
        ({"new": NEW, "again": NEW + "x"}, "again"),
        ({"new": "Juventus2026!", "again": "Juventus2026!"}, "new"),
        ({}, "new"),
    ],
)
def test_refused_passwords_say_why_beside_their_field(
    desk_client: Clients, password: str, values: dict[str, str], field: str
) -> None:
    client = desk_client("sales")
    answer = client.submit("/security/password/", {"current": password, **values})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)
    assert NEW not in answer.get_data(as_text=True)


def test_a_password_set_by_an_administrator_must_be_changed_first(
    desk_client: Clients, session: RecordSession, staff: Find
) -> None:
    administrator, key = desk_client("administrator"), staff("sales").id
    session.rollback()
    assert administrator.get(f"/security/password/{key}").status_code == 200
    answer = administrator.submit(f"/security/password/{key}", {"new": NEW, "again": NEW})
    assert answer.status_code == 303
    client = desk_client()
    _sign_in(client, "demo.sales", NEW)
    for path in ("/", "/company/", "/roles/"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert urlsplit(answer.headers["Location"]).path.endswith("/security/password/")
    bearer = {"Authorization": f"Bearer {_token(client, 'demo.sales', NEW).get_json()['access_token']}"}
    assert client.get("/api/v1/company/", headers=bearer).status_code == 403
    page = client.get("/security/password/").get_data(as_text=True)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert token
    other = "otto-lanterne-gialle-52"
    values = {"csrf_token": token[1], "current": NEW, "new": other, "again": other}
    assert client.post("/security/password/", data=values).status_code == 303
    assert client.get("/company/").status_code == 200


def test_administrators_set_passwords_in_their_own_group_only(
    desk_client: Clients, session: RecordSession, staff: Find
) -> None:
    theirs, above = staff("demo.sales.2").id, staff("admin").id
    session.rollback()
    client = desk_client("administrator")
    assert client.get(f"/security/password/{theirs}").status_code == 404
    assert client.submit(f"/security/password/{theirs}", {"new": NEW, "again": NEW}).status_code == 404
    assert client.submit(f"/security/password/{above}", {"new": NEW, "again": NEW}).status_code in (403, 404)
    assert desk_client("sales").get(f"/security/password/{theirs}").status_code == 403


def test_the_roles_page_is_for_those_who_may_read_roles(desk_client: Clients) -> None:
    assert desk_client("administrator").get("/roles/").status_code == 200
    assert desk_client("security").get("/roles/").status_code == 200
    assert desk_client("sales").get("/roles/").status_code == 403
    assert desk_client().get("/roles/").status_code == 302


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/company/?f=state:is:client", "/backoffice/company/?f=state:is:client"),
        ("/backoffice/company/", "/backoffice/company/"),
        ("http://localhost/backoffice/company/", "/backoffice/company/"),
        ("http://evil.example/backoffice/", ""),
        ("//evil.example/", ""),
        ("///evil.example/", ""),
        ("http://localhost//evil.example/", ""),
        ("/\\evil.example/", ""),
        ("\t//evil.example", ""),
        ("javascript:alert(1)", ""),
        ("http:evil.example", ""),
        ("https://localhost/backoffice/", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_after_signing_in_one_stays_on_the_desk(desk: Flask, wanted: str, path: str) -> None:
    with desk.test_request_context("/login/", environ_overrides={"SCRIPT_NAME": "/backoffice"}):
        assert local_path(wanted) == path


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"username": "admin"}',
        b'{"username": 1, "password": "x"}',
        b"{",
        b'{"username": null, "password": null}',
    ],
)
def test_a_damaged_request_for_a_token_is_a_bad_request(desk_client: Clients, body: bytes) -> None:
    answer = desk_client().post("/api/v1/security/login", data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("token", ["", "x", "x.y.z", "Bearer"])
def test_a_damaged_token_is_refused(desk_client: Clients, token: str) -> None:
    answer = desk_client("sales").get("/api/v1/company/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("value", ["1", "1:", ":1", "1:0", "x:y", "1:1:1", "-1:1", "99999999999:1"])
def test_a_session_that_names_nobody_is_nobody_s(desk: Flask, value: str) -> None:
    with desk.test_request_context("/"):
        assert desk.appbuilder.sm.load_user(value) is None  # type: ignore[attr-defined]


def test_administrators_of_the_installation_change_group(
    desk_client: Clients, session: RecordSession, staff: Find
) -> None:
    here = staff("admin").group_id
    other = next(key for key in session.scalars(sa.select(CorporateGroup.id)) if key != here)
    assert desk_client("admin").submit("/group", {"group": other}).status_code == 303
    session.rollback()
    assert staff("admin").group_id == other
    assert staff("admin").updated_by_id == staff("admin").id
    assert desk_client("administrator").submit("/group", {"group": other}).status_code == 403


def test_guessing_the_present_password_is_slowed_down(desk_client: Clients, session: RecordSession) -> None:
    client = desk_client("sales")
    new = "sette-lampioni-blu-41"
    sent = {"current": "non è questa qui", "new": new, "again": new}
    answers = [client.submit("/security/password/", sent).status_code for _guess in range(7)]
    assert answers == [422] * 5 + [429] * 2
    mine = sa.select(SignInEntry.event).where(SignInEntry.username == "demo.sales")
    assert SignInEvent.failed in as_stored(session).scalars(mine).all()
