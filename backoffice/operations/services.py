"""The lifecycle of what the group sells: in preparation, offered, retired."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from backoffice.lifecycles import Machine, Transition, register
from models.service import Service, ServiceState

S = ServiceState

SERVICES = register(
    Machine(
        Service,
        "state",
        (
            Transition(
                name="offer",
                label=_l("Offer the service"),
                sources=(S.proposed, S.retired),
                target=S.offered,
                icon="check-circle",
                tone="primary",
                confirm=_l("It may be contracted and ordered from now on."),
            ),
            Transition(
                name="retire",
                label=_l("Withdraw from the catalogue"),
                sources=(S.offered,),
                target=S.retired,
                icon="archive",
                tone="danger",
                confirm=_l("Nobody can contract it any more; running contracts go on."),
            ),
            Transition(
                name="propose",
                label=_l("Prepare anew"),
                sources=(S.offered, S.retired),
                target=S.proposed,
                icon="pencil",
                confirm=_l("It goes back to preparation."),
            ),
        ),
    )
)
