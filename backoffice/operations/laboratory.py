"""Analyses from the sample to the signed certificate (chapter 4.10, AN-01 to AN-10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor
from backoffice.errors import DomainError, Text
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.admission import Draft, Refusal, admits
from backoffice.operations.client_documents import files_for_client
from backoffice.operations.verbs import perform
from models.analysis import IN_WORK, Analysis
from models.analysis import AnalysisState as S
from models.analysis_result import AnalysisResult, ResultState
from models.certificate import Certificate
from models.certificate import CertificateState as C

_VALIDATED: Text = _l("The analysis is validated: take the validation back first.")
_OTHER_ANALYSIS: Text = _l("It certifies another analysis.")
_NOT_ISSUED: Text = _l("Only an issued certificate is replaced.")


class NoValues(DomainError):
    template = _l("Enter a value first: there is none yet.")


class ValuesMissing(DomainError):
    """AN-01: what is validated is complete."""

    template = _l("These parameters have no value yet: %(parameters)s.")


class NotValidated(DomainError):
    """4.10: a certificate says what was validated."""

    template = _l("The analysis has not been validated.")


class OneSignedFile(DomainError):
    """AN-07: a certificate is one signed file."""

    template = _l("Attach exactly one file for the client, the signed one: there are %(count)s.")


class AlreadyCertified(DomainError):
    """AN-09: what was wrong is replaced, so that the client sees one certificate in force."""

    template = _l("The analysis already has an issued certificate: say that this one replaces it.")


@admits(AnalysisResult)
def _refuse_late_results(_session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    for draft in drafts:
        analysis = draft.value("analysis")
        if draft.record is None and analysis is not None and analysis.state not in IN_WORK:
            yield draft, "analysis", _VALIDATED


@admits(Analysis)
def _refuse_late_lines(_session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    """Refuse results added to a validated analysis as lines; those it has are fixed by themselves."""
    for draft in drafts:
        lines = draft.values.get("results", ())
        if draft.record is not None and draft.value("state") not in IN_WORK and any(line is None for line, _ in lines):
            yield draft, "results", _VALIDATED


@admits(Certificate)
def _refuse_wrong_successors(_session: Session, drafts: Sequence[Draft]) -> Iterator[Refusal]:
    for draft in drafts:
        replaced = draft.value("replaces")
        if replaced is None or not draft.changes("replaces", "analysis"):
            continue
        if replaced.analysis is not draft.value("analysis"):
            yield draft, "replaces", _OTHER_ANALYSIS
        elif replaced.state is not C.issued:
            yield draft, "replaces", _NOT_ISSUED


def _has_values(_session: Session, analysis: Analysis, _values: Mapping[str, Any], _actor: Actor) -> None:
    if all(result.value is None for result in analysis.results):
        raise NoValues


def _is_complete(session: Session, analysis: Analysis, values: Mapping[str, Any], actor: Actor) -> None:
    _has_values(session, analysis, values, actor)
    missing = [result.parameter for result in analysis.results if result.value is None]
    if missing:
        raise ValuesMissing(parameters=", ".join(missing))


def _validate(_session: Session, analysis: Analysis, _values: Mapping[str, Any], _actor: Actor) -> None:
    analysis.validated_at = clock.now()
    for result in analysis.results:
        result.state = ResultState.validated


def _take_back(_session: Session, analysis: Analysis, _values: Mapping[str, Any], _actor: Actor) -> None:
    analysis.validated_at = None
    for result in analysis.results:
        result.state = ResultState.preliminary


ANALYSES = register(
    Machine(
        Analysis,
        "state",
        (
            Transition(
                name="release",
                label=_l("Release preliminary values"),
                sources=(S.registered,),
                target=S.preliminary,
                icon="eye",
                tone="primary",
                guard=_has_values,
                confirm=_l("The client sees the values, marked as preliminary, until they are validated."),
            ),
            Transition(
                name="validate",
                label=_l("Validate"),
                sources=(S.registered, S.preliminary),
                target=S.validated,
                icon="check2",
                tone="primary",
                guard=_is_complete,
                effect=_validate,
                confirm=_l("The values are no longer preliminary, and do not change any more."),
            ),
            Transition(
                name="reopen",
                label=_l("Take the validation back"),
                sources=(S.validated, S.certified),
                target=S.preliminary,
                icon="arrow-counterclockwise",
                effect=_take_back,
                confirm=_l("The values are preliminary again; an issued certificate must then be replaced."),
            ),
            Transition(
                name="certify", label=_l("Certify"), sources=(S.validated, S.certified), target=S.certified,
                automatic=True,
            ),
        ),
    )
)  # fmt: skip


def _may_issue(session: Session, certificate: Certificate, _values: Mapping[str, Any], _actor: Actor) -> None:
    if certificate.analysis.state not in (S.validated, S.certified):
        raise NotValidated
    if certificate.replaces is None and _has_issued(session, certificate):
        raise AlreadyCertified(field="replaces")
    count = len(files_for_client(session, certificate))
    if count != 1:
        raise OneSignedFile(count=count)


def _has_issued(session: Session, certificate: Certificate) -> bool:
    table = Certificate.__table__
    issued = sa.select(table.c.id).where(table.c.analysis_id == certificate.analysis_id, table.c.state == C.issued)
    return session.scalar(issued.limit(1), execution_options=INTERNAL) is not None


def _issue(session: Session, certificate: Certificate, _values: Mapping[str, Any], _actor: Actor) -> None:
    certificate.issued_at, (certificate.sha256,) = clock.now(), files_for_client(session, certificate)
    if certificate.replaces is not None:
        perform(session, certificate.replaces, "replace", actor=SYSTEM)
    perform(session, certificate.analysis, "certify", actor=SYSTEM)


CERTIFICATES = register(
    Machine(
        Certificate,
        "state",
        (
            Transition(
                name="issue",
                label=_l("Issue the certificate"),
                sources=(C.draft,),
                target=C.issued,
                icon="patch-check",
                tone="primary",
                guard=_may_issue,
                effect=_issue,
                confirm=_l("The client finds the signed file; neither it nor the certificate changes any more."),
            ),
            Transition(
                name="replace",
                label=_l("Replace by a later certificate"),
                sources=(C.issued,),
                target=C.replaced,
                automatic=True,
            ),
        ),
    )
)
