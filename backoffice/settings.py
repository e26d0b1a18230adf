"""Settings: figures that an administrator changes in the product (BO-08). What differs between machines is ``config``.

A setting is declared once, in ``backoffice/setting_keys.py``, and read through ``setting_value``. The row holds what
was typed, and is read by the very type that reads the form.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.utils import cached_property

from backoffice.access import INTERNAL
from backoffice.errors import Text
from models.catalogue import Field, Kind
from models.columns import Choice
from models.reading import BadValue, clean_text
from models.setting import Setting, SettingName
from models.values import Email, Minutes, Money, Url, ValueType

Value = TypeVar("Value")
_TYPES: dict[Kind, ValueType] = {Kind.minutes: Minutes(), Kind.money: Money(), Kind.email: Email(), Kind.url: Url()}
#: A text says as much as this unless its declaration says otherwise.
_LONGEST = 500
_NOTHING: Text = _l("Fill this in, or go back to the default.")


class Subject(Choice):
    """The parts of the page of settings, in their order."""

    access = "access", _l("Passwords and signing in"), "neutral", "key"
    clients = "clients", _l("Requests and orders of clients"), "neutral", "building"
    support = "support", _l("Assistance and packages"), "neutral", "headset"
    imports = "imports", _l("Imports and exports"), "neutral", "file-earmark-arrow-up"
    client_data = "client_data", _l("Client data"), "neutral", "folder2-open"
    work = "work", _l("Work in the background"), "neutral", "cpu"


@dataclass(frozen=True)
class SettingKey(Generic[Value]):
    """One setting: what it means, what it may be, and what it is until somebody changes it."""

    name: str
    _: KW_ONLY
    subject: Subject
    label: Text
    help: Text
    kind: Kind
    default: Value
    #: Bounds, both included; of a text, ``most`` is its longest.
    least: Any = None
    most: Any = None
    unit: Text | None = None
    choices: type[Choice] | None = None
    #: Whether each corporate group has its own value; else it is one for the whole installation.
    per_group: bool = False

    @cached_property
    def field(self) -> Field:
        """The setting as forms show and read it."""
        is_text = self.kind in (Kind.text, Kind.long_text)
        return Field(
            Setting,
            "value",
            self.label,
            self.kind,
            help=self.help,
            choices=self.choices,
            value_type=_TYPES.get(self.kind),
            nullable=False,
            required=self.kind is not Kind.boolean and self.default != "",
            unit=self.unit,
            max_length=(self.most or _LONGEST) if is_text else None,
        )

    def parse(self, typed: str) -> Value:
        """Return the value of what was typed; raise ``BadValue`` for none of this kind, or beyond the bounds."""
        if not clean_text(typed, lines=True):
            if self.field.required:
                raise BadValue(_NOTHING)
            if self.default == "":
                return self.default  # of whatever kind: it may be left empty
        value = self.field.parse(typed)
        if self.kind not in (Kind.text, Kind.long_text):
            self._require_bounds(value)
        return cast("Value", value)

    def _require_bounds(self, value: Any) -> None:
        if self.least is not None and value < self.least:
            raise BadValue(_l("At least %(limit)s."), limit=self.show(self.least))
        if self.most is not None and value > self.most:
            raise BadValue(_l("At most %(limit)s."), limit=self.show(self.most))

    def show(self, value: Any) -> str:
        """Return a value as people read it, with its unit."""
        text = self.field.show(value)
        return f"{text} {self.unit}" if self.unit and text else text


#: Every setting by name, in the order of declaration.
SETTINGS: dict[str, SettingKey[Any]] = {}


def declare(key: SettingKey[Value]) -> SettingKey[Value]:
    """Make a setting known to the page.

    :raises ValueError: there is another one of the same name, or the default is out of bounds.
    """
    if SETTINGS.setdefault(key.name, key) is not key:
        raise ValueError(f"There is already a setting {key.name}")
    key.parse(key.field.edit(key.default))
    SettingName.words[key.name] = key.label
    return key


def setting_value(session: Session, key: SettingKey[Value], group_id: int | None = None) -> Value:
    """Return what a setting is at present, whoever asks; ``group_id`` where each corporate group has its own.

    Read once a session, which lives no longer than a request or a step. A stored value that is none any more, because
    the bounds are others by now, counts as the default.
    """
    if key.per_group and group_id is None:
        raise ValueError(f"The setting {key.name} is one per corporate group")
    typed = _stored(session).get((group_id if key.per_group else None, key.name))
    if typed is None:
        return key.default
    try:
        return key.parse(typed)
    except BadValue:
        return key.default


def forget_settings(session: Session) -> None:
    """Have the session read the settings anew: one of them has changed."""
    session.info.pop("settings", None)


def _stored(session: Session) -> dict[tuple[int | None, str], str | None]:
    if "settings" not in session.info:
        table = cast("sa.Table", Setting.__table__)
        rows = session.execute(sa.select(table.c.group_id, table.c.key, table.c.value), execution_options=INTERNAL)
        session.info["settings"] = {(row.group_id, row.key): row.value for row in rows}
    return cast("dict[tuple[int | None, str], str | None]", session.info["settings"])


__all__ = ["SETTINGS", "SettingKey", "Subject", "declare", "forget_settings", "setting_value"]
