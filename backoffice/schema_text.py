"""The schema of a database as text, to compare one that was migrated with one that was declared.

Autogenerate overlooks changed CHECKs, closed lists, index predicates and triggers: here everything
that a schema holds is read in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa

#: Name of each thing in a schema, such as ``table contract, constraint ck_contract_state``, and its text.
Description = dict[str, str]

_VERSION_TABLE = "alembic_version"


def differences(migrated: Description, declared: Description) -> list[str]:
    """Return a sentence for each thing that is only in one of two schemas, or not the same in both."""
    return [
        f"{name}: migrated {migrated.get(name, 'without it')!r}, declared {declared.get(name, 'without it')!r}"
        for name in sorted(migrated.keys() | declared.keys())
        if migrated.get(name) != declared.get(name)
    ]


def describe(engine: sa.Engine) -> Description:
    """Return everything in a database's schema as text, in a form that does not depend on order or spacing."""
    with engine.connect() as connection:
        return describe_connection(connection)


def describe_connection(connection: sa.Connection) -> Description:
    """Return the same through a connection that is open already."""
    read = _describe_sqlite if connection.dialect.name == "sqlite" else _describe_postgresql
    return dict(read(connection))


def _describe_sqlite(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    rows = connection.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    for kind, name, table, sql in rows:
        if name == _VERSION_TABLE or name.startswith("sqlite_"):
            continue
        text = normalised(sql)
        if kind == "table":
            yield from _describe_sqlite_table(name, text)
        else:
            yield f"table {table}, {kind} {name}", text


def _describe_sqlite_table(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Take a CREATE TABLE apart: the order of columns and constraints depends on when each was added."""
    body, options = text[text.index("(") + 1 :].rsplit(")", 1)
    yield f"table {name}", options
    for clause in _split(body):
        words = clause.replace("(", " (").split()
        if words[0] == "CONSTRAINT":
            yield f"table {name}, constraint {words[1]}", clause
        elif words[0] in {"PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}:
            yield f"table {name}, {clause}", clause
        else:
            # A rebuilt table writes its defaults in parentheses.
            plain = re.sub(r"DEFAULT ?\(('(?:[^']|'')*'|[\w.+-]+)\) ?", r"DEFAULT \1 ", clause)
            yield f"table {name}, column {words[0]}", re.sub(r"\s?\bDEFAULT", " DEFAULT", plain).strip()


_LITERAL = re.compile(r"('(?:[^']|'')*')")


def normalised(sql: str) -> str:
    """Return SQL without quotes around plain names and without spaces that mean nothing; literals as they are."""
    pieces = _LITERAL.split(sql)
    for index in range(0, len(pieces), 2):
        plain = re.sub(r'"(\w+)"', r"\1", pieces[index])
        close = re.sub(r" ?([(),]) ?", r"\1", re.sub(r"\s+", " ", plain))
        # Written into a migration, it is read again: SQLAlchemy finds a predicate only after a space.
        pieces[index] = re.sub(r"\)(?=WHERE\b)", ") ", close, flags=re.IGNORECASE)
    return "".join(pieces).strip()


def _split(body: str) -> list[str]:
    """Split at the commas that lie in no parenthesis and in no literal."""
    clauses, depth, start = [], 0, 0
    for found in re.finditer(r"'(?:[^']|'')*'|[(),]", body):
        sign = found.group()
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            clauses.append(body[start : found.start()])
            start = found.end()
    return [clause.strip() for clause in [*clauses, body[start:]] if clause.strip()]


#: Each query returns names and texts; PostgreSQL writes every text in one canonical form itself.
_POSTGRESQL = (
    """SELECT format('table %s, column %s', t.relname, a.attname),
        concat_ws(' ', format_type(a.atttypid, a.atttypmod), 'collate ' || nullif(c.collname, 'default'),
            CASE WHEN a.attnotnull THEN 'not null' END, 'default ' || pg_get_expr(d.adbin, d.adrelid),
            'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''))
    FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid LEFT JOIN pg_collation c ON c.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0
        AND NOT a.attisdropped AND t.relname <> 'alembic_version'""",
    """SELECT format('table %s, constraint %s', t.relname, c.conname),
        pg_get_constraintdef(c.oid) || CASE WHEN c.convalidated THEN '' ELSE ' not validated' END
    FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
    WHERE c.connamespace = 'public'::regnamespace AND c.contype <> 'n' AND t.relname <> 'alembic_version'""",
    """SELECT format('table %s, index %s', tablename, indexname), indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename <> 'alembic_version'""",
    """SELECT format('table %s, trigger %s', tgrelid::regclass, tgname),
        pg_get_triggerdef(oid) || ' ' || tgenabled::text
    FROM pg_trigger WHERE NOT tgisinternal""",
    """SELECT 'function ' || p.proname, pg_get_functiondef(p.oid) FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND NOT EXISTS
        (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')""",
    """SELECT 'sequence ' || sequencename, concat_ws(' ', data_type, start_value, increment_by, cycle)
    FROM pg_sequences WHERE schemaname = 'public'""",
    """SELECT 'view ' || viewname, definition FROM pg_views WHERE schemaname = 'public'""",
    """SELECT 'extension ' || extname, '' FROM pg_extension""",
)


def _describe_postgresql(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    for query in _POSTGRESQL:
        rows = connection.execute(sa.text(query.replace("::", r"\:\:")))
        yield from ((name, text) for name, text in rows)
