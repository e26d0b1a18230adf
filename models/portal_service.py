"""Which online services a portal offers to those who ask."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.columns import reference
from models.online_service import OnlineService
from models.portal import Portal


class PortalService(GroupOwned, Record):
    """One online service that visitors of a portal may ask for (AR-04, SV-18)."""

    __tablename__ = "portal_service"
    __table_args__ = (UniqueConstraint("portal_id", "online_service_id"),)
    __admin__ = Admin(
        label=_l("Online service of a portal"),
        plural=_l("Online services of portals"),
        category=Category.system,
        icon="window-stack",
        area="portals",
        scope=Scope(group="portal.group_id"),
        title=("portal", "online_service"),
        list_columns=("portal", "online_service"),
        filters=("portal", "online_service"),
        natural_keys=(("portal_id", "online_service_id"),),
        sections=(Section(_l("What is offered where"), ("portal", "online_service")),),
        menu=False,
        rules={
            "uq_portal_service_portal_id_online_service_id": Rule(
                _l("The portal shows this service already."), "online_service"
            )
        },
    )

    #: Where it is offered.
    portal_id: Mapped[int] = reference("portal", _l("Portal"), help="")
    portal: Mapped[Portal] = relationship(back_populates="services")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: What is offered.
    online_service_id: Mapped[int] = reference("online_service", _l("Online service"), help="")
    online_service: Mapped[OnlineService] = relationship()

    def __str__(self) -> str:
        return f"{self.portal} · {self.online_service}"
