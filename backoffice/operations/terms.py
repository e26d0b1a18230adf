"""Conditions of service and privacy notices: written as drafts, put in force, superseded by the next (AC-25, AC-26)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.access import INTERNAL
from backoffice.actors import SYSTEM, Actor
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.plain import before_create
from backoffice.operations.verbs import perform
from models.outbox_mail import MailLanguage
from models.terms_version import TermsKind, TermsState, TermsVersion

S = TermsState


@before_create(TermsVersion)
def _count(session: Session, terms: TermsVersion, *, actor: Actor) -> None:
    """Give a new version the number after the last of its kind and language."""
    table = TermsVersion.__table__
    same = sa.select(sa.func.max(table.c.number)).where(
        table.c.portal_id == (terms.portal_id or terms.portal.id),
        table.c.kind == terms.kind,
        table.c.language == terms.language,
    )
    terms.number = (session.scalar(same, execution_options=INTERNAL) or 0) + 1


def _publish(session: Session, terms: TermsVersion, _values: Mapping[str, Any], _actor: Actor) -> None:
    """Supersede what was in force. Nobody is told: clients find the conditions on the sign-in page (AC-26)."""
    terms.published_at = clock.now()
    before = find_terms(session, terms.portal_id, terms.kind, terms.language)
    if before is None:
        return
    # One after the other: at no moment are two of them in force.
    terms.state = S.draft
    perform(session, before, "supersede", actor=SYSTEM)
    terms.state = S.in_force


def find_terms(session: Session, portal_id: int, kind: TermsKind, language: MailLanguage) -> TermsVersion | None:
    """Return what is in force in a language; None where nothing is."""
    statement = sa.select(TermsVersion).where(
        TermsVersion.portal_id == portal_id,
        TermsVersion.kind == kind,
        TermsVersion.language == language,
        TermsVersion.state == S.in_force,
    )
    return session.scalar(statement)


TERMS = register(
    Machine(
        TermsVersion,
        "state",
        (
            Transition(
                name="publish",
                label=_l("Put in force"),
                sources=(S.draft,),
                target=S.in_force,
                icon="check-circle",
                tone="primary",
                effect=_publish,
                confirm=_l("It replaces the version in force, which stays readable here. Nobody is notified."),
            ),
            Transition(
                name="supersede", label=_l("Supersede"), sources=(S.in_force,), target=S.superseded, automatic=True
            ),
        ),
    )
)

__all__ = ["TERMS", "find_terms"]
