"""Which of its company's online services an account may use, and how far."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.account import Account
from models.base import Admin, Category, CompanyOwned, Deletion, Record, Rule, Scope, Section
from models.columns import choice, field, reference
from models.company import Company
from models.company_service import CompanyService, GrantState
from models.site import Site


class AccountService(CompanyOwned, Record):
    """One online service as one account may use it: never more than its company has (AC-13, AC-14)."""

    __tablename__ = "account_service"
    __table_args__ = (
        UniqueConstraint("account_id", "company_service_id"),
        CheckConstraint("state = 'suspended' OR NOT suspended_with_company", name="suspended_with_it"),
    )
    __admin__ = Admin(
        label=_l("Account’s online service"),
        plural=_l("Accounts’ online services"),
        category=Category.clients,
        icon="person-check",
        area="grants",
        scope=Scope(group="company_service.group_id", company="company_service.company_id", account="account_id"),
        title=("account", "company_service"),
        subtitle=("company",),
        menu=False,
        list_columns=("account", "company_service", "site", "can_see_preliminary", "state", "created_at"),
        search_columns=("company",),
        filters=("state", "account", "company_service", "company", "site", "can_see_preliminary", "created_at"),
        fast=(("state", "created_at"), ("account", "created_at"), ("company_service", "created_at")),
        facts=("account", "company_service", "site", "can_see_preliminary"),
        natural_keys=(("account_id", "company_service_id"),),
        deletion=Deletion((GrantState.proposed,)),
        changeable_in={"account": (GrantState.proposed,), "company_service": (GrantState.proposed,)},
        sections=(
            Section(_l("Who may use what"), ("account", "company_service")),
            Section(_l("How far"), ("site", "can_see_preliminary")),
        ),
        client_columns=("account", "company_service", "site", "state"),
        client_section=False,
        rules={
            "uq_account_service_account_id_company_service_id": Rule(
                _l("The account already has this online service: look at its state."), "company_service"
            ),
            "ck_account_service_suspended_with_it": Rule(
                _l("Only a suspended service can be suspended with that of the company."), "state"
            ),
        },
    )

    company: Mapped[Company] = relationship()
    #: Whose access it is.
    account_id: Mapped[int] = reference("account", _l("Account"), help="")
    account: Mapped[Account] = relationship()
    #: The service, as the account's company has it.
    company_service_id: Mapped[int] = reference(
        "company_service", _l("Client’s online service"), help=_l("One that the company of the account has.")
    )
    company_service: Mapped[CompanyService] = relationship()
    #: Where it stands; changed by verbs only.
    state: Mapped[GrantState] = choice(GrantState, _l("State"), default=GrantState.proposed, verb_only=True)
    #: The one site whose data it shows; empty for the whole company.
    site_id: Mapped[int | None] = reference(
        "site", _l("Only this site"), help=_l("Empty: the data of the whole company.")
    )
    site: Mapped[Site | None] = relationship()
    #: Whether it shows data before their validation (A-19).
    can_see_preliminary: Mapped[bool] = field(
        _l("Preliminary data"),
        default=True,
        server_default="1",
        help=_l("Shows data before the laboratory has validated them."),
    )
    #: It was suspended because the company's was, and will be reactivated with it.
    suspended_with_company: Mapped[bool] = field(
        _l("Suspended with the company’s"), default=False, server_default="0", verb_only=True
    )

    def __str__(self) -> str:
        return f"{self.account} · {self.company_service.online_service}"
