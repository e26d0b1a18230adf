"""What every stored thing has in common, and the declaration each surface is generated from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, Integer, Table, and_, event, false, or_, select, true
from sqlalchemy.orm import DeclarativeBase, Mapped, Mapper, aliased, declared_attr, mapped_column

from backoffice.errors import Text
from models.columns import Choice, SearchKey, UtcDateTime
from models.reading import clean_text, fold
from models.values import ValueType

if TYPE_CHECKING:

    class Model(DeclarativeBase):
        """Flask-AppBuilder's declarative base, as type checkers should see it."""
else:
    from flask_appbuilder import Model

# Before any table exists, the ab_* tables of Flask-AppBuilder included: then all constraints have
# names that migrations can rely on.
Model.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Category(Choice):
    """The groups of the desk's navigation, in their order."""

    support = "support", _l("Support"), "neutral", "headset"
    clients = "clients", _l("Clients"), "neutral", "building"
    client_data = "client_data", _l("Client data"), "neutral", "folder2-open"
    sales = "sales", _l("Sales"), "neutral", "file-earmark-text"
    catalogue = "catalogue", _l("Catalogue"), "neutral", "grid"
    system = "system", _l("System"), "neutral", "gear"


@dataclass(frozen=True)
class Scope:
    """Whose row it is: where each kind of row scope finds its column.

    ``group``, ``company`` and ``unit`` are either a column of the row itself (``group_id``, ``id``) or a
    dotted path (``contract.company_id``) whose value is copied into the row's own ``group_id``,
    ``company_id`` or ``business_unit_id`` at every flush, so that a scope is always one indexed column away.
    """

    group: str | None = None
    company: str | None = None
    unit: str | None = None
    owner: str | None = None
    #: The client account whose row it is, as a column or as ``ticket.account_id``, that of a parent; clients who are no
    #: referents see no other row of their company.
    account: str | None = None
    #: The site of the client that a row is about, likewise: some accounts see one site only (AC-13).
    site: str | None = None
    shared: bool = False
    #: Rows without a group concern the whole installation: its administrators see them beside their group's.
    groupless: bool = False
    #: The column that says of a row that it is kept for one purpose only: then administrators alone see it.
    restricted: str | None = None
    #: Relations, named like the tables they lead to: a row is there for whoever sees the one it belongs to.
    parents: tuple[str, ...] = ()

    def copies(self) -> Iterator[tuple[str, str]]:
        """Yield ``(own column, dotted path)`` for what is copied from a parent."""
        for column, path in (("group_id", self.group), ("company_id", self.company), ("business_unit_id", self.unit)):
            if path and "." in path:
                yield column, path


#: Reference data of the installation, visible to every group.
SHARED = Scope(shared=True)


@dataclass(frozen=True)
class Deletion:
    """When people may delete a row: in ``states`` only, its own or, with ``of``, those of the parent named so.

    No states mean never: what happened is closed, archived or made anonymous instead.
    """

    states: tuple[Choice, ...] = ()
    of: str | None = None


@dataclass(frozen=True)
class Freeze:
    """The online service whose datum a row is, by its code, and the field that dates it.

    Once the client's data in the service stand still, no row dated from then on is written (AC-19).
    """

    service: str
    day: str


@dataclass(frozen=True)
class Section:
    """A titled part of a form; ``columns`` are field names."""

    title: Text
    columns: tuple[str, ...]
    help: Text | None = None
    #: Those of ``columns`` that have a row of the form to themselves, so that what follows begins a new one.
    own_row: tuple[str, ...] = ()
    #: At most one of them is ever filled, so that a record's page names none of the others.
    one_of: bool = False


@dataclass(frozen=True)
class Rule:
    """The sentence people read when a named database constraint refuses a row, and the field it concerns."""

    text: Text
    field: str | None = None


@dataclass(frozen=True)
class Worklist:
    """Rows that wait for somebody: a number on the start page that opens them as a list.

    ``filters`` are written as addresses carry them; ``{me}`` stands for the member of staff who looks.
    """

    label: Text
    filters: tuple[str, ...]
    #: ``bad`` where any row at all is too many.
    tone: str = "neutral"


@dataclass(frozen=True)
class Flow:
    """Rows that come or go: how many a week, and more or fewer than before, on the start page (RP-12).

    ``day`` is a date or an instant that closes a fast pair of its own, ``filters`` are as addresses carry them.
    """

    label: Text
    day: str
    filters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Duplicates:
    """What makes two rows of a corporate group probably the same, so that people are told and may merge them."""

    #: Groups of fields; two rows agree where any field of a group has the same value in both: one row's tax code may
    #: be the other's VAT number.
    same: tuple[tuple[str, ...], ...] = ()
    #: The fields that together are the name; two that are written nearly alike are the same.
    alike: tuple[str, ...] = ()
    #: A relation: names are compared, and rows merged, only where both lead to the same row by it.
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class Admin:
    """How an entity appears on every surface. Plain values only: they are checked at start."""

    label: Text
    plural: Text
    category: Category
    icon: str
    area: str
    scope: Scope
    #: The fields that a row's own name, its ``__str__``, is made of: whoever sees one of them as a mask sees no name.
    title: tuple[str, ...]
    list_columns: tuple[str, ...]
    sections: tuple[Section, ...]
    #: Columns whose text the search box of the list looks through.
    search_columns: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    #: Of the filters, texts that come again and again, such as a town: rows may be counted by them.
    repeating: tuple[str, ...] = ()
    #: Default order: a field name, with a leading minus for descending.
    order: str = "-created_at"
    #: Filter-and-sort pairs that are instant at any size: equality fields first, the sort field last.
    #: Each gets its index ``(scope column, fields..., id)`` from here.
    fast: tuple[tuple[str, ...], ...] = ()
    #: Relationships to children edited as lines inside the form.
    inline: tuple[str, ...] = ()
    #: Under the name on the record's page, what people recognise it by: field names, or a dotted path to a field of
    #: a related row; empty means the natural keys.
    subtitle: tuple[str, ...] = ()
    #: Facts beside the related lists and the history: field names.
    facts: tuple[str, ...] = ()
    #: The related lists whose tabs come first, in their order, as ``contact.company``; the others stand under "More".
    tabs: tuple[str, ...] = ()
    #: As lines of another record: money and numbers whose sum stands under them.
    totals: tuple[str, ...] = ()
    #: What waits for people, for the start page.
    worklists: tuple[Worklist, ...] = ()
    #: What comes and goes, for the start page: one or two, side by side in one picture.
    flows: tuple[Flow, ...] = ()
    #: Ways to name one row within its scope: each a tuple of columns that together are unique.
    natural_keys: tuple[tuple[str, ...], ...] = ()
    #: Columns of the client area's section; absent means clients never see the entity.
    client_columns: tuple[str, ...] = ()
    #: Whether clients have a section for it; parts of another record, and what is shown elsewhere, have not.
    client_section: bool = True
    #: By field: the values of those rows that clients see; of any other value they never hear.
    client_only: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    #: By field: the values of rows that nobody has validated yet; not every account sees those (A-19).
    client_preliminary: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    #: What two rows that are the same have in common; None: they are not looked for, and never merged.
    duplicates: Duplicates | None = None
    #: When a row may be deleted; None: whenever nothing refers to it.
    deletion: Deletion | None = None
    #: By field: the states in which it may still change; before and after them it is a fact others rely on.
    changeable_in: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    #: Whose client's data it is part of, and from which day on it may be closed to new rows.
    freeze: Freeze | None = None
    #: The states in which files may be put to a row and removed from it; None: in all of them.
    files_in: tuple[Choice, ...] | None = None
    #: Nobody changes or deletes a row once written, administrators included.
    append_only: bool = False
    #: Of a ledger, rows that an undone import takes back, as SQL over ``OLD``: they are nobody's work.
    retractable: str = ""
    #: Written by operations only: no add and edit forms, no import.
    written_by_verbs: bool = False
    #: What a corporate group has chosen on pages of its own: it goes along in a file with everything.
    configuration: bool = False
    #: Whether rows that point at it may be counted by it: not where that would measure people at work.
    counted_by: bool = True
    #: Whether it has its own entry in the navigation (lines of a parent have not).
    menu: bool = True
    #: Its place there: 1 is opened all day, 9 set up once; those of one rank stand in alphabetical order.
    rank: int = 5

    @property
    def form_columns(self) -> tuple[str, ...]:
        """Every field of the form, section after section."""
        return tuple(name for section in self.sections for name in section.columns)


#: Every entity by table name, in the order of declaration.
ENTITIES: dict[str, type[Recorded]] = {}


class EntityName(ValueType):
    """The table of some entity, shown by the entity's own word."""

    worded = True

    def __init__(self) -> None:
        super().__init__(64)

    def parse(self, raw: str) -> str:
        """Return the table that the word, or the table's own name, means; any other text names none."""
        wanted = clean_text(raw)
        by_word = {fold(str(entity.__admin__.label)): name for name, entity in ENTITIES.items()}
        return by_word.get(fold(wanted), wanted)

    def show(self, value: Any) -> str:
        return str(ENTITIES[value].__admin__.label) if value in ENTITIES else str(value)


class Recorded:
    """The columns and the manners shared by all entities, whatever table they live in."""

    __admin__: ClassVar[Admin]

    if TYPE_CHECKING:
        id: Mapped[int]
        __table__: ClassVar[Any]
        __mapper__: ClassVar[Mapper[Any]]
        __tablename__: Any

    #: Counts saves; a save that started from an older one is refused (BO-07).
    version: Mapped[int] = mapped_column(Integer, default=1, server_default="1", info={"label": _l("Version")})
    #: When the row was first written.
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"label": _l("Created")})
    #: When it last changed.
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, info={"label": _l("Changed")})
    #: Folded text of the search columns, for the search box.
    search_key: Mapped[str] = mapped_column(SearchKey, default="", server_default="")
    #: Part of the invented demonstration set; removed by ``run.py demo remove``.
    is_demo: Mapped[bool] = mapped_column(default=False, server_default="0", info={"label": _l("Demonstration")})

    @declared_attr
    def created_by_id(cls) -> Mapped[int | None]:
        """The member of staff who wrote it; empty for the system and for clients."""
        return mapped_column(
            ForeignKey("ab_user.id", ondelete="RESTRICT"), index=True, info={"label": _l("Created by")}
        )

    @declared_attr
    def updated_by_id(cls) -> Mapped[int | None]:
        """The member of staff who changed it last; empty for the system and for clients."""
        return mapped_column(
            ForeignKey("ab_user.id", ondelete="RESTRICT"), index=True, info={"label": _l("Changed by")}
        )

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}

    @classmethod
    def group_scope(cls) -> Any:
        """Return the column that says which corporate group a row belongs to."""
        return cls.group_id  # type: ignore[attr-defined]  # every entity that is not shared has it

    @classmethod
    def company_scope(cls) -> Any:
        """Return the column that says which company a row belongs to."""
        return getattr(cls, "id" if cls.__admin__.scope.company == "id" else "company_id")

    @classmethod
    def parent_scopes(cls) -> list[tuple[Any, type[Recorded]]]:
        """Return the columns with the keys of the rows that ``Scope.parents`` names, and what those are rows of."""
        return [(getattr(cls, f"{name}_id"), ENTITIES[name]) for name in cls.__admin__.scope.parents]

    @classmethod
    def unit_scope(cls) -> Any:
        """Return the column that says which business unit answers for a row."""
        unit = cls.__admin__.scope.unit or ""
        return getattr(cls, "business_unit_id" if "." in unit else unit)

    @classmethod
    def owner_scope(cls) -> Any:
        """Return the column that says which member of staff a row is entrusted to."""
        return getattr(cls, cls.__admin__.scope.owner)  # type: ignore[arg-type]

    @classmethod
    def account_scope(cls) -> Any:
        """Return what says which client account a row belongs to."""
        return cls._own_or_of_parent(cls.__admin__.scope.account or "")

    @classmethod
    def site_scope(cls) -> Any:
        """Return what says which site of the client a row is about."""
        return cls._own_or_of_parent(cls.__admin__.scope.site or "")

    @classmethod
    def _own_or_of_parent(cls, path: str) -> Any:
        """Return a column of the row, or as ``parent.column`` that of the row it hangs on."""
        relation, dot, column = path.rpartition(".")
        if not dot:
            return getattr(cls, column)
        parent = aliased(ENTITIES[relation])
        return select(getattr(parent, column)).where(parent.id == getattr(cls, f"{relation}_id")).scalar_subquery()

    @classmethod
    def is_restricted(cls) -> Any:
        """Return the condition that a row is kept for one purpose only."""
        return getattr(cls, cls.__admin__.scope.restricted or "")

    @classmethod
    def shown_to_clients(cls) -> Any:
        """Return the condition that clients see a row of theirs at all."""
        only = cls.__admin__.client_only
        return and_(true(), *(getattr(cls, name).in_(values) for name, values in only.items()))

    @classmethod
    def is_preliminary(cls) -> Any:
        """Return the condition that nobody has validated yet what a row says."""
        values = cls.__admin__.client_preliminary
        return or_(false(), *(getattr(cls, name).in_(found) for name, found in values.items()))


class Record(Recorded, Model):
    """A stored thing with its own table: the base of every entity."""

    __abstract__ = True
    # Flask-AppBuilder lets a second class redefine a table without a word; here it is an error.
    __table_args__: Any = {}

    #: Key; never used twice.
    id: Mapped[int] = mapped_column(Integer, primary_key=True, info={"label": _l("Id")})


class GroupOwned:
    """Belongs to one corporate group; staff of another never see it."""

    @declared_attr
    def group_id(cls) -> Mapped[int]:
        """The corporate group: set from the parent or from who writes, never typed."""
        return mapped_column(
            ForeignKey("corporate_group.id", ondelete="RESTRICT"), info={"label": _l("Corporate group")}
        )


class CompanyOwned(GroupOwned):
    """Belongs to a client company, directly or through its parent."""

    @declared_attr
    def company_id(cls) -> Mapped[int]:
        """The client company; copied from the parent where the row hangs below another."""
        return mapped_column(
            ForeignKey("company.id", ondelete="RESTRICT"), index=True, info={"label": _l("Company"), "help": ""}
        )


class SoftDeleted:
    """Deleting keeps the row, hidden by the session, because history must remain (BO-05)."""

    #: When it was deleted; empty while it is in use.
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True, info={"label": _l("Deleted")})


@event.listens_for(Recorded, "instrument_class", propagate=True)
def _register(mapper: Mapper[Any], entity: type[Recorded]) -> None:
    """Enter the class among the entities and give each declared fast pair its index."""
    if "__admin__" not in entity.__dict__:
        return
    name = mapper.local_table.name  # type: ignore[attr-defined]
    earlier = ENTITIES.setdefault(name, entity)
    if earlier is not entity:
        raise TypeError(f"Table {name} is already declared by {earlier.__module__}.{earlier.__qualname__}")
    # Without it SQLite gives the key of the last deleted row to the next one, and its history with it.
    mapper.local_table.dialect_options["sqlite"]["autoincrement"] = True  # type: ignore[attr-defined]
    _add_fast_indexes(mapper.local_table, entity.__admin__)  # type: ignore[arg-type]


def _add_fast_indexes(table: Table, admin: Admin) -> None:
    scope = () if admin.scope.shared else ("group_id",)
    wanted = dict.fromkeys((*admin.fast, (admin.order.lstrip("-"),)))
    for pair in wanted:
        names = [*scope, *(_stored(table, name) for name in pair)]
        columns = [table.c[name] for name in dict.fromkeys(names) if name != "id"]
        Index(None, *columns, table.c.id)
    if "search_key" in table.c:
        Index(
            f"ix_{table.name}_search",
            table.c.search_key,
            postgresql_using="gin",
            postgresql_ops={"search_key": "gin_trgm_ops"},
        ).ddl_if(dialect="postgresql")


def _stored(table: Table, name: str) -> str:
    """Return the column that holds, or sorts as, the field ``name``."""
    if f"{name}_key" in table.c:
        return f"{name}_key"
    return name if name in table.c else f"{name}_id"
