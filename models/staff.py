"""The people who sign in at the desk: Flask-AppBuilder's users with what we must know beside."""

from __future__ import annotations

from typing import ClassVar

from flask_appbuilder.security.sqla.models import User
from flask_babel import lazy_gettext as _l
from sqlalchemy import Connection, ForeignKey, Integer, Sequence, String, event, select
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship
from sqlalchemy.orm.exc import StaleDataError

from models.base import Admin, Category, Recorded, Rule, Scope, Section
from models.business_unit import BusinessUnit
from models.codes import Code
from models.columns import field, reference
from models.corporate_group import CorporateGroup
from models.reading import clean_text
from models.values import Email


class UserName(Code):
    """What a member of staff signs in with: small letters and digits, never an address."""

    kind = "text"
    pattern = r"[a-z0-9][a-z0-9._-]{1,63}"
    problem = _l("A user name has at least two letters, digits, dots, hyphens or underscores, and no @.")
    example = "m.rossi"

    def parse(self, raw: str) -> str:
        return self._matching(clean_text(raw).lower())


class Staff(Recorded, User):
    """A member of staff. Signs in with user name or e-mail; never deleted, only deactivated (RO-06)."""

    __admin__: ClassVar[Admin] = Admin(
        label=_l("User"),
        plural=_l("Users"),
        category=Category.system,
        icon="person-gear",
        area="staff",
        scope=Scope(group="group_id"),
        title=("first_name", "last_name"),
        subtitle=("username", "business_unit"),
        tabs=("ticket.assignee", "company.account_manager", "call.operator", "team_member.staff"),
        rank=1,
        list_columns=("last_name", "first_name", "username", "email", "roles", "active", "business_unit"),
        search_columns=("first_name", "last_name", "username", "email"),
        filters=("active", "business_unit"),
        order="username",
        natural_keys=(("username",), ("email",)),
        # Art. 4 L. 300/1970: what people do is not counted by who did it.
        counted_by=False,
        sections=(
            Section(_l("Person"), ("first_name", "last_name", "email", "username")),
            Section(_l("Work"), ("business_unit", "roles", "active", "may_switch_group")),
        ),
        rules={
            "uq_ab_user_username": Rule(_l("This user name is taken."), "username"),
            "uq_ab_user_feed_digest": Rule(_l("This calendar address is there already.")),
            "uq_ab_user_email": Rule(_l("Another user has this e-mail address."), "email"),
        },
    )

    #: The corporate group whose clients the person works for at present; every row scope starts here.
    group_id: Mapped[int | None] = mapped_column(
        ForeignKey("corporate_group.id", ondelete="RESTRICT"), index=True, info={"label": _l("Corporate group")}
    )
    group: Mapped[CorporateGroup | None] = relationship(foreign_keys=[group_id])
    #: The unit whose services an evaluator decides on (RO-05); empty for others.
    business_unit_id: Mapped[int | None] = reference(
        "business_unit",
        _l("Business unit"),
        nullable=True,
        help=_l("An evaluator sees and decides what concerns this unit; empty for others."),
    )
    business_unit: Mapped[BusinessUnit | None] = relationship(foreign_keys=[business_unit_id])
    #: Administrators of the whole installation may change the group they work in.
    may_switch_group: Mapped[bool] = field(
        _l("May change group"),
        default=False,
        server_default="0",
        help=_l("For administrators of the whole installation, who look after several corporate groups."),
    )
    #: Goes up when the password changes or the user is deactivated: older sessions end.
    session_epoch: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    #: The digest of the secret in the address of one's calendar; empty where there is none.
    feed_digest: Mapped[str | None] = field(
        _l("Calendar address"), String(64), unique=True, secret=True, verb_only=True
    )
    #: Whether the password must be changed at the next sign-in.
    must_change_password: Mapped[bool] = mapped_column(default=False, server_default="0")

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"

    def get_id(self) -> str:
        """Name the person and the epoch, so that a session of an earlier epoch is no longer valid."""
        return f"{self.id}:{self.session_epoch}"


@event.listens_for(Staff, "before_update")
def _refuse_stale(_mapper: Mapper[Staff], connection: Connection, staff: Staff) -> None:
    """Refuse a save that started from an older version, as other entities do by themselves.

    SQLAlchemy asks the mapper of the table's first class for its version column, and Flask-AppBuilder's has none.
    """
    table = Staff.__table__
    stored = connection.scalar(select(table.c.version).where(table.c.id == staff.id).with_for_update())
    if stored != staff.version:
        raise StaleDataError(f"ab_user {staff.id} has version {stored}, not {staff.version}")


# Flask-AppBuilder's own columns carry no words for people; they are given theirs here.
for _name, _label in {
    "first_name": _l("First name"),
    "last_name": _l("Last name"),
    "username": _l("User name"),
    "email": _l("E-mail"),
    "active": _l("Active"),
}.items():
    User.__table__.c[_name].info["label"] = _label
# What people sign in with is one space of names, whatever the case: neither can be mistaken for somebody else's.
User.__table__.c["username"].type = UserName(64)
User.__table__.c["email"].type = Email()
User.__table__.c["username"].info["help"] = _l("Good for signing in, as is the e-mail address.")
User.__table__.c["active"].info["help"] = _l("Unticked, the person cannot sign in and open sessions end.")
# Never shown; the history says that it changed, and no more.
User.__table__.c["password"].info.update(label=_l("Password"), secret=True, verb_only=True)
# It also names a sequence for each key. On PostgreSQL the key's own sequence, of the same name, is
# enough, and rows inserted by plain SQL then get their key too.
for _table in User.metadata.tables.values():
    for _column in _table.columns:
        if isinstance(_column.default, Sequence):
            _column.default.optional = True


@event.listens_for(Mapper, "after_configured", once=True)
def _name_roles() -> None:
    """Label the roles once all classes are mapped: Flask-AppBuilder declares them from the other side."""
    User.roles.property.info.update(label=_l("Roles"), help=_l("They decide what the person sees and may do."))
