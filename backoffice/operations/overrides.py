"""What an administrator puts in place of what the product ships: figures, texts, mails. None means: as shipped.

The row stays when it goes back to what is shipped, and with it its history.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import acting
from backoffice.actors import Action, Actor
from backoffice.errors import Conflict, Forbidden, InvalidRecord, Text
from backoffice.mail.rendering import TEMPLATES, Wording, check_wording
from backoffice.operations.plain import expect_version, flush
from backoffice.settings import SettingKey, forget_settings
from backoffice.texts import TextKey
from models.base import Recorded
from models.catalogue import fields
from models.mail_template import MailTemplate
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.reading import BadValue, clean_text
from models.setting import Setting
from models.text_block import TextBlock

_EMPTY: Text = _l("Write something, or go back to the shipped words.")


def find_override(session: Session, entity: type[Recorded], key: Mapping[str, Any]) -> Any:
    """Return the row that replaces what is shipped under ``key``; None where nothing was ever changed."""
    # Comparing with None becomes IS NULL.
    wanted = [getattr(entity, name) == value for name, value in key.items()]
    return session.scalars(sa.select(entity).where(*wanted)).one_or_none()


def change_setting(session: Session, key: SettingKey[Any], typed: str | None, *, version: int, actor: Actor) -> Setting:
    """Set a figure to what was typed, or back to its default with None. ``version``: that of the row, 0 for none.

    :raises Forbidden: it is one for the whole installation, which the actor does not look after.
    :raises InvalidRecord: the value is none of its kind, or out of bounds.
    :raises Conflict: somebody else has set it in the meantime.
    """
    actor.require(Action.update, Setting)
    if not key.per_group and not (actor.may_switch_group or actor.is_system):
        raise Forbidden
    try:
        value = None if typed is None else key.field.edit(key.parse(typed))
    except BadValue as error:
        raise InvalidRecord({"value": str(error)}) from error
    place = {"key": key.name, "group_id": actor.group_id if key.per_group else None}
    setting: Setting = _put(session, Setting, place, {"value": value}, version=version, actor=actor)
    forget_settings(session)
    return setting


def change_text(
    session: Session,
    key: TextKey,
    language: MailLanguage,
    portal: Portal | None,
    typed: str | None,
    *,
    version: int,
    actor: Actor,
) -> TextBlock:
    """Put a text in other words, or back to the shipped ones with None; empty only where the shipped ones are.

    Of one portal, or without it of all that have no words of their own.

    :raises Forbidden: it is one for all portals, and the actor does not look after the whole installation.
    :raises InvalidRecord: nothing was written, or what cannot be stored.
    :raises Conflict: somebody else has written it in the meantime.
    """
    actor.require(Action.update, TextBlock)
    body = None if typed is None else _clean(TextBlock, {"body": typed}, {"body"} if key.default else set())["body"]
    if portal is None and not (actor.may_switch_group or actor.is_system):
        raise Forbidden
    place = {
        "key": key.name,
        "language": language,
        "portal_id": portal.id if portal else None,
        "group_id": portal.group_id if portal else None,
    }
    block: TextBlock = _put(session, TextBlock, place, {"body": body}, version=version, actor=actor)
    return block


def change_mail(
    session: Session,
    event: str,
    language: MailLanguage,
    sender: str | None,
    wording: Wording,
    *,
    version: int,
    actor: Actor,
) -> MailTemplate:
    """Put a kind of mail in other words for the actor's corporate group, or back to the shipped ones (NT-01).

    :raises InvalidRecord: a part is empty, or has what is no placeholder of such mails; they are named.
    :raises Conflict: somebody else has written it in the meantime.
    """
    actor.require(Action.update, MailTemplate)
    place = {"event": event, "language": language, "sender": sender, "group_id": actor.group_id}
    values = vars(clean_mail(event, wording))
    template: MailTemplate = _put(session, MailTemplate, place, values, version=version, actor=actor)
    return template


def clean_mail(event: str, wording: Wording) -> Wording:
    """Return the wording as it may be stored and rendered; raise ``InvalidRecord`` with a sentence for each part."""
    typed = {name: text for name, text in vars(wording).items() if text is not None}
    cleaned = _clean(MailTemplate, typed, set(typed))
    problems: dict[str, Text] = {}
    for name, text in cleaned.items():
        try:
            check_wording(text, TEMPLATES[event].placeholders(name))
        except BadValue as error:
            problems[name] = str(error)
    if problems:
        raise InvalidRecord(problems)
    return Wording(**cleaned)


def _clean(entity: type[Recorded], typed: Mapping[str, str], required: set[str]) -> dict[str, str]:
    cleaned: dict[str, str] = {}
    problems: dict[str, Text] = {}
    for name, raw in typed.items():
        try:
            cleaned[name] = fields(entity)[name].parse(raw)
        except BadValue as error:
            problems[name] = str(error)
            continue
        if name in required and not clean_text(cleaned[name], lines=True):
            problems[name] = _EMPTY
    if problems:
        raise InvalidRecord(problems)
    return cleaned


def _put(
    session: Session,
    entity: type[Recorded],
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    *,
    version: int,
    actor: Actor,
) -> Any:
    """Write the row under ``key``: the first time a new one, to which only the right to change is needed."""
    record = find_override(session, entity, key)
    if record is None:
        if version:
            raise Conflict
        record = entity(**key)
        session.add(record)
    else:
        expect_version(record, version)
    for name, value in values.items():
        setattr(record, name, value)
    with acting(session, Action.update):
        flush(session, record)
    return record


__all__ = ["change_mail", "change_setting", "change_text", "clean_mail", "find_override"]
