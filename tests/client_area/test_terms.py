"""Conditions of service: read by anybody, one version in force, and nobody is told of a new one (AC-24 to AC-26)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.errors import DomainError
from backoffice.operations.plain import create_record, update_record
from backoffice.operations.verbs import perform
from models.account import Account
from models.consent import Consent
from models.outbox_mail import OutboxMail
from models.portal import Portal
from models.terms_version import TermsState, TermsVersion
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))


def draft(session: RecordSession, body: str) -> TermsVersion:
    portal = session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()
    values = {"portal": portal.id, "kind": "conditions", "language": "it", "body": body}
    made = create_record(session, TermsVersion, values, actor=SYSTEM)
    assert isinstance(made, TermsVersion)
    return made


def test_a_new_version_takes_the_place_of_the_old_and_sends_nothing(
    session: RecordSession, browser_of: Callable[..., ClientBrowser]
) -> None:
    browser = browser_of()
    assert "riservato ai Clienti attivi" in browser.get("/it/conditions/").text
    second, third = draft(session, "Le seconde condizioni."), draft(session, "Le terze condizioni.")
    assert (second.number, third.number) == (2, 3)
    # The later draft first: whichever order, one is in force.
    for version in (third, second):
        perform(session, version, "publish", actor=SYSTEM)
        session.commit()
        assert version.body in browser.get("/it/conditions/").text
    states = sa.select(TermsVersion.state).where(
        TermsVersion.kind == "conditions", TermsVersion.language == "it", TermsVersion.portal_id == second.portal_id
    )
    assert sorted(session.scalars(states)) == [TermsState.in_force, TermsState.superseded, TermsState.superseded]
    assert session.scalars(sa.select(OutboxMail)).all() == []
    with pytest.raises(DomainError):
        update_record(session, second, {"body": "altro"}, version=second.version, actor=SYSTEM)


def test_a_new_privacy_notice_asks_again_at_sign_in(
    session: RecordSession, browser_of: Callable[..., ClientBrowser], account: Callable[[str], Account]
) -> None:
    assert browser_of("demo.client").form("/it/privacy/", {"give": "1"}).status_code == 303
    browser = browser_of()
    assert browser.sign_in("demo.client").location == "/it/"  # nothing has changed since
    portal = session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()
    values = {"portal": portal.id, "kind": "privacy_notice", "language": "it", "body": "La nuova informativa."}
    perform(session, create_record(session, TermsVersion, values, actor=SYSTEM), "publish", actor=SYSTEM)
    session.commit()
    again = browser_of()
    asked = again.sign_in("demo.client", next="/it/ticket/")
    assert asked.location.startswith("/it/privacy/new/")
    assert "La nuova informativa." in again.get(asked.location).text
    # Whoever does not answer is asked at the next sign-in.
    assert browser_of().sign_in("demo.client").location.startswith("/it/privacy/new/")
    assert again.form("/it/privacy/new/", {"next": "/it/ticket/"}).location == "/it/ticket/"
    assert browser_of().sign_in("demo.client").location == "/it/"
    rows = session.scalars(
        sa.select(Consent).where(Consent.account_id == account("demo.client").id).order_by(Consent.id)
    ).all()
    assert [(row.terms.number if row.terms else None, row.revoked_at is None) for row in rows] == [
        (1, False),
        (2, True),
    ]


def test_the_other_language_is_shown_where_there_is_none(
    session: RecordSession, browser_of: Callable[..., ClientBrowser]
) -> None:
    page = browser_of().get("/en/conditions/").text
    assert "Access to the online services is reserved" in page
    assert 'lang="en"' in page
