"""Each start-up check finds its mistake, and finds none in the declarations as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from backoffice import checks, permissions
from backoffice.actors import Action, Grant, ScopeKind
from backoffice.checks import columns, pages, rules, scopes
from backoffice.lifecycles import MACHINES, Machine, Transition
from models.base import ENTITIES, SHARED, Deletion, Duplicates, Flow, Freeze, Recorded, Rule, Scope, Section, Worklist
from models.catalogue import Kind, fields
from models.columns import Choice
from models.company import Company
from models.contract import Contract, ContractState
from models.contract_line import ContractLine
from models.customer_order import OrderState
from models.import_batch import ImportBatch
from models.license import License
from models.service import Service
from models.support_team import SupportTeam
from models.ticket import Ticket, TicketState
from models.waste_movement import WasteMovement

Spoil = Callable[[pytest.MonkeyPatch], type[Recorded]]


def replace_in_checks(patch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    """Have every check read ``value`` where it reads ``name``."""
    for module in (columns, pages, rules, scopes):
        if hasattr(module, name):
            patch.setattr(module, name, value)


def admin(entity: type[Recorded], **changes: Any) -> Spoil:
    """Return what puts a changed declaration on ``entity``."""

    def spoil(patch: pytest.MonkeyPatch) -> type[Recorded]:
        patch.setattr(entity, "__admin__", replace(entity.__admin__, **changes))
        return entity

    return spoil


def table(entity: type[Recorded], change: Callable[[sa.Table], Any]) -> Spoil:
    """Return what puts a changed copy of its table on ``entity``."""

    def spoil(patch: pytest.MonkeyPatch) -> type[Recorded]:
        copy = entity.__table__.to_metadata(sa.MetaData())
        change(copy)
        patch.setattr(entity, "__table__", copy)
        return entity

    return spoil


def field(entity: type[Recorded], name: str, **changes: Any) -> Spoil:
    """Return what makes the catalogue say something else of a field of ``entity``."""

    def spoil(patch: pytest.MonkeyPatch) -> type[Recorded]:
        changed = {**fields(entity), name: replace(fields(entity)[name], **changes)}
        replace_in_checks(patch, "fields", lambda other: changed if other is entity else fields(other))
        return entity

    return spoil


def machine(*transitions: Transition) -> Spoil:
    """Return what gives contracts other verbs."""

    def spoil(patch: pytest.MonkeyPatch) -> type[Recorded]:
        patch.setitem(MACHINES, Contract, Machine(Contract, "state", transitions))
        return Contract

    return spoil


def grant(entity: type[Recorded], found: Grant) -> Spoil:
    """Return what gives every role another right in the area of ``entity``."""

    def spoil(patch: pytest.MonkeyPatch) -> type[Recorded]:
        replace_in_checks(patch, "shipped_grants", lambda _role: {entity.__admin__.area: found})
        return entity

    return spoil


def mask(name: str) -> Spoil:
    def spoil(patch: pytest.MonkeyPatch) -> type[Recorded]:
        patch.setitem(permissions.MASKS, "management", (name,))
        return Company

    return spoil


def without_indexes(copy: sa.Table) -> None:
    copy.indexes.clear()


def without_deletion_rule(copy: sa.Table) -> None:
    for key in copy.foreign_keys:
        key.ondelete = None


class Loud(Choice):
    Wrong = "other", _l("Other")


TO_NOWHERE = Transition(name="a", label=_l("A"), sources=(ContractState.draft,), target=ContractState.signed)
ASKS_TOO_MUCH = replace(TO_NOWHERE, inputs=("shoe_size",))
READ_LESS = Grant(frozenset({Action.update}))
BY_OWNER = Grant(frozenset({Action.read}), ScopeKind.own)

MISTAKES: list[tuple[str, Spoil]] = [
    ("E001", admin(Company, list_columns=("legal_name", "shoe_size"))),
    ("E001", admin(Company, order="-shoe_size")),
    ("E002", admin(Company, area="shoes")),
    ("E003", admin(Company, scope=Scope())),
    ("E003", grant(SupportTeam, BY_OWNER)),
    ("E004", table(Contract, without_indexes)),
    ("E005", table(Contract, without_deletion_rule)),
    ("E006", admin(Contract, rules={**Contract.__admin__.rules, "ck_contract_shoes": Rule(_l("No."))})),
    ("E007", admin(Contract, rules={})),
    ("E008", admin(Contract, rules={"uq_contract_group_id_number": Rule(_l("No."), "shoe_size")})),
    ("E009", machine(TO_NOWHERE)),
    ("E010", field(Contract, "state", verb_only=False)),
    ("E011", machine(ASKS_TOO_MUCH)),
    ("E012", field(Company, "iban", personal=False)),
    ("E013", field(Company, "state", choices=Loud)),
    ("E014", mask("company.shoe_size")),
    ("E015", admin(Service, sections=())),
    ("E016", field(Company, "lab_habitual", help=None)),
    ("E016", field(Company, "size_class", help=None)),
    ("E016", field(ContractLine, "withdrawal_mode", help=None)),
    ("E017", grant(Company, READ_LESS)),
    ("E001", admin(Company, title=("shoe_size",))),
    ("E001", admin(ContractLine, totals=("shoe_size",))),
    ("E018", admin(Company, title=())),
    ("E019", admin(Company, subtitle=("shoe_size",))),
    ("E019", admin(Company, subtitle=("city.name",))),
    ("E019", admin(License, subtitle=("order_line.shoe_size",))),
    ("E020", admin(Company, tabs=("contact.shoe",))),
    ("E021", admin(ContractLine, totals=("service",))),
    ("E022", admin(Ticket, worklists=(Worklist(_l("A"), ("shoe_size:is:42",)),))),
    ("E022", admin(Ticket, worklists=(Worklist(_l("A"), ("assignee:in:{you}",)),))),
    ("E033", admin(Ticket, flows=(Flow(_l("A"), "shoe_size"),))),
    ("E033", admin(Ticket, flows=(Flow(_l("A"), "taken_at"),))),
    ("E033", admin(Ticket, flows=(Flow(_l("A"), "created_at", ("shoe_size:is:42",)),))),
    ("E033", admin(Ticket, flows=(Flow(_l("A"), "created_at"),) * 3)),
    ("E023", field(ImportBatch, "matched_by", fields_of="file_name")),
    ("E027", admin(Contract, deletion=Deletion((OrderState.confirmed,)))),
    ("E027", admin(ContractLine, deletion=Deletion((ContractState.draft,), of="parent"))),
    ("E001", admin(Company, duplicates=Duplicates(same=(("shoe_size",),)))),
    ("E029", admin(Contract, duplicates=Duplicates(same=(("number",),)))),
    ("E027", admin(Contract, changeable_in={"shoe_size": ()})),
    ("E027", admin(Contract, changeable_in={"starts_on": (OrderState.confirmed,)})),
    ("E024", field(Ticket, "number", due_while=(TicketState.assigned,))),
    ("E024", field(Ticket, "due_at", due_while=(ContractState.draft,))),
    ("E025", admin(Company, sections=(Section(_l("A"), ("legal_name",), own_row=("city",)),))),
    ("E026", field(Company, "city", known_once="shoe_size")),
    ("E030", admin(WasteMovement, freeze=Freeze("WINSMART", "form_number"))),
    ("E030", admin(Company, freeze=Freeze("WINSMART", "client_since"))),
    ("E030", admin(WasteMovement, files_in=(ContractState.draft,))),
    ("E031", admin(Contract, scope=Scope(group="group_id"))),
    ("E032", admin(Contract, client_only={"shoe_size": ()})),
    ("E032", admin(Contract, client_only={"state": (OrderState.confirmed,)})),
]


@pytest.mark.parametrize(("problem", "spoil"), MISTAKES, ids=[f"{n}-{i}" for i, (n, _spoil) in enumerate(MISTAKES)])
def test_the_mistake_is_found(problem: str, spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    entity = spoil(monkeypatch)
    found = checks.run_checks([entity])
    assert problem in {p.id for p in found}
    assert all(p.text and p.hint for p in found)


def test_every_check_has_its_mistake() -> None:
    documented = {check.__doc__.split(":")[0] for check in checks.CHECKS if check.__doc__}
    seen = {number for number, _spoil in MISTAKES}
    assert {number for name in documented for number in _numbers(name)} <= seen


@pytest.mark.parametrize("entity", ENTITIES.values(), ids=list(ENTITIES))
def test_the_declarations_are_in_order(entity: type[Recorded]) -> None:
    assert checks.run_checks([entity]) == []


def test_shared_reference_data_needs_no_group() -> None:
    shared = next(entity for entity in ENTITIES.values() if entity.__admin__.scope is SHARED)
    assert checks.run_checks([shared]) == []


@pytest.mark.parametrize(("name", "text"), [("lab_habitual", ""), ("city", None)])
def test_a_label_may_say_all(name: str, text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.run_checks([field(Company, name, help=text)(monkeypatch)]) == []


def test_every_kind_of_field_is_declared_somewhere() -> None:
    kinds = {field.kind for entity in ENTITIES.values() for field in fields(entity).values()}
    assert set(Kind) - kinds <= {Kind.decimal}


def _numbers(text: str) -> list[str]:
    """Read ``E009`` or ``E009 to E011``."""
    first, _to, last = text.partition(" to ")
    return [f"E{number:03}" for number in range(int(first[1:]), int((last or first)[1:]) + 1)]
