"""What the person behind an account has chosen for their own pages (AC-41)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import InvalidRecord
from models.account import Account
from models.account_preference import CHOICES, AccountPreference, PreferenceKey
from models.outbox_mail import MailLanguage

_table = cast("sa.Table", AccountPreference.__table__)


def preferences_of(session: Session, account_id: int | None) -> dict[PreferenceKey, str]:
    """Return what has been chosen; what is missing is as for everybody."""
    wanted = sa.select(_table.c.key, _table.c.value).where(_table.c.account_id == account_id)
    return {row.key: row.value for row in session.execute(wanted, execution_options=INTERNAL)}


def language_of(session: Session, account_id: int | None) -> MailLanguage:
    """Return the language in which the person behind an account wants to be written to."""
    found = preferences_of(session, account_id).get(PreferenceKey.language)
    return MailLanguage[found] if found else MailLanguage.it


def choose_preferences(session: Session, account: Account, wanted: Mapping[PreferenceKey, str]) -> None:
    """Keep what the person has chosen; an empty value is as for everybody. Flushes.

    :raises InvalidRecord: there is no such choice.
    """
    possible = AccountPreference.__admin__.rules["ck_account_preference_value_possible"].text
    wrong = {key.value: str(possible) for key, value in wanted.items() if value and value not in CHOICES[key]}
    if wrong:
        raise InvalidRecord(wrong)
    rows = {row.key: row for row in session.scalars(sa.select(AccountPreference).filter_by(account_id=account.id))}
    for key, value in wanted.items():
        row = rows.get(key)
        if row is not None and value:
            row.value = value
        elif row is not None:
            session.delete(row)
        elif value:
            session.add(AccountPreference(account=account, key=key, value=value))
    session.flush()
