"""The sheets to fill in: every entity's template imports as it comes down, with its example row and without."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_babel import force_locale
from python_calamine import CalamineWorkbook

from backoffice.access import INTERNAL
from backoffice.actors import Actor
from backoffice.database import RecordSession
from backoffice.operations import import_results, imports
from backoffice.operations.import_relations import resolve_relations
from backoffice.operations.import_templates import template_columns
from backoffice.records.naming import JOINT, written
from backoffice.spreadsheets.reading import read_table
from backoffice.spreadsheets.writing import write_csv
from models.base import ENTITIES, Recorded
from models.company import Company
from models.company_service import CompanyService
from models.contact import Contact
from models.contact_role import ContactRole
from models.contract import Contract
from models.customer_order import CustomerOrder
from models.import_batch import ImportBatch, ImportOutcome
from models.order_line import OrderLine
from models.service import Service
from tests.clients import DeskClient
from tests.imports.conftest import finish
from tests.imports.register import csv_bytes

IMPORTABLE = [e for e in ENTITIES.values() if not (e.__admin__.append_only or e.__admin__.written_by_verbs)]

#: Whose example row needs a value that another decides, or lines that a sheet has no place for: its page says what is
#: missing, as for any other row.
CONDITIONED = {"ActivationRequest"}


def brought_in(records: RecordSession, entity: type[Recorded], content: bytes, actor: Actor) -> list[object]:
    """Take a file through all steps with what is proposed for it; return what anybody would complain about."""
    batch = imports.start_import(records, entity, "modello.csv", content, actor=actor)
    unmapped = {name for place, name in enumerate(batch.headings) if str(place) not in batch.mapping}
    complaints: list[object] = [name for name in unmapped if not batch.row_count or _filled(records, batch, name)]
    finish(records, imports.try_rows(records, batch, actor=actor))
    finish(records, imports.apply_rows(records, batch, actor=actor))
    complaints += [row.findings for row in import_results.find_rows(records, batch, ImportOutcome.refused)]
    return complaints + ([] if batch.new_count + batch.changed_count + batch.same_count == batch.row_count else [batch])


def _filled(records: RecordSession, batch: ImportBatch, heading: str) -> bool:
    return bool(import_results.sample_values(records, batch)[batch.headings.index(heading)])


def _clear_the_way(records: RecordSession) -> None:
    """Let no rule of the business keep the contact, client or order line that an example names from being used."""
    order, contact = CustomerOrder.__table__, Contact.__table__
    some = sa.select(sa.func.min(contact.c.id)).where(contact.c.company_id == order.c.company_id).scalar_subquery()
    for statement in (
        sa.delete(ContactRole.__table__),
        sa.update(CompanyService.__table__).values(state="proposed", frozen_from=None),
        sa.update(Service.__table__).values(is_licensed=True),
        sa.update(OrderLine.__table__).values(quantity=999),
        sa.update(order).values(referent_id=sa.func.coalesce(order.c.referent_id, some)),
        sa.update(order).where(order.c.referent_id.is_not(None)).values(state="confirmed"),
    ):
        records.execute(statement, execution_options=INTERNAL)


@pytest.mark.parametrize("language", ["it", pytest.param("en", marks=pytest.mark.long)])
def test_every_template_imports_with_its_example_and_without(
    desk: Flask, records: RecordSession, actor: Actor, language: str
) -> None:
    complaints: dict[str, list[object]] = {}
    with desk.app_context(), force_locale(language):
        for entity in IMPORTABLE:
            if not actor.may_switch_group and entity.__admin__.scope.shared:
                continue
            _clear_the_way(records)
            columns = template_columns(records, entity, actor)
            headings, example = [column.heading for column in columns], [column.example for column in columns]
            assert len(set(headings)) == len(headings), entity
            for rows in ([headings], [headings, example]):
                found = brought_in(records, entity, "".join(write_csv(rows)).encode(), actor)
                if found:
                    complaints.setdefault(entity.__name__, []).extend(found)
    assert complaints.keys() == CONDITIONED, complaints


def test_the_pages_offer_the_template_in_both_kinds(desk_client: Callable[..., DeskClient]) -> None:
    client = desk_client("administrator")
    page = client.get("/contact/import/").text
    found = re.findall(r'href="[^"]*(/contact/import/template\.\w+)"', page)
    assert found == ["/contact/import/template.xlsx", "/contact/import/template.csv"]
    for path in found:
        with client.get(path) as file:
            assert (file.status_code, "attachment" in file.headers["Content-Disposition"]) == (200, True)
            content = file.data
        table = read_table(content)
        assert table.headings[:3] == ["Azienda", "Nome", "Cognome"]
        assert len(table.rows) == 1
    with client.get(found[0]) as file:
        book = CalamineWorkbook.from_filelike(io.BytesIO(file.data))
    assert book.sheet_names == ["Contatti", "Valori ammessi"]
    notes = {row[0]: row[1:] for row in book.get_sheet_by_index(1).to_python()}
    assert notes["Livello"][0] == "Uno dei valori"
    assert notes["Livello"][3] == "Decisionale, Operativo"
    assert notes["Cognome"][1] == "Obbligatorio"
    assert "Decisionale, Operativo" in page
    assert client.get("/contact/import/template.pdf").status_code == 404
    assert desk_client("management").get("/contact/import/template.csv").status_code == 403


def test_zeros_that_a_spreadsheet_took_off_come_back_and_are_told(
    records: RecordSession, actor: Actor, upload: Callable[..., ImportBatch]
) -> None:
    rows = [
        {"nome": "Uno", "cap": "9100", "piva": "9000000225", "sdi": "0"},
        {"nome": "Due", "cap": "38100", "piva": "99000010019", "sdi": "123456"},
        {"nome": "Tre", "cap": "38100", "piva": "1234567890", "sdi": ""},
    ]
    mapping = {"nome": "legal_name", "cap": "postal_code", "piva": "vat_number", "sdi": "sdi_code"}
    batch = upload(Company, csv_bytes(*rows), mapping=mapping, matched_by="vat_number")
    assert (batch.new_count, batch.refused_count, batch.noted_count) == (2, 1, 1)
    one = records.scalars(sa.select(Company).where(Company.legal_name == "Uno")).one()
    assert (one.postal_code, one.vat_number, one.sdi_code) == ("09100", "09000000225", "0000000")
    two = records.scalars(sa.select(Company).where(Company.legal_name == "Due")).one()
    assert two.sdi_code == "123456", "six signs are the code of a public office"
    (noted,) = import_results.find_rows(records, batch, None)
    assert [(column, value) for column, value, _text in noted.findings] == [
        ("cap", "9100"), ("piva", "9000000225"), ("sdi", "0"),
    ]  # fmt: skip
    people = [{"ditta": "9000000225", "nome": "Ada", "cognome": "Uno", "mail": "ada@uno.example"}]
    chosen = {"ditta": "company", "nome": "first_name", "cognome": "last_name", "mail": "email"}
    batch = upload(Contact, csv_bytes(*people), mapping=chosen, matched_by="company+email")
    assert (batch.new_count, batch.noted_count) == (1, 1)
    assert records.scalars(sa.select(Contact).where(Contact.email == "ada@uno.example")).one().company_id == one.id


def test_a_record_is_named_by_its_key_its_parts_or_its_number(records: RecordSession, actor: Actor) -> None:
    contact = records.scalars(sa.select(Contact).where(Contact.email.is_not(None)).order_by(Contact.id)).first()
    assert contact is not None
    text = f"{contact.company.vat_number or contact.company.tax_code}{JOINT}{contact.email}"
    assert written(contact, actor) == text
    other = f"{text}x"
    found = resolve_relations(records, Contact, [text, f"#{contact.id}", other, "#0"], system=None, actor=actor)
    assert (found[text], found[f"#{contact.id}"]) == (contact, contact)
    assert isinstance(found[other], str)
    assert isinstance(found["#0"], str)


def test_a_number_of_another_group_names_nothing(records: RecordSession, actor: Actor, session: RecordSession) -> None:
    foreign = session.scalars(sa.select(Contract.id).where(Contract.group_id != actor.group_id)).first()
    found = resolve_relations(records, Contract, [f"#{foreign}"], system=None, actor=actor)
    assert isinstance(found[f"#{foreign}"], str)
