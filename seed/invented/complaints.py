"""Invented complaints about tickets, in every state: figures and texts follow from the tickets, nothing is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from models.complaint import ActionKind, Complaint, ComplaintState
from models.ticket import Ticket
from seed.invented.world import World

S = ComplaintState
#: State, how many days ago it came in, what was said, what is done.
CASES = (
    (S.received, 1, "Ho chiesto tre volte e nessuno mi ha richiamato.", None),
    (S.in_analysis, 4, "Il guasto si ripresenta dopo ogni intervento.", None),
    (S.decided, 9, "Il tecnico è arrivato senza il pezzo da sostituire.", ActionKind.improvement),
    (S.answered, 20, "La risposta è arrivata dopo la scadenza del bando.", ActionKind.support),
    (S.closed, 45, "Il centralino ha suonato a vuoto per due mattine.", ActionKind.none),
)
ANALYSIS = "Le date della richiesta e delle chiamate confermano quanto segnalato."
ACTIONS = {
    ActionKind.improvement: "La lista dei ricambi si controlla prima della partenza, dal prossimo mese.",
    ActionKind.support: "Affiancamento per la prossima domanda, entro quindici giorni.",
    ActionKind.none: None,
}


def invent_complaints(world: World, tickets: Sequence[Ticket]) -> None:
    """Make a complaint in each state, each about a ticket of its own that has a requester."""
    about = [ticket for ticket in tickets if ticket.company is not None and ticket.contact is not None]
    for number, (ticket, case) in enumerate(zip(about, CASES, strict=False), 1):
        state, days, words, action = case
        came = world.now - timedelta(days=days)
        complaint = Complaint(ticket=ticket, company=ticket.company, contact=ticket.contact, state=state)
        complaint.group_id, complaint.number = world.group.id, f"RE-{number}"
        complaint.account_id, complaint.contract = ticket.account_id, ticket.contract
        complaint.received_on, complaint.created_at = came.date(), came
        complaint.channel, complaint.description = ticket.channel, words
        complaint.answer_by = (came + timedelta(days=30)).date()
        if action is not None:
            complaint.analysis, complaint.action_kind = ANALYSIS, action
            complaint.corrective_action = ACTIONS[action]
            complaint.decided_by, complaint.decided_at = world.staff("quality"), came + timedelta(days=5)
        if state in (S.answered, S.closed):
            complaint.outcome = "Ci scusiamo per l’accaduto e la ringraziamo della segnalazione."
            complaint.answered_at = came + timedelta(days=6)
        if state is S.closed:
            complaint.closed_at = came + timedelta(days=10)
        world.add(complaint)
        world.group.last_complaint_number = number
    world.session.flush()
