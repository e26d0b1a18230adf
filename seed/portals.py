"""The client areas a fresh installation starts with."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice import clock
from backoffice.texts import CLIENT_LEAD
from models.online_service import OnlineService
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.portal_service import PortalService
from models.support_queue import SupportQueue
from models.terms_version import TermsKind, TermsState, TermsVersion
from models.text_block import TextBlock
from seed.organisation import Organisation
from seed.reference_data.portals import PORTALS, TERMS, PortalRow
from seed.shelf import Shelf


def load_portals(session: Session, organisation: Organisation) -> tuple[Shelf, ...]:
    """Put the portals of the sources with what they show and the terms in force, where they never were. Flushes."""
    portals, shown, terms, texts = (
        Shelf(session, Portal, "code"),
        Shelf(session, PortalService, "portal_id", "online_service_id"),
        Shelf(session, TermsVersion, "portal_id", "kind", "language", "number"),
        Shelf(session, TextBlock, "portal_id", "key", "language"),
    )
    for row in PORTALS:
        portal = _put_portal(session, portals, organisation, row)
        if portal is None:
            continue
        for position, code in enumerate(row.services):
            service = _by_code(session, OnlineService, portal.group_id, code)
            if service is not None:
                shown.put(portal_id=portal.id, online_service_id=service, position=position)
        _put_terms(terms, portal)
        for language, body in row.lead.items():
            place = {"portal_id": portal.id, "group_id": portal.group_id, "key": CLIENT_LEAD.name}
            texts.put(**place, language=MailLanguage[language], body=body)
    session.flush()
    return portals, shown, terms, texts


def _put_portal(session: Session, portals: Shelf, organisation: Organisation, row: PortalRow) -> Portal | None:
    company = organisation.companies[row.company]
    if company is None:
        return None
    portal: Portal | None = portals.put(
        code=row.code,
        name=row.name,
        group_company_id=company.id,
        queue_id=_by_code(session, SupportQueue, company.group_id, row.queue),
        requests_open=row.requests_open,
        registration_open=row.registration_open,
        hours=row.hours,
        hours_en=row.hours_en,
    )
    session.flush()
    return portal


def _put_terms(terms: Shelf, portal: Portal) -> None:
    for (kind, language), body in TERMS.items():
        terms.put(
            portal_id=portal.id,
            kind=TermsKind[kind],
            language=MailLanguage[language],
            number=1,
            body=body,
            state=TermsState.in_force,
            published_at=clock.now(),
        )


def _by_code(session: Session, entity: type[OnlineService | SupportQueue], group_id: int, code: str) -> int | None:
    return session.scalar(sa.select(entity.id).where(entity.group_id == group_id, entity.code == code))
