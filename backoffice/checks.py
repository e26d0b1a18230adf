"""Start-up checks: every declaration is verified against its model, and all problems are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

import models as _models  # every entity must be declared before it can be checked
from backoffice.actors import SYSTEM, Action, ScopeKind
from backoffice.errors import BadRequest
from backoffice.lifecycles import MACHINES
from backoffice.mail.rendering import TEMPLATES, ShippedTemplate, problems_of
from backoffice.permissions import AREAS, MASKS, PERSONAL, ROLES, shipped_grants
from backoffice.records.due import STATE
from backoffice.records.filters import parse
from models.base import ENTITIES, Duplicates, EntityName, Recorded, SoftDeleted
from models.catalogue import Kind, fields, related_lists, slug
from models.columns import Choice

_ = _models


@dataclass(frozen=True)
class Problem:
    """Something wrong with a declaration: a stable id, what it is, and how to mend it."""

    id: str
    text: str
    hint: str


Check = Callable[[type[Recorded]], Iterable[Problem]]
CHECKS: list[Check] = []


def run_checks(entities: Iterable[type[Recorded]] | None = None) -> list[Problem]:
    """Return every problem of every declaration."""
    chosen = list(ENTITIES.values() if entities is None else entities)
    found = [problem for entity in chosen for check in CHECKS for problem in check(entity)]
    return found if entities is not None else [*found, *whole_mails(TEMPLATES.values())]


def whole_mails(templates: Iterable[ShippedTemplate]) -> Iterator[Problem]:
    """E028: a mail has its texts in every language, and they name nothing that nobody fills in."""
    for template in templates:
        for text in problems_of(template):
            yield Problem("E028", f"Mail {text}.", "Correct the file under backoffice/mail/templates/.")


def check(function: Check) -> Check:
    CHECKS.append(function)
    return function


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
def known_area(entity: type[Recorded]) -> Iterator[Problem]:
    """E002: the area has its row in the permission matrix."""
    area = entity.__admin__.area
    if area not in AREAS:
        yield Problem(
            "E002",
            f"{entity.__name__} is in the area “{area}”, which the permission matrix does not have.",
            "Add the area to backoffice/permissions.py, or use one of: " + ", ".join(AREAS) + ".",
        )


@check
def enforceable_scope(entity: type[Recorded]) -> Iterator[Problem]:
    """E003: whatever row scope a role has on the entity can be found in its columns."""
    scope = entity.__admin__.scope
    if scope.shared:
        return
    if scope.group is None or "group_id" not in entity.__table__.c:
        yield Problem(
            "E003",
            f"{entity.__name__} does not say which corporate group a row belongs to.",
            "Declare Scope(group=...) with GroupOwned or CompanyOwned, or SHARED for reference data.",
        )
    available = {ScopeKind.group}
    if scope.unit or scope.company:
        available.add(ScopeKind.unit)
    if scope.company:
        available |= {ScopeKind.teams, ScopeKind.consultant}
    if scope.owner:
        available.add(ScopeKind.own)
    for role in ROLES:
        grant = shipped_grants(role).get(entity.__admin__.area)
        if grant is not None and grant.scope not in available:
            yield Problem(
                "E003",
                f"{entity.__name__}: the role {role} sees rows by {grant.scope}, which no column tells.",
                "Name the column in the entity's Scope, or give the role another scope.",
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


@check
def named_rules(entity: type[Recorded]) -> Iterator[Problem]:
    """E006: every rule has its constraint and every constraint its sentence."""
    table, rules = entity.__table__, entity.__admin__.rules
    names = {
        str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint | sa.UniqueConstraint) and c.name
    }
    names |= {str(index.name) for index in table.indexes if index.unique}
    enums = {
        str(c.name) for c in table.constraints if isinstance(c, sa.CheckConstraint) and getattr(c, "_type_bound", False)
    }
    for name in rules:
        if name not in names:
            yield Problem(
                "E006",
                f"{entity.__name__} has a sentence for “{name}”, which is no constraint of {table.name}.",
                "Its constraints are " + ", ".join(sorted(names)) + ".",
            )
    for name in names - set(rules) - enums:
        yield Problem(
            "E007",
            f"{table.name}: nothing tells people what “{name}” refuses.",
            "Add a Rule for it to the declaration.",
        )
    for name, rule in rules.items():
        if rule.field is not None and rule.field not in fields(entity):
            yield Problem(
                "E008",
                f"{entity.__name__}: the sentence of “{name}” stands beside “{rule.field}”, which is no field.",
                "Name a field, or none.",
            )


@check
def reachable_states(entity: type[Recorded]) -> Iterator[Problem]:
    """E009 to E011: every state can be reached, states change only through verbs, each verb has its columns."""
    machine = MACHINES.get(entity)
    if machine is None:
        return
    field = fields(entity)[machine.column]
    assert field.choices is not None
    assert field.column is not None
    if not field.verb_only:
        yield Problem(
            "E010",
            f"{entity.__name__}.{machine.column} has verbs but may be edited freely.",
            "Declare it with verb_only=True.",
        )
    default = entity.__table__.c[field.column].default
    reached: set[Choice] = {default.arg} if default is not None and default.is_scalar else set()
    reached |= {t.target for t in machine.transitions if t.target is not None}
    moved = any(t.target is None for t in machine.transitions)
    for state in field.choices:
        if state not in reached and not moved:
            yield Problem(
                "E009",
                f"{entity.__name__}: no verb leads to the state “{state.value}”.",
                "Add a transition, or drop the state.",
            )
    for transition in machine.transitions:
        for name in transition.inputs:
            if name not in fields(transition.asks or entity):
                yield Problem(
                    "E011",
                    f"{entity.__name__}: the verb {transition.name} asks for “{name}”, which is no field.",
                    "Declare the column.",
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


@check
def usable_forms(entity: type[Recorded]) -> Iterator[Problem]:
    """E015: a form that can be filled in asks for everything that is required."""
    admin = entity.__admin__
    if admin.append_only or admin.written_by_verbs:
        return
    copied = {column for column, _path in admin.scope.copies()} | {"group_id"}
    for field in fields(entity).values():
        if (
            field.required
            and field.name not in admin.form_columns
            and field.name not in ("id", "created_at", "updated_at")
            and field.column not in copied
            and not field.verb_only
        ):
            yield Problem(
                "E015",
                f"{entity.__name__}: {field.name} is required, but no section of the form has it.",
                "Add it to a section or give it a default.",
            )


@check
def known_deadlines(entity: type[Recorded]) -> Iterator[Problem]:
    """E024: a deadline is a day or an instant, and the states in which it counts are states of the entity."""
    state = fields(entity).get(STATE)
    states = set(state.choices or ()) if state is not None else set()
    for field in fields(entity).values():
        if field.due_while and field.kind not in (Kind.date, Kind.datetime):
            yield Problem(
                "E024",
                f"{entity.__name__}.{field.name} has due_while and is neither a day nor an instant.",
                "Leave due_while out.",
            )
        if not states.issuperset(field.due_while):
            yield Problem(
                "E024",
                f"{entity.__name__}.{field.name} is due while in states that the column “{STATE}” does not have.",
                "Name states of the entity in due_while.",
            )


@check
def known_conditions(entity: type[Recorded]) -> Iterator[Problem]:
    """E026: the field that tells whether another is known is a field of the entity."""
    known = fields(entity)
    for field in known.values():
        if field.known_once and field.known_once not in known:
            yield Problem(
                "E026",
                f"{entity.__name__}.{field.name} is known once “{field.known_once}” is, which is no field.",
                f"The fields are {', '.join(known)}.",
            )


@check
def placed_own_rows(entity: type[Recorded]) -> Iterator[Problem]:
    """E025: a field that has a row of the form to itself is in the form."""
    for section in entity.__admin__.sections:
        for name in set(section.own_row) - set(section.columns):
            yield Problem(
                "E025",
                f"{entity.__name__}: the section “{section.title}” gives “{name}” a row and does not have it.",
                "Add it to the section's columns, or take it out of own_row.",
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
def stated_rules(entity: type[Recorded]) -> Iterator[Problem]:
    """E027: rules about states name fields and states that exist."""
    admin, known = entity.__admin__, fields(entity)
    for name in admin.changeable_in:
        if name not in admin.form_columns:
            yield Problem(
                "E027", f"{entity.__name__}.changeable_in names “{name}”, which no form has.", "Name a field."
            )
    deletion, owner = admin.deletion, entity
    if deletion is not None and deletion.of is not None:
        relation = known.get(deletion.of)
        owner = relation.target if relation is not None and relation.target is not None else entity
    has_states = _has_states(owner, deletion.states if deletion else ())
    has_states &= _has_states(entity, (state for states in admin.changeable_in.values() for state in states))
    if not has_states or (deletion is not None and deletion.of is not None and owner is entity):
        yield Problem(
            "E027",
            f"{entity.__name__}: a rule about states names one that {owner.__name__} does not have.",
            "Name states of its own, or of the parent in Deletion(of=...).",
        )


def _has_states(entity: type[Recorded], wanted: Iterable[Choice]) -> bool:
    return set(wanted) <= set(getattr(fields(entity).get("state"), "choices", None) or ())


@check
def readable_scope_columns(entity: type[Recorded]) -> Iterator[Problem]:
    """E017: whoever may export may read."""
    for role in ROLES:
        grant = shipped_grants(role).get(entity.__admin__.area)
        if grant is not None and Action.read not in grant.actions:
            yield Problem(
                "E017",
                f"The role {role} may act in the area {entity.__admin__.area} but not read it.",
                "Add R to its rights.",
            )


@check
def named_rows(entity: type[Recorded]) -> Iterator[Problem]:
    """E018 to E019: a row's name is made of known fields, and what stands under it can be reached."""
    if not entity.__admin__.title:
        yield Problem(
            "E018",
            f"{entity.__name__} does not say what the name of a row is made of.",
            "Declare title=(...): the fields that __str__ reads. Masks are decided by them.",
        )
    for path in entity.__admin__.subtitle:
        if not _leads_somewhere(entity, path):
            yield Problem(
                "E019",
                f"{entity.__name__}.__admin__.subtitle names “{path}”, which leads to no field.",
                "Name a field, or relation.field for one of a related row.",
            )


def _leads_somewhere(entity: type[Recorded], path: str) -> bool:
    first, _dot, rest = path.partition(".")
    field = fields(entity).get(first)
    if field is None or not rest:
        return field is not None
    return field.kind is Kind.relation and field.target in ENTITIES.values() and _leads_somewhere(field.target, rest)  # type: ignore[arg-type]


@check
def known_tabs(entity: type[Recorded]) -> Iterator[Problem]:
    """E020: the tabs that come first are lists of related records."""
    known = {f"{slug(field.entity)}.{field.name}" for field in related_lists(entity)}
    for name in entity.__admin__.tabs:
        if name not in known:
            yield Problem(
                "E020",
                f"{entity.__name__}.__admin__.tabs names “{name}”, but no such relation points at it.",
                f"The lists on its page are {', '.join(sorted(known)) or 'none'}.",
            )


@check
def summable_totals(entity: type[Recorded]) -> Iterator[Problem]:
    """E021: what is summed under lines is a number."""
    for name in entity.__admin__.totals:
        field = fields(entity).get(name)
        if field is not None and field.kind not in (Kind.integer, Kind.decimal, Kind.money, Kind.minutes):
            yield Problem(
                "E021",
                f"{entity.__name__}.__admin__.totals names “{name}”, which cannot be summed.",
                "Name money, minutes or numbers.",
            )


@check
def readable_worklists(entity: type[Recorded]) -> Iterator[Problem]:
    """E022: the filters of what waits on the start page are filters of the list."""
    for worklist in entity.__admin__.worklists:
        for text in worklist.filters:
            try:
                parse(text.format(me=1), entity, SYSTEM)
            except (BadRequest, KeyError, ValueError, IndexError):
                yield Problem(
                    "E022",
                    f"{entity.__name__} has a worklist with the filter “{text}”, which its list does not understand.",
                    "Write it as the address of the filtered list has it; {me} stands for the person who looks.",
                )


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
