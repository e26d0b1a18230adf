"""Text compared in the database without case, accents and apostrophes, where no folded copy of it is kept."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from models.reading import fold

#: Letters with an accent, each folding to one plain letter, and what falls away.
_ACCENTED = "".join(
    letter for letter in map(chr, range(0xDF, 0x180)) if len(fold(letter)) == 1 and fold(letter) != letter
)
_PLAIN = "".join(map(fold, _ACCENTED))
_DROPPED = "'’‘`´"

#: Signs that count for nothing when searching; with spaces they become one space. Written as escapes, because the
#: driver reads some of them itself.
_SIGNS = '!"#$%()*,:;<=>?[\\]^{|}~¡¿«»‹›“”„…–—·•°§€£©®\u00a0\u2009\u202f'
_NO_TEXT = "[" + "".join(f"\\u{ord(sign):04x}" for sign in _SIGNS) + "\\s]+"


class folded(sa.sql.functions.GenericFunction[str]):  # noqa: N801 - written like the SQL function it is
    """``fold`` of ``models.reading`` in SQL: the function itself on SQLite, a translation on PostgreSQL."""

    inherit_cache = True
    type = sa.String()
    name = "folded"


@compiles(folded, "postgresql")
def _translate(element: Any, compiler: Any, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    letters = f"{_ACCENTED}{_DROPPED}".replace("'", "''")
    plain = f"replace(translate(lower({column}), '{letters}', '{_PLAIN}'), 'ß', 'ss')"
    return f"btrim(regexp_replace({plain}, '{_NO_TEXT}', ' ', 'g'))"
