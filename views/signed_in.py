"""Whoever is signed in at the desk, as Flask-Login, the toolkit and templates see them."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.utils import cached_property

from backoffice.actors import Actor, Grant
from backoffice.identity import Identity
from backoffice.operations.toolkit_permissions import permission_pairs

#: Pages that every signed-in person may open and that belong to no entity: the description of the API.
OPEN_TO_STAFF = frozenset({("can_show", "SwaggerView"), ("can_get", "OpenApi")})


@lru_cache(maxsize=200)
def _pairs_of(grants: frozenset[tuple[str, tuple[Grant, ...]]]) -> frozenset[tuple[str, str]]:
    """Return the pairs of the toolkit: worked out once for all who have the same rights."""
    return frozenset(permission_pairs(dict(grants))) | OPEN_TO_STAFF


class SignedIn:
    """A member of staff during one request: plain values, so that no template can start a query."""

    is_authenticated = True
    is_anonymous = False

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.actor: Actor = identity.actor
        self.id = identity.actor.id
        self.username = identity.username
        self.first_name = identity.first_name
        self.last_name = identity.last_name
        self.email = identity.email
        self.roles = identity.actor.roles

    @property
    def is_active(self) -> bool:
        return self.identity.active

    def get_id(self) -> str:
        """Name the person and the epoch: a session or token of an earlier epoch is no longer valid."""
        return f"{self.id}:{self.identity.session_epoch}"

    @cached_property
    def permissions(self) -> frozenset[tuple[str, str]]:
        """All that the person may do, by Flask-AppBuilder's names."""
        return _pairs_of(frozenset(self.actor.grants.items()))

    def __str__(self) -> str:
        return self.actor.name
