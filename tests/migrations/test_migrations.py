"""The migrations make the declared schema, on both databases, whoever starts them and however often."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import sqlalchemy as sa

from backoffice import migrate
from backoffice.schema_text import describe, describe_connection, differences, normalised
from models.base import Model
from tests.migrations.conftest import MANY_STEPS

ROOT = migrate.MIGRATIONS.parent
VERSIONS = sorted((migrate.MIGRATIONS / "versions").glob("*.py"))


@MANY_STEPS
def test_up_down_and_up_again(empty: sa.Engine) -> None:
    migrate.upgrade(empty)
    first = describe(empty)
    assert len(first) > 500
    assert migrate.current(empty) == migrate.head()
    migrate.downgrade(empty, "base")
    assert {name for name in describe(empty) if not name.startswith("extension ")} == set()
    migrate.upgrade(empty)
    assert differences(describe(empty), first) == []


def test_migrations_make_what_is_declared(empty: sa.Engine) -> None:
    assert migrate.drift(empty) == []


@pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
def test_changed_check_is_drift(connection: sa.Connection) -> None:
    declared = describe_connection(connection)
    _alter_check(connection, "contract", "ck_contract_notice_not_negative", "notice_days >= 1")
    (found,) = differences(describe_connection(connection), declared)
    assert found.startswith("table contract, constraint ck_contract_notice_not_negative")


def test_longer_closed_list_is_drift(connection: sa.Connection) -> None:
    declared = describe_connection(connection)
    _alter_check(connection, "company", "ck_company_size_class", "size_class IN ('small', 'medium', 'large', 'huge')")
    (found,) = differences(describe_connection(connection), declared)
    assert "huge" in found


def test_changed_predicate_of_a_partial_index_is_drift(connection: sa.Connection) -> None:
    declared = describe_connection(connection)
    connection.exec_driver_sql("DROP INDEX uq_company_vat_number")
    connection.exec_driver_sql(
        "CREATE UNIQUE INDEX uq_company_vat_number ON company (group_id, vat_number) WHERE deleted_at IS NOT NULL"
    )
    (found,) = differences(describe_connection(connection), declared)
    assert found.startswith("table company, index uq_company_vat_number")


def test_missing_trigger_is_drift(connection: sa.Connection) -> None:
    declared = describe_connection(connection)
    on_table = "" if connection.dialect.name == "sqlite" else " ON history_entry"
    connection.exec_driver_sql(f"DROP TRIGGER history_entry_no_update{on_table}")
    (found,) = differences(describe_connection(connection), declared)
    assert found.startswith("table history_entry, trigger history_entry_no_update: migrated 'without it'")


@pytest.mark.long
@MANY_STEPS
def test_four_processes_at_once(empty: sa.Engine) -> None:
    # With the product's own engine, whose patience is that of the product.
    program = (
        "import sys; from backoffice import migrate; from backoffice.database import make_engine;"
        "migrate.upgrade(make_engine(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, empty.url.render_as_string(hide_password=False)]
    processes = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    assert [(process.communicate(timeout=120)[1], process.returncode) for process in processes] == [("", 0)] * 4
    assert migrate.current(empty) == migrate.head()


def test_database_in_memory_is_migrated_too_and_one_of_a_newer_program_left_alone() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    migrate.upgrade(engine)
    assert sa.inspect(engine).get_table_names()
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'later'")
    with pytest.raises(click.ClickException, match="later"):
        migrate.upgrade(engine)
    engine.dispose()


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_migrations_import_nothing_of_the_application(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").split(".")[0])
    assert imported <= {"__future__", "alembic", "sqlalchemy"}


@pytest.fixture(scope="session")
def changed_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project where entities have changed and one is new, with the migration written for that."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("models", "backoffice", "migrations"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    _edit(folder / "models/history_entry.py", '    cli = "cli",', '    fax = "fax", _l("Fax")\n    cli = "cli",')
    _edit(folder / "models/contract.py", '"notice_days >= 0"', '"notice_days >= 1"')
    _edit(folder / "models/company.py", 'text("deleted_at IS NULL")', "text(\"deleted_at IS NULL AND country = 'IT'\")")
    (folder / "models" / "zebra.py").write_text(_NEW_ENTITY)
    _run(folder, "-m", "backoffice.migrate", "new", "Add zebras")
    return folder


@pytest.mark.long
@MANY_STEPS
def test_next_migration_is_complete(empty: sa.Engine, changed_project: Path) -> None:
    """Closed lists, predicates, triggers and a new entity are written out, and a rebuilt table loses nothing."""
    (path,) = (changed_project / "migrations/versions").glob("*_add_zebras.py")
    assert "history_entry_no_update" in path.read_text()
    program = (
        "import sys, sqlalchemy as sa; from backoffice import migrate; engine = sa.create_engine(sys.argv[1]);"
        "assert migrate.drift(engine) == []; migrate.upgrade(engine); migrate.downgrade(engine, '-1')"
    )
    _run(changed_project, "-c", program, empty.url.render_as_string(hide_password=False))
    older = describe(empty)
    migrate.downgrade(empty, "base")
    migrate.upgrade(empty)
    assert differences(older, describe(empty)) == []


def test_text_of_a_schema_does_not_depend_on_spacing() -> None:
    assert normalised('CREATE TABLE "a" (\n b  TEXT ,c)') == normalised("CREATE TABLE a(b TEXT, c)")
    assert normalised("x IN ('a  ,b')") != normalised("x IN ('a ,b')")


def test_every_table_is_migrated() -> None:
    text = "".join(path.read_text() for path in VERSIONS)
    assert [name for name in Model.metadata.tables if f'"{name}"' not in text] == []


def _alter_check(connection: sa.Connection, table: str, name: str, condition: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})")
        return
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    sql = connection.exec_driver_sql(query, (table,)).scalar_one()
    start = sql.index(f"CONSTRAINT {name} CHECK")
    end = sql.index("\n", start)
    changed = f"{sql[:start]}CONSTRAINT {name} CHECK ({condition}),{sql[end:]}"
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    connection.exec_driver_sql("UPDATE sqlite_master SET sql = ? WHERE name = ?", (changed, table))


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _run(folder: Path, *arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr


_NEW_ENTITY = '''
"""Animals with stripes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import String
from sqlalchemy.orm import Mapped, relationship

from models.base import Admin, Category, CompanyOwned, Record, Scope, Section
from models.columns import Choice, choice, field, folded
from models.company import Company


class Stripe(Choice):
    thin = "thin", _l("Thin")
    wide = "wide", _l("Wide")


class Zebra(CompanyOwned, Record):
    """An animal with stripes."""

    __tablename__ = "zebra"
    __admin__ = Admin(
        label=_l("Zebra"), plural=_l("Zebras"), category=Category.system, icon="x", area="companies",
        scope=Scope(group="company.group_id", company="company_id"), title=("name",), list_columns=("name",),
        sections=(Section(_l("Zebra"), ("name", "company", "stripe")),), append_only=True,
    )
    company: Mapped[Company] = relationship()
    name: Mapped[str] = field(_l("Name"), String(120))
    name_key: Mapped[str] = folded("name")
    stripe: Mapped[Stripe] = choice(Stripe, _l("Stripe"))
'''
