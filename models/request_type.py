"""What people ask for."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section
from models.codes import ShortCode
from models.columns import field, folded, reference
from models.contract import Contract


class RequestType(GroupOwned, Record):
    """A kind of request or call; a contract may have kinds of its own (CC-07, TK-24)."""

    __tablename__ = "request_type"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("parent_id IS NULL OR parent_id <> id", name="parent_is_another"),
    )
    __admin__ = Admin(
        label=_l("Request type"),
        plural=_l("Request types"),
        category=Category.support,
        icon="tags",
        area="queues",
        scope=Scope(group="group_id"),
        title=("name",),
        rank=9,
        list_columns=("code", "name", "parent", "contract", "needs_urgency", "requires_attachment", "active"),
        search_columns=("code", "name"),
        filters=("active", "parent", "contract", "needs_urgency"),
        order="code",
        fast=(("name",),),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Request type"), ("code", "name", "name_en", "parent", "contract", "active")),
            Section(_l("Its rules"), ("for_clients", "needs_urgency", "requires_attachment", "is_reminder")),
        ),
        client_columns=("name",),
        client_section=False,
        rules={
            "uq_request_type_group_id_code": Rule(_l("There is already a request type with this code."), "code"),
            "ck_request_type_parent_is_another": Rule(_l("A type cannot belong to itself."), "parent"),
        },
    )

    #: Short code, unique in the group.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("Short, for lists and imports, such as CHIARIMENTO."))
    #: Name as people read it.
    name: Mapped[str] = field(_l("Name"), String(120), help=_l("As clients read it."))
    #: The same in English, for clients who read that.
    name_en: Mapped[str | None] = field(_l("Name in English"), String(120), help=_l("Empty: the name above."))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: The wider type it is part of.
    parent_id: Mapped[int | None] = reference(
        "request_type", _l("Part of"), related=_l("Narrower types"), help=_l("The wider type it is part of.")
    )
    parent: Mapped[RequestType | None] = relationship(remote_side="RequestType.id")
    #: The only contract it is used in; empty for all.
    contract_id: Mapped[int | None] = reference(
        "contract", _l("Contract"), help=_l("The only contract it is used in; empty for all.")
    )
    contract: Mapped[Contract | None] = relationship()
    #: The operator must say how urgent it is (CC-09).
    needs_urgency: Mapped[bool] = field(
        _l("Needs an urgency"), default=False, server_default="0", help=_l("The operator must say how urgent it is.")
    )
    #: A file must come with it (TK-04).
    requires_attachment: Mapped[bool] = field(
        _l("Needs a file"),
        default=False,
        server_default="0",
        help=_l("Clients must attach a file, such as a picture of the error."),
    )
    #: It asks what became of an earlier request: added to a ticket it counts as a reminder (TK-32).
    is_reminder: Mapped[bool] = field(
        _l("Is a reminder"),
        default=False,
        server_default="0",
        help=_l("Added to a ticket, it counts among the ticket’s reminders."),
    )
    #: Whether clients choose it themselves in the client area; the kinds of a contact centre are its operators' own.
    for_clients: Mapped[bool] = field(
        _l("In the client area"),
        default=True,
        server_default="1",
        help=_l("Clients may choose it when they ask for assistance; else it is for staff alone."),
    )
    #: Whether it may still be chosen.
    active: Mapped[bool] = field(
        _l("In use"),
        default=True,
        server_default="1",
        help=_l("Untick it instead of deleting it: earlier requests keep it."),
    )

    def __str__(self) -> str:
        return self.name
