"""What is queued, when it is held back, and what people see of it and may do with it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import Context, Door
from backoffice.checks import whole_mails
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from backoffice.mail.rendering import TEMPLATES, Audience, ShippedTemplate
from backoffice.outbox import NoAddress, WrongArguments, queue_mail
from models.company import Company
from models.outbox_mail import HoldReason, MailLanguage, MailState, OutboxMail
from models.staff import Staff
from models.work_task import WorkTask
from seed.demo import remove_demo
from tests.mail.conftest import Queue, stored
from tests.visitors import Visitor

S = MailState
ARGUMENTS = {"name": "Ada", "username": "ada", "hours": 24}


def queue_to(session: RecordSession, address: str, about: Staff) -> OutboxMail:
    queued = queue_mail(session, "staff_password", ARGUMENTS, to=address, about=about, language=MailLanguage.it)
    return session.get_one(OutboxMail, queued.id)


def test_it_is_written_with_what_causes_it_or_not_at_all(
    session: RecordSession, engine: sa.Engine, staff: Callable[[str], Staff]
) -> None:
    """Whoever causes a mail need not have any right to the outbox."""
    actor = load_actor(session, staff("sales").id)
    key = staff("quality").id
    session.rollback()

    def write(own: RecordSession) -> None:
        about = own.get_one(Staff, key)
        queue_mail(own, "staff_password", ARGUMENTS, to="a@b.example", about=about, language=MailLanguage.it)

    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as own:
        write(own)
        own.rollback()
        write(own)
        own.commit()
    mail = session.scalars(sa.select(OutboxMail)).one()
    assert (mail.group_id, mail.cause_entity, mail.cause_id) == (actor.group_id, "ab_user", key)
    assert (mail.created_by_id, mail.recipient) == (actor.id, "a@b.example")
    assert re.fullmatch(r"<[0-9a-f]{32}@outbox\.internal>", mail.message_id)


@pytest.mark.parametrize("address", ["nicolò@prova.example", "nowhere", "a b@prova.example", "a@b\r\nBcc: c@d.example"])
def test_an_address_that_cannot_receive_mail_is_refused_at_once(
    session: RecordSession, staff: Callable[[str], Staff], address: str
) -> None:
    with pytest.raises(NoAddress):
        queue_to(session, address, staff("sales"))


def test_other_arguments_than_the_template_names_are_refused(
    session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    with pytest.raises(WrongArguments):
        queue_mail(session, "staff_password", {}, to="a@b.example", about=staff("sales"), language=MailLanguage.it)


def test_what_clients_are_told_comes_from_their_portal() -> None:
    theirs = {name for name, template in TEMPLATES.items() if template.for_clients}
    assert theirs >= {name for name, template in TEMPLATES.items() if template.bell is Audience.clients}
    assert theirs > {"activation_answer", "access_suspended", "account_credentials"}
    assert not theirs & {name for name, template in TEMPLATES.items() if template.bell is Audience.staff}


def test_every_template_is_whole() -> None:
    assert list(whole_mails(TEMPLATES.values())) == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (ShippedTemplate("nothing", "Nothing", {}), "nothing/it/subject.txt"),
        (ShippedTemplate("staff_password", "A link", {"name": "Ada"}, lambda _s, _m: ""), "names “hours”"),
        (ShippedTemplate("staff_password", "A link", ARGUMENTS), "names “link”"),
    ],
)
def test_a_template_with_holes_is_found(template: ShippedTemplate, said: str) -> None:
    problems = list(whole_mails([template]))
    assert {problem.id for problem in problems} == {"E028"}
    assert any(said in problem.text for problem in problems)


def test_while_demonstration_data_is_loaded_mail_is_held_and_not_released(
    session: RecordSession, queue: Queue, admin: Visitor
) -> None:
    mail = queue()
    assert (mail.state, mail.held_because) == (S.held, HoldReason.demonstration)
    path = f"/outbox_mail/{mail.id}/do/release"
    page = admin.get(path)
    assert "Sono caricati i dati dimostrativi" in page.text
    assert admin.submit(path, {"version": "1"}).status_code == 409
    assert stored(session, mail).state is S.held
    assert "ogni messaggio è trattenuto" in admin.get("/outbox_mail/").text


@pytest.mark.usefixtures("no_demonstration")
def test_people_release_retry_resend_and_cancel(session: RecordSession, queue: Queue, admin: Visitor) -> None:
    held, failed, sent, waiting = queue(), queue(), queue(), queue()
    with begin_writing():
        for mail, values in (
            (held, {"state": S.held, "held_because": HoldReason.demonstration}),
            (failed, {"state": S.failed, "attempts": 11}),
            (sent, {"state": S.sent, "sent_at": clock.now()}),
        ):
            session.execute(sa.update(OutboxMail).where(OutboxMail.id == mail.id).values(values))
        session.commit()
    for mail, verb in ((held, "release"), (failed, "try_again"), (sent, "resend"), (waiting, "cancel")):
        path = f"/outbox_mail/{mail.id}/do/{verb}"
        assert admin.submit(path, {"version": "1"}).status_code == 303, verb
    assert (stored(session, held).state, stored(session, held).held_because) == (S.waiting, None)
    assert (stored(session, failed).state, stored(session, failed).attempts) == (S.waiting, 0)
    assert (stored(session, sent).state, stored(session, waiting).state) == (S.sent, S.cancelled)
    copy = session.scalars(sa.select(OutboxMail).order_by(OutboxMail.id.desc())).first()
    assert copy is not None
    assert (copy.state, copy.arguments, copy.recipient) == (S.waiting, sent.arguments, sent.recipient)
    assert copy.message_id != sent.message_id
    assert f"/staff/{copy.cause_id}" in admin.get(f"/outbox_mail/{copy.id}").text


@pytest.mark.usefixtures("no_demonstration")
def test_nobody_types_into_the_outbox(session: RecordSession, queue: Queue, admin: Visitor) -> None:
    mail = queue()
    assert admin.get("/outbox_mail/new").status_code in (403, 404)
    assert admin.get(f"/outbox_mail/{mail.id}/edit").status_code in (403, 404)
    assert admin.api("POST", "outbox_mail/", json={"recipient": "a@b.example"}).status_code in (403, 404, 405)
    assert admin.api("DELETE", f"outbox_mail/{mail.id}", headers={"If-Match": '"1"'}).status_code in (403, 404, 405)
    assert stored(session, mail).state is S.waiting


def test_who_may_read_and_who_may_resend(queue: Queue, person: Callable[[str], Visitor]) -> None:
    mail = queue()
    for role, status in (("administrator", 200), ("security", 200), ("sales", 403), ("management", 403)):
        for path in ("/outbox_mail/", f"/outbox_mail/{mail.id}", f"/outbox_mail/{mail.id}/text"):
            assert person(role).get(path).status_code == status, (role, path)
    security = person("security")
    assert "/do/" not in security.get(f"/outbox_mail/{mail.id}").text
    assert security.submit(f"/outbox_mail/{mail.id}/do/cancel", {"version": "1"}).status_code == 403
    assert person("administrator").get("/outbox_mail/export.csv").status_code == 200
    other = person("demo.administrator.2")
    assert other.get(f"/outbox_mail/{mail.id}").status_code == 404
    assert other.get(f"/outbox_mail/{mail.id}/text").status_code == 404


@pytest.mark.usefixtures("no_demonstration")
def test_the_outbox_says_when_nothing_leaves(
    session: RecordSession, queue: Queue, admin: Visitor, desk: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = queue()
    pages = ("/outbox_mail/", f"/outbox_mail/{mail.id}")
    assert all("Nessun server di posta è impostato" in admin.get(page).text for page in pages)
    monkeypatch.setitem(desk.config, "HAS_MAIL_SERVER", True)  # type: ignore[attr-defined]
    assert all("Nessun processo sta inviando" in admin.get(page).text for page in pages)
    with begin_writing():
        session.add(WorkTask(name="send_mail", last_run_at=clock.now(), next_run_at=clock.now()))
        session.commit()
    assert not any("alert-warning" in admin.get(page).text for page in pages)


@pytest.mark.databases("sqlite", "postgresql", long=("postgresql",))
def test_its_rows_do_not_keep_the_demonstration_set_alive(session: RecordSession, queue: Queue) -> None:
    invented = queue("sales")
    with begin_writing():
        real = queue_to(session, "a@b.example", session.scalars(sa.select(Staff).where(~Staff.is_demo)).one())
        session.commit()
        remove_demo(session)
        session.commit()
    assert session.get(OutboxMail, invented.id) is None
    assert session.get_one(OutboxMail, real.id).state is S.held


def test_its_rows_go_with_the_demonstration_records_they_speak_of(session: RecordSession, queue: Queue) -> None:
    mail = queue("sales")
    assert mail.is_demo
    client = session.scalars(sa.select(Company).where(Company.is_demo)).first()
    assert client is not None
    queued = queue_mail(session, "staff_password", ARGUMENTS, to="a@b.example", about=client, language=MailLanguage.it)
    about_client = session.get_one(OutboxMail, queued.id)
    assert (about_client.company_id, about_client.group_id) == (client.id, client.group_id)
