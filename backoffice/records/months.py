"""The month that a day or an instant falls in, such as ``2026-11``, as SQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from backoffice.clock import ROME


class month_of_day(sa.sql.functions.GenericFunction[str]):  # noqa: N801 - written like the SQL function it is
    """The month of a day."""

    inherit_cache = True
    type = sa.String()
    name = "month_of_day"


class month_of_instant(sa.sql.functions.GenericFunction[str]):  # noqa: N801 - likewise
    """The month of an instant, as calendars in Italy have it; on SQLite ``clock.month_in_italy`` itself."""

    inherit_cache = True
    type = sa.String()
    name = "month_of_instant"


@compiles(month_of_day, "sqlite")
def _day_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"strftime('%Y-%m', {compiler.process(element.clauses, **options)})"


@compiles(month_of_day, "postgresql")
def _day_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **options)}, 'YYYY-MM')"


@compiles(month_of_instant, "postgresql")
def _instant_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"to_char(timezone('{ROME.key}', {compiler.process(element.clauses, **options)}), 'YYYY-MM')"


__all__ = ["month_of_day", "month_of_instant"]
