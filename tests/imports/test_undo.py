"""Choices for the columns kept under a name, and imports taken back as a whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.access import INTERNAL
from backoffice.actors import Actor, Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.errors import InvalidRecord
from backoffice.identity import load_actor
from backoffice.operations import import_undo, imports, plain
from backoffice.operations.erasure import erase_personal_history
from backoffice.operations.import_undo import UndoRefused
from backoffice.operations.imports import WrongStep
from backoffice.operations.kept_mappings import find_mappings
from models.base import ENTITIES
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.external_code import ExternalCode
from models.history_entry import HistoryEntry, HistoryPersonal
from models.import_batch import ImportBatch, ImportMode, ImportOutcome, ImportState
from tests.clients import DeskClient
from tests.imports.conftest import finish
from tests.imports.register import body, csv_bytes
from tests.imports.test_pages import CHOICES, REGISTER, follow, place, send

Upload = Callable[..., ImportBatch]
#: What is never taken back: that something happened.
BOOKS = ("history_entry", "import_batch", "sign_in_entry", "export_entry")
PERSON = {"ditta": "company", "nome": "first_name", "cognome": "last_name", "mail": "email"}


def stored(session: RecordSession) -> dict[str, set[tuple[str, ...]]]:
    """Return every row there is, hidden ones left out, without what changes with each save."""
    found = {}
    for name, entity in ENTITIES.items():
        table, silent = entity.__table__, {"version", "updated_at", "updated_by_id"}
        statement = sa.select(*(column for column in table.c if column.name not in silent))
        if "deleted_at" in table.c:
            statement = statement.where(table.c.deleted_at.is_(None))
        if name not in BOOKS:
            found[name] = {tuple(map(str, row)) for row in session.execute(statement, execution_options=INTERNAL)}
    return found


def codes(session: RecordSession) -> set[tuple[str, int]]:
    statement = sa.select(ExternalCode.code, ExternalCode.record_id)
    return {(code, key) for code, key in session.execute(statement, execution_options=INTERNAL)}


def test_an_import_is_taken_back_to_the_last_value(records: RecordSession, upload: Upload, actor: Actor) -> None:
    upload(Company, csv_bytes(body(1), body(2, url="")))
    before = stored(records)
    rows = [body(1), body(2, name="Altro nome", url="http://nuovo.example"), body(3), body(4)]
    batch = upload(Company, csv_bytes(*rows))
    assert (batch.new_count, batch.changed_count, batch.same_count) == (2, 1, 1)
    assert stored(records) != before
    import_undo.undo_import(records, batch, actor=actor)
    records.commit()
    assert stored(records) == before
    assert (batch.state, batch.undone_at is not None) == (ImportState.undone, True)
    kept = records.scalars(sa.select(Company).where(Company.legal_name == "Comune di Prova 2")).one()
    about = sa.select(HistoryEntry).where(HistoryEntry.entity == "company", HistoryEntry.record_id == kept.id)
    entry = records.scalars(about.order_by(HistoryEntry.id)).all()[-1]
    changes = {**entry.changes, **records.get_one(HistoryPersonal, entry.id).changes}
    assert changes["legal_name"] == ["Altro nome", "Comune di Prova 2"]
    assert changes["website"] == ["http://nuovo.example", None]
    with pytest.raises(WrongStep):
        import_undo.undo_import(records, batch, actor=actor)
    again = upload(Company, csv_bytes(*rows))
    assert (again.new_count, again.changed_count, again.same_count, again.refused_count) == (2, 1, 1, 0)


def test_personal_values_relations_and_codes_come_back(records: RecordSession, upload: Upload, actor: Actor) -> None:
    companies = records.scalars(sa.select(Company).where(Company.vat_number.is_not(None)).limit(2)).all()
    mapping = PERSON | {"cod": "external_code"}
    row = {"ditta": companies[0].vat_number, "nome": "Ada", "cognome": "Rossi", "mail": "a@x.example", "cod": "1"}
    upload(Contact, csv_bytes(row), mapping=mapping)
    before, known = stored(records), codes(records)
    other = {**row, "ditta": companies[1].vat_number, "cognome": "Bianchi", "mail": "b@x.example"}
    batch = upload(Contact, csv_bytes(other), mapping=mapping)
    assert batch.changed_count == 1
    import_undo.undo_import(records, batch, actor=actor)
    assert stored(records) == before
    batch = upload(
        Contact, csv_bytes({**row, "nome": "Ida", "cod": "neu"}), mapping=mapping, matched_by="company+email"
    )
    assert codes(records) != known
    import_undo.undo_import(records, batch, actor=actor)
    assert (stored(records), codes(records)) == (before, known)


def test_rows_that_changed_or_are_used_keep_all_of_it(records: RecordSession, upload: Upload, actor: Actor) -> None:
    batch = upload(Company, csv_bytes(*(body(number) for number in range(1, 5))))
    made = records.scalars(sa.select(Company).where(Company.legal_name.like("Comune di Prova %"))).all()
    by_name = {company.legal_name[-1]: company for company in made}
    plain.update_record(records, by_name["1"], {"city": "Altrove"}, version=1, actor=actor)
    plain.delete_record(records, by_name["2"], version=1, actor=actor)
    person = {"company": by_name["3"], "first_name": "Ada", "last_name": "Rossi"}
    plain.create_record(records, Contact, person, actor=actor)
    records.commit()
    before = stored(records)
    with pytest.raises(UndoRefused) as refused:
        import_undo.undo_import(records, batch, actor=actor)
    records.rollback()
    found = {one.number: (one.record, str(one.reason)) for one in refused.value.values["found"]}
    assert sorted(found) == [2, 3, 4]
    assert found[2][0] is by_name["1"]
    assert found[3][0] is None
    assert "1 cont" in found[4][1]
    assert stored(records) == before
    assert batch.state is ImportState.applied


def test_long_files_are_taken_back_step_by_step_up_to_a_row_that_changed_meanwhile(
    records: RecordSession, upload: Upload, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(records)
    batch = upload(Company, csv_bytes(*(body(number) for number in range(1, 8))))
    monkeypatch.setattr(imports, "WHOLE", 3)
    monkeypatch.setattr(imports, "CHUNK", 2)
    steps = import_undo.undo_rows(records, batch, actor=actor)
    assert next(steps) == 2
    records.commit()
    first = records.scalars(sa.select(Company).where(Company.legal_name == "Comune di Prova 1")).one()
    was = first.city
    plain.update_record(records, first, {"city": "Altrove"}, version=1, actor=actor)
    records.commit()
    for expected in (4, 6):
        assert next(steps) == expected
        records.commit()
    with pytest.raises(UndoRefused) as refused:
        next(steps)
    records.rollback()
    assert [one.number for one in refused.value.values["found"]] == [2]
    assert batch.state is ImportState.applied
    assert import_undo.count_left(records, batch) == {ImportOutcome.new: 1}
    # Once the row is as it was, the rest follows.
    plain.update_record(records, first, {"city": was}, version=2, actor=actor)
    import_undo.undo_import(records, batch, actor=actor)
    records.commit()
    assert stored(records) == before
    assert batch.state is ImportState.undone


def test_rows_that_nobody_touched_cost_no_statement_each(
    records: RecordSession, engine: sa.Engine, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "CHUNK", 5)
    batches = [upload(Company, csv_bytes(*(body(number) for number in rows))) for rows in (range(1, 3), range(10, 40))]
    seen: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
    counts = []
    for batch in batches:
        records.refresh(batch)
        seen.clear()
        assert import_undo.find_obstacles(records, batch) == []
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_what_was_erased_cannot_be_put_back(records: RecordSession, upload: Upload, actor: Actor) -> None:
    company = records.scalars(sa.select(Company).where(Company.vat_number.is_not(None)).limit(1)).one()
    row = {"ditta": company.vat_number, "nome": "Ada", "cognome": "Rossi", "mail": "a@x.example"}
    upload(Contact, csv_bytes(row), mapping=PERSON, matched_by="company+email")
    batch = upload(Contact, csv_bytes({**row, "cognome": "Bianchi"}), mapping=PERSON, matched_by="company+email")
    contact = records.scalars(sa.select(Contact).where(Contact.email == "a@x.example")).one()
    erase_personal_history(records, contact, "Su richiesta", actor=actor)
    with pytest.raises(UndoRefused):
        import_undo.undo_import(records, batch, actor=actor)


def test_records_that_are_really_deleted_go_really(records: RecordSession, upload: Upload, actor: Actor) -> None:
    some = records.scalars(sa.select(Contract).limit(1)).one()
    row = {"num": "2030/1", "ditta": some.company.vat_number or some.company.tax_code, "dal": "31/12/2025"}
    row["gruppo"] = some.group_company.legal_name
    mapping = {"num": "number", "ditta": "company", "dal": "starts_on", "gruppo": "group_company"}
    before = stored(records)
    batch = upload(Contract, csv_bytes(row, row | {"num": "", "gruppo": ""}), mapping=mapping, matched_by="number")
    assert (batch.new_count, batch.refused_count) == (1, 1)
    import_undo.undo_import(records, batch, actor=actor)
    assert stored(records) == before


def test_who_may_not_delete_may_still_undo_their_own_import(
    engine: sa.Engine, session: RecordSession, staff: Callable[..., Any]
) -> None:
    sales = load_actor(session, staff("sales").id)
    session.rollback()
    chosen: dict[str, Any] = {"mode": ImportMode.create, "matched_by": None, "source_system": None}
    with begin_writing(), open_session(engine, Context(sales, Door.spreadsheet)) as own:
        batch = imports.start_import(own, Company, "a.csv", csv_bytes({"nome": "Nuova srl"}), actor=sales)
        imports.map_columns(own, batch, {"0": "legal_name"}, **chosen, actor=sales)
        finish(own, imports.try_rows(own, batch, actor=sales))
        finish(own, imports.apply_rows(own, batch, actor=sales))
        assert batch.new_count == 1
        import_undo.undo_import(own, batch, actor=sales)
        own.commit()
        assert own.scalars(sa.select(Company).where(Company.legal_name == "Nuova srl")).all() == []


def test_choices_kept_under_a_name_are_offered_to_the_group(
    engine: sa.Engine, records: RecordSession, session: RecordSession, staff: Callable[..., Any], actor: Actor
) -> None:
    content = csv_bytes({"col a": "Uno srl", "col b": "0461 123456", "col c": "x"})
    colleagues = {name: load_actor(session, staff(f"demo.{name}").id) for name in ("sales", "sales.2")}
    session.rollback()
    batch = imports.start_import(records, Company, "a.csv", content, actor=actor)
    assert batch.mapping == {}
    chosen: dict[str, Any] = {"mode": ImportMode.create, "matched_by": None, "source_system": None, "actor": actor}
    with pytest.raises(InvalidRecord):
        imports.map_columns(records, batch, {"0": "legal_name"}, **chosen, mapping_name="x" * 81)
    imports.map_columns(
        records, batch, {"0": "legal_name", "1": "phone"}, **chosen, mapping_name="  Vecchio  registro "
    )
    records.commit()
    allowed = {"legal_name": 1, "phone": 1}
    (kept,) = find_mappings(records, Company, ["col b", "z", "col a"], allowed, actor=actor)
    assert kept.name == "Vecchio registro"
    assert kept.mapping_for(["col b", "z", "col a"]) == {"0": "phone", "2": "legal_name"}
    assert find_mappings(records, Company, ["col a"], allowed, actor=actor) == []
    assert find_mappings(records, Contact, ["col b", "col a"], allowed, actor=actor) == []
    assert find_mappings(records, Company, ["col b", "col a"], {"phone": 1}, actor=actor) == []
    records.commit()
    for name, expected in (("sales", {"0": "legal_name", "1": "phone"}), ("sales.2", {})):
        other = colleagues[name]
        with begin_writing(), open_session(engine, Context(other, Door.spreadsheet)) as theirs:
            assert imports.start_import(theirs, Company, "b.csv", content, actor=other).mapping == expected, name
    imports.map_columns(records, batch, {"0": "legal_name"}, **chosen, mapping_name="Vecchio registro")
    (kept,) = find_mappings(records, Company, batch.headings, allowed, actor=actor)
    assert kept.targets == {"col a": "legal_name"}


def test_the_pages_keep_offer_tell_and_refuse(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    client = desk_client("administrator")
    columns = place(send(client, csv_bytes(body(1), body(2))))
    trial, _page = follow(client, client.submit(columns, REGISTER | CHOICES | {"mapping_name": "Registro regionale"}))
    done, page = follow(client, client.submit(trial.replace("trial", "apply")))
    assert "Registro regionale" in page.text
    number = re.search(r"/import/(\d+)/", done)
    assert number is not None
    record = client.get(f"/import_batch/{number[1]}").text
    assert "Registro regionale" in record
    assert f"/company/import/{number[1]}/done" in record
    undo = done.replace("done", "undo")
    assert f'href="/backoffice{undo}"' in page.text
    ask = client.get(undo).text
    assert "2 schede aggiunte vengono eliminate." in ask
    assert "btn-danger-solid" in ask
    offered = re.search(r'href="([^"]+mapping=[^"]+)"', client.get(place(send(client, csv_bytes(body(3))))).text)
    assert offered is not None
    assert client.get(offered[1].removeprefix("/backoffice")).text.count(" selected>") >= len(REGISTER)
    session.rollback()
    touched = session.scalars(sa.select(Company).where(Company.legal_name == "Comune di Prova 1")).one()
    session.rollback()
    with begin_writing():
        session.refresh(touched)
        touched.city = "Altrove"
        session.commit()
    for response in (client.get(undo), client.submit(undo)):
        assert f"/company/{touched.id}" in response.text
        assert "btn-danger-solid" not in response.text
    assert response.status_code == 409
    assert desk_client("sales").submit(undo).status_code == 404


def test_undone_on_the_page(desk_client: Callable[..., DeskClient], session: RecordSession) -> None:
    client = desk_client("administrator")
    trial, _page = follow(client, client.submit(place(send(client, csv_bytes(body(1), body(2)))), REGISTER | CHOICES))
    done, _page = follow(client, client.submit(trial.replace("trial", "apply")))
    undo = done.replace("done", "undo")
    assert place(client.submit(undo)) == done
    assert undo not in client.get(done).text
    assert client.get(undo).status_code == 302
    session.rollback()
    assert session.scalars(sa.select(Company).where(Company.legal_name.like("Comune di Prova %"))).all() == []
