"""The corporate groups that share one installation without seeing each other's clients."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.columns import field


class CorporateGroup(Record):
    """A group of companies that serves clients together (CT-16)."""

    __tablename__ = "corporate_group"
    __table_args__ = (UniqueConstraint("name"),)
    __admin__ = Admin(
        label=_l("Corporate group"),
        plural=_l("Corporate groups"),
        category=Category.system,
        icon="diagram-3",
        area="organisation",
        scope=SHARED,
        title=("name",),
        rank=8,
        list_columns=("name", "created_at"),
        search_columns=("name",),
        order="name",
        natural_keys=(("name",),),
        sections=(Section(_l("Group"), ("name",)),),
        rules={"uq_corporate_group_name": Rule(_l("There is already a group of this name."), "name")},
    )

    #: The name the group goes by, such as "Gruppo Ecoopera".
    name: Mapped[str] = field(_l("Name"), String(120))

    #: The number drawn last for an activation request.
    last_request_number: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: The number drawn last for a complaint.
    last_complaint_number: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: The number drawn last for a change request.
    last_change_number: Mapped[int] = mapped_column(Integer, default=0, server_default="0")

    def __str__(self) -> str:
        return self.name
