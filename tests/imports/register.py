"""The real register of public bodies, which lies beside the project and not in it; and a small sample made by rule."""

from __future__ import annotations

import csv
import io

import pytest

import config

REGISTER = config.ROOT.parent / "shared" / "data" / "public-bodies-it.csv"
HEADINGS = [
    "id", "name", "abbreviation", "other_names", "description", "classification", "parent_id",
    "founding_date", "dissolution_date", "image", "url", "jurisdiction_code", "phone", "email",
    "address", "contact", "tags", "source_url",
]  # fmt: skip


def read_register() -> bytes:
    """Return the real file; the test is skipped where it is not at hand."""
    if not REGISTER.exists():
        pytest.skip("The register of public bodies is not at hand")
    return REGISTER.read_bytes()


def addresses_of_register() -> list[str]:
    """Return the addresses of the real register."""
    return [row["address"] for row in csv.DictReader(io.StringIO(read_register().decode()))]


def body(number: int, **changes: str) -> dict[str, str]:
    """Return one invented row in the form of the register's; equal numbers give equal rows."""
    row = dict.fromkeys(HEADINGS, "")
    row |= {
        "id": f"it/x_{number:04}",
        "name": f"Comune di Prova {number}",
        "classification": "Comuni e loro Consorzi e Associazioni",
        "url": f"http://www.comune{number}.example",
        "jurisdiction_code": "IT",
        "email": f"protocollo{number}@pec.comune{number}.example",
        "address": f"Via Roma  {number} - {38000 + number:05} Borgo {number} (TN) Italy",
    }
    return row | changes


def csv_bytes(*rows: dict[str, str], separator: str = ",", encoding: str = "utf-8") -> bytes:
    """Return a CSV of ``rows``, all with the same keys."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)
