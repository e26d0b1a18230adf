"""From a file to records: what each row becomes, on both databases, and that the second time changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.actors import Actor, Context, Door, ScopeKind
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import Forbidden, InvalidRecord, NotFound
from backoffice.identity import load_actor
from backoffice.operations import import_results, imports, plain
from backoffice.operations.imports import WrongStep
from backoffice.spreadsheets import writing
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.external_code import ExternalCode
from models.history_entry import HistoryEntry, HistoryPersonal
from models.import_batch import ImportBatch, ImportMode, ImportOutcome, ImportState
from models.import_row import ImportKey, ImportRow
from models.mailbox import Mailbox
from tests.imports.conftest import finish, narrowed
from tests.imports.register import body, csv_bytes, read_register

Upload = Callable[..., ImportBatch]
VAT, OTHER_VAT = "99000010019", "99000020018"


def counts(batch: ImportBatch) -> tuple[int, int, int, int, int]:
    return batch.new_count, batch.changed_count, batch.same_count, batch.skipped_count, batch.refused_count


def found(session: RecordSession, batch: ImportBatch, outcome: ImportOutcome | None) -> list[tuple[int, list[Any]]]:
    return [(row.number, row.findings) for row in import_results.find_rows(session, batch, outcome)]


def sentences(session: RecordSession, batch: ImportBatch) -> dict[int, str]:
    """Return why each refused row is refused, by its number."""
    rows = found(session, batch, ImportOutcome.refused)
    return {number: "; ".join(f"{column}: {text}" for column, _value, text in findings) for number, findings in rows}


def company(session: RecordSession, name: str) -> Company:
    return session.scalars(sa.select(Company).where(Company.legal_name == name)).one()


def history(session: RecordSession, record: Any) -> list[HistoryEntry]:
    statement = sa.select(HistoryEntry).where(
        HistoryEntry.entity == record.__table__.name, HistoryEntry.record_id == record.id
    )
    return list(session.scalars(statement.order_by(HistoryEntry.id)))


def test_rows_of_the_register_become_companies(records: RecordSession, upload: Upload) -> None:
    batch = upload(Company, csv_bytes(*(body(number) for number in range(1, 8))))
    assert (batch.state, counts(batch)) == (ImportState.applied, (7, 0, 0, 0, 0))
    made = company(records, "Comune di Prova 3")
    assert (made.street, made.postal_code, made.city, made.province) == ("Via Roma 3", "38003", "Borgo 3", "TN")
    assert (made.certified_email, made.website) == ("protocollo3@pec.comune3.example", "http://www.comune3.example")
    assert (made.classification, made.country) == ("Comuni e loro Consorzi e Associazioni", "IT")
    (entry,) = history(records, made)
    assert (entry.event, entry.door, entry.actor_id) == ("created", "spreadsheet", batch.created_by_id)


def test_the_same_file_again_creates_nothing_and_changes_nothing(records: RecordSession, upload: Upload) -> None:
    content = csv_bytes(*(body(number) for number in range(1, 8)))
    upload(Company, content)
    entries = records.scalar(sa.select(sa.func.count(HistoryEntry.id)).where(HistoryEntry.entity == "company"))
    again = upload(Company, content)
    assert counts(again) == (0, 0, 7, 0, 0)
    assert records.scalar(sa.select(sa.func.count(HistoryEntry.id)).where(HistoryEntry.entity == "company")) == entries
    assert company(records, "Comune di Prova 3").version == 1


def test_a_trial_writes_no_record(records: RecordSession, upload: Upload) -> None:
    before = records.scalar(sa.select(sa.func.count(Company.id)))
    batch = upload(Company, csv_bytes(body(1), body(2)), apply=False)
    assert (batch.state, counts(batch)) == (ImportState.tried, (2, 0, 0, 0, 0))
    assert records.scalar(sa.select(sa.func.count(Company.id))) == before
    assert not records.scalars(sa.select(ImportKey)).all()


def test_a_changed_row_changes_only_what_differs(records: RecordSession, upload: Upload) -> None:
    upload(Company, csv_bytes(body(1), body(2)))
    changed = body(2, address="Via Nuova 9 - 38100 Trento (TN)", url="")
    batch = upload(Company, csv_bytes(body(1), changed))
    assert counts(batch) == (0, 1, 1, 0, 0)
    kept = company(records, "Comune di Prova 2")
    assert (kept.street, kept.city, kept.website) == ("Via Nuova 9", "Trento", "http://www.comune2.example")
    entry = history(records, kept)[-1]
    assert {*entry.changes, *records.get_one(HistoryPersonal, entry.id).changes} == {"street", "postal_code", "city"}
    ((number, findings),) = found(records, batch, ImportOutcome.changed)
    assert number == 3
    assert {column for column, _value, _text in findings} == {"address"}


def test_a_record_changed_since_the_trial_is_not_written_over(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    upload(Company, csv_bytes(body(1), body(2)))
    batch = upload(Company, csv_bytes(*(body(n, url=f"http://nuovo{n}.example") for n in (1, 2))), apply=False)
    touched = company(records, "Comune di Prova 1")
    plain.update_record(records, touched, {"website": "http://altro.example"}, version=touched.version, actor=actor)
    records.commit()
    finish(records, imports.apply_rows(records, batch, actor=actor))
    assert (counts(batch), "since the trial" in "".join(sentences(records, batch).values())) == ((0, 1, 0, 0, 1), True)
    assert company(records, "Comune di Prova 1").website == "http://altro.example"
    assert company(records, "Comune di Prova 2").website == "http://nuovo2.example"


def test_each_refused_row_says_which_column_and_why(records: RecordSession, upload: Upload) -> None:
    rows = [
        body(1), body(2, email="comunit"), body(3, url="http://www:x.it"), body(4, name=""), body(5, id="it/x_0001"),
        body(6, id=""), body(7, name="x" * 251), body(8, id="x" * 161), body(9, url="http://info@comune.example"),
        body(10, email="a@@b", url="no"),
    ]  # fmt: skip
    batch = upload(Company, csv_bytes(*rows))
    assert counts(batch) == (1, 0, 0, 0, 9)
    why = sentences(records, batch)
    assert sorted(why) == list(range(3, 12))
    assert why[3].startswith("email: ")
    assert why[4].startswith("url: ")
    assert why[5].startswith("name: ")
    assert why[6].startswith("id: ")
    assert " 2 " in why[6]
    assert why[7].startswith("id: ")
    assert why[8].startswith("name: ")
    assert "160" in why[9]
    assert why[10].startswith("url: ")
    assert why[11].count("; ") == 1


def test_an_address_that_cannot_be_taken_apart_is_imported_whole_and_explained(
    records: RecordSession, upload: Upload
) -> None:
    batch = upload(Company, csv_bytes(body(1), body(2, address="Presso il municipio"), body(3)))
    assert counts(batch) == (3, 0, 0, 0, 0)
    assert (company(records, "Comune di Prova 2").street, company(records, "Comune di Prova 2").city) == (
        "Presso il municipio", None,
    )  # fmt: skip
    assert batch.noted_count == 1
    ((number, ((column, value, text),)),) = found(records, batch, None)
    assert (number, column, value) == (3, "address", "Presso il municipio")
    assert "CAP" in text


def test_corrected_rows_of_the_download_import_without_choosing_again(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    batch = upload(Company, csv_bytes(body(1), body(2, email="comunit"), body(3, name="=Comune"), body(4, url="@")))
    text = "".join(writing.write_csv(import_results.rejected_rows(records, batch)))
    assert text.startswith("\ufeffid;name;")
    assert len(text.splitlines()) == 3
    corrected = text.replace("comunit;", "a@pec.example;").replace("'@;", "http://www.x.example;")
    again = imports.start_import(records, Company, "corretto.csv", corrected.encode(), actor=actor)
    assert (again.matched_by, again.source_system, len(again.mapping)) == ("external_code", "Registro", 7)
    finish(records, imports.try_rows(records, again, actor=actor))
    finish(records, imports.apply_rows(records, again, actor=actor))
    assert counts(again) == (2, 0, 0, 0, 0)
    assert company(records, "Comune di Prova 2").certified_email == "a@pec.example"
    assert company(records, "=Comune").id


def test_a_column_that_the_last_file_did_not_have_is_guessed(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    upload(
        Company,
        b"Ragione sociale;Note\nRossi;x\n",
        mapping={"Ragione sociale": "legal_name"},
        matched_by=None,
        mode=ImportMode.create,
        system=None,
    )
    again = imports.start_import(records, Company, "b.csv", b"Note;Ragione sociale;PEC\nx;Neri;\n", actor=actor)
    assert again.mapping == {"1": "legal_name"}, "a column without values is left out, and so is one left out before"
    content = b"Note;Ragione sociale;PEC\nx;Neri;a@pec.example\n"
    third = imports.start_import(records, Company, "c.csv", content, actor=actor)
    assert third.mapping == {"1": "legal_name", "2": "certified_email"}


def test_a_column_that_the_last_file_had_nothing_in_is_guessed(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    heads = {"Ragione sociale": "legal_name"}
    first = b"Ragione sociale;PEC;Note\nRossi;;x\n"
    upload(Company, first, mapping=heads, matched_by=None, mode=ImportMode.create, system=None)
    again = imports.start_import(
        records, Company, "b.csv", b"Ragione sociale;PEC;Note\nNeri;a@pec.example;y\n", actor=actor
    )
    assert again.mapping == {"0": "legal_name", "1": "certified_email"}


def test_modes_create_and_update(records: RecordSession, upload: Upload) -> None:
    upload(Company, csv_bytes(body(1)))
    renamed = [body(1, name="Altro nome"), body(2)]
    created = upload(Company, csv_bytes(*renamed), mode=ImportMode.create)
    assert counts(created) == (1, 0, 0, 1, 0)
    assert company(records, "Comune di Prova 1").id
    updated = upload(Company, csv_bytes(*renamed, body(3)), mode=ImportMode.update)
    assert counts(updated) == (0, 1, 1, 0, 1)
    assert company(records, "Altro nome").id
    assert list(sentences(records, updated)) == [4]


def test_matching_by_a_natural_key_keeps_the_code_of_each_system(records: RecordSession, upload: Upload) -> None:
    rows = [{"nome": "A", "piva": f"IT {VAT[:5]} {VAT[5:]}", "cod": "7"}, {"nome": "B", "piva": OTHER_VAT, "cod": "8"}]
    mapping = {"nome": "legal_name", "piva": "vat_number", "cod": "external_code"}
    upload(Company, csv_bytes(*rows), mapping=mapping, matched_by="vat_number", system="Uno")
    again = upload(Company, csv_bytes(*rows), mapping=mapping, matched_by="vat_number", system="Due")
    assert counts(again) == (0, 2, 0, 0, 0), "the codes of another system are new"
    third = upload(Company, csv_bytes(*rows), mapping=mapping, matched_by="external_code", system="Due")
    assert counts(third) == (0, 0, 2, 0, 0)
    assert records.scalar(sa.select(sa.func.count(ExternalCode.id)).where(ExternalCode.code.in_(("7", "8")))) == 4


def test_a_key_that_another_record_holds_is_refused(records: RecordSession, upload: Upload, actor: Actor) -> None:
    plain.create_record(records, Company, {"legal_name": "Prima", "vat_number": VAT}, actor=actor)
    records.commit()
    rows = [{"nome": "A", "piva": VAT, "cod": "1"}, {"nome": "B", "piva": OTHER_VAT, "cod": "2"}]
    rows.append({"nome": "C", "piva": OTHER_VAT, "cod": "3"})
    mapping = {"nome": "legal_name", "piva": "vat_number", "cod": "external_code"}
    batch = upload(Company, csv_bytes(*rows), mapping=mapping)
    assert counts(batch) == (1, 0, 0, 0, 2)
    why = sentences(records, batch)
    rule = str(Company.__admin__.rules["uq_company_vat_number"].text)
    assert why[2] == f"piva: {rule}"
    assert "3" in why[4]


def test_a_key_of_a_hidden_record_answers_like_a_taken_one(
    engine: sa.Engine, records: RecordSession, upload: Upload, actor: Actor
) -> None:
    mapping = {"nome": "legal_name", "piva": "vat_number", "cod": "external_code"}
    content = csv_bytes({"nome": "Nascosta", "piva": VAT, "cod": "1"})
    upload(Company, content, mapping=mapping)
    blind = narrowed(actor, "companies", ScopeKind.own)
    for key in ("vat_number", "external_code"):
        with begin_writing(), open_session(engine, Context(blind, Door.spreadsheet)) as hers:
            batch = imports.start_import(hers, Company, "x.csv", content, actor=blind)
            chosen = {str(batch.headings.index(heading)): target for heading, target in mapping.items()}
            imports.map_columns(
                hers, batch, chosen, mode=ImportMode.both, matched_by=key, source_system="Registro", actor=blind
            )
            finish(hers, imports.try_rows(hers, batch, actor=blind))
            assert counts(batch) == (0, 0, 0, 0, 1)
            assert "Nascosta" not in " ".join(sentences(hers, batch).values()).replace("Nascosta;", "")


def test_the_code_of_a_deleted_record_is_free_again(records: RecordSession, upload: Upload, actor: Actor) -> None:
    upload(Company, csv_bytes(body(1)))
    gone = company(records, "Comune di Prova 1")
    plain.delete_record(records, gone, version=gone.version, actor=actor)
    records.commit()
    batch = upload(Company, csv_bytes(body(1)))
    assert counts(batch) == (1, 0, 0, 0, 0)
    assert company(records, "Comune di Prova 1").id != gone.id


def test_relations_are_found_by_natural_key_and_by_code(records: RecordSession, upload: Upload, actor: Actor) -> None:
    upload(Company, csv_bytes(body(1)))
    plain.create_record(records, Company, {"legal_name": "Con IVA", "vat_number": VAT}, actor=actor)
    records.commit()
    rows = [
        {"ente": "it/x_0001", "nome": "Ada", "cognome": "Rossi", "email": "ada@x.example"},
        {"ente": f"IT{VAT}", "nome": "Ugo", "cognome": "Neri", "email": "ugo@x.example"},
        {"ente": OTHER_VAT, "nome": "Eva", "cognome": "Bo", "email": "eva@x.example"},
        {"ente": "", "nome": "Ivo", "cognome": "Bo", "email": "ivo@x.example"},
        {"ente": "1", "nome": "Leo", "cognome": "Bo", "email": "leo@x.example"},
    ]
    mapping = {"ente": "company", "nome": "first_name", "cognome": "last_name", "email": "email"}
    batch = upload(Contact, csv_bytes(*rows), mapping=mapping, matched_by="company+email")
    assert counts(batch) == (2, 0, 0, 0, 3), "a plain number is no natural key"
    ada = records.scalars(sa.select(Contact).where(Contact.email == "ada@x.example")).one()
    assert ada.company.legal_name == "Comune di Prova 1"
    assert all(text.count(":") >= 1 and text.startswith("ente") for text in sentences(records, batch).values())
    assert counts(upload(Contact, csv_bytes(*rows), mapping=mapping, matched_by="company+email"))[:3] == (0, 0, 2)


def test_contracts_come_in_by_number_with_dates_and_company(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    plain.create_record(records, Company, {"legal_name": "Con IVA", "vat_number": VAT}, actor=actor)
    records.commit()
    signer = records.scalars(sa.select(Contract.group_company_id)).first()
    assert signer is not None
    name = records.get(Contract, records.scalars(sa.select(Contract.id)).first()).group_company.legal_name  # type: ignore[union-attr]
    row = {"numero": "C-1", "cliente": VAT, "società": name, "inizio": "31/12/2026", "rinnovo": "sì"}
    mapping = {
        "numero": "number",
        "cliente": "company",
        "società": "group_company",
        "inizio": "starts_on",
        "rinnovo": "renews_itself",
    }
    batch = upload(
        Contract, csv_bytes(row, row | {"numero": "C-2", "inizio": "31/02/2026"}), mapping=mapping, matched_by="number"
    )
    assert counts(batch) == (1, 0, 0, 0, 1)
    made = records.scalars(sa.select(Contract).where(Contract.number == "C-1")).one()
    assert (made.starts_on.isoformat(), made.renews_itself, made.state) == ("2026-12-31", True, "draft")


def test_a_row_the_database_refuses_is_undone_alone(records: RecordSession, upload: Upload) -> None:
    rows = [{"nome": f"N{n}", "cod": str(n), "dal": "01/01/2020"} for n in range(5)]
    rows[2]["dal"] = "31/12/1899"
    mapping = {"nome": "legal_name", "cod": "external_code", "dal": "client_since"}
    assert upload(Company, csv_bytes(*rows), mapping=mapping, apply=False).refused_count == 1


def test_a_row_that_fails_when_written_leaves_the_others_alone(
    records: RecordSession, upload: Upload, actor: Actor
) -> None:
    rows = [{"nome": f"N{n}", "piva": "", "cod": str(n)} for n in range(4)]
    rows[1]["piva"], rows[3]["piva"] = VAT, OTHER_VAT
    mapping = {"nome": "legal_name", "piva": "vat_number", "cod": "external_code"}
    batch = upload(Company, csv_bytes(*rows), mapping=mapping, apply=False)
    assert counts(batch) == (4, 0, 0, 0, 0)
    # Between trial and application somebody else takes one of the numbers.
    plain.create_record(records, Company, {"legal_name": "Prima", "vat_number": VAT}, actor=actor)
    records.commit()
    finish(records, imports.apply_rows(records, batch, actor=actor))
    assert counts(batch) == (3, 0, 0, 0, 1)
    assert list(sentences(records, batch)) == [3]
    names = records.scalars(sa.select(Company.legal_name).where(Company.legal_name.like("N_"))).all()
    assert sorted(names) == ["N0", "N2", "N3"]


def test_a_chunk_that_fails_as_a_whole_is_written_row_by_row(records: RecordSession, upload: Upload) -> None:
    # One mailbox read for two: no key of the sheet says so, only the database when both are written.
    rows = [
        {
            "codice": f"BOX{n}",
            "coda": "CC",
            "indirizzo": f"{n}@x.example",
            "server": "imap.x.example",
            "utente": f"u{max(n, 1)}",
            "cartella": "INBOX",
        }
        for n in range(5)
    ]
    mapping = {
        "codice": "code",
        "coda": "queue",
        "indirizzo": "address",
        "server": "host",
        "utente": "username",
        "cartella": "folder",
    }
    batch = upload(Mailbox, csv_bytes(*rows), mapping=mapping, matched_by="code")
    assert counts(batch) == (4, 0, 0, 0, 1)
    rule = str(Mailbox.__admin__.rules["uq_mailbox_host_username_folder"].text)
    assert sentences(records, batch) == {3: f"cartella: {rule}"}
    assert not records.scalars(
        sa.select(ImportRow).where(ImportRow.batch_id == batch.id, ImportRow.number == 3, ImportRow.applied)
    ).all()


def test_a_row_with_more_cells_than_headings_is_refused(records: RecordSession, upload: Upload) -> None:
    batch = upload(Company, b"id,name\n1,Rossi\n2,Neri,Srl\n", mapping={"id": "external_code", "name": "legal_name"})
    assert (counts(batch), list(sentences(records, batch))) == ((1, 0, 0, 0, 1), [3])


def test_up_to_the_limit_it_is_one_transaction(
    records: RecordSession, upload: Upload, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 2)
    batch = upload(Company, csv_bytes(*(body(n) for n in range(7))), apply=False)
    steps = imports.apply_rows(records, batch, actor=actor)
    assert finish(records, steps) == 1


def test_a_larger_one_goes_on_where_it_was_interrupted(
    engine: sa.Engine, records: RecordSession, upload: Upload, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 2)
    monkeypatch.setattr(imports, "WHOLE", 5)
    rows = [body(n) for n in range(6)] + [body(0, name="Di nuovo")]
    batch = imports.start_import(records, Company, "x.csv", csv_bytes(*rows), actor=actor)
    imports.map_columns(
        records, batch, batch.mapping, mode=ImportMode.both, matched_by="external_code", source_system="R", actor=actor
    )
    number = batch.id
    trial = imports.try_rows(records, batch, actor=actor)
    next(trial)
    records.commit()
    assert (batch.state, batch.done_row) == (ImportState.trying, 3)
    finish(records, imports.try_rows(records, batch, actor=actor))
    assert counts(batch) == (6, 0, 0, 0, 1), "the key met before the interruption is remembered"
    writing = imports.apply_rows(records, batch, actor=actor)
    next(writing)
    records.commit()
    next(writing)  # written but not committed: lost, and done again
    records.rollback()
    with begin_writing(), open_session(engine, Context(actor, Door.spreadsheet)) as later:
        batch = imports.get_batch(later, Company, number, actor=actor)
        assert (batch.state, batch.done_row) == (ImportState.applying, 3)
        finish(later, imports.apply_rows(later, batch, actor=actor))
        assert (batch.state, counts(batch)) == (ImportState.applied, (6, 0, 0, 0, 1))
        assert len(later.scalars(sa.select(Company.id).where(Company.legal_name.like("Comune di Prova%"))).all()) == 6


def test_steps_out_of_order_are_refused(records: RecordSession, upload: Upload, actor: Actor) -> None:
    batch = upload(Company, csv_bytes(body(1)))
    for step in (imports.try_rows, imports.apply_rows):
        with pytest.raises(WrongStep):
            next(step(records, batch, actor=actor))
    imports.discard_import(records, batch, actor=actor)
    assert not import_results.find_rows(records, batch, ImportOutcome.new)
    assert company(records, "Comune di Prova 1").id


def test_a_mapping_that_cannot_work_is_refused_with_all_its_problems(records: RecordSession, actor: Actor) -> None:
    batch = imports.start_import(records, Company, "x.csv", csv_bytes(body(1)), actor=actor)
    with pytest.raises(InvalidRecord) as refusal:
        imports.map_columns(
            records, batch, {"0": "external_code", "1": "legal_name", "2": "legal_name", "3": "no", "99": "city"},
            mode=ImportMode.both, matched_by="vat_number", source_system=None, actor=actor,
        )  # fmt: skip
    assert set(refusal.value.problems) == {"column.2", "column.3", "column.99", "matched_by", "source_system"}
    with pytest.raises(InvalidRecord) as refusal:
        imports.map_columns(
            records, batch, {"14": "whole_address", "1": "street"},
            mode=ImportMode.update, matched_by=None, source_system=None, actor=actor,
        )  # fmt: skip
    assert set(refusal.value.problems) == {"column.1", "matched_by"}


def test_only_who_may_write_may_import(
    records: RecordSession, session: RecordSession, staff: Any, engine: sa.Engine
) -> None:
    reader = load_actor(session, staff("operator1").id)
    with open_session(engine, Context(reader, Door.spreadsheet)) as theirs, pytest.raises(Forbidden):
        imports.start_import(theirs, Company, "x.csv", csv_bytes(body(1)), actor=reader)


def test_a_batch_is_its_owners_and_the_administrators(
    records: RecordSession, session: RecordSession, staff: Any, engine: sa.Engine, actor: Actor
) -> None:
    sales, other = (load_actor(session, staff(role).id) for role in ("sales", "secretariat"))
    with begin_writing(), open_session(engine, Context(sales, Door.spreadsheet)) as hers:
        number = imports.start_import(hers, Company, "x.csv", csv_bytes(body(1)), actor=sales).id
        hers.commit()
        assert imports.get_batch(hers, Company, number, actor=sales).id == number
    with open_session(engine, Context(other, Door.spreadsheet)) as theirs, pytest.raises(NotFound):
        imports.get_batch(theirs, Company, number, actor=other)
    assert imports.get_batch(records, Company, number, actor=actor).id == number
    with pytest.raises(NotFound):
        imports.get_batch(records, Contact, number, actor=actor)


@pytest.mark.long
def test_the_whole_register(records: RecordSession, upload: Upload) -> None:
    content = read_register()
    batch = upload(Company, content)
    assert batch.row_count == 11_951
    assert counts(batch) == (11_824, 0, 0, 0, 127)
    assert batch.noted_count == 2
    assert import_results.frequent_reasons(records, batch) == [("url", 125), ("email", 2)]
    assert counts(upload(Company, content)) == (0, 0, 11_824, 0, 127)
