"""What left the desk as a spreadsheet: one line an export."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as _lp
from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Admin, Category, EntityName, Scope, Section
from models.columns import field
from models.history_entry import Ledger


class ExportEntry(Ledger):
    """One export: who took which rows of what, narrowed how, and how many (EX-02)."""

    __tablename__ = "export_entry"
    __admin__ = Admin(
        label=_lp("noun", "Export"),
        plural=_l("Exports"),
        category=Category.system,
        icon="download",
        area="history",
        scope=Scope(group="group_id"),
        title=("entity", "format"),
        rank=4,
        list_columns=("at", "actor_name", "entity", "format", "row_count", "conditions"),
        filters=("at", "entity", "actor_name", "format"),
        order="-at",
        fast=(("entity", "at"),),
        sections=(
            Section(
                _l("What was taken"), ("at", "entity", "format", "columns", "conditions", "row_count", "is_complete")
            ),
            Section(_l("Who took it"), ("actor_name",)),
        ),
        append_only=True,
        written_by_verbs=True,
    )

    #: The key of the member of staff.
    actor_id: Mapped[int | None] = mapped_column(Integer)
    #: Their name at that moment.
    actor_name: Mapped[str] = field(_l("Who"), String(160))
    #: The corporate group whose rows they were.
    group_id: Mapped[int | None] = mapped_column(Integer)
    #: The table the rows are of.
    entity: Mapped[str] = field(_l("Record type"), EntityName())
    #: csv or xlsx.
    format: Mapped[str] = field(_l("Format"), String(8))
    #: The fields written, in their order.
    columns: Mapped[str] = field(_l("Columns"), Text, fields_of="entity")
    #: Filters, search and order, as the address carried them.
    conditions: Mapped[str] = field(_l("Conditions"), Text)
    #: Rows written.
    row_count: Mapped[int] = field(_l("Rows"), Integer)
    #: Whether the file was taken to its end.
    is_complete: Mapped[bool] = field(_lp("export", "Complete"), help=_l("No where the download ended half-way."))

    def __str__(self) -> str:
        return f"{self.entity} {self.format}"
