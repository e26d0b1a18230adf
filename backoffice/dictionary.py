"""The data dictionary: every entity with its columns, words and relations, written from the declarations.

``python -m backoffice.dictionary`` writes ``docs/data-dictionary.md``; a test says when it is out of date.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import click
from babel.messages.pofile import read_po

import models  # noqa: F401 - declares the entities
from backoffice.errors import Text
from models.base import ENTITIES, Admin, Category, GroupOwned, Model, Record, Recorded
from models.catalogue import Field, fields

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "docs" / "data-dictionary.md"
_ITALIAN = ROOT / "backoffice" / "translations" / "it" / "LC_MESSAGES" / "messages.po"

#: Relations that every entity has: in the diagram they would hide the others.
EVERYWHERE = frozenset({"created_by_id", "updated_by_id", "created_by_fk", "changed_by_fk", "group_id"})

#: Returns the English words and, where they differ, the Italian ones.
Bilingual = Callable[[Text], str]

_HEAD = """\
# Data dictionary

Written from the declarations in `models/` by `python -m backoffice.dictionary`: do not edit it by hand.

- Columns that every entity has are listed once, at the end. Every corporate group sees only its own rows.
- Required: yes where a value must be given. Personal: a datum about a person; its history can be erased apart.
- By verbs: changes only through the verbs of a state machine, never through a form, a cell, an import or the API.
"""


def render() -> str:
    """Return the whole dictionary as Markdown."""
    words = _bilingual()
    parts = [_HEAD, *_diagram()]
    for category in Category:
        entities = [entity for entity in ENTITIES.values() if entity.__admin__.category is category]
        parts.append(f"\n## {words(category.label)}\n")
        for entity in sorted(entities, key=lambda entity: entity.__table__.name):
            parts.extend(_entity(entity, words))
    parts.extend(_common(words))
    return "\n".join(parts)


def _bilingual() -> Bilingual:
    with _ITALIAN.open("rb") as file:
        italian = {(entry.context, str(entry.id)): str(entry.string) for entry in read_po(file)}

    def words(text: Text) -> str:
        found = italian.get((_context(text), str(text)), str(text))
        return found if found == str(text) else f"{text} / {found}"

    return words


def _context(text: Text) -> str | None:
    """Return what tells the meanings of a word apart: the first argument of its ``lazy_pgettext``."""
    arguments: tuple[str, ...] = getattr(text, "_args", ())
    return arguments[0] if len(arguments) == 2 else None


def _diagram() -> Iterator[str]:
    yield "## Entities and relations\n\n```mermaid\nerDiagram"
    for name in sorted(Model.metadata.tables):
        table = Model.metadata.tables[name]
        for column in sorted(table.columns, key=lambda column: column.name):
            for key in column.foreign_keys:
                if name in ENTITIES and column.name not in EVERYWHERE:
                    one = "o|" if column.nullable else "||"
                    yield f"    {name} }}o--{one} {key.column.table.name} : {column.name.removesuffix('_id')}"
    yield "```"


def _entity(entity: type[Recorded], words: Bilingual) -> Iterator[str]:
    admin = entity.__admin__
    yield f"\n### {words(admin.label)}\n"
    yield f"{summary(entity)}\n"
    yield f"- Table `{entity.__table__.name}`, area `{admin.area}`; {_scope(admin)}."
    if admin.natural_keys:
        keys = (" + ".join(f"`{name}`" for name in key) for key in admin.natural_keys)
        yield f"- Natural keys: {'; '.join(keys)}."
    if admin.append_only:
        yield "- Append-only: the database refuses changes and deletions."
    yield from _relations(entity, words)
    own = [field for field in fields(entity).values() if field.column and field.column not in _common_columns()]
    yield "\n| Column | English / Italian | Kind | Required | Personal | By verbs | What it means |"
    yield "|---|---|---|---|---|---|---|"
    for field in own:
        yield _row(entity, field, words)
    yield from _hidden_columns(entity)
    yield from _choices(own, words)


def _row(entity: type[Recorded], field: Field, words: Bilingual) -> str:
    kind = f"{field.kind} → `{field.target.__table__.name}`" if field.target else str(field.kind)
    if field.unit:
        kind += f" ({field.unit})"
    meaning = meanings(entity).get(field.name) or meanings(entity).get(field.column or "", "")
    help_text = str(field.help or "")
    if help_text and help_text not in meaning:
        meaning = f"{meaning} *{help_text}*".strip()
    if field.secret:
        meaning = f"{meaning} Secret: never shown, exported or recorded.".strip()
    marks = (_yes(field.required), _yes(field.personal), _yes(field.verb_only))
    cells = (f"`{field.column}`", words(field.label), kind, *marks, meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _hidden_columns(entity: type[Recorded]) -> Iterator[str]:
    """Yield the columns people do not meet: sorting copies, scopes, counters."""
    shown = {field.column for field in fields(entity).values()}
    for column in entity.__table__.columns:
        if column.name in shown or column.name in _common_columns() or column.primary_key:
            continue
        meaning = meanings(entity).get(column.name, "")
        kind = type(column.type).__name__.lower()
        yield f"| `{column.name}` | – | {kind} | {_yes(not column.nullable)} | | | {meaning} |"


def _relations(entity: type[Recorded], words: Bilingual) -> Iterator[str]:
    table = entity.__table__
    referrers = sorted(
        f"`{other.__table__.name}.{column.name}`"
        for other in ENTITIES.values()
        for column in other.__table__.columns
        for key in column.foreign_keys
        if key.column.table is table and column.name not in EVERYWHERE
    )
    if referrers:
        yield f"- Referred to by {', '.join(referrers)}."
    for field in fields(entity).values():
        if field.column is None and field.target is not None:
            yield f"- Has {words(field.label)}: `{field.target.__table__.name}`, as `{field.name}`."


def _choices(found: list[Field], words: Bilingual) -> Iterator[str]:
    for field in found:
        if field.choices:
            values = ", ".join(f"`{member.value}` {words(member.label)}" for member in field.choices)
            yield f"\nValues of `{field.column}`: {values}."


def _common(words: Bilingual) -> Iterator[str]:
    yield "\n## Columns that every entity has\n"
    yield "| Column | English / Italian | What it means |"
    yield "|---|---|---|"
    comments = {**meanings(GroupOwned), **meanings(Record)}
    for column in ENTITIES["company"].__table__.columns:
        if column.name in _common_columns():
            label = column.info.get("label")
            yield f"| `{column.name}` | {words(label) if label else '–'} | {comments.get(column.name, '')} |"
    yield ""


@cache
def _common_columns() -> frozenset[str]:
    return frozenset({"id", "group_id", *(name for name in meanings(Recorded) if not name.startswith("_"))})


def _scope(admin: Admin) -> str:
    scope = admin.scope
    if scope.shared:
        return "shared by all corporate groups"
    kinds = (("group", scope.group), ("company", scope.company), ("unit", scope.unit), ("owner", scope.owner))
    return "scope " + ", ".join(f"{kind} by `{path}`" for kind, path in kinds if path)


def summary(entity: type[Recorded]) -> str:
    """Return what an entity is, in the words of its declaration."""
    return _first_sentences(entity.__doc__)


def meanings(entity: type) -> dict[str, str]:
    """Return the ``#:`` sentence, or the docstring, of each attribute that our own classes give the entity."""
    found: dict[str, str] = {}
    for base in reversed(entity.__mro__):
        if base.__module__.startswith("models.") and base is not Model:
            found.update(_comments_of(base))
    return found


@cache
def _comments_of(base: type) -> dict[str, str]:
    return dict(_read_comments(base))


def _read_comments(base: type) -> Iterator[tuple[str, str]]:
    source = textwrap.dedent(inspect.getsource(base))
    lines = source.splitlines()
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and "declared_attr" in map(ast.unparse, node.decorator_list):
            yield node.name, _first_sentences(ast.get_docstring(node))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            comment = _comment_above(lines, node.lineno - 1)
            if comment:
                yield node.target.id, comment


def _comment_above(lines: list[str], number: int) -> str:
    above: list[str] = []
    while number and (line := lines[number - 1].strip()).startswith("#:"):
        above.insert(0, line.removeprefix("#:").strip())
        number -= 1
    return " ".join(above)


def _first_sentences(docstring: str | None) -> str:
    return " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split())


def _yes(value: bool) -> str:
    return "yes" if value else ""


@click.command()
def main() -> None:
    """Write the data dictionary anew."""
    FILE.write_text(render(), encoding="utf-8")
    click.echo(FILE)


if __name__ == "__main__":
    main()
