"""One's own calendar at the desk: on-call shifts and interventions under an address that can be revoked (issue 5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import abort, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.orm import selectinload

from backoffice import clock
from backoffice.actors import SYSTEM, Action, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.operations.attempt_counters import TooManyAttempts, count_within, network_of
from backoffice.operations.calendar_feeds import find_colleague, make_feed, revoke_feed
from backoffice.records import show
from models.catalogue import fields
from models.intervention import OPEN, Intervention, InterventionState
from models.on_call_shift import OnCallShift
from models.staff import Staff
from models.team_member import TeamMember
from models.ticket import Ticket
from views.addresses import record_url
from views.calendars import MOST, Entry, calendar_response
from views.door import current_actor, engine, reading_as_system
from views.frame import set_place
from views.generated.guarding import require_same_group
from views.interrupted import sign_in_first

#: So far back a calendar goes.
PAST = timedelta(days=60)
#: How often a network may fetch calendars within a minute: an office has one address for all its people.
PER_MINUTE = 120
#: A visit takes so long in the calendar as long as nobody knows better.
_VISIT = timedelta(hours=1)


class CalendarView(BaseView):
    """Making and revoking one's calendar, and the calendar itself."""

    route_base = "/calendar"
    default_view = "own"

    @expose("/", methods=["GET", "POST"])
    def own(self) -> Any:
        """Show whether there is a calendar; make its address, which is shown this once, or revoke it."""
        if not current_user.is_authenticated:
            return sign_in_first()
        require_same_group()
        set_place(_("My calendar"), url_for("CalendarView.own"))
        token = _change(revoke="revoke" in request.form) if request.method == "POST" else ""
        if request.method == "POST" and not token:
            flash(_("The address leads nowhere any more."), "good")
            return redirect(url_for("CalendarView.own"), 303)
        with reading_as_system() as records:
            has_one = records.get_one(Staff, current_actor().staff_id).feed_digest is not None
        addresses = [
            {
                "id": f"address-{name}",
                "label": label,
                "url": url_for(f"CalendarView.{name}", token=token, _external=True),
            }
            for name, label in (("mine", _("What is mine")), ("teams", _("What is mine and my teams’")))
        ]
        return render_template("calendar.html", page={"has_one": has_one, "addresses": addresses if token else []})

    @expose("/<token>/mine.ics")
    def mine(self, token: str) -> Any:
        """Send somebody's shifts and interventions to whoever has the address."""
        return _feed(token, _l("On call and interventions"), with_teams=False)

    @expose("/<token>/teams.ics")
    def teams(self, token: str) -> Any:
        """Send those of somebody's teams as well, as far as the person's rights reach."""
        return _feed(token, _l("On call and interventions of my teams"), with_teams=True)


def _change(*, revoke: bool) -> str:
    """Make a new address, whose secret is returned, or revoke the one there is."""
    actor = current_actor()
    context = Context(SYSTEM, Door.desk, on_behalf_of=actor.name)
    with begin_writing(), open_session(engine(), context) as records:
        person = records.get_one(Staff, actor.staff_id)
        token = "" if revoke else make_feed(records, person)
        if revoke:
            revoke_feed(records, person)
        records.commit()
    return token


def _feed(token: str, name: Any, *, with_teams: bool) -> Any:
    """Return a calendar with the rights its owner has now; one of nobody, or of somebody deactivated, is not there."""
    _count()
    with reading_as_system() as records:
        actor = find_colleague(records, token[:100])
    if actor is None:
        abort(404)
    with begin_writing(False), open_session(engine(), Context(actor, Door.desk)) as records:
        teams = _teams(records, actor) if with_teams else []
        entries = [*_shifts(records, actor, teams), *_visits(records, actor, teams)]
    return calendar_response(f"{name} · {actor.name}", "desk", entries)


def _count() -> None:
    place = network_of(request.remote_addr or "?")
    with begin_writing(), open_session(engine(), Context(SYSTEM, Door.desk)) as records:
        wait = count_within(records, "calendar", "", place, clock.now(), most=PER_MINUTE, window=timedelta(minutes=1))
        records.commit()
    if wait is not None:
        raise TooManyAttempts(wait)


def _teams(records: RecordSession, actor: Actor) -> list[int]:
    return list(records.scalars(sa.select(TeamMember.team_id).where(TeamMember.staff_id == actor.staff_id)))


def _shifts(records: RecordSession, actor: Actor, teams: list[int]) -> list[Entry]:
    if not actor.may(Action.read, OnCallShift):
        return []
    row = OnCallShift
    ours = sa.or_(row.person_id == actor.staff_id, row.team_id.in_(teams))
    wanted = sa.select(row).where(ours, row.ends_at > clock.now() - PAST).order_by(row.starts_at, row.id)
    along = (selectinload(row.person), selectinload(row.team))
    return [_shift(shift, actor) for shift in records.scalars(wanted.limit(MOST).options(*along))]


def _shift(shift: OnCallShift, actor: Actor) -> Entry:
    known = fields(OnCallShift)
    team, person = (show.cell(shift, known[name], actor).text for name in ("team", "person"))
    mine = shift.person_id == actor.staff_id
    title = _("On call: %(team)s", team=team) if mine else _("On call: %(team)s, %(person)s", team=team, person=person)
    return Entry(f"shift-{shift.id}", title, shift.starts_at, shift.ends_at, shift.updated_at, busy=mine)


def _visits(records: RecordSession, actor: Actor, teams: list[int]) -> list[Entry]:
    if not actor.may(Action.read, Intervention):
        return []
    row, since = Intervention, clock.now() - PAST
    assigned = sa.select(Ticket.id).where(Ticket.assignee_id == actor.staff_id)
    ours = sa.or_(row.ticket_id.in_(assigned), row.team_id.in_(teams))
    there = sa.or_(row.state.in_(OPEN), sa.and_(row.state == InterventionState.done, row.ended_at > since))
    wanted = sa.select(row).where(ours, there).order_by(row.requested_at.desc(), row.id)
    along = (selectinload(row.ticket), selectinload(row.company), selectinload(row.site))
    found = (_visit(visit, actor) for visit in records.scalars(wanted.limit(MOST).options(*along)))
    return [entry for entry in found if entry is not None]


def _visit(visit: Intervention, actor: Actor) -> Entry | None:
    """Return a visit at its time; where none is planned yet, the day by which it is to be done; None without any."""
    known = fields(Intervention)
    ticket, company, mode, site = (
        show.cell(visit, known[name], actor) for name in ("ticket", "company", "mode", "site")
    )
    start, end = _span(visit)
    if start is None:
        return None
    due = show.cell(visit, known["due_at"], actor).text if visit.due_at is not None else ""
    return Entry(
        f"intervention-{visit.id}",
        _("%(mode)s: %(company)s (%(ticket)s)", mode=mode.text, company=company.text or "–", ticket=ticket.text),
        start,
        end,
        visit.updated_at,
        place=site.text,
        notes=_("To be done by %(when)s", when=due) if due and visit.state in OPEN else "",
        busy=visit.planned_at is not None,
        url=request.host_url.rstrip("/") + record_url(visit),
    )


def _span(visit: Intervention) -> tuple[Any, Any]:
    start: datetime | None = visit.arrived_at or visit.planned_at
    if start is not None:
        return start, max(visit.ended_at or start + _VISIT, start)
    if visit.due_at is None:
        return None, None
    day = visit.due_at.astimezone(clock.ROME).date()
    return day, day + timedelta(days=1)
