"""Mail that comes in: kept whole and once, added to its ticket only where tag or thread and the sender say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice import capture, clock
from backoffice.actors import SYSTEM
from backoffice.capture import Capture, capture_mail
from backoffice.database import RecordSession, begin_writing
from backoffice.files.store import FolderStore
from backoffice.mail.reading import read_message
from backoffice.operations.inbound import keep_mail, sort_mail
from backoffice.operations.verbs import perform
from models.attachment import Attachment
from models.inbound_mail import Disposition, InboundMail, InboundMailSource
from models.mailbox import Mailbox, MailboxSecurity
from models.outbox_mail import OutboxMail
from models.staff import Staff
from models.ticket import Ticket
from models.ticket import TicketState as S
from models.ticket_message import Direction, TicketMessage
from tests.attachments.samples import EXE
from tests.attachments.test_pictures import picture
from tests.mail.imap import PASSWORD, ImapServer, imap_server
from tests.operations.world import World
from tests.visitors import Visitor

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
CORPUS = sorted((Path(__file__).parents[3] / "shared" / "mail-corpus").glob("*/*.eml"))


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """Where files lie."""
    return FolderStore(tmp_path / "files")


@pytest.fixture
def world(session: RecordSession, staff: Callable[[str], Staff]) -> World:
    """A client of the first group, whose queue has a mailbox."""
    group_id = staff("administrator").group_id
    session.rollback()
    with begin_writing():
        found = World(session, group_id=group_id)
        found.queue.email = "assistenza@casa.example"
        session.commit()
    return found


@pytest.fixture
def box(session: RecordSession, world: World) -> Mailbox:
    with begin_writing():
        made: Mailbox = world.add(
            Mailbox(
                code="PR",
                queue=world.queue,
                address="assistenza@casa.example",
                host="127.0.0.1",
                port=1,
                username="assistenza",
                security=MailboxSecurity.none,
            )
        )
        session.commit()
    return made


def letter(subject: str = "Non va", sender: str = "Ada Rossi <ada@prova.example>", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, sender, "assistenza@casa.example"
    message["Message-ID"] = f"<{abs(hash((subject, sender, *headers.values())))}@prova.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content("Da stamattina non si apre.\n\nGrazie\n")
    return message


@pytest.fixture
def receive(session: RecordSession, box: Mailbox, store: FolderStore) -> Callable[[Any], InboundMail | None]:
    """A function that takes a message in as the capture does, and returns what was kept."""

    def take(message: Any) -> InboundMail | None:
        raw = message if isinstance(message, bytes) else message.as_bytes()
        session.rollback()
        with begin_writing():
            mail = keep_mail(session, session.get_one(Mailbox, box.id), raw, store=store, limit_mb=10)
            if mail is not None:
                sort_mail(session, mail)
            session.commit()
        return mail

    return take


def ticket_of(session: RecordSession, world: World, state: S = S.in_progress, **values: Any) -> Ticket:
    session.rollback()
    with begin_writing():
        made = world.ticket(state, contact=world.contact, **values)
        session.commit()
    return made


def said(session: RecordSession, ticket: Ticket) -> list[tuple[Direction, str]]:
    session.rollback()
    wanted = sa.select(TicketMessage.direction, TicketMessage.body).where(TicketMessage.ticket_id == ticket.id)
    return [(direction, body) for direction, body in session.execute(wanted.order_by(TicketMessage.id))]


Receive = Callable[[Any], InboundMail | None]


def test_an_answer_with_tag_and_known_sender_is_added(session: RecordSession, world: World, receive: Receive) -> None:
    ticket = ticket_of(session, world, S.waiting_customer)
    message = letter(f"Re: [{ticket.number}] Non va")
    message.set_content(
        "Dal portatile.\n\nIl giorno lun 3 giu 2024 alle ore 09:10 Assistenza ha scritto:\n> Da quale?\n"
    )
    message.add_attachment(picture("PNG"), maintype="image", subtype="png", filename="errore.png")
    mail = receive(message)
    assert mail is not None
    assert (mail.state, mail.ticket_id) == (Disposition.appended, ticket.id)
    assert said(session, ticket) == [(Direction.incoming, "Dal portatile.")]
    session.expire_all()
    assert session.get_one(Ticket, ticket.id).state is S.in_progress
    of_message = sa.select(Attachment.name, Attachment.client_visible).where(Attachment.ticket_message_id.is_not(None))
    assert ("errore.png", True) in [tuple(row) for row in session.execute(of_message)]


def test_a_thread_is_as_good_as_a_tag(session: RecordSession, world: World, receive: Receive) -> None:
    ticket = ticket_of(session, world)
    with begin_writing():
        perform(session, ticket, "ask_customer", {"body": "Quale?"}, actor=SYSTEM)
        session.commit()
    asked = session.scalars(sa.select(OutboxMail).where(OutboxMail.cause_id == ticket.id)).all()[-1]
    mail = receive(letter("Tutt'altro oggetto", In_Reply_To=asked.message_id))
    assert mail is not None
    assert (mail.state, mail.ticket_id) == (Disposition.appended, ticket.id)


@pytest.mark.parametrize(
    ("sender", "becomes"),
    [
        ("estranea@altrove.example", Disposition.to_sort),
        ("assistenza@casa.example", Disposition.automatic),
        ("ADA@prova.example", Disposition.appended),
    ],
)
def test_the_sender_must_belong_to_the_ticket(
    session: RecordSession, world: World, receive: Receive, sender: str, becomes: Disposition
) -> None:
    ticket = ticket_of(session, world)
    mail = receive(letter(f"[{ticket.number}]", sender))
    assert mail is not None
    assert mail.state is becomes
    assert len(said(session, ticket)) == (becomes is Disposition.appended)


@pytest.mark.parametrize(
    ("hours", "state", "becomes"),
    [(1, S.reopened, Disposition.appended), (-1, S.closed_provisional, Disposition.to_sort)],
)
def test_within_the_window_an_answer_reopens(
    session: RecordSession, world: World, receive: Receive, hours: int, state: S, becomes: Disposition
) -> None:
    ticket = ticket_of(session, world, S.closed_provisional, reopen_until=clock.now() + timedelta(hours=hours))
    mail = receive(letter(f"[{ticket.number}] ancora"))
    assert mail is not None
    assert mail.state is becomes
    session.expire_all()
    assert session.get_one(Ticket, ticket.id).state is state


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<x.example>"},
        {"X_Autoreply": "yes"},
        {"Return_Path": "<>"},
    ],
)
def test_machines_are_not_answered(
    session: RecordSession, world: World, receive: Receive, headers: dict[str, str]
) -> None:
    ticket = ticket_of(session, world, S.waiting_customer)
    before = session.scalar(sa.select(sa.func.count()).select_from(OutboxMail))
    mail = receive(letter(f"[{ticket.number}] Fuori ufficio", **headers))
    assert mail is not None
    assert mail.state is Disposition.automatic
    assert said(session, ticket) == []
    assert session.scalar(sa.select(sa.func.count()).select_from(OutboxMail)) == before


def test_the_same_message_is_kept_once(session: RecordSession, receive: Receive) -> None:
    message = letter()
    assert receive(message) is not None
    assert receive(message) is None
    other_way = letter()
    other_way["Received"] = "from elsewhere"
    assert receive(other_way) is None  # the same Message-ID by another way
    assert session.scalar(sa.select(sa.func.count()).select_from(InboundMailSource)) == 1


def test_what_is_no_file_for_us_is_named_and_the_rest_taken(
    session: RecordSession, world: World, receive: Receive
) -> None:
    ticket = ticket_of(session, world)
    message = letter(f"[{ticket.number}]")
    message.add_attachment(EXE, maintype="image", subtype="png", filename="virus.png")
    message.add_attachment(picture("PNG"), maintype="image", subtype="png", filename="errore.png")
    mail = receive(message)
    assert mail is not None
    assert "virus.png" in (mail.not_taken or "")
    bodies = [body for _direction, body in said(session, ticket)]
    assert any("virus.png" in body for body in bodies[1:])
    assert session.scalars(sa.select(Attachment.name).where(Attachment.ticket_message_id.is_not(None))).all()[-1:] == [
        "errore.png"
    ]


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_whatever_comes_can_be_read(path: Path) -> None:
    read = read_message(path.read_bytes())
    assert len(read.text) <= 100_000
    assert "\0" not in read.subject + read.text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Subject: =?utf-8?q?Perch=C3=A9?=\n\nPerch\xe9 no\n", "Perché no"),
        (b"Content-Type: text/plain; charset=ignoto\n\nPerch\xc3\xa9\n", "Perché"),
        (
            b"Content-Type: text/html\n\n<p>Uno</p><script>x()</script>due &amp; tre<br>quattro",
            "Uno\ndue & tre\nquattro",
        ),
        (b"From: \xff\xfe\nMessage-ID: <[a b@]>\n\nciao", "ciao"),
        (b"", ""),
        (b"\x00\x01\x02", ""),
    ],
)
def test_awkward_messages_keep_their_words(raw: bytes, text: str) -> None:
    assert read_message(raw).text == text


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    """A running IMAP server."""
    with imap_server() as running:
        yield running


@pytest.fixture
def served(session: RecordSession, box: Mailbox, imap: ImapServer) -> Mailbox:
    with begin_writing():
        box.port = imap.port
        session.commit()
    return box


def test_a_real_mailbox_is_read_once_and_left_as_it_is(
    engine: sa.Engine, session: RecordSession, served: Mailbox, imap: ImapServer, store: FolderStore
) -> None:
    taking = Capture(store, 10, {"PR": PASSWORD})
    for path in CORPUS:
        imap.deliver("assistenza", path.read_bytes())
    different = {path.read_bytes().strip() for path in CORPUS}
    ids = [read_message(path.read_bytes()).message_id for path in CORPUS]
    session.rollback()
    first = capture_mail(engine, taking)
    session.rollback()
    session.expire_all()
    rows = session.scalars(sa.select(InboundMail)).all()
    # None is lost: each is there, but for those that say themselves that they are one another.
    assert first == len(rows) >= len(different) - (len(ids) - len(set(ids)))
    assert {row.state for row in rows} <= {Disposition.to_sort, Disposition.automatic}
    assert session.scalar(sa.select(sa.func.count()).select_from(InboundMailSource)) == len(rows)
    box = session.get_one(Mailbox, served.id)
    assert (box.trouble, box.polled_at is not None) == (None, True)
    session.rollback()
    assert capture_mail(engine, taking) == 0
    # The server numbers its messages anew: all are looked at again, and none is taken twice.
    imap.forget_numbers("assistenza")
    assert capture_mail(engine, taking) == 0
    imap.deliver("assistenza", letter("Ancora una").as_bytes())
    assert capture_mail(engine, taking) == 1
    assert len(list((imap.run / "box" / "assistenza").glob("*/*.test*"))) == len(CORPUS) + 1


def test_trouble_is_said_and_stops_no_other_mailbox(
    engine: sa.Engine, session: RecordSession, world: World, served: Mailbox, imap: ImapServer, store: FolderStore
) -> None:
    with begin_writing():
        values = {"address": "b@casa.example", "host": "127.0.0.1", "security": MailboxSecurity.none}
        dead = world.add(Mailbox(code="MUTA", queue=world.queue, port=1, username="b", **values))
        wrong = world.add(Mailbox(code="AAA", queue=world.queue, port=imap.port, username="c", **values))
        session.commit()
    keys = (dead.id, wrong.id, served.id)
    imap.deliver("assistenza", letter().as_bytes())
    session.rollback()
    assert capture_mail(engine, Capture(store, 10, {"MUTA": "segreta", "AAA": "sbagliata", "PR": PASSWORD})) == 1
    session.expire_all()
    troubles = [session.get_one(Mailbox, key).trouble for key in keys]
    assert [trouble is not None for trouble in troubles] == [True, True, False]
    assert not any("segreta" in (trouble or "") or "sbagliata" in (trouble or "") for trouble in troubles)


def test_what_was_kept_before_a_kill_is_sorted_afterwards(
    engine: sa.Engine,
    session: RecordSession,
    world: World,
    served: Mailbox,
    imap: ImapServer,
    store: FolderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ticket = ticket_of(session, world)
    imap.deliver("assistenza", letter(f"[{ticket.number}]").as_bytes())
    session.rollback()
    with monkeypatch.context() as patch:
        patch.setattr(capture, "_sort", _killed)
        with pytest.raises(KeyboardInterrupt):
            capture_mail(engine, Capture(store, 10, {"PR": PASSWORD}))
    assert session.scalars(sa.select(InboundMail.state)).all() == [Disposition.received]
    session.rollback()
    assert capture_mail(engine, Capture(store, 10, {"PR": PASSWORD})) == 0
    assert session.scalars(sa.select(InboundMail.state)).all() == [Disposition.appended]
    assert len(said(session, ticket)) == 1


def _killed(*_args: object) -> None:
    raise KeyboardInterrupt


def test_staff_sort_the_rest_with_one_click(
    session: RecordSession, world: World, receive: Receive, person: Callable[[str], Visitor]
) -> None:
    ticket = ticket_of(session, world)
    mails = [receive(letter(f"Senza numero {n}")) for n in range(3)]
    foreign = receive(letter("Da altri", "x@altrove.example"))
    keys = [mail.id for mail in (*mails, foreign) if mail is not None]
    visitor = person("secretariat")
    page = visitor.get("/to-sort/").text
    assert page.index("Senza numero 0") < page.index("Senza numero 2") < page.index("Da altri")
    assert ticket.number in page
    assert visitor.submit(f"/to-sort/{keys[0]}/open", {}).status_code == 303
    assert visitor.submit(f"/to-sort/{keys[1]}/join", {"ticket": str(ticket.id)}).status_code == 303
    assert visitor.submit(f"/to-sort/{keys[2]}/discard", {}).status_code == 303
    assert visitor.submit(f"/to-sort/{keys[3]}/open", {}).status_code == 303
    assert visitor.submit(f"/to-sort/{keys[3]}/open", {}).status_code == 409
    assert visitor.submit(f"/to-sort/{keys[3]}/append", {}).status_code == 403
    session.rollback()
    session.expire_all()
    found = [session.get_one(InboundMail, key) for key in keys]
    assert [mail.state.value for mail in found] == ["opened", "joined", "discarded", "opened"]
    opened, unknown = found[0].ticket, found[3].ticket
    assert opened is not None
    assert unknown is not None
    assert (opened.company_id, opened.contact_id, opened.subject) == (
        world.company.id,
        world.contact.id,
        "Senza numero 0",
    )
    assert (unknown.company_id, unknown.queue_id) == (None, world.queue.id)
    assert found[1].ticket_id == ticket.id
    assert "Senza numero" not in visitor.get("/to-sort/").text


@pytest.mark.parametrize(
    ("role", "status"), [("operator1", 200), ("secretariat", 200), ("quality", 403), ("sales", 403)]
)
def test_who_sorts(person: Callable[[str], Visitor], role: str, status: int) -> None:
    assert person(role).get("/to-sort/").status_code == status
