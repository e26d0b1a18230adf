"""The client areas of a corporate group: each with a name, an address and rules of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import Colour, ShortCode
from models.columns import field, folded, reference
from models.group_company import GroupCompany
from models.support_queue import SupportQueue
from models.values import Email, Phone, Url

if TYPE_CHECKING:
    from models.portal_host import PortalHost
    from models.portal_service import PortalService


class Portal(GroupOwned, Record):
    """One client area: whose it is, under which addresses it is reached, and what clients may do in it (AC-03)."""

    __tablename__ = "portal"
    __table_args__ = (UniqueConstraint("code"),)
    __admin__ = Admin(
        label=_l("Client portal"),
        plural=_l("Client portals"),
        category=Category.system,
        icon="window-desktop",
        area="portals",
        scope=Scope(group="group_company.group_id"),
        title=("name",),
        subtitle=("code", "group_company"),
        tabs=("terms_version.portal", "account.portal"),
        rank=8,
        list_columns=("name", "code", "group_company", "public_url", "requests_open", "registration_open"),
        search_columns=("name", "code"),
        filters=("group_company", "requests_open", "registration_open"),
        order="name",
        fast=(("code",),),
        inline=("hosts", "services"),
        facts=("code", "group_company", "public_url", "sender", "reply_to"),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Portal"), ("name", "code", "group_company", "public_url", "accent")),
            Section(_l("Who answers"), ("phone", "email", "hours", "hours_en", "queue")),
            Section(_l("What clients may do"), ("requests_open", "registration_open")),
            Section(_lp("portal", "Mail"), ("sender", "reply_to")),
            Section(_l("What the law asks for"), ("legal_footer", "controller")),
        ),
        rules={"uq_portal_code": Rule(_l("There is already a portal with this code."), "code")},
    )

    #: Short name in addresses, unique in the installation.
    code: Mapped[str] = field(
        _l("Code"),
        ShortCode(40),
        help=_l("Where no host name leads to it, “?portal=” and this code after an address do."),
    )
    #: What clients read at the top of each page.
    name: Mapped[str] = field(_l("Name"), String(120), help=_l("As clients read it, at the top of each page."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: The company of the group in whose name it speaks.
    group_company_id: Mapped[int] = reference(
        "group_company", _l("Group company"), help=_l("The company of the group in whose name it speaks.")
    )
    group_company: Mapped[GroupCompany] = relationship()
    #: Where clients reach it: links in mails begin with it.
    public_url: Mapped[str | None] = field(
        _l("Address"), Url(), help=_l("Links in mails begin with it; empty for the address of the installation.")
    )
    #: The colour of buttons and marks; empty for that of the product.
    accent: Mapped[str | None] = field(
        _l("Colour"), Colour(7), help=_l("Of buttons and marks, dark enough for white text; empty for the shipped one.")
    )
    #: SHA-256 of its logo; empty while it has none.
    logo_digest: Mapped[str | None] = field(_l("Logo"), String(64), verb_only=True, help=_l("Chosen on a page apart."))
    #: The telephone number under the sign-in form.
    phone: Mapped[str | None] = field(_l("Phone"), Phone(), help=_l("Shown under the sign-in form."))
    #: The address under the sign-in form.
    email: Mapped[str | None] = field(_l("E-mail"), Email(), help=_l("Shown under the sign-in form."))
    #: When somebody answers.
    hours: Mapped[str | None] = field(_l("Hours"), String(200), help=_l("When somebody answers, in a line."))
    #: The same in English.
    hours_en: Mapped[str | None] = field(_l("Hours in English"), String(200), help=_l("Empty: the hours above."))
    #: Where tickets from here go.
    queue_id: Mapped[int | None] = reference("support_queue", _l("Queue"), help=_l("Tickets opened here go to it."))
    queue: Mapped[SupportQueue | None] = relationship()
    #: Whether visitors may ask for the activation of services (AR-06).
    requests_open: Mapped[bool] = field(
        _l("Service requests"),
        default=True,
        server_default="1",
        help=_l("Visitors may ask for services."),
    )
    #: Whether visitors may register an account (AC-31).
    registration_open: Mapped[bool] = field(
        _l("Registration"), default=False, server_default="0", help=_l("Visitors may register; staff validate them.")
    )
    #: The address mails to its clients come from; empty for that of the installation.
    sender: Mapped[str | None] = field(
        _l("Sender"),
        Email(),
        help=_l("Of mails to its clients; empty for that of the installation."),
    )
    #: Where answers to these mails go.
    reply_to: Mapped[str | None] = field(_l("Answers to"), Email(), help=_l("Where answers to these mails go."))
    #: Name, seat, partita IVA, REA and PEC, as the law asks for on each page.
    legal_footer: Mapped[str | None] = field(
        _l("Legal footer"), Text, help=_l("Legal name, seat, VAT number, REA number, PEC: at the foot of each page.")
    )
    #: Who decides on the processing of personal data, and how to reach them.
    controller: Mapped[str | None] = field(
        _l("Data controller"), Text, help=_l("Who answers for personal data, and how to reach them.")
    )

    hosts: Mapped[list[PortalHost]] = relationship(
        back_populates="portal",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="PortalHost.position",
        info={
            "label": _l("Host names"),
            "help": _l("The portal answers under each of these names."),
        },
    )
    services: Mapped[list[PortalService]] = relationship(
        back_populates="portal",
        passive_deletes="all",
        cascade="save-update, merge",
        order_by="PortalService.position",
        info={"label": _l("Online services shown"), "help": _l("What visitors may ask for, in this order.")},
    )

    def __str__(self) -> str:
        return self.name
