"""Reference data: what the sources say is there, and what administrators change stays changed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.errors import NotFound
from backoffice.operations.calendars import working_calendar
from models.calendar_exception import CalendarException
from models.corporate_group import CorporateGroup
from models.group_company import GroupCompany
from models.holiday import Holiday
from models.online_service import AccessClass, Charge, OnlineService
from models.request_type import RequestType
from models.service import Service, ServiceState
from models.service_calendar import ServiceCalendar
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from seed.reference import load_reference
from seed.reference_data.calendars import CALENDARS

ROME = ZoneInfo("Europe/Rome")


def rome(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ROME)


def one(session: Session, entity: Any, **values: Any) -> Any:
    return session.scalars(sa.select(entity).filter_by(is_demo=False, **values)).one()


def test_loading_twice_adds_nothing(session: Session) -> None:
    assert load_reference(session) == 0


def test_what_an_administrator_changed_stays(session: Session) -> None:
    one(session, Service, code="EDUPLAN").code = "EDUPLAN-2"
    one(session, Service, code="ANALISI").name = "Analisi"
    one(session, CorporateGroup, name="Gruppo Ecoopera").name = "Gruppo rinominato"
    one(session, Holiday, day=date(2027, 10, 4)).day = date(2027, 10, 5)
    kinds = session.scalars(sa.select(RequestType).where(RequestType.code == "SUAP-AVVIO")).all()
    for kind in kinds:
        session.delete(kind)
    session.flush()
    assert load_reference(session) == 0
    assert one(session, Service, code="ANALISI").name == "Analisi"
    assert session.scalar(sa.select(sa.func.count(Service.id)).where(Service.code == "EDUPLAN")) == 0
    assert session.scalar(sa.select(sa.func.count(RequestType.id)).where(RequestType.code == "SUAP-AVVIO")) == 0


def test_a_deleted_parent_takes_nothing_down_with_it(session: Session) -> None:
    """What was below a row that is gone is not put anywhere else."""
    for kind in session.scalars(
        sa.select(RequestType).where(RequestType.code.like("CARTE%")).order_by(RequestType.id.desc())
    ):
        session.delete(kind)
    session.flush()
    assert load_reference(session) == 0


def test_groups_and_companies_of_the_sources(session: Session) -> None:
    companies = session.scalars(sa.select(GroupCompany))
    assert {(company.group_id, company.legal_name) for company in companies} == {
        (one(session, CorporateGroup, name="Gruppo Ecoopera").id, "SEA Consulenze e Servizi S.r.l."),
        (one(session, CorporateGroup, name="Gruppo Ecoopera").id, "ECOOPERA s.c."),
        (one(session, CorporateGroup, name="Gruppo Sistemi Torino").id, "UnoLegal"),
    }


def test_the_three_online_services_have_the_profiles_of_the_source(session: Session) -> None:
    eduplan, analisi, winsmart = (one(session, OnlineService, code=code) for code in ("EDUPLAN", "ANALISI", "WINSMART"))
    assert (eduplan.group_company.legal_name, eduplan.default_charge) == (
        "SEA Consulenze e Servizi S.r.l.",
        Charge.paid,
    )
    assert (analisi.default_charge, analisi.charge_allowed) == (Charge.free, False)
    assert analisi.eligible_group_company.legal_name == "ECOOPERA s.c."
    assert (winsmart.access_class, winsmart.large_clients_only) == (AccessClass.limited, True)
    assert winsmart.business_unit.name == "Gestione rifiuti"
    assert (eduplan.access_class, analisi.access_class) == (AccessClass.standard, AccessClass.standard)


def test_services_of_the_sources_are_offered(session: Session) -> None:
    for code in ("EDUPLAN", "ANALISI", "WINSMART", "GOPRIVACY"):
        assert one(session, Service, code=code).state is ServiceState.offered
    assert one(session, Service, code="FORMAZIONE-SICUREZZA").online_service.code == "EDUPLAN"
    assert one(session, Service, code="GOPRIVACY").is_licensed
    assistance = session.scalars(sa.select(Service).where(Service.code == "PACCHETTO-ASSISTENZA")).all()
    assert len({service.group_id for service in assistance}) == 2


def test_queues_have_the_rules_of_their_sources(session: Session) -> None:
    goprivacy = one(session, SupportQueue, code="GP")
    assert goprivacy.calendar.code == "CAL-01"
    assert (goprivacy.reopen_window_hours, goprivacy.requires_package) == (0, False)
    for support in session.scalars(sa.select(SupportQueue).where(SupportQueue.code == "SUP")):
        assert (support.reopen_window_hours, support.requires_package, support.requires_consent) == (72, True, True)
        assert support.calendar is None


def test_no_address_of_the_sources_can_receive_mail(session: Session) -> None:
    assert not session.scalars(sa.select(SupportQueue.email).where(SupportQueue.email.is_not(None))).all()
    assert not session.scalars(sa.select(SupportTeam.email).where(SupportTeam.email.is_not(None))).all()


def test_contact_centre_types_form_schemes(session: Session) -> None:
    for scheme, count in {"IMP": 5, "SIM": 4, "CARTE": 6, "SUAP": 5, "COP": 5, "AVVISI": 3}.items():
        parents = session.scalars(sa.select(RequestType).where(RequestType.code == scheme)).all()
        assert len(parents) == 2
        for parent in parents:
            below = session.scalars(sa.select(RequestType).where(RequestType.parent == parent)).all()
            assert len(below) == count
            assert {kind.group_id for kind in below} == {parent.group_id}


def test_holidays_are_italian_and_follow_the_law(session: Session) -> None:
    names = dict(session.execute(sa.select(Holiday.day, Holiday.name)).all())
    assert names[date(2024, 4, 1)] == "Lunedì dell'Angelo"
    assert date(2025, 10, 4) not in names
    assert date(2026, 10, 4) in names
    assert names[date(2026, 12, 25)] == "Natale"


@pytest.mark.parametrize(
    ("code", "start", "minutes", "due"),
    [
        ("CAL-01", "2024-03-29 17:00", 60, "2024-04-02 09:00"),
        ("CAL-02", "2024-04-24 17:30", 120, "2024-04-26 09:30"),
        ("CAL-03", "2024-05-03 13:00", 120, "2024-05-06 10:30"),
        ("CAL-04", "2024-05-04 12:00", 120, "2024-05-06 10:00"),
        ("CAL-06", "2024-12-24 17:00", 120, "2024-12-27 10:00"),
        ("CAL-10", "2024-12-24 23:10", 120, "2024-12-25 01:10"),
    ],
)
def test_stored_calendars_count_like_the_sources(
    session: Session, code: str, start: str, minutes: int, due: str
) -> None:
    calendar = working_calendar(session, one(session, ServiceCalendar, code=code).id)
    assert calendar.add_working_time(rome(start), minutes) == rome(due)


def test_all_eleven_calendars_are_stored_as_stated(session: Session) -> None:
    for row in CALENDARS:
        stored = one(session, ServiceCalendar, code=row.code)
        assert working_calendar(session, stored.id).intervals == row.intervals
        assert stored.excludes_holidays == row.holidays_excluded
    assert len(CALENDARS) == 11
    with pytest.raises(NotFound):
        working_calendar(session, 0)


def test_exceptions_of_a_stored_calendar_count(session: Session) -> None:
    stored = one(session, ServiceCalendar, code="CAL-01")
    hours = {"from_time": rome("2024-05-07 09:00").time(), "to_time": None, "closed": False}
    session.add_all(
        [
            CalendarException(calendar=stored, day=date(2024, 5, 6)),
            CalendarException(calendar=stored, day=date(2024, 5, 7), **hours),
        ]
    )
    session.flush()
    calendar = working_calendar(session, stored.id)
    assert calendar.next_opening(rome("2024-05-04 10:00")) == rome("2024-05-07 09:00")
    assert calendar.closing_on(date(2024, 5, 7)) == rome("2024-05-08 00:00")
