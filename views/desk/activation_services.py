"""Each requested service in the activation workspace: its five checks with their evidence, and the decision."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from backoffice.access import joined
from backoffice.actors import Action, Actor
from backoffice.database import RecordSession
from backoffice.errors import DomainError
from backoffice.lifecycles import Transition, transitions_open
from backoffice.operations.activation_checks import EVALUATING, HARD
from backoffice.operations.activation_evidence import Evidence, evidence_of
from backoffice.records import show
from models.activation_check import ActivationCheck, CheckKind, CheckState
from models.activation_request import ActivationRequest
from models.activation_request_item import ActivationRequestItem
from models.catalogue import fields
from models.values import show_date, show_number
from views import addresses
from views.desk.activation_deeds import deed_url
from views.generated.listing import dressed

_ORDER = list(CheckKind)
_DECIDED = ("yearly_fee", "agreement", "reject_reason", "note", "decided_by", "decided_at", "is_own_decision")


def services(session: RecordSession, request: ActivationRequest, actor: Actor) -> list[dict[str, Any]]:
    """Return what ``_activation_services.html`` shows of each service that the actor sees."""
    wanted = sa.select(ActivationCheck).where(ActivationCheck.request_id == request.id)
    wanted = wanted.options(*joined(session, ActivationCheck.checked_by))
    checks: dict[int, list[ActivationCheck]] = {}
    for check in session.scalars(wanted):
        checks.setdefault(check.item_id, []).append(check)
    evidence = evidence_of(session, request)
    seen = _in_sight(session, actor, evidence)
    return [
        {
            "code": item.online_service.code,
            "name": item.online_service.name,
            "url": addresses.record_url(item),
            "unit": str(item.business_unit) if item.business_unit is not None else None,
            "checks": [
                _check(session, check, actor)
                | {"evidence": [_shown(one, seen) for one in evidence.get(item.id, {}).get(check.kind, [])[:4]]}
                for check in sorted(checks.get(item.id, []), key=lambda check: _ORDER.index(check.kind))
            ],
            "decision": _decision(session, item, actor),
        }
        for item in request.items
    ]


def _check(session: RecordSession, check: ActivationCheck, actor: Actor) -> dict[str, Any]:
    offered, _reasons = _offered(session, check.request, check, actor)
    return {
        "label": check.kind.label,
        "hard": check.kind in HARD,
        "open": check.state is CheckState.open,
        "state": dressed(show.cell(check, fields(ActivationCheck)["state"], actor)),
        "detail": check.detail if check.checked_by_id is not None else None,
        "by": dressed(show.cell(check, fields(ActivationCheck)["checked_by"], actor)),
        "verbs": offered,
    }


def _shown(one: Evidence, seen: set[Any]) -> dict[str, Any]:
    words = [show.in_sentence(one.state)] if one.state else []
    if one.count is not None:
        words.insert(0, _("%(number)s records", number=show_number(one.count)))
    if one.begins is not None and one.ends is not None:
        words.append(f"{show_date(one.begins)}–{show_date(one.ends)}")
    elif one.ends is not None:
        words.append(_("data as of %(day)s", day=show_date(one.ends)))
    may_open = (one.entity, one.record_id) in seen
    return {
        "title": one.title or _("What is there"),
        "text": ", ".join(words),
        "good": one.is_good,
        "url": addresses.list_url(one.entity) + str(one.record_id) if may_open else None,
    }


def _in_sight(session: RecordSession, actor: Actor, evidence: Mapping[int, Mapping[Any, list[Evidence]]]) -> set[Any]:
    """Return which of the records the actor may open."""
    looked_at = {
        (one.entity, one.record_id)
        for of_item in evidence.values()
        for one in itertools.chain.from_iterable(of_item.values())
        if actor.may(Action.read, one.entity)
    }
    wanted: list[Any] = list(looked_at)
    if not wanted:
        return set()
    # Each is asked for within the scope of its kind, all in one statement.
    each = [sa.select(entity.id).where(entity.id == key).scalar_subquery() for entity, key in wanted]
    found = session.execute(sa.select(*each)).one()
    return {one for one, key in zip(wanted, found, strict=True) if key is not None}


def _decision(session: RecordSession, item: ActivationRequestItem, actor: Actor) -> dict[str, Any]:
    known = fields(ActivationRequestItem)
    cells = ((known[name], dressed(show.cell(item, known[name], actor))) for name in _DECIDED)
    offered, reasons = _offered(session, item.request, item, actor)
    return {
        "state": dressed(show.cell(item, known["state"], actor)),
        "rows": [
            {"label": field.label, "cell": cell}
            for field, cell in cells
            if not cell.empty and (field.name != "is_own_decision" or item.is_own_decision)
        ],
        "verbs": offered,
        "reasons": reasons,
    }


def _offered(
    session: RecordSession, request: ActivationRequest, record: Any, actor: Actor
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the verbs that would not be refused at once, and why the others would."""
    if request.state not in EVALUATING:
        return [], []
    offered, reasons = [], []
    for transition in transitions_open(record, actor):
        try:
            if transition.guard is not None:
                transition.guard(session, record, {}, actor)
        except DomainError as error:
            reasons.append(str(error))
            continue
        offered.append(_button(request, record, transition))
    return offered, list(dict.fromkeys(reasons))


def _button(request: ActivationRequest, record: Any, transition: Transition) -> dict[str, Any]:
    asks = set(transition.inputs) - set(transition.optional)
    return {
        "label": transition.label,
        "icon": transition.icon,
        "danger": transition.tone == "danger",
        "url": deed_url(request, record, transition.name),
        # Nothing has to be typed: one click decides, and can be taken back.
        "at_once": not asks,
        "version": record.version,
    }
