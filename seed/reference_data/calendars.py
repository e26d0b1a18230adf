"""The eleven service calendars found in the sources (chapter 7 of the requirements)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time

from backoffice.working_time import Interval

MORNING_AND_AFTERNOON = ((time(8, 30), time(12, 30)), (time(13, 30), time(17, 30)))
SARDINIA = ((time(9), time(13, 30)), (time(15), time(18)))
ALL_DAY = ((time(0), time(0)),)


@dataclass(frozen=True)
class CalendarRow:
    """A calendar as its source states it; weekdays from 0 for Monday."""

    code: str
    name: str
    intervals: Mapping[int, tuple[Interval, ...]]
    #: Whether public holidays are closed; assumed so where the source is silent (A-31).
    holidays_excluded: bool = True
    #: Whether further closures are allowed: the municipality's help desk may have none (A-47).
    allows_closures: bool = True
    #: The least effective time of each open day, where one is stated.
    least_daily_minutes: int | None = None
    note: str | None = None


def working_week(*hours: Interval) -> dict[int, tuple[Interval, ...]]:
    """Return the same hours from Monday to Friday."""
    return dict.fromkeys(range(5), hours)


ALWAYS = dict.fromkeys(range(7), ALL_DAY)
SILENT = "La fonte non dice se i festivi sono esclusi: si assume di sì."

CALENDARS = (
    CalendarRow("CAL-01", "Assistenza GoPrivacy", working_week(*MORNING_AND_AFTERNOON), note=SILENT),
    CalendarRow(
        "CAL-02", "Help desk comunale di primo e secondo livello", working_week((time(8), time(18))),
        allows_closures=False,
        note="Nessun giorno di chiusura, neppure programmato; fuori orario referente tecnico reperibile.",
    ),
    CalendarRow(
        "CAL-03", "Help desk SardegnaIT", {**dict.fromkeys(range(4), SARDINIA), 4: SARDINIA[:1]}, note=SILENT,
    ),
    CalendarRow(
        "CAL-04", "Contact center coperture assicurative",
        {**working_week((time(9), time(19, 30))), 5: ((time(9), time(13)),)},
        note="Giorni feriali; informazioni sulla copertura e variazioni di contratto.",
    ),
    CalendarRow(
        "CAL-05", "Contact center manutenzione (SIM)", working_week((time(8, 30), time(18, 30))),
        note="Fuori orario almeno un operatore reperibile per le emergenze, sul posto entro 2 ore.",
    ),
    CalendarRow(
        "CAL-06", "Contact center impianti", working_week((time(8, 30), time(17, 30))),
        note="Fuori orario segreteria telefonica; code fax ed e-mail attive. " + SILENT,
    ),
    CalendarRow(
        "CAL-07", "Contact center illuminazione pubblica", working_week((time(9), time(16))),
        least_daily_minutes=420, note="In alternativa almeno sette ore effettive al giorno.",
    ),
    CalendarRow("CAL-08", "Contact center Lazio Innova, front end", working_week((time(9), time(17)))),
    CalendarRow("CAL-09", "Contact center Lazio Innova, back end", working_week((time(8, 45), time(17, 45)))),
    CalendarRow(
        "CAL-10", "Emergenze e reperibilità", ALWAYS, holidays_excluded=False,
        note="24 ore per 365 giorni, soltanto per pericolo ed emergenza.",
    ),
    CalendarRow(
        "CAL-11", "Accesso ai portali", ALWAYS, holidays_excluded=False,
        note="ANALISI, WINSMART e web; salvo interruzioni per manutenzione.",
    ),
)  # fmt: skip
