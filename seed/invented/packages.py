"""Invented support packages with the movements that explain what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from backoffice.working_time import add_months
from models.company import CompanyState
from models.package_movement import MovementKind, PackageMovement
from models.support_package import PackageState, SupportPackage
from models.support_package_type import SupportPackageType
from models.ticket import Ticket
from seed.invented.clients import Client
from seed.invented.world import World

S = PackageState
STATES = {
    S.active: 22, S.requested: 4, S.quoted: 3, S.suspended: 3, S.exhausted: 5, S.expired: 6, S.cancelled: 2,
}  # fmt: skip
#: States without hours: nothing was bought yet, or never will be.
EMPTY = frozenset({S.requested, S.quoted, S.cancelled})
#: First day of validity in days from today; each is valid for twelve months.
BEGINS = {S.active: (-330, -5), S.suspended: (-300, -60), S.exhausted: (-350, -120), S.expired: (-900, -400)}


def invent_packages(world: World, clients: Sequence[Client]) -> list[SupportPackage]:
    """Make packages, as yet without any hours."""
    buyers = [client for client in clients if client.company.state is CompanyState.client and client.contacts]
    packages = [_package(world, buyers[number], state) for number, state in enumerate(world.deck(STATES))]
    world.session.flush()
    return packages


def invent_movements(world: World, packages: Sequence[SupportPackage], tickets: Sequence[Ticket]) -> None:
    """Put the hours on the packages and use some of them: what is left is the sum of the movements (PK-12)."""
    for package in packages:
        if package.state not in EMPTY:
            _move(world, package, [ticket for ticket in tickets if ticket.company is package.company])
    world.session.flush()


def _package(world: World, client: Client, state: PackageState) -> SupportPackage:
    kind = world.rng.choice(world.all_of(SupportPackageType))
    custom = world.chance(0.2)
    package = SupportPackage(
        company=client.company, number=f"PA-{world.today.year}-{next(world.serials):05d}", state=state,
        type=None if custom else kind, purchased_minutes=450 if custom else kind.included_minutes, residual_minutes=0,
    )  # fmt: skip
    package.price = Decimal(package.purchased_minutes) if state is not S.requested else None
    if state in BEGINS:
        begins = world.rng.randint(*BEGINS[state])
        package.valid_from = world.day(begins)
        package.valid_to = add_months(package.valid_from, 12)
        package.created_at = world.instant(begins - 5)
    else:
        package.created_at = world.instant(-world.rng.randint(1, 40))
    return world.add(package)  # type: ignore[no-any-return]


def _move(world: World, package: SupportPackage, tickets: Sequence[Ticket]) -> None:
    """Buy the hours, then use some of them: all where the package is used up, never more than there are."""
    _add(world, package, MovementKind.purchase, package.purchased_minutes, 0)
    for step in range(world.rng.randint(1, 6)):
        charge = min(world.rng.choice((15, 30, 45, 60, 90, 120)), package.residual_minutes - 15)
        if charge > 0:
            movement = _add(world, package, MovementKind.charge, -charge, 3 + step * 4)
            movement.ticket = world.rng.choice(tickets) if tickets else None
            movement.note = "Lavorazione della richiesta"
    if package.state is S.exhausted:
        _add(world, package, MovementKind.charge, -package.residual_minutes, 40).note = "Intervento conclusivo"
    elif world.chance(0.2):
        _add(world, package, MovementKind.correction, 15, 45).note = "Tempo registrato due volte"


def _add(world: World, package: SupportPackage, kind: MovementKind, minutes: int, after: int) -> PackageMovement:
    """Write one movement, some days after the package began, and keep the residual."""
    movement = PackageMovement(package=package, kind=kind, minutes=minutes)
    movement.created_at = min(package.created_at + timedelta(days=5 + after), world.now)
    package.residual_minutes += minutes
    return world.add(movement)  # type: ignore[no-any-return]
