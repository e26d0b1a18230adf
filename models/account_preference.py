"""How the person behind an account wants the client area to look."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.account import Account
from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference


class PreferenceKey(Choice):
    language = "language", _l("Language")
    theme = "theme", _l("Theme")
    page_size = "page_size", _l("Rows per page")


#: What may be chosen for each.
CHOICES = {
    PreferenceKey.language: ("it", "en"),
    PreferenceKey.theme: ("light", "dark", "auto"),
    PreferenceKey.page_size: ("25", "50", "100", "200"),
}
_POSSIBLE = " OR ".join(
    f"(key = '{key.value}' AND value IN ({', '.join(repr(value) for value in values)}))"
    for key, values in CHOICES.items()
)


class AccountPreference(GroupOwned, Record):
    """One thing a person has chosen for their own pages (AC-41)."""

    __tablename__ = "account_preference"
    __table_args__ = (
        UniqueConstraint("account_id", "key"),
        CheckConstraint(
            _POSSIBLE,
            name="value_possible",
        ),
    )
    __admin__ = Admin(
        label=_l("Preference"),
        plural=_l("Preferences"),
        category=Category.clients,
        icon="sliders",
        area="accounts",
        scope=Scope(group="account.group_id", company="account.company_id", account="account_id"),
        title=("account", "key"),
        list_columns=("account", "key", "value", "updated_at"),
        filters=("account", "key"),
        fast=(("account", "created_at"),),
        natural_keys=(("account_id", "key"),),
        sections=(Section(_l("Preference"), ("account", "key", "value")),),
        client_columns=("key", "value"),
        client_section=False,
        menu=False,
        rules={
            "uq_account_preference_account_id_key": Rule(_l("The account already has this preference."), "key"),
            "ck_account_preference_value_possible": Rule(
                _l("Languages are it and en, themes light, dark and auto, rows per page 25, 50, 100 and 200."), "value"
            ),
        },
    )

    #: Whose preference it is.
    account_id: Mapped[int] = reference("account", _l("Account"), index=False, help="")
    account: Mapped[Account] = relationship()
    #: The client of the account; copied from it, and empty as long as its is.
    company_id: Mapped[int | None] = reference("company", _l("Company"))
    #: What is chosen.
    key: Mapped[PreferenceKey] = choice(PreferenceKey, _l("Preference"), help="")
    #: What for it.
    value: Mapped[str] = field(
        _l("Value"), String(40), help=_l("it or en; light, dark or auto; 25, 50, 100 or 200 rows."), example="it"
    )

    def __str__(self) -> str:
        return f"{self.account} · {self.key.label}"
