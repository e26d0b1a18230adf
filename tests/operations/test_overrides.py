"""Figures and texts that administrators set: within bounds, for whom they may, with a history and a way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import SYSTEM, Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import Conflict, Forbidden, InvalidRecord
from backoffice.identity import load_actor
from backoffice.operations.overrides import change_setting
from backoffice.setting_keys import ALERTS, NIGHT_AT, PASSWORD_LENGTH, PASSWORD_LINK_HOURS
from backoffice.settings import SETTINGS, SettingKey, Subject, declare, forget_settings, setting_value
from models.catalogue import Kind
from models.columns import Choice
from models.history_entry import HistoryEntry, HistoryPersonal
from models.reading import BadValue
from models.setting import Setting
from models.staff import Staff


class Colour(Choice):
    red = "red", "Red"
    blue = "blue", "Blue"


@pytest.fixture
def admin(session: RecordSession, staff: Callable[[str], Staff]) -> Actor:
    """The administrator of one corporate group."""
    return load_actor(session, staff("administrator").id)


@pytest.fixture
def records(engine: sa.Engine, admin: Actor) -> Any:
    """A session in which that administrator works."""
    with begin_writing(), open_session(engine, Context(admin, Door.desk)) as records:
        yield records


def key(kind: Kind, default: Any, **options: Any) -> SettingKey[Any]:
    return SettingKey("trial", subject=Subject.work, label="Trial", help="", kind=kind, default=default, **options)


def test_a_change_counts_for_its_group_at_once_and_for_no_other(records: RecordSession, admin: Actor) -> None:
    assert admin.group_id is not None
    assert setting_value(records, PASSWORD_LINK_HOURS, admin.group_id) == 24
    change_setting(records, PASSWORD_LINK_HOURS, " 48 ", version=0, actor=admin)
    assert setting_value(records, PASSWORD_LINK_HOURS, admin.group_id) == 48
    assert setting_value(records, PASSWORD_LINK_HOURS, admin.group_id + 1) == 24
    with pytest.raises(ValueError, match="per corporate group"):
        setting_value(records, PASSWORD_LINK_HOURS)


@pytest.mark.parametrize(
    ("typed", "said"), [("-1", "At least 1"), ("721", "At most 720"), ("x", "whole number"), ("  ", "Fill this in")]
)
def test_a_value_out_of_bounds_is_refused_with_the_bound(
    records: RecordSession, admin: Actor, typed: str, said: str
) -> None:
    with pytest.raises(InvalidRecord) as refused:
        change_setting(records, PASSWORD_LINK_HOURS, typed, version=0, actor=admin)
    assert said in str(refused.value.problems["value"])
    assert records.scalar(sa.select(sa.func.count(Setting.id))) == 0


@pytest.mark.parametrize(
    ("declared", "typed", "value", "refused"),
    [
        (key(Kind.integer, 1, least=0, most=9), "9", 9, "10"),
        (key(Kind.minutes, 60, least=1, most=120), "1:30", 90, "2:01"),
        (key(Kind.money, Decimal(5), least=Decimal(0)), "1.234,56", Decimal("1234.56"), "-1"),
        (key(Kind.text, "a", most=5), "sette"[:5], "sette", "troppo"),
        (key(Kind.boolean, False), "sì", True, "perhaps"),
        (key(Kind.choice, Colour.red, choices=Colour), "blue", Colour.blue, "green"),
        (key(Kind.time, time(1), least=time(0), most=time(6)), "5.30", time(5, 30), "6:01"),
        (key(Kind.email, "a@b.example"), "C@d.example", "c@d.example", "nowhere"),
    ],
    ids=lambda value: value.kind.value if isinstance(value, SettingKey) else None,
)
def test_every_kind_is_read_kept_and_bounded(declared: Any, typed: str, value: Any, refused: str) -> None:
    assert declared.parse(typed) == value
    assert declared.parse(declared.field.edit(value)) == value
    with pytest.raises(BadValue):
        declared.parse(refused)


def test_every_declared_default_lies_within_its_bounds() -> None:
    for declared in SETTINGS.values():
        assert declared.parse(declared.field.edit(declared.default)) == declared.default
    with pytest.raises(ValueError, match="already a setting"):
        declare(SettingKey("alerts", subject=Subject.work, label="A", help="", kind=Kind.boolean, default=True))
    with pytest.raises(BadValue):
        declare(SettingKey("odd", subject=Subject.work, label="A", help="", kind=Kind.integer, default=3, least=4))
    SETTINGS.pop("odd")


def test_the_history_says_who_set_what_and_stays_when_it_goes_back(records: RecordSession, admin: Actor) -> None:
    row = change_setting(records, PASSWORD_LINK_HOURS, "48", version=0, actor=admin)
    change_setting(records, PASSWORD_LINK_HOURS, None, version=row.version, actor=admin)
    assert setting_value(records, PASSWORD_LINK_HOURS, admin.group_id) == 24
    about = sa.and_(HistoryEntry.entity == "setting", HistoryEntry.record_id == row.id)
    entries = records.scalars(sa.select(HistoryEntry).where(about).order_by(HistoryEntry.id)).all()
    told = [records.get_one(HistoryPersonal, entry.id).changes["value"] for entry in entries]
    assert [(entry.event, entry.actor_id, value) for entry, value in zip(entries, told, strict=True)] == [
        ("created", admin.id, [None, "48"]),
        ("updated", admin.id, ["48", None]),
    ]


def test_of_two_who_set_it_at_once_the_second_is_told(records: RecordSession, admin: Actor) -> None:
    row = change_setting(records, PASSWORD_LINK_HOURS, "48", version=0, actor=admin)
    for version in (0, row.version + 1):
        with pytest.raises(Conflict):
            change_setting(records, PASSWORD_LINK_HOURS, "12", version=version, actor=admin)


def test_what_concerns_the_installation_is_set_by_those_who_look_after_it(
    engine: sa.Engine, session: RecordSession, records: RecordSession, admin: Actor, staff: Callable[[str], Staff]
) -> None:
    with pytest.raises(Forbidden):
        change_setting(records, PASSWORD_LENGTH, "16", version=0, actor=admin)
    records.rollback()
    owner = load_actor(session, staff("admin").id)
    session.rollback()
    with begin_writing(), open_session(engine, Context(owner, Door.desk)) as own, own.begin():
        row = change_setting(own, PASSWORD_LENGTH, "16", version=0, actor=owner)
        assert row.group_id is None
    assert setting_value(records, PASSWORD_LENGTH) == 16
    assert records.scalars(sa.select(Setting)).all() == []


def test_a_stored_value_that_is_none_any_more_counts_as_the_default(session: RecordSession) -> None:
    with begin_writing():
        change_setting(session, NIGHT_AT, "5:00", version=0, actor=SYSTEM)
        session.execute(sa.update(Setting).values(value="23:00"))
        forget_settings(session)
    assert setting_value(session, NIGHT_AT) == time(0, 10)
    assert setting_value(session, ALERTS) is True
