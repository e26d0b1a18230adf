"""What is looked at before an online service is activated: found by the product, or by hand where it cannot know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor, ScopeKind
from backoffice.errors import DomainError
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.grants import covers
from backoffice.operations.service_records import count_records
from backoffice.permissions import ADMINISTRATOR
from backoffice.setting_keys import SEPARATE_DUTIES
from backoffice.settings import setting_value
from models.activation_check import ActivationCheck, CheckKind
from models.activation_check import CheckState as S
from models.activation_request import ActivationRequest, RequestState
from models.activation_request_item import ActivationRequestItem
from models.company import Company, CompanyState, SizeClass
from models.company_service import CompanyService

#: States of a request in which its services are being judged.
EVALUATING = (RequestState.in_evaluation, RequestState.bu_evaluation)
#: Whoever does not meet these is not activated (4.3); the others are advice to the evaluator.
HARD = (CheckKind.client, CheckKind.contract, CheckKind.records)


class NotInEvaluation(DomainError):
    template = _l("The request is not being evaluated.")
    status = 409


class NotYourUnit(DomainError):
    """AR-16: a service that a business unit answers for is decided by its evaluator."""

    template = _l("The evaluator of “%(unit)s” decides on this service.")


class OwnRequest(DomainError):
    """Chapter 13: whoever enters a request does not decide it."""

    template = _l("You entered this request yourself: somebody else decides it.")


class CheckFailed(DomainError):
    """AR-12 to AR-14: a hard condition is not met."""

    template = _l("It cannot be activated. Not met: %(checks)s.")


class NotForPeople(DomainError):
    template = _l("The product has looked and it is not met: change what it looks at, then check again.")
    status = 409


class NotOverridable(DomainError):
    """A-10: nothing but missing data, and these only where the service may begin without."""

    template = _l("This cannot be overridden: only missing data, of a service that may begin without them.")
    status = 409


class ForAdministrators(DomainError):
    template = _l("An administrator decides whether it is activated all the same.")
    status = 403


class CheckOpen(DomainError):
    template = _l("Settle the open checks first: %(checks)s.")


@dataclass(frozen=True)
class Finding:
    """What came of one check; the detail holds facts only, which need no translation."""

    kind: CheckKind
    state: S
    detail: str | None = None


def run_checks(session: Session, request: ActivationRequest) -> None:
    """Look at every requested service again and write down what was found; what people found stays (AR-15).

    Flushes first: checks ask the database, and of more than the actor may see.
    """
    session.flush()
    for item in request.items:
        there = sa.select(ActivationCheck).where(ActivationCheck.item_id == item.id)
        known = {check.kind: check for check in session.scalars(there)}
        for finding in _findings(session, item, request.company_id):
            check = known.get(finding.kind) or ActivationCheck(
                item=item, request=request, kind=finding.kind, is_demo=request.is_demo
            )
            if check.checked_by_id is None:
                _write_down(check, finding)
                session.add(check)


def _write_down(check: ActivationCheck, finding: Finding) -> None:
    check.state, check.detail, check.checked_at = finding.state, finding.detail, clock.now()


def _findings(session: Session, item: ActivationRequestItem, company_id: int | None) -> Iterator[Finding]:
    service = item.online_service
    company = _company_facts(session, company_id)
    is_client = company is not None and company.state is CompanyState.client
    yield Finding(CheckKind.client, _verdict(is_client))
    found = covers(session, company_id, service.id) if company_id else []
    wanted = service.eligible_group_company_id
    numbers = dict.fromkeys(c.contract_number for c in found if wanted in (None, c.group_company_id))
    yield Finding(CheckKind.contract, _verdict(bool(numbers)), ", ".join(numbers)[:250] or None)
    yield _records(session, item, company_id)
    size = company.size_class if company is not None else None
    large = None if size is None else size is SizeClass.large
    yield Finding(CheckKind.size, _verdict(large) if service.large_clients_only else S.not_needed)
    habitual = company is not None and bool(company.lab_habitual)
    yield Finding(CheckKind.frequency, _verdict(habitual) if service.habitual_clients_only else S.not_needed)


def _verdict(is_met: bool | None) -> S:
    return S.open if is_met is None else S.passed if is_met else S.failed


def _records(session: Session, item: ActivationRequestItem, company_id: int | None) -> Finding:
    """Ask how much there is of the client, here or in the platform; open where nobody has counted (AR-14, A-10)."""
    if not item.online_service.requires_records:
        return Finding(CheckKind.records, S.not_needed)
    count: int | None = sum(one.count for one in count_records(session, company_id, item.online_service.code))
    if not count:
        grant = CompanyService.__table__
        counted = sa.select(grant.c.records_count).where(
            grant.c.company_id == company_id, grant.c.online_service_id == item.online_service_id
        )
        count = session.scalar(counted, execution_options=INTERNAL)
    return Finding(
        CheckKind.records, _verdict(None if count is None else count > 0), None if count is None else f"{count}"
    )


def _company_facts(session: Session, company_id: int | None) -> Any:
    """Return state, size and habits of the company as values: the evaluator of a unit may not see it."""
    company = Company.__table__
    facts = sa.select(company.c.state, company.c.size_class, company.c.lab_habitual).where(company.c.id == company_id)
    return session.execute(facts, execution_options=INTERNAL).one_or_none() if company_id else None


def require_met(session: Session, item: ActivationRequestItem) -> None:
    """Raise unless every hard condition of the service is met, or does not apply.

    :raises CheckFailed: one is not met.
    :raises CheckOpen: of one nobody knows yet.
    """
    checks = session.scalars(sa.select(ActivationCheck).where(ActivationCheck.item_id == item.id)).all()
    states = {check.kind: check.state for check in checks}
    failed = [kind for kind in HARD if states.get(kind) is S.failed]
    if failed:
        raise CheckFailed(checks=_named(failed))
    unknown = [kind for kind in HARD if states.get(kind, S.open) is S.open]
    if unknown:
        raise CheckOpen(checks=_named(unknown))


def _named(kinds: list[CheckKind]) -> str:
    return ", ".join(str(kind.label) for kind in kinds)


def require_evaluator(session: Session, item: ActivationRequestItem, actor: Actor) -> None:
    """Raise unless the actor is the one to judge the service.

    :raises NotYourUnit: a business unit decides on it, and the actor is neither its evaluator nor an administrator.
    :raises OwnRequest: the actor entered the request, and the settings keep the two apart.
    """
    if actor.is_system:
        return
    unit_id = item.business_unit_id
    evaluates = ScopeKind.unit in actor.scopes(Action.transition, ActivationRequestItem) and unit_id in actor.unit_ids
    if unit_id is not None and not evaluates and ADMINISTRATOR not in actor.roles:
        raise NotYourUnit(unit=str(item.business_unit))
    if is_own_request(item, actor) and setting_value(session, SEPARATE_DUTIES, item.group_id):
        raise OwnRequest


def is_own_request(item: ActivationRequestItem, actor: Actor) -> bool:
    """Say whether the actor entered the request that the service is part of."""
    return actor.staff_id is not None and item.request.created_by_id == actor.staff_id


def _may_judge(session: Session, check: ActivationCheck, _values: Mapping[str, Any], actor: Actor) -> None:
    if check.request.state not in EVALUATING:
        raise NotInEvaluation
    require_evaluator(session, check.item, actor)


def _may_pass(session: Session, check: ActivationCheck, values: Mapping[str, Any], actor: Actor) -> None:
    """Let people say what the product cannot know, and not the contrary of what it does (4.3)."""
    _may_judge(session, check, values, actor)
    found_by_product = check.state is S.failed and check.checked_by_id is None and not actor.is_system
    if check.kind in HARD and found_by_product:
        raise NotForPeople


def _may_override(session: Session, check: ActivationCheck, values: Mapping[str, Any], actor: Actor) -> None:
    """Let administrators activate a service for a client without data, where it may begin so (A-10)."""
    _may_judge(session, check, values, actor)
    if check.kind is not CheckKind.records or not check.item.online_service.records_overridable:
        raise NotOverridable
    if not (actor.is_system or ADMINISTRATOR in actor.roles):
        raise ForAdministrators


def _sign(_session: Session, check: ActivationCheck, _values: Mapping[str, Any], actor: Actor) -> None:
    check.checked_at, check.checked_by_id = clock.now(), actor.staff_id


def _hand_back(session: Session, check: ActivationCheck, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Forget what somebody found, and look again."""
    check.checked_by_id = None
    found = {finding.kind: finding for finding in _findings(session, check.item, check.request.company_id)}
    _write_down(check, found[check.kind])


CHECKS = register(
    Machine(
        ActivationCheck,
        "state",
        (
            Transition(
                name="pass",
                label=_l("Record as met"),
                sources=(S.open, S.failed),
                target=S.passed,
                icon="check-circle",
                tone="primary",
                inputs=("detail",),
                guard=_may_pass,
                effect=_sign,
                confirm=_l("Your name stands beside it; the product does not check it again."),
            ),
            Transition(
                name="override",
                label=_l("Activate it all the same"),
                sources=(S.open, S.failed),
                target=S.overridden,
                icon="exclamation-triangle",
                inputs=("detail",),
                guard=_may_override,
                effect=_sign,
                confirm=_l("There are no data of the client yet: say why the service is activated all the same."),
            ),
            Transition(
                name="fail",
                label=_l("Record as not met"),
                sources=(S.open, S.passed),
                target=S.failed,
                icon="x-circle",
                tone="danger",
                inputs=("detail",),
                guard=_may_judge,
                effect=_sign,
                confirm=_l("Your name stands beside it; the product does not check it again."),
            ),
            Transition(
                name="hand_back",
                label=_l("Let the product check it"),
                sources=(S.passed, S.failed, S.overridden),
                target=None,
                icon="arrow-counterclockwise",
                guard=_may_judge,
                effect=_hand_back,
                confirm=_l("What was recorded by hand is forgotten; the history keeps it."),
            ),
        ),
    )
)
