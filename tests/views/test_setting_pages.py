"""Settings and texts at the desk, and the texts where clients read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from backoffice.database import RecordSession
from backoffice.settings import SETTINGS
from models.portal import Portal
from models.setting import Setting
from tests.clients import DeskClient
from tests.visitors import Visitor

HOURS = "/settings/password_link_hours"
WELCOME = "/texts/all/client_welcome/it"


def test_every_setting_is_on_the_page_with_default_and_bounds(person: Callable[[str], Visitor]) -> None:
    page = person("admin").get("/settings/").text
    for key in SETTINGS:
        assert f"/settings/{key}" in page
    assert "Predefinito: 24 ore · Da 1 a 720 ore · Per questo gruppo" in page
    assert "Predefinito: 5 min" in page


def test_a_setting_is_changed_refused_and_put_back(session: RecordSession, admin: Visitor) -> None:
    refused = admin.submit(HOURS, {"version": "0", "value": "-1", "do": "save"})
    assert refused.status_code == 422
    assert "Almeno 1 ore." in refused.text
    assert 'value="-1"' in refused.text
    assert admin.submit(HOURS, {"version": "0", "value": "48", "do": "save"}).status_code == 303
    page = admin.get("/settings/").text
    assert "48 ore" in page
    assert "Modificato da" in page
    assert admin.submit(HOURS, {"version": "0", "value": "12", "do": "save"}).status_code == 409
    assert admin.submit(HOURS, {"version": "1", "do": "reset"}).status_code == 303
    assert "48 ore" not in admin.get("/settings/").text
    session.rollback()
    row = session.scalars(sa.select(Setting)).one()
    assert "48" in admin.get(f"/setting/{row.id}?tab=history").text
    assert admin.submit(HOURS, {"value": "12"}).status_code == 400


def test_a_yes_or_no_is_a_box_to_tick(session: RecordSession, person: Callable[[str], Visitor]) -> None:
    admin = person("admin")
    assert "checked" in admin.get("/settings/alerts").text
    assert admin.submit("/settings/alerts", {"version": "0", "do": "save"}).status_code == 303
    session.rollback()
    assert session.scalars(sa.select(Setting)).one().value == "0"
    assert "checked" not in admin.get("/settings/alerts").text


def test_who_may_read_and_who_may_change(desk_client: Callable[..., DeskClient]) -> None:
    expected = {"sales": (403, 403), "management": (200, 403), "security": (200, 200), "administrator": (200, 200)}
    for role, (reading, writing) in expected.items():
        client = desk_client(role)
        assert client.get("/settings/").status_code == reading, role
        assert client.get(HOURS).status_code == writing, role
    # What concerns the whole installation is shown to them, and is not theirs to change.
    client = desk_client("administrator")
    assert "/settings/password_length" not in client.get("/settings/").text
    assert client.get("/settings/password_length").status_code == 404
    assert client.get("/settings/no_such").status_code == 404
    assert desk_client().get("/settings/").status_code == 302


def test_clients_read_the_words_of_the_administrator(
    application: Any, person: Callable[[str], Visitor], desk_client: Callable[..., DeskClient]
) -> None:
    admin, anybody = person("admin"), desk_client()
    read = lambda path: super(DeskClient, anybody).open(path).get_data(as_text=True)  # noqa: E731
    assert "Benvenuti" in read("/it/login/")
    form = {"version": "0", "body": "Buongiorno <b>\nda noi", "do": "save"}
    assert admin.submit(WELCOME, {**form, "body": "  "}).status_code == 422
    assert admin.submit(WELCOME, form).status_code == 303
    assert "Buongiorno &lt;b&gt;\nda noi" in read("/it/login/")
    assert "Buongiorno" not in read("/en/login/")
    notice = {"version": "0", "body": "Chiusi venerdì.", "do": "save"}
    assert admin.submit("/texts/all/client_notice/it", notice).status_code == 303
    assert "Chiusi venerdì." in read("/it/login/")
    assert admin.submit(WELCOME, {"version": "1", "do": "reset"}).status_code == 303
    assert "Buongiorno" not in read("/it/login/")
    assert admin.get("/texts/").status_code == 200
    assert desk_client("sales").get(WELCOME).status_code == 403


def test_each_portal_has_its_own_words_before_those_of_all(
    application: Any, person: Callable[[str], Visitor], desk_client: Callable[..., DeskClient], session: RecordSession
) -> None:
    first, second = session.scalars(sa.select(Portal).order_by(Portal.id)).all()
    group, anybody = person("administrator"), desk_client()
    read = lambda portal: super(DeskClient, anybody).open(f"/it/login/?portal={portal.code}").get_data(as_text=True)  # noqa: E731
    form = {"version": "0", "body": "Buongiorno", "do": "save"}
    own = WELCOME.replace("all", str(first.id))
    # Who looks after one corporate group writes for its portals, and for no others.
    assert group.submit(own, form).status_code == 303
    assert group.submit(WELCOME, form).status_code == 404
    assert group.submit(WELCOME.replace("all", str(second.id)), form).status_code == 404
    assert WELCOME not in group.get("/texts/").text
    assert person("admin").submit(WELCOME, {**form, "body": "Salve a tutti"}).status_code == 303
    assert ("Buongiorno" in read(first), "Salve a tutti" in read(first)) == (True, False)
    assert "Salve a tutti" in read(second)
    assert group.submit(own, {"version": "1", "do": "reset"}).status_code == 303
    assert "Salve a tutti" in read(first)
    assert "Come per tutti i portali" in group.get("/texts/").text
