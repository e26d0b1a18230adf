"""Reference data of a fresh installation, as the sources state it; safe to load at every start."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.online_service import AccessClass, Charge, OnlineService
from models.platform import AccessMode, Platform, PlatformState
from models.request_type import RequestType
from models.service import Service, ServiceState
from models.support_package_type import SupportPackageType
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from seed.calendars import load_calendars
from seed.organisation import Organisation
from seed.portals import load_portals
from seed.reference_data.organisation import GROUPS, QUEUES, TEAMS
from seed.reference_data.request_types import REQUEST_TYPES
from seed.reference_data.services import (
    ONLINE_SERVICES,
    PACKAGE_TYPES,
    PLATFORMS,
    SERVICES,
    OnlineServiceRow,
)
from seed.shelf import Shelf


def load_reference(session: Session) -> int:
    """Put every reference row that never was there; return how many were added.

    A row that an administrator changed, renamed or deleted stays as it is. No address or number of the sources
    is entered where mail could go to it. Flushes, never commits; the context's actor is the system.
    """
    calendars = load_calendars(session)
    organisation = Organisation(session)
    shelves = (
        *_load_support(session, organisation, calendars.ids),
        *_load_catalogue(session, organisation),
        *_load_kinds(session, organisation),
        *load_portals(session, organisation),
    )
    return calendars.added + organisation.added + sum(shelf.added for shelf in shelves)


def _load_support(session: Session, organisation: Organisation, calendars: dict[str, int]) -> tuple[Shelf, ...]:
    """Load the teams and the queues that are theirs."""
    teams = Shelf(session, SupportTeam, "group_id", "name")
    found: dict[tuple[int, str], SupportTeam | None] = {}
    for team in TEAMS:
        if company := organisation.companies[team.company]:
            values = {"group_company_id": company.id, "level": team.level}
            found[company.group_id, team.name] = teams.put(group_id=company.group_id, name=team.name, **values)
    session.flush()
    queues = Shelf(session, SupportQueue, "group_id", "code")
    for queue in QUEUES:
        if company := organisation.companies[queue.company]:
            first = found.get((company.group_id, queue.team))
            queues.put(
                group_id=company.group_id,
                group_company_id=company.id,
                code=queue.code,
                name=queue.name,
                team_id=first.id if first else None,
                calendar_id=calendars.get(queue.calendar or ""),
                reopen_window_hours=queue.reopen_hours,
                requires_package=queue.requires_package,
                requires_consent=queue.requires_consent,
                requires_attachment=queue.requires_attachment,
                requires_time=queue.requires_time,
            )
    session.flush()
    return teams, queues


def _load_catalogue(session: Session, organisation: Organisation) -> tuple[Shelf, ...]:
    """Load platforms, online services and what clients may contract, with the queue that requests about it go to."""
    queues = {(queue.group_id, queue.code): queue for queue in session.scalars(sa.select(SupportQueue))}
    platforms = Shelf(session, Platform, "group_id", "code")
    online = Shelf(session, OnlineService, "group_id", "code")
    services = Shelf(session, Service, "group_id", "code")
    known: dict[str | None, Platform | None] = {}
    for platform in PLATFORMS:
        if company := organisation.companies[platform.company]:
            known[platform.code] = platforms.put(
                group_id=company.group_id,
                code=platform.code,
                name=platform.name,
                access_mode=AccessMode[platform.access],
                state=PlatformState.active,
            )
    session.flush()
    sections: dict[str | None, OnlineService | None] = {}
    for row in ONLINE_SERVICES:
        if organisation.companies[row.company]:
            sections[row.code] = online.put(**_online_service(row, organisation), platform=known.get(row.code))
    for service in SERVICES:
        if company := organisation.companies[service.company]:
            services.put(
                group_id=company.group_id,
                group_company_id=company.id,
                business_unit_id=organisation.unit_id(service.company, service.unit),
                code=service.code,
                name=service.name,
                description=service.description,
                state=ServiceState.offered,
                online_service=sections.get(service.online_service),
                queue=queues.get((company.group_id, service.queue or "")),
                platform=known.get(service.platform),
                is_licensed=service.is_licensed,
                is_third_party=service.is_third_party,
                liability_note=service.liability_note,
            )
    session.flush()
    return platforms, online, services


def _online_service(row: OnlineServiceRow, organisation: Organisation) -> dict[str, object]:
    company = organisation.companies[row.company]
    assert company is not None
    return {
        "group_id": company.group_id,
        "group_company_id": company.id,
        "code": row.code,
        "name": row.name,
        "public_description": row.description,
        "name_en": row.name_en,
        "public_description_en": row.description_en,
        "access_class": AccessClass.limited if row.limited else AccessClass.standard,
        "business_unit_id": organisation.unit_id(row.company, row.unit),
        "eligible_group_company_id": company.id if row.own_clients_only else None,
        "large_clients_only": row.large_clients_only,
        "habitual_clients_only": row.habitual_clients_only,
        "requires_records": row.requires_records,
        "records_overridable": row.records_overridable,
        "default_charge": Charge[row.charge],
        "charge_allowed": row.charge != "free",
    }


def _load_kinds(session: Session, organisation: Organisation) -> tuple[Shelf, ...]:
    """Load package sizes and kinds of requests: the same for every group, which may change its own."""
    packages = Shelf(session, SupportPackageType, "group_id", "code")
    requests = Shelf(session, RequestType, "group_id", "code")
    for group_id in filter(None, map(organisation.group_id, GROUPS)):
        for size in PACKAGE_TYPES:
            packages.put(
                group_id=group_id,
                code=size.code,
                name=size.name,
                included_minutes=size.hours * 60,
                validity_months=size.validity_months,
            )
        parents: dict[str | None, RequestType | None] = {}
        for kind in REQUEST_TYPES:
            if kind.parent is None or parents.get(kind.parent):
                parents[kind.code] = requests.put(
                    group_id=group_id,
                    code=kind.code,
                    name=kind.name,
                    name_en=kind.name_en,
                    for_clients=kind.for_clients,
                    parent=parents.get(kind.parent),
                    requires_attachment=kind.requires_attachment,
                    needs_urgency=kind.needs_urgency,
                    is_reminder=kind.is_reminder,
                )
    session.flush()
    return packages, requests
