"""Keys of the API: made by a person for their programs, shown once, asked at every request, revoked at any time.

Only the digest is kept, as of links (AC-16). A key has the rights that its person has at the time of the request, in
the corporate group it was made for; it ends with its last day, with the person, or by being revoked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy.orm import Session

from backoffice import clock, passwords
from backoffice.access import INTERNAL
from backoffice.actors import Action, Actor
from backoffice.errors import DomainError, InvalidRecord
from backoffice.lifecycles import Machine, Transition, register
from backoffice.operations.attempt_counters import count_within
from backoffice.operations.plain import flush
from backoffice.setting_keys import API_KEY_DAYS, API_REQUESTS
from backoffice.settings import setting_value
from models.api_key import ApiKey, ApiKeyState
from models.catalogue import fields
from models.reading import BadValue, parse_integer

#: What a key begins with, so that people and scanners know what they have found.
MARK = "bok_"
#: How much of a key its row shows.
_SHOWN = len(MARK) + 6
#: When a key was last used is written down once in so long.
_NOTED = timedelta(minutes=5)
_MINUTE = timedelta(minutes=1)
_table: Any = ApiKey.__table__


class NoSuchKey(DomainError):
    """Unknown, expired, revoked, or its person does not work here any more: programs are not told which."""

    template = _l("This key is not valid: make another one at the desk.")
    status = 401


class TooManyRequests(DomainError):
    """A key was used more often than the settings allow; ``seconds`` say when it may be used again."""

    template = _l("Too many requests with this key: at most %(most)s a minute.")
    status = 429

    def __init__(self, wait: timedelta, most: int) -> None:
        self.seconds = max(1, -int(-wait.total_seconds() // 1))
        super().__init__(most=most)


def make_key(session: Session, name: str, days: str, *, actor: Actor) -> tuple[ApiKey, str]:
    """Make a key for whoever acts, good for so many days; return it and what is shown once and stored nowhere. Flushes.

    :raises Forbidden: they may not have any.
    :raises InvalidRecord: it has no name, or would be good for longer than the settings allow.
    """
    actor.require(Action.create, ApiKey)
    most = setting_value(session, API_KEY_DAYS, actor.group_id)
    values, problems = {}, {}
    for field, read in (("name", lambda: _name(name)), ("expires_on", lambda: _days(days, most))):
        try:
            values[field] = read()
        except BadValue as error:
            problems[field] = str(error)
    if problems:
        raise InvalidRecord(problems)
    token = MARK + passwords.new_token()
    key = ApiKey(
        staff_id=actor.staff_id,
        group_id=actor.group_id,
        name=values["name"],
        begins=token[:_SHOWN],
        digest=passwords.digest_of(token),
        expires_on=clock.today() + timedelta(days=values["expires_on"]),
    )
    session.add(key)
    flush(session, key)
    return key, token


def _name(raw: str) -> Any:
    name = fields(ApiKey)["name"].parse(raw)
    if not name:
        raise BadValue(_l("A value is missing."))
    return name


def _days(raw: str, most: int) -> int:
    days = parse_integer(raw)
    if not 1 <= days <= most:
        raise BadValue(_l("From 1 to %(most)s days."), most=most)
    return days


def own_keys(session: Session, actor: Actor) -> Sequence[ApiKey]:
    """Return the keys of whoever acts that may be used, or expired without being revoked; the newest first."""
    wanted = sa.select(ApiKey).where(ApiKey.staff_id == actor.staff_id, ApiKey.state == ApiKeyState.active)
    return session.scalars(wanted.order_by(ApiKey.id.desc())).all()


def admit(session: Session, token: str, now: datetime) -> tuple[int, int]:
    """Count a request made with a key; return whose key it is and for which corporate group.

    Needs a session in which the product itself acts, that writes. Commit whatever is raised, so that it counts.

    :raises NoSuchKey: it is good for nothing.
    :raises TooManyRequests: it was used too often within the last minute.
    """
    wanted = sa.select(_table.c.id, _table.c.staff_id, _table.c.group_id, _table.c.used_at).where(
        _table.c.digest == passwords.digest_of(token),
        _table.c.state == ApiKeyState.active,
        _table.c.expires_on >= now.astimezone(clock.ROME).date(),
    )
    key = session.execute(wanted, execution_options=INTERNAL).one_or_none()
    if key is None:
        raise NoSuchKey
    most = setting_value(session, API_REQUESTS, key.group_id)
    wait = count_within(session, "api", str(key.id), "*", now, most=most, window=_MINUTE)
    if wait is not None:
        raise TooManyRequests(wait, most)
    if key.used_at is None or now - key.used_at > _NOTED:
        # No change that anybody would look for in a history.
        used = sa.update(_table).where(_table.c.id == key.id).values(used_at=now)
        session.execute(used, execution_options=INTERNAL)
    return key.staff_id, key.group_id


def _note_end(_session: Session, key: ApiKey, _values: Mapping[str, Any], _actor: Actor) -> None:
    key.revoked_at = clock.now()


API_KEYS = register(
    Machine(
        ApiKey,
        "state",
        (
            Transition(
                name="revoke",
                label=_lp("API key", "Revoke"),
                sources=(ApiKeyState.active,),
                target=ApiKeyState.revoked,
                icon="slash-circle",
                tone="danger",
                effect=_note_end,
                confirm=_l("Programs that use this key are refused from now on. It cannot be taken back."),
            ),
        ),
    )
)

__all__ = ["API_KEYS", "MARK", "NoSuchKey", "TooManyRequests", "admit", "make_key", "own_keys"]
