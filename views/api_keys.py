"""Who stands behind an API key, counted and looked up at every request."""

from __future__ import annotations

from flask_jwt_extended.exceptions import NoAuthorizationError

from backoffice import clock
from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import begin_writing, open_session
from backoffice.identity import find_identity
from backoffice.operations.api_keys import NoSuchKey, admit
from views.door import engine


def actor_of_key(token: str) -> Actor:
    """Return the person whose key it is, with the rights they have now.

    :raises NoAuthorizationError: the key is good for nothing; programs are not told for which of the reasons.
    :raises TooManyRequests: it was used too often.
    """
    with begin_writing(), open_session(engine(), Context(SYSTEM, Door.api)) as records:
        try:
            staff_id, group_id = admit(records, token, clock.now())
            identity = find_identity(records, staff_id)
        except NoSuchKey as error:
            raise NoAuthorizationError(str(error)) from error
        finally:
            records.commit()
    # Whoever has gone over to another corporate group does not take the program along.
    if identity is None or not identity.active or identity.actor.group_id != group_id:
        raise NoAuthorizationError("The person behind the key does not work there")
    return identity.actor


__all__ = ["actor_of_key"]
