"""The Italian catalogue says everything the code says, and a page speaks one language only."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import flask_appbuilder
import pytest
import sqlalchemy as sa
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from flask import Flask
from flask_babel import force_locale
from werkzeug.test import Client

from models.base import ENTITIES, Recorded
from models.catalogue import slug
from models.values import Money, show_number
from tests.clients import DESK, DeskClient
from tests.sample import EVERY, FEWER_SETS

ROOT = Path(__file__).resolve().parent.parent
ITALIAN = ROOT / "backoffice" / "translations" / "it" / "LC_MESSAGES" / "messages.po"
#: What Flask-AppBuilder would say where we say nothing.
UNDERNEATH = Path(flask_appbuilder.__file__).parent / "translations" / "it" / "LC_MESSAGES" / "messages.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|\{\w+\}|%%")
#: Shorter words are the same in both languages, or say nothing about which it is.
TELLING = 7
#: Links that lead to no page, or change what the next page says.
ELSEWHERE = re.compile(r"/(language|export\.|static|logout)")


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="it")


def messages(catalog: Catalog) -> list[Message]:
    return [message for message in catalog if message.id]


def forms(text: str | tuple[str, ...] | list[str]) -> list[str]:
    """Return singular and plural of a message, or the one form it has."""
    return [text] if isinstance(text, str) else list(text)


def name(message: Message) -> str:
    return f"{message.context or ''}|{forms(message.id)[0]}"


@pytest.fixture(scope="module")
def italian() -> Catalog:
    return read(ITALIAN)


def test_catalogue_has_what_the_code_says(italian: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    options = re.search(r"^EXTRACT := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert options
    found = tmp_path / "messages.pot"
    CommandLineInterface().run(["pybabel", "-q", "extract", *shlex.split(options[1]), f"--output-file={found}", "."])
    in_code, in_catalogue = ({name(m): forms(m.id) for m in messages(c)} for c in (read(found), italian))
    assert in_catalogue == in_code, "run: make translations"
    assert not italian.obsolete


def test_every_sentence_is_translated(italian: Catalog) -> None:
    missing = [name(m) for m in messages(italian) if m.fuzzy or not all(forms(m.string))]
    assert not missing
    plural = [m for m in messages(italian) if m.pluralizable]
    assert not [name(m) for m in plural if len(forms(m.string)) != italian.num_plurals]


def test_translations_keep_what_is_filled_in(italian: Catalog) -> None:
    for message in messages(italian):
        wanted = [sorted(PLACEHOLDER.findall(text)) for text in forms(message.id)]
        for number, text in enumerate(forms(message.string)):
            assert sorted(PLACEHOLDER.findall(text)) == wanted[number], text


def test_translations_keep_the_shape_of_the_sentence(italian: Catalog) -> None:
    for message in messages(italian):
        for before, after in zip(forms(message.id), forms(message.string), strict=True):
            assert not set("'\"") & set(after), f"typographic apostrophes and quotes: {after}"
            assert after.endswith(".") == before.endswith("."), after
            assert after[len(after.rstrip()) :] == before[len(before.rstrip()) :], f"space at the end: {after!r}"


@pytest.mark.parametrize("language", ["en", "it"])
def test_amounts_shown_can_be_typed_again(desk: Flask, language: str) -> None:
    with desk.test_request_context(), force_locale(language):
        assert Money().edit(Decimal("1234.5")) == "1.234,50"
        assert Money().show(Decimal("1234.5")) == "€ 1.234,50"
        assert Money().parse(Money().edit(Decimal("1234567.89"))) == Decimal("1234567.89")
        assert show_number(Decimal("1234.5")) == "1.234,5"


class Words(HTMLParser):
    """Collects what a page says, in text and in attributes, and where it leads."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()
        self.links: list[str] = []
        self.silent = 0
        self.lang: str | None = None
        #: The element whose words are marked as another language's, such as a text being translated.
        self.quoting, self.depth = "", 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        marked = dict(attrs).get("lang")
        if tag == "html":
            self.lang = marked
        elif tag == self.quoting:
            self.depth += 1
        elif marked and marked != self.lang and not self.quoting and tag != "input":
            self.quoting, self.depth = tag, 1
        for attribute, value in attrs:
            if attribute in ("aria-label", "title", "placeholder", "alt") or attribute.startswith("data-word"):
                self.say(value or "")
            if tag == "a" and attribute == "href":
                self.links.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")
        if tag == self.quoting:
            self.depth -= 1
            self.quoting = self.quoting if self.depth else ""

    def handle_data(self, data: str) -> None:
        if not self.silent and not self.quoting:
            self.say(data)

    def say(self, text: str) -> None:
        self.said.add(" ".join(text.split()))


class Vocabulary:
    """Sentences of one language; what is filled in may be anything."""

    def __init__(self, sentences: set[str]) -> None:
        telling = {text for text in sentences if len(PLACEHOLDER.sub("", text)) >= TELLING}
        self.exact = {" ".join(text.split()) for text in telling if not PLACEHOLDER.search(text)}
        patterns = sorted(telling - self.exact)
        self.open = re.compile("|".join(".+".join(map(re.escape, PLACEHOLDER.split(text))) for text in patterns))

    def find(self, said: set[str]) -> set[str]:
        return {text for text in said if text in self.exact or self.open.fullmatch(text)}


@pytest.fixture(scope="module")
def vocabularies(italian: Catalog) -> dict[str, Vocabulary]:
    """What would be wrong on a page of each language: the sentences that only the other one has."""
    pairs = [(forms(m.id), forms(m.string)) for m in messages(italian)]
    english = {text for ids, _ in pairs for text in ids}
    translated = {text for _, strings in pairs for text in strings}
    underneath = {text for m in messages(read(UNDERNEATH)) for text in forms(m.string)}
    return {"en": Vocabulary((translated | underneath) - english), "it": Vocabulary(english - translated)}


@pytest.fixture
def data(engine: sa.Engine) -> set[str]:
    """Every text that stands in the database: records say what they say, in any language."""
    texts = set()
    with engine.connect() as connection:
        for entity in ENTITIES.values():
            columns = [c for c in entity.__table__.c if isinstance(c.type, sa.String) and not c.info.get("secret")]
            for row in connection.execute(sa.select(*columns)) if columns else ():
                texts |= {" ".join(str(value).split()) for value in row if value}
    return texts


def kind_of(link: str) -> str:
    """Return what a link leads to, whichever the record."""
    parts = urlsplit(link)
    return re.sub(r"\d+", "N", parts.path) + "".join(parse_qs(parts.query).get("tab", []))


def every_kind_of_page(client: DeskClient, entities: list[type[Recorded]]) -> Iterator[tuple[str, Words]]:
    """Follow links from the start page and return one page of each kind, of no entities but those given."""
    others = {slug(entity) for entity in EVERY if entity not in entities}
    waiting, known = [f"{DESK}/"], {f"{DESK}/"}
    while waiting:
        here = waiting.pop()
        answer = client.get(here)
        if answer.mimetype != "text/html" or answer.status_code != 200:
            # What the demonstration set attaches lies in no test's file store.
            assert answer.status_code in (200, 302, 303) or "/file" in here, here
            continue
        words = Words()
        words.feed(answer.text)
        yield here, words
        for link in (urljoin(here, link) for link in words.links):
            if others.intersection(urlsplit(link).path.split("/")) or ELSEWHERE.search(link):
                continue
            if kind_of(link) not in known and link.startswith(f"{DESK}/"):
                known.add(kind_of(link))
                waiting.append(link)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "it"])
@pytest.mark.parametrize("entities", FEWER_SETS)
def test_pages_of_the_desk_speak_one_language(
    desk_client: Callable[..., DeskClient],
    vocabularies: dict[str, Vocabulary],
    data: set[str],
    entities: list[type[Recorded]],
    language: str,
) -> None:
    client = desk_client("admin")
    client.get(f"/language/{language}")
    other = "it" if language == "en" else "en"
    foreign, understood, seen = {}, set(), 0
    for here, words in every_kind_of_page(client, entities):
        seen += 1
        understood |= vocabularies[other].find(words.said)
        if found := vocabularies[language].find(words.said - data):
            foreign[here] = found
    assert not foreign
    assert seen > 5 * len(entities)
    assert len(understood) > 500, "the sweep reads little of what it should"


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("path", ["/login/", "/nowhere/", "/company/999999"])
def test_pages_for_strangers_speak_one_language(
    desk_client: Callable[..., DeskClient], vocabularies: dict[str, Vocabulary], path: str, language: str
) -> None:
    client = desk_client()
    client.get(f"/language/{language}")
    words = Words()
    words.feed(client.get(path, follow_redirects=True).text)
    assert len(words.said) > 5
    assert not vocabularies[language].find(words.said)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("language", ["en", "it"])
@pytest.mark.parametrize("path", ["login/", "nowhere/"])
def test_pages_for_clients_speak_one_language(
    application: object, vocabularies: dict[str, Vocabulary], path: str, language: str
) -> None:
    words = Words()
    words.feed(Client(application).get(f"/{language}/{path}").text)
    assert len(words.said) > 3
    assert not vocabularies[language].find(words.said)
