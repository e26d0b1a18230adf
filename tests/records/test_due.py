"""Deadlines: how late, how soon, and only while the record is in a state in which they count."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask

from backoffice import clock
from backoffice.actors import SYSTEM
from backoffice.records import due, show
from models.catalogue import fields
from models.contract import Contract
from models.ticket import Ticket, TicketState, Urgency
from models.waste_movement import MovementState, WasteMovement

NOW = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
DUE = fields(Ticket)["due_at"]


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setattr(clock, "today", lambda: NOW.astimezone(clock.ROME).date())


def ticket(state: TicketState, left: timedelta) -> Ticket:
    return Ticket(number="A-1", state=state, due_at=NOW + left, priority=Urgency.emergency)


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(days=3), ("", "")),
        (timedelta(minutes=61), ("", "")),
        (timedelta(minutes=59), ("soon", "fra 59 minuti")),
        (timedelta(seconds=20), ("soon", "fra 1 minuto")),
        (timedelta(seconds=-20), ("late", "scaduto da 1 minuto")),
        (timedelta(minutes=-35), ("late", "scaduto da 35 minuti")),
        (timedelta(minutes=-60), ("late", "scaduto da 1 ora")),
        (timedelta(hours=-23), ("late", "scaduto da 23 ore")),
        (timedelta(days=-12), ("late", "scaduto da 12 giorni")),
    ],
)
def test_an_instant_in_words(desk: Flask, left: timedelta, told: tuple[str, str]) -> None:
    with desk.test_request_context():
        assert due.standing(ticket(TicketState.assigned, left), DUE) == told


@pytest.mark.parametrize(
    ("days", "told"),
    [(-1, ("late", "scaduto da 1 giorno")), (0, ("soon", "scade oggi")), (1, ("", ""))],
)
def test_a_day_in_words(desk: Flask, days: int, told: tuple[str, str]) -> None:
    with desk.test_request_context():
        assert due._day(days) == told


@pytest.mark.parametrize(
    ("days", "told"),
    [(0, ("soon", "scade oggi")), (1, ("soon", "manca 1 giorno")), (5, ("soon", "mancano 5 giorni")), (6, ("", ""))],
)
def test_days_left_are_said_where_the_declaration_asks_for_it(desk: Flask, days: int, told: tuple[str, str]) -> None:
    with desk.test_request_context():
        movement = WasteMovement(register_due_on=clock.today() + timedelta(days=days), state=MovementState.delivered)
        assert due.standing(movement, fields(WasteMovement)["register_due_on"]) == told
        movement.state = MovementState.weighed
        assert due.standing(movement, fields(WasteMovement)["register_due_on"]) == ("", "")


@pytest.mark.parametrize(
    "state", [TicketState.waiting_customer, TicketState.closed_provisional, TicketState.rejected, TicketState.archived]
)
def test_what_waits_for_the_client_or_is_over_is_not_late(desk: Flask, state: TicketState) -> None:
    late = timedelta(days=-12)
    with desk.test_request_context():
        assert due.standing(ticket(state, late), DUE) == ("", "")
        cell = show.cell(ticket(TicketState.reopened, late), DUE, SYSTEM)
    assert (cell.due, cell.text) == ("late", "16/11/2026 15:00"), "the day itself stays, for exports and comparisons"


def test_a_day_that_is_no_deadline_is_only_a_day(desk: Flask) -> None:
    with desk.test_request_context():
        cell = show.cell(Contract(ends_on=date(2020, 1, 1)), fields(Contract)["ends_on"], SYSTEM)
    assert (cell.text, cell.due) == ("01/01/2020", "")


def test_only_states_are_badges(desk: Flask) -> None:
    row = ticket(TicketState.rejected, timedelta())
    with desk.test_request_context():
        state, priority = (show.cell(row, fields(Ticket)[name], SYSTEM) for name in ("state", "priority"))
    assert (state.is_badge, state.tone) == (True, "bad")
    assert (priority.is_badge, priority.tone) == (False, "bad")
