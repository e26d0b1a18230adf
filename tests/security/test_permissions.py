"""The permission matrix as data: complete, readable, and with the scopes the requirements name."""

from __future__ import annotations

from enum import StrEnum

import pytest

import models  # noqa: F401  # declares every entity
from backoffice.actors import Action, Actor, ActorKind, Door, ScopeKind
from backoffice.permissions import AREAS, ROLES, SHIPPED_RIGHTS, parse_right, shipped_grants, shipped_masks
from models.base import ENTITIES
from models.columns import Choice
from models.company import Company
from models.contact import Contact
from models.history_entry import ActorSort, Entrance
from models.role_right import RightScope
from tests.access.expected import RIGHTS, Right


def _actor(*codes: str) -> Actor:
    grants: dict[str, tuple] = {}
    for code in codes:
        for area, grant in shipped_grants(code).items():
            grants[area] = (*grants.get(area, ()), grant)
    return Actor(ActorKind.staff, id=1, group_id=1, roles=codes, grants=grants)


def test_every_entity_lies_in_an_area_of_the_matrix() -> None:
    assert {entity.__admin__.area for entity in ENTITIES.values()} <= AREAS.keys()


def test_the_matrix_has_every_role_and_every_area() -> None:
    assert len(ROLES) == 11
    assert all(rights.keys() == AREAS.keys() for rights in SHIPPED_RIGHTS.values())


def test_whoever_may_do_something_may_read() -> None:
    for rights in SHIPPED_RIGHTS.values():
        assert all("R" in letters for letters, _ in rights.values() if letters)


@pytest.mark.parametrize(("stored", "spoken"), [(RightScope, ScopeKind), (ActorSort, ActorKind), (Entrance, Door)])
def test_what_tables_hold_has_the_words_of_actors(stored: type[Choice], spoken: type[StrEnum]) -> None:
    assert [member.value for member in stored] == [member.value for member in spoken]


def test_rights_are_those_of_chapter_13() -> None:
    """Every cell, against the copy that the access sweep has."""
    shipped = {(role, area): Right(*cell) for role, cells in SHIPPED_RIGHTS.items() for area, cell in cells.items()}
    assert len(shipped) == 11 * 48
    assert shipped == RIGHTS


@pytest.mark.parametrize("text", ["Z", "RX:everything", "rx"])
def test_unknown_letters_and_scopes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_right(text)


def test_management_sees_no_personal_field() -> None:
    masked = shipped_masks("management")
    assert {"contact.first_name", "contact.email", "contact.phone", "company.tax_code", "company.iban"} <= masked
    assert _actor("management").masked(Contact) >= {"first_name", "last_name", "email", "phone", "mobile"}
    assert not shipped_masks("sales")


def test_a_second_role_adds_its_rights_and_shows_what_it_shows() -> None:
    both = _actor("management", "sales")
    assert both.may(Action.create, Contact)
    assert not both.masked(Contact)
    assert both.scopes(Action.read, Company) == {ScopeKind.group}
