"""The five doors: a state is changed through none of them but its verbs, and each leaves one mark of each change."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from backoffice.lifecycles import MACHINES
from backoffice.operations.cleaning import writable_fields
from backoffice.operations.import_mapping import targets_for
from models.base import Recorded
from models.catalogue import slug
from models.company import Company
from models.contact import Contact
from models.contract import Contract
from models.history_entry import ActorSort, Entrance, HistoryEntry, HistoryPersonal
from models.staff import Staff
from tests.clients import DESK
from tests.views.programs import as_stored, make_company, make_contract
from tests.visitors import ADMIN, Visitor, form_of, stored_row
from views.generated.grid import grid_entities


@pytest.mark.parametrize("entity", [e for e in MACHINES if e in grid_entities()], ids=slug)
def test_no_door_edits_a_state(entity: type[Recorded], admin: Visitor, session: RecordSession) -> None:
    column = MACHINES[entity].column
    row = stored_row(session, entity)
    state, version = getattr(row, column), row.version
    other = next(member.value for member in type(state) if member is not state)
    path = f"/{slug(entity)}/{row.id}"
    assert column not in writable_fields(entity, ADMIN)
    if MACHINES[entity].opening is None:  # what an import says of new records is tried in tests/imports
        assert column not in targets_for(entity, ADMIN)
    assert admin.cell(slug(entity), row.id, column, other, version).status_code == 422
    put = admin.api("PUT", path[1:], json={column: other}, headers={"If-Match": f'"{version}"'})
    assert put.status_code == 422
    post = admin.api("POST", slug(entity) + "/", json={column: other})
    assert (post.status_code, column in post.json["errors"]) == (422, True)
    edit = admin.get(f"{path}/edit")
    if edit.status_code == 200:
        assert f'name="{column}"' not in edit.text
        sent = form_of(admin, f"{path}/edit")
        assert admin.submit(f"{path}/edit", {**sent, column: other}).status_code in (303, 422)
    assert getattr(as_stored(session).get_one(entity, row.id), column) is state


def test_a_state_in_a_spreadsheet_goes_nowhere(admin: Visitor, session: RecordSession) -> None:
    contract = make_contract(session, make_company(session))
    content = f"Number;State\r\n{contract.number};active\r\n".encode()
    batch = admin.submit("/contract/import/", {"file": (io.BytesIO(content), "stati.csv")}).location.removeprefix(DESK)
    mapping = {"column.0": "number", "column.1": "state", "mode": "update", "matched_by": "number"}
    trial = admin.submit(batch, mapping)
    assert trial.status_code == 303
    page = admin.get(trial.location.removeprefix(DESK)).text
    assert "Solo una scheda nuova lo prende da un file: resta “Bozza”." in page
    admin.submit(batch.replace("/columns", "/apply"), {})
    assert as_stored(session).get_one(Contract, contract.id).state.value == "draft"


def entries(session: RecordSession, record: Any) -> list[HistoryEntry]:
    """Return what is written of a record beyond its creation."""
    mine = (HistoryEntry.entity == record.__tablename__, HistoryEntry.record_id == record.id)
    statement = sa.select(HistoryEntry).where(*mine, HistoryEntry.event != "created").order_by(HistoryEntry.id)
    return list(as_stored(session).scalars(statement))


def changes_of(session: RecordSession, entry: HistoryEntry) -> dict[str, Any]:
    """Return all that an entry tells, also what may name somebody and lies apart."""
    apart = session.get(HistoryPersonal, entry.id)
    return {**entry.changes, **(apart.changes if apart else {})}


def by_form(admin: Visitor, company: Company) -> None:
    sent = form_of(admin, f"/company/{company.id}/edit")
    assert admin.submit(f"/company/{company.id}/edit", {**sent, "city": "Trento"}).status_code == 303


def by_grid(admin: Visitor, company: Company) -> None:
    assert admin.cell("company", company.id, "city", "Trento", "1").status_code == 200


def by_api(admin: Visitor, company: Company) -> None:
    put = admin.api("PUT", f"company/{company.id}", json={"city": "Trento"}, headers={"If-Match": '"1"'})
    assert put.status_code == 200


def by_import(admin: Visitor, company: Company) -> None:
    content = f"VAT number;City\r\n{company.vat_number};Trento\r\n".encode()
    page = admin.submit("/company/import/", {"file": (io.BytesIO(content), "a.csv")}).location.removeprefix(DESK)
    mapping = {"column.0": "vat_number", "column.1": "city", "mode": "update", "matched_by": "vat_number"}
    assert admin.submit(page, mapping).status_code == 303
    done = admin.submit(page.replace("/columns", "/apply"), {})
    assert (done.status_code, done.location.endswith("/done")) == (303, True)


WORDS = {
    Entrance.desk: "back office", Entrance.grid: "griglia", Entrance.api: "API", Entrance.spreadsheet: "importazione",
}  # fmt: skip
EDITS = {Entrance.desk: by_form, Entrance.grid: by_grid, Entrance.api: by_api, Entrance.spreadsheet: by_import}


@pytest.mark.parametrize("door", EDITS)
def test_an_edit_leaves_one_entry_with_its_door(
    door: Entrance, admin: Visitor, session: RecordSession, staff: Callable[[str], Staff]
) -> None:
    company = make_company(session, "Una riga srl", city="Ala", vat_number="00743110157")
    EDITS[door](admin, company)
    (entry,) = entries(session, company)
    me = staff("administrator")
    assert (entry.door, entry.event, changes_of(session, entry)) == (door, "updated", {"city": ["Ala", "Trento"]})
    assert (entry.actor_kind, entry.actor_id, entry.actor_name) == (ActorSort.staff, me.id, str(me))
    assert (entry.group_id, entry.company_id) == (company.group_id, company.id)
    page = admin.get(f"/company/{company.id}?tab=history").text
    (latest,) = re.findall(r'<ol class="timeline">\s*<li>(.*?)</li>', page, re.DOTALL)
    assert all(text in latest for text in ("Ala", "Trento", str(me), f"</time>, {WORDS[door]}</span>"))


@pytest.mark.parametrize("door", [Entrance.desk, Entrance.api])
def test_a_verb_leaves_one_entry_with_its_name(door: Entrance, admin: Visitor, session: RecordSession) -> None:
    contract = make_contract(session, make_company(session))
    path = f"contract/{contract.id}/do/sign"
    if door is Entrance.desk:
        answer = admin.submit(f"/{path}", {"version": "1", "signed_on": "01/02/2026"})
    else:
        answer = admin.api("POST", path, json={"signed_on": "2026-02-01"}, headers={"If-Match": '"1"'})
    assert answer.status_code in (200, 303)
    (entry,) = entries(session, contract)
    assert (entry.door, entry.event) == (door, "contract.sign")
    assert entry.changes == {"state": ["draft", "signed"], "signed_on": [None, "2026-02-01"]}


@pytest.mark.parametrize("remove", ["form", "api"])
def test_a_deletion_leaves_one_entry(remove: str, admin: Visitor, session: RecordSession) -> None:
    company = make_company(session)
    if remove == "form":
        assert admin.submit(f"/company/{company.id}/delete", {"version": "1"}).status_code == 303
    else:
        assert admin.api("DELETE", f"company/{company.id}", headers={"If-Match": '"1"'}).status_code == 204
    (entry,) = entries(session, company)
    assert (entry.event, entry.door) == ("deleted", Entrance.desk if remove == "form" else Entrance.api)


def test_what_is_refused_leaves_no_entry(admin: Visitor, session: RecordSession) -> None:
    company = make_company(session, city="Ala")
    sent = form_of(admin, f"/company/{company.id}/edit")
    admin.submit(f"/company/{company.id}/edit", {**sent, "city": "Trento", "vat_number": "1"})
    admin.submit(f"/company/{company.id}/edit", {**sent, "city": "Trento", "version": "7"})
    admin.submit(f"/company/{company.id}/edit", sent)
    admin.cell("company", company.id, "postal_code", "x", "1")
    assert entries(session, company) == []


def test_personal_values_lie_apart(admin: Visitor, session: RecordSession) -> None:
    contact = Contact(company=make_company(session), first_name="Ada", last_name="Rossi", job_title="Sindaca")
    session.add(contact)
    session.commit()
    values = {"last_name": "Xylander", "email": "ada@prova.example", "job_title": "Assessora", "language": "en"}
    put = admin.api("PUT", f"contact/{contact.id}", json=values, headers={"If-Match": '"1"'})
    assert put.status_code == 200
    (entry,) = entries(session, contact)
    assert (entry.changes, entry.record_title) == ({"language": [None, "en"]}, None)
    personal = session.get_one(HistoryPersonal, entry.id)
    # What people write freely may name somebody as well.
    assert personal.changes == {
        "last_name": ["Rossi", "Xylander"],
        "email": [None, "ada@prova.example"],
        "job_title": ["Sindaca", "Assessora"],
    }
    everything = session.execute(sa.text("SELECT changes, record_title FROM history_entry")).all()
    assert "Xylander" not in repr(everything)


def test_secrets_are_never_written_down(admin: Visitor, session: RecordSession, staff: Callable[[str], Staff]) -> None:
    sales, new = staff("sales"), "sette-lampioni-blu-41"
    before = sales.password
    assert admin.submit(f"/security/password/{sales.id}", {"new": new, "again": new}).status_code == 303
    (entry,) = [entry for entry in entries(session, sales) if entry.event == "ab_user.set_password"]
    assert entry.changes["password"] is None
    after = session.scalars(sa.select(Staff.password).where(Staff.id == sales.id)).one()
    told = session.execute(
        sa.text("SELECT e.changes, p.changes FROM history_entry e LEFT JOIN history_personal p ON p.entry_id = e.id")
    )
    text = repr(told.all())
    assert not [secret for secret in (before, after, new) if secret and secret in text]
