"""The host names under which portals are reached."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import HostName
from models.columns import field, reference
from models.portal import Portal


class PortalHost(GroupOwned, Record):
    """One host name, such as www.ecoopera.coop: it leads to one portal, whichever group that is of (AC-03)."""

    __tablename__ = "portal_host"
    __table_args__ = (UniqueConstraint("host"),)
    __admin__ = Admin(
        label=_l("Host name of a portal"),
        plural=_l("Host names of portals"),
        category=Category.system,
        icon="globe",
        area="portals",
        scope=Scope(group="portal.group_id"),
        title=("host",),
        list_columns=("host", "portal"),
        search_columns=("host",),
        filters=("portal",),
        order="host",
        natural_keys=(("host",),),
        sections=(Section(_l("Host name"), ("portal", "host")),),
        menu=False,
        rules={"uq_portal_host_host": Rule(_l("This host name leads to a portal already."), "host")},
    )

    #: Which portal answers.
    portal_id: Mapped[int] = reference("portal", _l("Portal"), help="")
    portal: Mapped[Portal] = relationship(back_populates="hosts")
    #: Place among the lines, from 0.
    position: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    #: The name as browsers send it, without scheme and port.
    host: Mapped[str] = field(_l("Host name"), HostName(253), help=_l("As in the address, such as www.ecoopera.coop."))

    def __str__(self) -> str:
        return self.host
