"""Invented changes of systems that tickets gave rise to, in every state; nothing is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from models.change_request import ChangeKind, ChangeRequest, ChangeState
from models.ticket import Ticket, TicketState
from seed.invented.world import World

S = ChangeState
#: State, kind, what changes, why, what it touches, how it was decided.
CASES = (
    (S.proposed, ChangeKind.need, "Scadenze dei corsi anche per sede", "I clienti con più sedi le separano a mano.",
     "Elenco delle scadenze ed esportazione.", None),
    (S.accepted, ChangeKind.improvement, "Avviso prima della chiusura della sessione", "Si perde quanto si è scritto.",
     "Tutti i moduli dell’area clienti.", "Richiesto da quattro clienti."),
    (S.in_maintenance, ChangeKind.correction, "Somma sbagliata nel riepilogo annuale", "Le righe annullate contano.",
     "Riepilogo annuale; nessun dato cambia.", "Errore accertato."),
    (S.released, ChangeKind.new_version, "Allegati nelle risposte", "Erano previsti e mancavano.",
     "Messaggi delle richieste.", "Prevista dal contratto."),
    (S.declined, ChangeKind.need, "Accesso senza password", "Sarebbe più comodo.", None,
     "Non compatibile con le misure di sicurezza."),
)  # fmt: skip


def invent_changes(world: World, tickets: Sequence[Ticket]) -> None:
    """Make a change in each state; the one that is being made is what a waiting ticket waits for."""
    about = [ticket for ticket in tickets if ticket.company is not None]
    waiting = next((ticket for ticket in about if ticket.state is TicketState.waiting_change), None)
    others = [ticket for ticket in about if ticket is not waiting]
    for number, (ticket, case) in enumerate(zip(others, CASES, strict=False), 1):
        state, kind, subject, reason, impact, decision = case
        cause = waiting if state is S.in_maintenance and waiting is not None else ticket
        change = ChangeRequest(ticket=cause, company=cause.company, kind=kind, subject=subject, state=state)
        change.group_id, change.number = world.group.id, f"MO-{number}"
        change.contract, change.service = cause.contract, cause.service
        change.business_unit = cause.business_unit
        change.description, change.reason, change.impact = f"{subject}.", reason, impact
        change.created_at = world.now - timedelta(days=7 * number)
        if decision is not None:
            change.decision_reason, change.decided_by = decision, world.staff("operator2")
            change.decided_at = change.created_at + timedelta(days=3)
        if state is S.released:
            change.release, change.released_at = "4.2", change.created_at + timedelta(days=20)
        world.add(change)
        world.group.last_change_number = number
    world.session.flush()
