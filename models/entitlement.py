"""What a contract entitles a client to, within limits."""

from __future__ import annotations

from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Rule, Scope, Section
from models.columns import Choice, choice, field, reference
from models.company import Company
from models.contract import Contract
from models.site import Site


class EntitlementKind(Choice):
    onsite = "onsite", _l("On-site interventions"), "neutral", "geo-alt"
    second_level = "second_level", _l("Second level"), "neutral", "arrow-up-circle"


class Entitlement(CompanyOwned, Record):
    """So many interventions, or the second level, from one day to another (SL-24, OS-02, OS-03)."""

    __tablename__ = "entitlement"
    __table_args__ = (
        UniqueConstraint("contract_id", "kind", "valid_from"),
        CheckConstraint("valid_to >= valid_from", name="validity_ordered"),
        CheckConstraint("max_count > 0", name="max_positive"),
        CheckConstraint("used_count >= 0 AND used_count <= COALESCE(max_count, used_count)", name="used_within"),
    )
    __admin__ = Admin(
        label=_l("Entitlement"),
        plural=_l("Entitlements"),
        category=Category.support,
        icon="ticket-detailed",
        area="interventions",
        scope=Scope(group="contract.group_id", company="contract.company_id"),
        title=("contract", "kind", "max_count", "used_count"),
        subtitle=("company", "valid_from", "valid_to"),
        rank=7,
        list_columns=("contract", "company", "kind", "valid_from", "valid_to", "max_count", "used_count", "site"),
        filters=("kind", "contract", "company", "site", "valid_from", "valid_to"),
        order="-valid_from",
        fast=(("contract", "valid_from"), ("company", "valid_from"), ("valid_to",)),
        facts=("company", "contract", "valid_from", "valid_to", "max_count", "used_count"),
        changeable_in={"contract": (), "kind": ()},
        sections=(Section(_l("Entitlement"), ("contract", "kind", "valid_from", "valid_to", "max_count", "site")),),
        client_columns=("kind", "valid_from", "valid_to", "max_count", "used_count"),
        rules={
            "uq_entitlement_contract_id_kind_valid_from": Rule(
                _l("This contract already has such an entitlement from that day."), "valid_from"
            ),
            "ck_entitlement_validity_ordered": Rule(_l("It cannot end before it begins."), "valid_to"),
            "ck_entitlement_max_positive": Rule(_l("At least one, or empty for no limit."), "max_count"),
            "ck_entitlement_used_within": Rule(_l("More than that have been used already."), "max_count"),
        },
    )

    company: Mapped[Company] = relationship()
    #: The contract that grants it.
    contract_id: Mapped[int] = reference("contract", _l("Contract"), help=_l("The contract that grants it."))
    contract: Mapped[Contract] = relationship()
    #: To what.
    kind: Mapped[EntitlementKind] = choice(
        EntitlementKind, _l("Kind"), badge=False, default=EntitlementKind.onsite, help=""
    )
    #: The first day it is good for, such as that of final acceptance.
    valid_from: Mapped[date] = field(_l("Valid from"))
    #: The last day it is good for; empty where no end is agreed.
    valid_to: Mapped[date | None] = field(_l("Valid to"))
    #: How many interventions at most; empty for no limit.
    max_count: Mapped[int | None] = field(_l("At most"), Integer, help=_l("Interventions; empty for no limit."))
    #: The only place it is good for; empty for every site of the client.
    site_id: Mapped[int | None] = reference("site", _l("Only at"), help=_l("Empty for every site of the client."))
    site: Mapped[Site | None] = relationship()
    #: How many have been used: counted by the statement that compares it with the limit.
    used_count: Mapped[int] = field(_l("Used"), Integer, default=0, server_default="0", verb_only=True)

    def __str__(self) -> str:
        name = f"{self.contract} · {self.kind.label}"
        if self.max_count is None:
            return name
        return _(
            "%(name)s (%(left)s of %(all)s left)", name=name, left=self.max_count - self.used_count, all=self.max_count
        )
