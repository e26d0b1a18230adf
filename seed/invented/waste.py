"""Invented waste movements, from the pick-up to the disposal."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle

from backoffice.clock import ROME
from backoffice.operations.waste import compare_weights
from backoffice.setting_keys import REGISTER_DAYS
from backoffice.settings import setting_value
from models.business_unit import BusinessUnit
from models.company_service import CompanyService
from models.site import Site
from models.waste_movement import UNWEIGHED, MovementState, WasteMovement, WasteUnit
from seed.invented.world import World, granted

S = MovementState
STATES = {S.disposed: 40, S.weighed: 14, S.delivered: 10, S.in_transit: 8, S.picked_up: 8}
#: How many days ago the movements of each state were picked up.
AGES = {S.disposed: (15, 420), S.weighed: (5, 20), S.delivered: (2, 13), S.in_transit: (1, 2), S.picked_up: (0, 1)}
#: EER code, description, and usual weight in kilograms.
WASTES = (
    ("150106", "Imballaggi in materiali misti", 820), ("200101", "Carta e cartone", 640),
    ("150103", "Imballaggi in legno", 1150), ("170405", "Ferro e acciaio", 2300),
    ("130205*", "Oli minerali per motori, non clorurati", 410), ("200201", "Rifiuti biodegradabili", 1780),
    ("150110*", "Imballaggi contenenti residui di sostanze pericolose", 95),
    ("170904", "Rifiuti misti da costruzione e demolizione", 5400),
    ("080111*", "Pitture e vernici di scarto contenenti solventi organici", 130),
)  # fmt: skip
PLANTS = ("Impianto di recupero Esempio Nord", "Piattaforma Esempio Ambiente", "Discarica Esempio")
CARRIERS = ("ECOOPERA s.c.", "Autotrasporti Esempio S.r.l.")


def invent_waste(world: World) -> list[WasteMovement]:
    """Make what WINSMART shows to the clients that have it; return the movements, whose forms come later."""
    grants = granted(world, "WINSMART")
    if not grants:
        return []
    unit = next(row for row in world.all_of(BusinessUnit) if row.name == "Gestione rifiuti")
    days = setting_value(world.session, REGISTER_DAYS, world.group.id)
    updated = [grant for grant in grants if grant.frozen_from is None]
    wastes, movements = cycle(WASTES), []
    for number, state in enumerate(world.deck(STATES)):
        of_these = grants if state is S.disposed else updated
        movement = _movement(world, of_these[number % len(of_these)], state, next(wastes))
        movement.business_unit = unit
        movement.register_due_on = movement.picked_up_at.astimezone(ROME).date() + timedelta(days=days)
        movements.append(world.add(movement))
    world.session.flush()
    return movements


def _movement(world: World, grant: CompanyService, state: S, waste: tuple[str, str, int]) -> WasteMovement:
    code, description, usual = waste
    at = _picked_up(world, grant, state)
    sites = [site for site in world.all_of(Site) if site.company is grant.company]
    movement = WasteMovement(
        company=grant.company, site=world.rng.choice(sites) if sites else None, state=state, picked_up_at=at,
        form_number=f"DEMO {next(world.serials):06d}/{at.year % 100}", form_year=at.astimezone(ROME).year,
        waste_code=code, description=description, quantity=Decimal(usual + world.rng.randint(-80, 80)),
        unit=WasteUnit.kg, carrier=world.rng.choice(CARRIERS), destination=world.rng.choice(PLANTS), created_at=at,
    )  # fmt: skip
    if code == "130205*" and world.chance(0.5):
        movement.unit = WasteUnit.litre
    if state not in (S.picked_up, S.in_transit):
        movement.delivered_at = min(at + timedelta(hours=world.rng.randint(3, 30)), world.now)
    if state not in UNWEIGHED:
        movement.weighed_at = movement.delivered_at
        movement.destination_kg = Decimal(usual * world.rng.randint(94, 105) // 100)
        compare_weights(movement)
    if state is S.disposed:
        movement.disposed_at = min(at + timedelta(days=world.rng.randint(4, 14)), world.now)
    return movement


def _picked_up(world: World, grant: CompanyService, state: S) -> datetime:
    days = -world.rng.randint(*AGES[state])
    if grant.frozen_from is not None:
        days = min(days, (grant.frozen_from - world.today).days - world.rng.randint(1, 60))
    return world.instant(days)
