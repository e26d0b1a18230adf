"""A link by which staff choose their password: good once, for some hours, and written down nowhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from backoffice.operations.links import LinkUsed
from backoffice.operations.password_links import choose_password
from backoffice.operations.staff import set_password
from backoffice.passwords import is_right
from models.base import Model
from models.history_entry import HistoryEntry
from models.outbox_mail import MailState, OutboxMail
from models.password_link import PasswordLink
from models.staff import Staff
from tests.clients import DeskClient
from tests.mail.conftest import DESK_URL, ROOTS, inbox, no_demonstration, server  # noqa: F401  # fixtures
from tests.mail.smtp import Inbox
from tests.visitors import Visitor, form_of

pytestmark = pytest.mark.usefixtures("no_demonstration")
NEW = "sette-lampioni-blu-41"
Find = Callable[[str], Staff]


@pytest.fixture
def send_link(
    session: RecordSession,
    engine: sa.Engine,
    admin: Visitor,
    staff: Find,
    inbox: Inbox,  # noqa: F811
    server: MailServer,  # noqa: F811
) -> Callable[[str], str]:
    """A function that has the administrator send a role's user a link, and returns its token from the mail."""

    def send(role: str) -> str:
        path = f"/security/password/{staff(role).id}/link"
        session.rollback()
        assert admin.submit(path, {}).status_code == 303
        assert send_due(engine, server, ROOTS).sent == 1
        body = inbox.taken[-1].get_body(("plain",))
        assert body is not None
        found = re.search(rf"{DESK_URL}/security/link/(\S+)", body.get_content())
        assert found
        return found[1]

    return send


def follow(client: DeskClient, token: str) -> TestResponse:
    """Open a link; it leads to an address without the token."""
    answer = client.get(f"/security/link/{token}")
    assert (answer.status_code, token in answer.headers["Location"]) == (302, False)
    return client.get("/security/link/")


def choose(client: DeskClient, password: str) -> TestResponse:
    page = client.get("/security/link/").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    sent = {"new": password, "again": password, "csrf_token": found[1] if found else ""}
    return client.post("/security/link/", data=sent)


def read(session: RecordSession, person: Staff) -> Staff:
    session.rollback()
    session.expire_all()
    found = session.get_one(Staff, person.id)
    session.rollback()
    return found


def test_a_link_sets_the_password_once(
    session: RecordSession, send_link: Callable[[str], str], desk_client: Callable[..., DeskClient], staff: Find
) -> None:
    person = staff("quality")
    before, epoch = person.password, person.session_epoch
    older = desk_client("quality")
    token = send_link("quality")
    assert read(session, person).password == before
    stranger = desk_client()
    assert "Quinta" in follow(stranger, token).text
    answer = choose(stranger, NEW)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/backoffice/login/")
    assert "La password è impostata" in stranger.get("/login/").text
    after = read(session, person)
    assert is_right(after.password, NEW)
    assert (after.session_epoch, after.must_change_password) == (epoch + 1, False)
    assert older.get("/company/").status_code == 302
    again = follow(stranger, token)
    assert (again.status_code, "è già stato usato" in again.text) == (410, True)
    signed_in = stranger.submit("/login/", {"username": "demo.quality", "password": NEW})
    assert signed_in.status_code in (303, 400)


def test_the_history_says_who_chose_it(
    session: RecordSession, send_link: Callable[[str], str], desk_client: Callable[..., DeskClient], staff: Find
) -> None:
    person = staff("quality")
    stranger = desk_client()
    follow(stranger, send_link("quality"))
    choose(stranger, NEW)
    about = sa.and_(HistoryEntry.entity == "ab_user", HistoryEntry.record_id == person.id)
    last = session.scalars(sa.select(HistoryEntry).where(about).order_by(HistoryEntry.id.desc()).limit(2)).all()
    assert [(entry.event, entry.on_behalf_of) for entry in last] == [
        ("ab_user.choose_password", "Quinta Qualità"),
        ("ab_user.send_password_link", None),
    ]
    assert last[0].changes == {"password": None}


def test_a_weak_password_leaves_the_link_good(
    session: RecordSession, send_link: Callable[[str], str], desk_client: Callable[..., DeskClient], staff: Find
) -> None:
    stranger = desk_client()
    follow(stranger, send_link("quality"))
    refused = choose(stranger, "passwordpassword")
    assert (refused.status_code, "is-invalid" in refused.text) == (422, True)
    assert choose(stranger, NEW).status_code == 303
    assert is_right(read(session, staff("quality")).password, NEW)


def test_an_expired_link_says_so(
    session: RecordSession, send_link: Callable[[str], str], desk_client: Callable[..., DeskClient]
) -> None:
    token = send_link("quality")
    with begin_writing():
        session.execute(sa.update(PasswordLink).values(expires_at=clock.now() - timedelta(seconds=1)))
        session.commit()
    answer = follow(desk_client(), token)
    assert (answer.status_code, "è scaduto" in answer.text) == (410, True)


@pytest.mark.parametrize("token", ["", "x", "x" * 5000, "%00", "..", "'"])
def test_what_is_no_link_says_so(desk_client: Callable[..., DeskClient], token: str) -> None:
    stranger = desk_client()
    stranger.get(f"/security/link/{token}")
    answer = stranger.get("/security/link/")
    assert (answer.status_code, "non è completo" in answer.text) == (404, True)


def test_any_other_new_password_and_leaving_end_the_link(
    session: RecordSession, send_link: Callable[[str], str], desk_client: Callable[..., DeskClient], staff: Find
) -> None:
    token = send_link("quality")
    with begin_writing():
        set_password(session, session.get_one(Staff, staff("quality").id), "otto-cavalli-rossi-55", actor=SYSTEM)
        session.commit()
    assert follow(desk_client(), token).status_code == 410
    token = send_link("management")
    with begin_writing():
        session.get_one(Staff, staff("management").id).active = False
        session.commit()
    assert follow(desk_client(), token).status_code == 410


def test_of_two_at_once_one_uses_it(session: RecordSession, engine: sa.Engine, send_link: Callable[[str], str]) -> None:
    token = send_link("quality")
    start = Barrier(4)

    def use(number: int) -> bool:
        start.wait(timeout=30)
        with begin_writing(), open_session(engine, Context(SYSTEM, Door.desk)) as own:
            try:
                choose_password(own, token, f"{NEW}{number}")
                own.commit()
            except LinkUsed:
                return False
            return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(use, range(4))) == 1


def test_links_of_a_repeated_mail_are_all_good_until_one_is_used(
    session: RecordSession,
    engine: sa.Engine,
    send_link: Callable[[str], str],
    desk_client: Callable[..., DeskClient],
) -> None:
    """The first may have arrived although the server broke off, and mail programs may hide the second."""
    first, second = send_link("quality"), send_link("quality")
    stranger = desk_client()
    assert follow(stranger, second).status_code == 200
    assert follow(stranger, first).status_code == 200
    assert choose(stranger, NEW).status_code == 303
    assert follow(stranger, second).status_code == 410


def test_the_token_is_written_down_nowhere(
    session: RecordSession,
    send_link: Callable[[str], str],
    admin: Visitor,
    staff: Find,
    desk_client: Callable[..., DeskClient],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    token = send_link("quality")
    mail = session.scalars(sa.select(OutboxMail)).one()
    key, person = mail.id, staff("quality").id
    stranger = desk_client()
    follow(stranger, token)
    choose(stranger, NEW)
    # The server in this process logs what it receives, as the recipient's might.
    assert not any(token in record.getMessage() for record in caplog.records if record.name != "mail.log")
    session.rollback()
    for table in Model.metadata.tables.values():
        for row in session.execute(sa.text(f'SELECT * FROM "{table.name}"')):
            assert token not in str(tuple(row)), table.name
    session.rollback()
    text = admin.get(f"/outbox_mail/{key}/text").text
    assert "[link]" in text
    pages = [
        f"/outbox_mail/{key}",
        f"/outbox_mail/{key}?tab=history",
        "/outbox_mail/",
        f"/ab_user/{person}?tab=history",
    ]
    shown = [text, *(admin.get(page).text for page in pages)]
    shown += [admin.get("/outbox_mail/export.csv?all=1").text, admin.api("GET", f"outbox_mail/{key}").text]
    assert not any(token in page for page in shown)


def test_only_administrators_send_one(person: Callable[[str], Visitor], staff: Find) -> None:
    key = staff("quality").id
    for role in ("sales", "security", "secretariat"):
        assert person(role).get(f"/security/password/{key}/link").status_code == 403
        assert person(role).submit(f"/security/password/{key}/link", {}).status_code == 403
    other = person("demo.administrator.2")
    assert other.submit(f"/security/password/{key}/link", {}).status_code == 404
    assert "/link" not in person("sales").get(f"/staff/{key}").text


def test_users_who_have_left_get_none(session: RecordSession, admin: Visitor, staff: Find) -> None:
    key = staff("quality").id
    with begin_writing():
        session.get_one(Staff, key).active = False
        session.commit()
    assert f"/security/password/{key}/link" not in admin.get(f"/staff/{key}").text
    answer = admin.submit(f"/security/password/{key}/link", {})
    assert (answer.status_code, "non è attivo" in answer.text) == (422, True)


def test_a_new_user_is_offered_one(session: RecordSession, admin: Visitor) -> None:
    typed = {"first_name": "Nora", "last_name": "Nuovi", "email": "nora@prova.example", "username": "nora.nuovi"}
    sent = form_of(admin, "/staff/new") | typed
    answer = admin.submit("/staff/new", sent)
    assert answer.status_code == 303, answer.text
    page = admin.get(answer.headers["Location"].removeprefix("/backoffice")).text
    found = re.search(r"/security/password/(\d+)/link", page)
    assert found
    path = found[0]
    assert admin.submit(path, {}).status_code == 303
    session.rollback()
    mail = session.scalars(sa.select(OutboxMail)).one()
    assert (mail.recipient, mail.state) == ("nora@prova.example", MailState.waiting)
