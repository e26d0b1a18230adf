"""Lists of public holidays that calendars follow."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped

from models.base import SHARED, Admin, Category, Record, Rule, Section
from models.codes import ShortCode
from models.columns import field


class HolidaySet(Record):
    """The holidays of a country, region or town; calendars name the one they follow."""

    __tablename__ = "holiday_set"
    __table_args__ = (UniqueConstraint("code"),)
    __admin__ = Admin(
        label=_l("Holiday list"),
        plural=_l("Holiday lists"),
        category=Category.system,
        icon="calendar-heart",
        area="calendars",
        scope=SHARED,
        title=("name",),
        rank=9,
        list_columns=("code", "name"),
        search_columns=("code", "name"),
        order="code",
        natural_keys=(("code",),),
        sections=(Section(_l("Holiday list"), ("code", "name")),),
        rules={"uq_holiday_set_code": Rule(_l("There is already a list with this code."), "code")},
    )

    #: Short code, such as IT or IT-TRENTO.
    code: Mapped[str] = field(_l("Code"), ShortCode(40), help=_l("Such as IT, or IT-TRENTO with the patron saint."))
    #: Whose holidays they are.
    name: Mapped[str] = field(
        _l("Name"), String(120), help=_l("Whose holidays they are, such as those of Italy or of Trento.")
    )

    def __str__(self) -> str:
        return self.name
