"""The corporate groups of the sources with their companies, business units and teams (CT-16, TK-26).

Partite IVA and addresses are left for an administrator to enter: the sources do not state them, and no mail
leaves for an address that nobody has confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass

ECOOPERA = "Gruppo Ecoopera"
TORINO = "Gruppo Sistemi Torino"
SEA = "SEA Consulenze e Servizi S.r.l."
ECOOPERA_SC = "ECOOPERA s.c."
UNOLEGAL = "UnoLegal"

#: By group, its companies; by company, its business units.
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    ECOOPERA: {
        SEA: ("Formazione", "Sicurezza, salute e ambiente"),
        ECOOPERA_SC: ("Laboratorio di analisi", "Gestione rifiuti"),
    },
    TORINO: {UNOLEGAL: ("Servizi segreteria Privacy", "Consulenza privacy", "Assistenza tecnica")},
}


@dataclass(frozen=True)
class TeamRow:
    name: str
    company: str
    #: 1 answers first, 2 is asked by 1.
    level: int = 1


TEAMS = (
    TeamRow("Segreteria clienti", SEA),
    TeamRow("Contact center", ECOOPERA_SC),
    TeamRow("Specialisti di piattaforma", SEA, level=2),
    TeamRow("Servizi segreteria Privacy", UNOLEGAL),
    TeamRow("Help desk di primo livello", UNOLEGAL),
    TeamRow("Help desk di secondo livello", UNOLEGAL, level=2),
)


@dataclass(frozen=True)
class QueueRow:
    """A queue with the rules its source states: reopening, packages, consent, attachments."""

    company: str
    code: str
    name: str
    team: str
    calendar: str | None
    #: Hours in which a first closing may be undone; 0 where the source says nothing of it (A-24).
    reopen_hours: int = 0
    requires_package: bool = False
    requires_consent: bool = False
    requires_attachment: bool = False
    requires_time: bool = False


QUEUES = (
    QueueRow(SEA, "AC", "Area Clienti", "Segreteria clienti", "CAL-11"),
    QueueRow(ECOOPERA_SC, "CC", "Contact center", "Contact center", "CAL-05"),
    QueueRow(
        SEA, "SUP", "Area di supporto", "Specialisti di piattaforma", None,
        reopen_hours=72, requires_package=True, requires_consent=True, requires_attachment=True, requires_time=True,
    ),
    QueueRow(UNOLEGAL, "GP", "GoPrivacy", "Servizi segreteria Privacy", "CAL-01"),
    QueueRow(UNOLEGAL, "HD", "Help desk comunale", "Help desk di primo livello", "CAL-02"),
    QueueRow(
        UNOLEGAL, "SUP", "Area di supporto", "Help desk di primo livello", None,
        reopen_hours=72, requires_package=True, requires_consent=True, requires_attachment=True, requires_time=True,
    ),
)  # fmt: skip
