"""The lifecycle of platforms: in preparation, in use, given up (AC-22)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from backoffice.lifecycles import Machine, Transition, register
from models.platform import Platform, PlatformState

S = PlatformState

PLATFORMS = register(
    Machine(
        Platform,
        "state",
        (
            Transition(
                name="activate",
                label=_l("Put the platform into use"),
                sources=(S.prepared, S.retired),
                target=S.active,
                icon="check-circle",
                tone="primary",
                confirm=_l("What is still open about it (agreement, security) is shown on the start page."),
            ),
            Transition(
                name="retire",
                label=_l("Give the platform up"),
                sources=(S.active,),
                target=S.retired,
                icon="archive",
                tone="danger",
                confirm=_l("Online services keep pointing at it; grants are not touched."),
            ),
        ),
    )
)
