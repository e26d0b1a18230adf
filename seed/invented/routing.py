"""Invented rules that sort requests to teams, and what callers are told of emergencies; nothing is drawn."""

from __future__ import annotations

from models.emergency_script import EmergencyScript
from models.request_type import RequestType
from models.routing_rule import RoutingRule
from models.support_queue import SupportQueue
from models.support_team import SupportTeam
from models.ticket import Urgency
from seed.invented.world import World

#: Queue, type, urgency and team, of either group; a group has those whose queue is its own.
RULES = (
    ("CC", "GUASTO", Urgency.emergency, "Specialisti di piattaforma"),
    ("CC", "RECLAMO", None, "Segreteria clienti"),
    ("HD", "GUASTO", Urgency.emergency, "Help desk di secondo livello"),
    ("HD", "RECLAMO", None, "Servizi segreteria Privacy"),
)
#: Queues whose operators tell callers the text below.
EMERGENCIES = ("CC", "HD")
TEXT = (
    "Se c’è pericolo per le persone chiami subito il 112, numero unico di emergenza: i Vigili del fuoco (115) per "
    "incendi e crolli, il 118 per i feriti.\n"
    "La nostra segnalazione non sostituisce le procedure interne del suo ente: avvisi anche il suo responsabile."
)
TEXT_EN = (
    "If people are in danger call 112, the single emergency number, at once: the fire brigade (115) for fire and "
    "collapse, 118 for the injured.\n"
    "Reporting to us does not replace the procedures of your own organisation: tell your manager too."
)


def invent_routing(world: World) -> None:
    """Make the rules and texts of the group, as far as what they speak of is there."""
    teams = {team.name: team for team in world.all_of(SupportTeam)}
    for code, kind, urgency, name in RULES:
        queue, request_type, team = world.by_code(SupportQueue, code), world.by_code(RequestType, kind), teams.get(name)
        if queue is not None and request_type is not None and team is not None:
            world.add(RoutingRule(queue=queue, request_type=request_type, urgency=urgency, team=team))
    for code in EMERGENCIES:
        if (queue := world.by_code(SupportQueue, code)) is not None:
            script = world.add(EmergencyScript(queue=queue, text=TEXT, text_en=TEXT_EN))
            script.group_id = world.group.id
    world.session.flush()
