"""Mail reaches a real server, and whatever that does, no mail is lost and none leaves twice without being known."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa

from backoffice import clock
from backoffice.actors import SYSTEM, Context, Door
from backoffice.database import RecordSession, begin_writing, make_engine, open_session
from backoffice.delivery import send_due
from backoffice.mail.sending import MailServer
from backoffice.operations.mails import PAUSES, find_taken, take_next_mail
from backoffice.operations.plain import update_record
from backoffice.operations.verbs import perform
from backoffice.outbox import queue_mail
from models.account import Account
from models.contact import Contact
from models.history_entry import HistoryEntry
from models.outbox_mail import HoldReason, MailLanguage, MailState, OutboxMail
from models.staff import Staff
from tests.mail.conftest import DESK_URL, ROOTS, Queue, stored
from tests.mail.smtp import Inbox, server_at

pytestmark = pytest.mark.usefixtures("no_demonstration")
S = MailState


def make_due(session: RecordSession, mail: OutboxMail, **values: object) -> None:
    """Let the time until the next attempt be over."""
    with begin_writing():
        past = {"due_at": clock.now() - timedelta(seconds=1), **values}
        session.execute(sa.update(OutboxMail).where(OutboxMail.id == mail.id).values(past))
        session.commit()


def test_a_mail_arrives_as_it_was_queued(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue("quality")
    assert str(send_due(engine, server, ROOTS)) == "Sent: 1, postponed: 0, failed: 0, held: 0"
    (letter,) = inbox.taken
    assert letter["Message-ID"] == mail.message_id
    assert (letter["To"], letter["From"]) == (mail.recipient, "Prova <desk@prova.example>")
    assert letter["Subject"] == mail.subject == "Scelga la sua password"
    assert (letter["Auto-Submitted"], letter["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    assert all(len(letter.get_all(name, [])) == 1 for name in ("Message-ID", "To", "From", "Subject", "Date"))
    text, html = (letter.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert f"{DESK_URL}/security/link/" in text.get_content()
    assert "Il suo nome utente è <b>demo.quality</b>" in html.get_content()
    after = stored(session, mail)
    assert (after.state, after.attempts, after.last_answer) == (S.sent, 1, "250")
    assert after.sent_at is not None
    assert after.lease_token is None


def test_each_in_its_language_over_one_connection(
    engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    for language in (MailLanguage.en, MailLanguage.it, MailLanguage.en):
        queue(language=language)
    send_due(engine, server, ROOTS)
    subjects = [letter["Subject"] for letter in inbox.taken]
    assert subjects == ["Choose your password", "Scelga la sua password", "Choose your password"]
    assert inbox.connections == 1


def test_the_history_tells_of_each_attempt(
    session: RecordSession, engine: sa.Engine, queue: Queue, server: MailServer
) -> None:
    mail = queue()
    send_due(engine, server, ROOTS)
    about = sa.and_(HistoryEntry.entity == "outbox_mail", HistoryEntry.record_id == mail.id)
    events = session.execute(
        sa.select(HistoryEntry.event, HistoryEntry.door).where(about).order_by(HistoryEntry.id)
    ).all()
    assert [(event, door.value) for event, door in events] == [
        ("outbox_mail.take", "job"),
        ("outbox_mail.deliver", "job"),
    ]


def test_a_server_that_is_down_loses_nothing(session: RecordSession, engine: sa.Engine, queue: Queue) -> None:
    first, second = queue(), queue()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert send_due(engine, server_at(port), ROOTS).postponed == 1
    after = stored(session, first)
    assert (after.state, after.attempts) == (S.waiting, 1)
    assert "refused" in (after.last_answer or "")
    assert after.due_at > after.updated_at + PAUSES[0] - timedelta(seconds=5)
    # The next one would fare no better: it was not even tried.
    assert stored(session, second).attempts == 0


def test_a_mute_server_is_left_alone_after_a_while(session: RecordSession, engine: sa.Engine, queue: Queue) -> None:
    mail = queue()
    with socket.create_server(("127.0.0.1", 0)) as mute:
        assert send_due(engine, server_at(mute.getsockname()[1], timeout=0.5), ROOTS).postponed == 1
    after = stored(session, mail)
    assert after.state is S.waiting
    assert "timed out" in (after.last_answer or "")


def test_a_recipient_refused_for_good_fails_at_once_and_others_leave(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    refused, fine = queue("quality"), queue("sales")
    inbox.refusals[refused.recipient] = "550 No such user here"
    assert str(send_due(engine, server, ROOTS)) == "Sent: 1, postponed: 0, failed: 1, held: 0"
    after = stored(session, refused)
    assert (after.state, after.attempts, after.last_answer) == (S.failed, 1, "550 No such user here")
    assert stored(session, fine).state is S.sent
    assert inbox.connections == 1


def test_an_address_refused_for_good_is_marked_until_it_takes_mail_or_changes(
    session: RecordSession, engine: sa.Engine, inbox: Inbox, server: MailServer
) -> None:
    account = session.scalars(sa.select(Account).where(Account.username == "demo.referent")).one()
    contact = session.scalars(sa.select(Contact).where(Contact.company_id == account.company_id).limit(1)).one()
    other = session.scalars(sa.select(Contact).where(Contact.company_id != account.company_id).limit(1)).one()
    with begin_writing():
        contact.email = account.email
        session.commit()
    keys = (account.id, contact.id, other.id)

    def send() -> tuple[bool, ...]:
        with begin_writing():
            about = session.get_one(Account, keys[0])
            arguments = {"name": "Renata", "username": about.username, "minutes": 60}
            queue_mail(session, "account_password", arguments, to=about.email, about=about, language=MailLanguage.it)
            session.commit()
        send_due(engine, server, ROOTS)
        session.expire_all()
        rows = (session.get_one(Account, keys[0]), *(session.get_one(Contact, key) for key in keys[1:]))
        marked = tuple(row.unreachable_since is not None for row in rows)
        session.rollback()
        return marked

    inbox.refusals[account.email] = "451 Try again later"
    session.rollback()
    assert send() == (False, False, False)
    inbox.refusals["demo.referent@backoffice.example"] = "550 No such user here"
    assert send() == (True, True, False)
    inbox.refusals.clear()
    assert send() == (False, False, False)
    inbox.refusals["demo.referent@backoffice.example"] = "550 No such user here"
    assert send() == (True, True, False)
    with begin_writing():
        row = session.get_one(Contact, keys[1])
        update_record(session, row, {"email": "nuovo@indirizzo.example"}, version=row.version, actor=SYSTEM)
        assert row.unreachable_since is None
        session.rollback()


def test_a_recipient_refused_for_now_is_tried_with_growing_pauses_then_given_up(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    inbox.refusals[mail.recipient] = "451 Try again later"
    for number, pause in enumerate(PAUSES, start=1):
        assert send_due(engine, server, ROOTS).postponed == 1
        after = stored(session, mail)
        assert (after.state, after.attempts) == (S.waiting, number)
        assert timedelta(0) <= after.due_at - after.updated_at - pause + timedelta(seconds=5) < timedelta(seconds=10)
        assert send_due(engine, server, ROOTS).postponed == 0
        make_due(session, mail)
    assert tuple(sorted(PAUSES)) == PAUSES
    send_due(engine, server, ROOTS)
    after = stored(session, mail)
    assert (after.state, after.last_answer) == (S.failed, "451 Try again later")
    # Somebody mends what was wrong, and it leaves under its old name.
    inbox.refusals.clear()
    with begin_writing():
        perform(session, session.get_one(OutboxMail, mail.id), "try_again", actor=SYSTEM)
        session.commit()
    assert send_due(engine, server, ROOTS).sent == 1
    assert inbox.ids == [mail.message_id]


def test_a_server_that_dies_before_its_answer_gets_the_mail_again_under_the_same_name(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    inbox.breaks = 1
    assert send_due(engine, server, ROOTS).postponed == 1
    assert stored(session, mail).state is S.waiting
    make_due(session, mail)
    assert send_due(engine, server, ROOTS).sent == 1
    assert inbox.ids == [mail.message_id, mail.message_id]


def test_a_sender_that_died_is_replaced_when_its_lease_ends(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as dying, dying.begin():
        assert take_next_mail(dying, clock.now(), timedelta(minutes=10)) is not None
    assert send_due(engine, server, ROOTS).sent == 0
    make_due(session, mail, lease_until=clock.now() - timedelta(seconds=1))
    assert send_due(engine, server, ROOTS).sent == 1
    assert (inbox.ids, stored(session, mail).attempts) == ([mail.message_id], 2)


def test_whoever_lost_the_lease_has_no_say(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    with begin_writing(), open_session(engine, Context(SYSTEM, Door.job)) as slow, slow.begin():
        taken = take_next_mail(slow, clock.now(), timedelta(0))
    assert taken is not None
    assert taken.lease_token is not None
    assert send_due(engine, server, ROOTS).sent == 1
    with begin_writing():
        assert find_taken(session, mail.id, taken.lease_token) is None
        session.rollback()
    assert inbox.ids == [mail.message_id]


def test_two_senders_at_once_send_each_mail_once(
    session: RecordSession, database_url: str, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mails = [queue() for _number in range(30)]
    start = Barrier(3)

    def send(_number: int) -> int:
        own = make_engine(database_url)
        start.wait(timeout=30)
        try:
            return send_due(own, server, ROOTS).sent
        finally:
            own.dispose()

    with ThreadPoolExecutor(3) as threads:
        sent = list(threads.map(send, range(3)))
    assert sum(sent) == 30
    assert sorted(inbox.ids) == sorted(mail.message_id for mail in mails)
    assert {stored(session, mail).attempts for mail in mails} == {1}


def test_what_cannot_be_written_fails_with_a_sentence(
    session: RecordSession, engine: sa.Engine, queue: Queue, staff: object, server: MailServer
) -> None:
    left, unknown, incomplete = queue("quality"), queue("sales"), queue("management")
    with begin_writing():
        session.execute(sa.update(Staff.__table__).where(Staff.username == "demo.quality").values(active=False))
        rows = sa.update(OutboxMail.__table__)
        session.execute(rows.where(OutboxMail.id == unknown.id).values(template="gone"))
        session.execute(rows.where(OutboxMail.id == incomplete.id).values(arguments={"hours": 1}))
        session.commit()
    assert send_due(engine, server, ROOTS).failed == 3
    assert stored(session, left).last_answer == (
        "Nel frattempo l’utente non c’è più, non è attivo o ha un altro indirizzo."
    )
    assert stored(session, unknown).last_answer == "Non c’è più un modello con questo nome."
    assert "is undefined" in (stored(session, incomplete).last_answer or "")


def test_a_mail_that_keeps_killing_its_sender_is_given_up(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    make_due(session, mail, attempts=len(PAUSES) + 1)
    assert send_due(engine, server, ROOTS).failed == 1
    assert stored(session, mail).state is S.failed
    assert inbox.taken == []


def test_demonstration_data_loaded_later_holds_back_what_waits(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    with begin_writing():
        session.execute(sa.text("UPDATE company SET is_demo = true"))
        session.commit()
    assert str(send_due(engine, server, ROOTS)) == "Sent: 0, postponed: 0, failed: 0, held: 1"
    after = stored(session, mail)
    assert (after.state, after.held_because) == (S.held, HoldReason.demonstration)
    assert inbox.taken == []


def test_an_encrypted_connection_is_insisted_on(
    session: RecordSession, engine: sa.Engine, queue: Queue, inbox: Inbox, server: MailServer
) -> None:
    mail = queue()
    strict = MailServer(server.host, server.port, server.sender, tls="starttls")
    assert send_due(engine, strict, ROOTS).postponed == 1
    assert "STARTTLS" in (stored(session, mail).last_answer or "")
    assert inbox.taken == []
