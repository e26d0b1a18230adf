"""What is measured rather than counted: weights, volumes, concentrations."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from babel.numbers import format_decimal

from models.reading import clean_text, parse_decimal
from models.values import ITALIAN, ValueType


class Quantity(ValueType):
    """A measured number, exact to four decimals; its unit stands beside it."""

    impl = sa.Numeric(14, 4)
    kind = "decimal"
    example = "1.250,5"

    def __init__(self) -> None:
        super().__init__(14, 4)

    def parse(self, raw: str) -> Decimal:
        return parse_decimal(clean_text(raw), places=4, digits=10)

    def show(self, value: Any) -> str:
        return format_decimal(value, format="#,##0.####", locale=ITALIAN)

    def edit(self, value: Any) -> str:
        return self.show(value)
