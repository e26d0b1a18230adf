"""The platforms that online services run on, with who owns them and what was agreed with the owner."""

from __future__ import annotations

from datetime import date

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import Admin, Category, GroupOwned, Record, Rule, Scope, Section, Worklist
from models.codes import ShortCode
from models.columns import Choice, choice, field, folded
from models.values import Url


class PlatformState(Choice):
    prepared = "prepared", _l("In preparation"), "info", "pencil"
    active = "active", _lp("platform", "In use"), "good", "check-circle"
    retired = "retired", _lp("platform", "No longer used"), "neutral", "archive"


class AccessMode(Choice):
    """How clients reach it (A-17)."""

    native = "native", _l("Shown in the client area")
    link = "link", _l("Opened by a link")
    sso = "sso", _l("Opened without signing in again")


class Platform(GroupOwned, Record):
    """A platform, its owner, and the agreement that access of clients depends on (AC-22, AC-23).

    The agreement in force stands here; those before it, in the history.
    """

    __tablename__ = "platform"
    __table_args__ = (
        UniqueConstraint("group_id", "code"),
        CheckConstraint("agreement_to >= agreement_from", name="agreement_ends_after_start"),
    )
    __admin__ = Admin(
        label=_l("Platform"),
        plural=_l("Platforms"),
        category=Category.catalogue,
        icon="hdd-stack",
        area="platforms",
        scope=Scope(group="group_id"),
        title=("name",),
        subtitle=("code", "owner"),
        tabs=("online_service.platform", "service.platform"),
        worklists=(
            Worklist(_l("Platforms whose agreement has expired"), ("agreement_to:past:", "state:in:active"), "bad"),
            Worklist(
                _l("Platforms without a security statement"), ("security_statement:empty:", "state:in:active"), "bad"
            ),
        ),
        rank=3,
        list_columns=("code", "name", "owner", "access_mode", "state", "agreement_to", "reviewed_on"),
        search_columns=("code", "name", "owner", "developer"),
        filters=("state", "access_mode", "agreement_to", "reviewed_on", "security_statement"),
        order="code",
        fast=(("name",),),
        facts=("owner", "developer", "access_mode", "url", "agreement_to", "reviewed_on"),
        natural_keys=(("code",),),
        sections=(
            Section(_l("Platform"), ("code", "name", "owner", "developer", "access_mode", "url")),
            Section(
                _l("Agreement with the owner"),
                ("agreement", "agreement_from", "agreement_to", "security_statement", "reviewed_on"),
                _l("Clients’ access depends on it. Those before it stay in the history."),
            ),
        ),
        rules={
            "uq_platform_group_id_code": Rule(_l("There is already a platform with this code."), "code"),
            "ck_platform_agreement_ends_after_start": Rule(_l("The end comes before the start."), "agreement_to"),
        },
    )

    #: Short code people say, such as EDUPLAN; unique in the group.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("What people call it, such as EDUPLAN."))
    #: Its name.
    name: Mapped[str] = field(_l("Name"), String(160))
    #: The name folded, for sorting.
    name_key: Mapped[str] = folded("name")
    #: Whose it is.
    owner: Mapped[str | None] = field(_l("Owner"), String(160), help=_l("The company whose platform it is."))
    #: Who makes it, where that is another.
    developer: Mapped[str | None] = field(
        _l("Developer"), String(160), help=_l("Who makes it, where that is not the owner.")
    )
    #: How clients reach it.
    access_mode: Mapped[AccessMode] = choice(
        AccessMode,
        _l("Reached by clients"),
        default=AccessMode.native,
        help=_l("Its data are brought into the client area, or clients go there."),
    )
    #: Where it is.
    url: Mapped[str | None] = field(_l("Web address"), Url())
    #: Whether it is in preparation, in use or given up; changed by verbs.
    state: Mapped[PlatformState] = choice(PlatformState, _l("State"), default=PlatformState.prepared, verb_only=True)
    #: What the agreement in force is called.
    agreement: Mapped[str | None] = field(
        _l("Agreement"), String(200), help=_l("Number or title of the agreement in force.")
    )
    #: First day of the agreement.
    agreement_from: Mapped[date | None] = field(_lp("agreement", "In force from"))
    #: Last day of the agreement; late while the platform is in use without another.
    agreement_to: Mapped[date | None] = field(
        _lp("agreement", "In force to"),
        due_while=(PlatformState.active,),
        help=_l("Last day; empty where it has no end."),
    )
    #: What the owner guarantees about security and confidentiality.
    security_statement: Mapped[str | None] = field(
        _l("Security and confidentiality"), Text, help=_l("What the owner guarantees.")
    )
    #: When these guarantees were looked at last.
    reviewed_on: Mapped[date | None] = field(
        _l("Reviewed on"), help=_l("The day the security manager last looked at these guarantees.")
    )

    def __str__(self) -> str:
        return self.name
