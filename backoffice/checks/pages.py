"""What is declared of lists, forms, tabs and work lists."""

from __future__ import annotations

from collections.abc import Iterator

from backoffice.actors import SYSTEM
from backoffice.checks.registry import Problem, check
from backoffice.errors import BadRequest
from backoffice.records.due import STATE
from backoffice.records.filters import parse
from models.base import ENTITIES, Recorded
from models.catalogue import Kind, fields, related_lists, slug


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
def countable_flows(entity: type[Recorded]) -> Iterator[Problem]:
    """E033: what comes and goes is counted by a day that is quick to count by, within filters of the list."""
    admin = entity.__admin__
    quick = {admin.order.lstrip("-"), *(pair[0] for pair in admin.fast if len(pair) == 1)}
    for flow in admin.flows:
        field = fields(entity).get(flow.day)
        if field is None or field.kind not in (Kind.date, Kind.datetime) or flow.day not in quick:
            yield Problem(
                "E033",
                f"{entity.__name__} has a flow by “{flow.day}”, which is no day that rows can be counted by quickly.",
                f'Name a date or an instant, and give it a fast pair of its own: fast=(("{flow.day}",), …).',
            )
        for text in flow.filters:
            try:
                parse(text, entity, SYSTEM)
            except BadRequest:
                yield Problem(
                    "E033",
                    f"{entity.__name__} has a flow with the filter “{text}”, which its list does not understand.",
                    "Write it as the address of the filtered list has it.",
                )
    if len(admin.flows) > 2:
        yield Problem("E033", f"{entity.__name__} has more than two flows.", "A picture shows two side by side.")
