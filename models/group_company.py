"""The companies of a corporate group: who signs contracts and answers for services."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import VatNumber
from models.columns import field, folded


class GroupCompany(GroupOwned, Record):
    """A legal entity of the group, such as SEA Consulenze e Servizi S.r.l. (CT-16)."""

    __tablename__ = "group_company"
    __table_args__ = (UniqueConstraint("group_id", "legal_name"), UniqueConstraint("group_id", "vat_number"))
    __admin__ = Admin(
        label=_l("Group company"),
        plural=_l("Group companies"),
        category=Category.system,
        icon="bank",
        area="organisation",
        scope=Scope(group="group_id"),
        title=("legal_name",),
        rank=7,
        list_columns=("legal_name", "vat_number"),
        search_columns=("legal_name", "vat_number"),
        order="legal_name",
        natural_keys=(("legal_name",), ("vat_number",)),
        sections=(Section(_l("Company"), ("legal_name", "vat_number")),),
        rules={
            "uq_group_company_group_id_legal_name": Rule(
                _l("The group already has a company of this name."), "legal_name"
            ),
            "uq_group_company_group_id_vat_number": Rule(
                _l("The group already has a company with this VAT number."), "vat_number"
            ),
        },
    )

    #: The exact legal name.
    legal_name: Mapped[str] = field(_l("Legal name"), String(200), help=_l("Exactly as in the business register."))
    #: The legal name folded, for sorting.
    legal_name_key: Mapped[str] = folded("legal_name")
    #: Its partita IVA; empty until known.
    vat_number: Mapped[str | None] = field(
        _l("VAT number"), VatNumber(20), help=_l("11 digits for Italy; abroad with the country letters in front.")
    )

    def __str__(self) -> str:
        return self.legal_name
