"""What is declared of columns: names, keys, indexes, help and what is personal."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from backoffice.checks.registry import Problem, check
from backoffice.lifecycles import MACHINES
from backoffice.permissions import MASKS, PERSONAL
from models.base import Duplicates, EntityName, Recorded, SoftDeleted
from models.catalogue import Kind, fields


@check
def known_columns(entity: type[Recorded]) -> Iterator[Problem]:
    """E001: every name in the declaration is a field of the entity."""
    admin, known = entity.__admin__, fields(entity)
    lists = {
        "title": admin.title,
        "totals": admin.totals,
        "list_columns": admin.list_columns,
        "sections": admin.form_columns,
        "search_columns": admin.search_columns,
        "filters": admin.filters,
        "repeating": admin.repeating,
        "facts": admin.facts,
        "inline": admin.inline,
        "client_columns": admin.client_columns,
        "duplicates": _named_by(admin.duplicates),
        "order": (admin.order.lstrip("-"),),
    }
    for option, names in lists.items():
        for name in names:
            if name not in known:
                yield Problem(
                    "E001",
                    f"{entity.__name__}.__admin__.{option} names “{name}”, which is no field of it.",
                    f"Its fields are {', '.join(known)}.",
                )


def _named_by(duplicates: Duplicates | None) -> tuple[str, ...]:
    if duplicates is None:
        return ()
    within = (duplicates.within,) if duplicates.within else ()
    return (*(name for group in duplicates.same for name in group), *duplicates.alike, *within)


@check
def mergeable(entity: type[Recorded]) -> Iterator[Problem]:
    """E029: what can be merged is only hidden by deleting, so that undoing the merge finds it again."""
    if entity.__admin__.duplicates is not None and not issubclass(entity, SoftDeleted):
        yield Problem(
            "E029",
            f"{entity.__name__} says what its duplicates are, but deleting removes its rows for good.",
            "Derive it from SoftDeleted, or declare no duplicates.",
        )


@check
def indexed_keys(entity: type[Recorded]) -> Iterator[Problem]:
    """E004: every foreign key leads an index, or deleting what it points at reads the whole table."""
    table = entity.__table__
    leading = {next(iter(index.columns)).name for index in table.indexes}
    leading |= {
        next(iter(c.columns)).name
        for c in table.constraints
        if isinstance(c, sa.UniqueConstraint | sa.PrimaryKeyConstraint) and len(c.columns)
    }
    for key in table.foreign_keys:
        if key.parent.name not in leading and not key.parent.name.startswith(("created_by", "changed_by")):
            yield Problem(
                "E004",
                f"{table.name}.{key.parent.name} refers to another table without an index.",
                "Declare it with reference(), which makes one.",
            )
        if key.ondelete is None and table.name != "ab_user":
            yield Problem(
                "E005",
                f"{table.name}.{key.parent.name} does not say what deleting the other row does.",
                "Say ondelete explicitly.",
            )


#: Words that tell a person's own data, wherever they stand in a column's name.
_PERSONAL_WORDS = (
    "first_name",
    "last_name",
    "full_name",
    "mobile",
    "iban",
    "caller",
    "requester_name",
    "password_hash",
)


@check
def marked_personal(entity: type[Recorded]) -> Iterator[Problem]:
    """E012: what is plainly a datum about a person is marked as one."""
    for field in fields(entity).values():
        telling = any(word in field.name for word in _PERSONAL_WORDS)
        if (
            telling
            and field.kind not in (Kind.relation, Kind.boolean, Kind.choice)
            and not (field.personal or field.secret or field.entity.__table__.name == "ab_user")
        ):
            yield Problem(
                "E012",
                f"{entity.__name__}.{field.name} looks personal and is not marked.",
                "Declare it with personal=True or secret=True.",
            )


@check
def lower_case_choices(entity: type[Recorded]) -> Iterator[Problem]:
    """E013: member, value and stored text of a choice are one lower-case word."""
    for field in fields(entity).values():
        for member in field.choices or ():
            if member.name != member.value or member.value != member.value.lower():
                yield Problem(
                    "E013",
                    f"{field.choices.__name__}.{member.name} is stored as “{member.value}”.",  # type: ignore[union-attr]
                    "Name and value must be the same lower-case word.",
                )


@check
def masked_fields(entity: type[Recorded]) -> Iterator[Problem]:
    """E014: masks name fields that exist."""
    prefix = f"{entity.__table__.name}."
    for role, names in MASKS.items():
        for name in names:
            if name != PERSONAL and name.startswith(prefix) and name.removeprefix(prefix) not in fields(entity):
                yield Problem(
                    "E014",
                    f"The role {role} masks “{name}”, which is no field.",
                    "Correct MASKS in backoffice/permissions.py.",
                )


#: Kinds whose label, as a rule, says all there is to say.
_PLAIN_KINDS = frozenset(
    {Kind.text, Kind.long_text, Kind.email, Kind.phone, Kind.url, Kind.date, Kind.time, Kind.relations}
)


@check
def helpful_fields(entity: type[Recorded]) -> Iterator[Problem]:
    """E016: a field that some form asks for has a help sentence, or says that its label is enough."""
    for name in _asked_for(entity):
        field = fields(entity).get(name)
        if field is not None and field.kind not in _PLAIN_KINDS and field.help is None:
            yield Problem(
                "E016",
                f"{entity.__name__}.{name} has no help sentence.",
                'Declare it with help=_l(...): what is it for, what does it do? Or help="" where the label says all.',
            )


def _asked_for(entity: type[Recorded]) -> Iterator[str]:
    """Yield the fields of the entity's own form, if it has one, and those that its verbs ask for."""
    if not entity.__admin__.written_by_verbs:
        yield from entity.__admin__.form_columns
    machine = MACHINES.get(entity)
    for transition in machine.transitions if machine else ():
        if transition.asks is None:
            yield from (name for name in transition.inputs if name not in entity.__admin__.form_columns)


@check
def named_fields(entity: type[Recorded]) -> Iterator[Problem]:
    """E023: where a value names fields, another column says of which entity."""
    known = fields(entity)
    for field in known.values():
        if field.fields_of is not None:
            source = known.get(field.fields_of)
            if source is None or not isinstance(source.value_type, EntityName):
                yield Problem(
                    "E023",
                    f"{entity.__name__}.{field.name} names fields of the entity in “{field.fields_of}”, "
                    "which is no column of an entity's name.",
                    "Name a column of the type EntityName.",
                )
