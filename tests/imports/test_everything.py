"""Everything that somebody may see as one file, and back into an empty installation."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale

from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.records.everything import Everything, in_order
from backoffice.spreadsheets.reading import read_table
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.export_entry import ExportEntry
from tests.clients import DeskClient


def test_all_that_one_may_see_is_in_it(
    desk: Flask, records: RecordSession, actor: Actor, tmp_path: Path
) -> None:
    everything = Everything(records, actor)
    with desk.app_context(), force_locale("it"):
        everything.write_zip(tmp_path / "all.zip")
    held = {part.entity: part.rows for part in everything.parts}
    assert set(held) == set(in_order())
    for entity in (Company, Contact, Contract):
        assert held[entity] == records.scalar(sa.select(sa.func.count(entity.id)))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        tables = {name: read_table(archive.read(name)) for name in archive.namelist()}
    assert {len(table.rows) for table in tables.values()} == set(held.values())


@pytest.mark.parametrize(("role", "iban"), [("administrator", True), ("management", False)])
def test_the_page_sends_it_and_keeps_a_line_for_each_kind(
    desk_client: Callable[..., DeskClient], session: RecordSession, role: str, iban: bool
) -> None:
    client = desk_client(role)
    assert "/everything/export.zip" in client.get("/everything/").text
    with client.get("/everything/export.zip") as file:
        assert file.status_code == 200
        content = file.data
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        table = read_table(archive.read("Aziende.csv"))
    assert ("IBAN" in table.headings) is iban
    session.rollback()
    kept = session.scalars(sa.select(ExportEntry).where(ExportEntry.entity == "company")).one()
    assert (kept.row_count, kept.is_complete, kept.format) == (len(table.rows), True, "zip")


def test_without_the_right_to_export_there_is_nothing(desk_client: Callable[..., DeskClient]) -> None:
    for path in ("/everything/", "/everything/export.zip"):
        assert desk_client("consultant").get(path).status_code == 403
        assert desk_client().get(path).status_code == 302
    assert "/everything/" not in desk_client("consultant").get("/").text
    assert desk_client("administrator").get("/everything/export.pdf").status_code == 404
