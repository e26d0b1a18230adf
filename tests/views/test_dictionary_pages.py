"""The data dictionary at the desk says what the declarations say, to those who look after the rights."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from backoffice.permissions import MASKS, PERSONAL
from models.base import ENTITIES
from models.catalogue import Kind, fields
from tests.clients import DeskClient
from tests.sample import FEW
from views.desk.dictionary_pages import KIND_WORDS

pytestmark = pytest.mark.databases("sqlite")


def test_every_kind_of_value_has_a_word() -> None:
    assert KIND_WORDS.keys() == set(Kind)


def test_every_entity_is_there(desk_client: Callable[..., DeskClient]) -> None:
    page = desk_client("administrator").get("/dictionary/").text
    assert set(re.findall(r'/dictionary/([a-z_]+)"', page)) == ENTITIES.keys()


@pytest.mark.parametrize("entity", FEW, ids=lambda entity: entity.__tablename__)
def test_every_field_is_explained(desk_client: Callable[..., DeskClient], entity: type) -> None:
    client = desk_client("administrator")
    client.get("/language/en")
    page = html.unescape(client.get(f"/dictionary/{entity.__table__.name}").text)
    rows = dict(re.findall(r"<small><code[^>]*>([a-z_0-9]+)</code></small></th>(.*?)</tr>", page, re.DOTALL))
    for field in fields(entity).values():
        row = rows[field.column or field.name]
        assert ("Personal datum" in row) is field.personal, field
        assert ("Secret" in row) is field.secret, field
        assert str(field.help or "") in row, field
        masked = MASKS["management"] == (PERSONAL,) and field.personal
        assert ("Management" in row) is masked, field


def test_it_is_searched_in_both_languages(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("administrator")
    for term, language in (("partita iva", "it"), ("vat number", "en"), ("vat_number", "it")):
        client.get(f"/language/{language}")
        page = client.get("/dictionary/", query_string={"q": term}).text
        assert 'id="found-company"' in page, term
        assert 'id="found-ticket"' not in page, term
    assert "found-" not in client.get("/dictionary/?q=zzzz").text.partition("<main")[2]
    assert client.get("/dictionary/nothing").status_code == 404


def test_it_is_for_those_who_look_after_the_rights(desk_client: Callable[..., DeskClient]) -> None:
    for role, status in (("security", 200), ("operator1", 403), (None, 302)):
        client = desk_client(role)
        assert client.get("/dictionary/").status_code == status, role
        assert client.get("/dictionary/company").status_code == status, role
