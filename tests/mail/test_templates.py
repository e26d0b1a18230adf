"""Mails in an administrator's words: placeholders that are known, nothing that could be executed, and a way back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.actors import Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.delivery import send_due
from backoffice.errors import InvalidRecord
from backoffice.identity import load_actor
from backoffice.mail.rendering import TEMPLATES, Wording, check_wording, render, shipped_wording
from backoffice.mail.sending import MailServer
from backoffice.operations.overrides import change_mail
from backoffice.outbox import find_wording
from models.mail_template import MailTemplate
from models.outbox_mail import MailLanguage
from models.reading import BadValue
from models.staff import Staff
from tests.clients import DeskClient
from tests.mail.conftest import DESK_URL, ROOTS, Queue, stored
from tests.mail.smtp import Inbox
from tests.visitors import Visitor

IT = MailLanguage.it
ARGUMENTS = {"name": "Ada", "username": "ada", "hours": 24}
PAGE = "/mail-templates/staff_password/it"


@pytest.fixture
def actor(session: RecordSession, staff: Callable[[str], Staff]) -> Actor:
    """The administrator of one corporate group."""
    return load_actor(session, staff("administrator").id)


@pytest.fixture
def write(engine: sa.Engine, session: RecordSession, actor: Actor) -> Callable[..., None]:
    """A function that puts the password mail in other words."""
    session.rollback()

    def put(wording: Wording, *, sender: str | None = None, version: int = 0) -> None:
        with begin_writing(), open_session(engine, Context(actor, Door.desk)) as own, own.begin():
            change_mail(own, "staff_password", IT, sender, wording, version=version, actor=actor)

    return put


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ surname }}", "“surname”"),
        ("{{ name.__class__ }}", "Between the braces"),
        ("{{ name|upper }}", "Between the braces"),
        ("{{ 7*7 }}", "Between the braces"),
        ("{{ name() }}", "Between the braces"),
        ("{% for x in name %}{{ x }}{% endfor %}", "Between the braces"),
        ("{% include 'layout.html' %}", "Between the braces"),
        ("{{ name", "not closed"),
        ("{{ }}", "not closed"),
        ("{% if %}", "not closed"),
    ],
)
def test_only_text_and_known_placeholders_are_taken(text: str, said: str) -> None:
    with pytest.raises(BadValue) as refused:
        check_wording(text, frozenset({"name", "hours"}))
    assert said in str(refused.value)
    assert "{{ hours }}, {{ name }}" in str(refused.value)


def test_every_shipped_text_may_be_taken_over_as_it_is() -> None:
    for template in TEMPLATES.values():
        for language in MailLanguage:
            for part, text in vars(shipped_wording(template.name, language.value)).items():
                check_wording(text, template.placeholders(part))
            assert render(template.name, language.value, template.examples).text


def test_values_never_become_markup_or_placeholders() -> None:
    wording = Wording("Per {{ name }}", "Buongiorno {{ name }},\n\nsi entra da\n{{ link }}")
    arguments = {**ARGUMENTS, "name": "<b>{{ username }}</b>"}
    letter = render("staff_password", "it", arguments, link="https://desk.example/x/y-_Z?a=1&b=2", wording=wording)
    assert letter.subject == "Per <b>{{ username }}</b>"
    assert letter.text == "Buongiorno <b>{{ username }}</b>,\n\nsi entra da\nhttps://desk.example/x/y-_Z?a=1&b=2\n"
    assert "<p>Buongiorno &lt;b&gt;{{ username }}&lt;/b&gt;,</p>" in letter.html
    assert 'href="https://desk.example/x/y-_Z?a=1&amp;b=2"' in letter.html


@pytest.mark.usefixtures("no_demonstration")
def test_own_words_are_sent_and_what_was_sent_stays_readable(
    session: RecordSession,
    engine: sa.Engine,
    queue: Queue,
    inbox: Inbox,
    server: MailServer,
    write: Callable[..., None],
) -> None:
    write(Wording("Benvenuta {{ name }}", "Da qui: {{ link }}"))
    mail = queue("administrator")
    assert mail.subject.startswith("Benvenuta ")
    send_due(engine, server, ROOTS)
    (letter,) = inbox.taken
    body = letter.get_body(("plain",))
    assert body is not None
    assert body.get_content().startswith(f"Da qui: {DESK_URL}/security/link/")
    write(Wording(None, "Altro"), version=1)
    assert stored(session, mail).sent_text == "Da qui: [link]\n"
    assert stored(session, mail).subject == letter["Subject"]


def test_words_for_a_sender_come_first_and_belong_to_one_group(
    session: RecordSession, actor: Actor, write: Callable[..., None]
) -> None:
    write(Wording("Per tutti", "Tutti"))
    write(Wording("Da noi", None), sender="noi@prova.example")
    find = lambda group, sender: find_wording(session, group, "staff_password", IT, sender)  # noqa: E731
    assert find(actor.group_id, None) == Wording("Per tutti", "Tutti")
    assert find(actor.group_id, "noi@prova.example") == Wording("Da noi", "Tutti")
    assert find(actor.group_id, "altri@prova.example") == Wording("Per tutti", "Tutti")
    assert find(-1, None) == Wording()


def test_a_link_never_stands_in_the_subject(write: Callable[..., None]) -> None:
    with pytest.raises(InvalidRecord) as refused:
        write(Wording("{{ link }}", "{{ link }}"))
    assert set(refused.value.problems) == {"subject"}


def test_the_page_refuses_shows_saves_and_goes_back(session: RecordSession, admin: Visitor) -> None:
    page = admin.get(PAGE)
    assert "Scelga la sua password" in page.text
    assert "{{ username }}, per esempio giulia.rossi" in page.text
    form = {"version": "0", "sender": "", "subject": "Nuovo per {{ name }}", "body": "Da qui: {{ link }} {{ paswd }}"}
    refused = admin.submit(PAGE, form | {"do": "save"})
    assert refused.status_code == 422
    assert "«paswd»" in refused.text
    assert "{{ link }}, {{ name }}, {{ username }}" in refused.text
    assert "Da qui: {{ link }} {{ paswd }}" in refused.text
    form["body"] = "Da qui: {{ link }} <b>"
    preview = admin.submit(PAGE, form | {"do": "preview"})
    assert "Nuovo per Giulia" in preview.text
    assert "Da qui: [link] &lt;b&gt;" in preview.text
    assert session.scalar(sa.select(sa.func.count(MailTemplate.id))) == 0
    session.rollback()
    assert admin.submit(PAGE, form | {"do": "save"}).status_code == 303
    assert "Nuovo per {{ name }}" in admin.get("/mail-templates/").text
    assert admin.submit(PAGE, form | {"do": "save"}).status_code == 409
    assert admin.submit(PAGE, {"version": "1", "do": "reset"}).status_code == 303
    assert "Nuovo per" not in admin.get("/mail-templates/").text
    assert "Nuovo per" in admin.get(f"/mail_template/{session.scalar(sa.select(MailTemplate.id))}?tab=history").text


def test_words_for_one_sender_have_their_own_form(admin: Visitor) -> None:
    form = {"version": "0", "subject": "Solo noi", "body": "Da qui: {{ link }}", "do": "save"}
    assert admin.submit(PAGE, form | {"sender": "nowhere"}).status_code == 422
    assert admin.submit(PAGE, form | {"sender": "noi@prova.example"}).status_code == 303
    assert "Italiano, noi@prova.example" in admin.get("/mail-templates/").text
    assert "Solo noi" in admin.get(f"{PAGE}?sender=noi@prova.example").text
    assert "Solo noi" not in admin.get(PAGE).text


def test_who_may_read_and_who_may_write(desk_client: Callable[..., DeskClient]) -> None:
    expected = {"sales": (403, 403), "operator1": (200, 403), "secretariat": (200, 200)}
    for role, (reading, writing) in expected.items():
        client = desk_client(role)
        assert client.get("/mail-templates/").status_code == reading, role
        assert client.get(PAGE).status_code == writing, role
    assert desk_client().get(PAGE).status_code == 302


@pytest.mark.parametrize("wrong", ["Per {{ nome }}", "Per {{ name", "{% for n in range(9) %}{{ name }}{% endfor %}"])
def test_words_that_cannot_be_filled_in_count_as_not_written(wrong: str) -> None:
    values = TEMPLATES["staff_password"].examples
    assert render("staff_password", "it", values, wording=Wording(wrong, wrong)) == render(
        "staff_password", "it", values
    )
    half = render("staff_password", "it", values, wording=Wording("Per {{ name }}", wrong))
    assert half.subject == f"Per {values['name']}"
