"""M7: a write must not point at a row that the writer may not see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask_appbuilder import ModelRestApi
from flask_appbuilder.models.sqla.filters import FilterEqual
from flask_appbuilder.models.sqla.interface import SQLAInterface

from backoffice.actors import Context, Door
from backoffice.database import RecordSession, begin_writing, open_session
from backoffice.identity import load_actor
from models.company import Company
from models.contact import Contact
from models.staff import Staff
from tests.toolkit.stock import Firm, Person, Stock
from tests.views.programs import Program, as_stored, make_company


def test_the_stock_api_accepts_the_key_of_a_hidden_row() -> None:
    class FirmApi(ModelRestApi):
        datamodel = SQLAInterface(Firm)
        base_filters = [["owner", FilterEqual, "us"]]

    class PersonApi(ModelRestApi):
        datamodel = SQLAInterface(Person)
        add_columns = ["name", "firm"]
        add_query_rel_fields = {"firm": [["owner", FilterEqual, "us"]]}

    stock = Stock()
    stock.add_view(FirmApi)
    stock.add_view(PersonApi)
    stock.store(Firm(id=7, name="Theirs", owner="them"))
    client = stock.app.test_client()
    assert client.get("/api/v1/firmapi/7", headers=stock.bearer).status_code == 404, "hidden when read"
    answer = client.post("/api/v1/personapi/", json={"name": "Anna", "firm": 7}, headers=stock.bearer)
    assert answer.status_code == 201, "and yet it can be pointed at"


def test_ours_refuses_the_key_of_a_hidden_row(
    application: Any, desk: Flask, staff: Callable[[str], Staff], session: RecordSession
) -> None:
    theirs = make_company(session, "Altrui srl", group=2)
    api = Program(application, desk, staff("sales"))
    assert api.get(f"/company/{theirs.id}").status_code == 404
    answer = api.post("/contact/", json={"first_name": "Anna", "last_name": "Bianchi", "company": theirs.id})
    assert (answer.status_code, set(answer.json["errors"])) == (422, {"company"})
    assert not as_stored(session).scalar(sa.select(sa.func.count()).where(Contact.company_id == theirs.id))


def test_our_session_keeps_statements_on_many_rows_within_the_scope(
    engine: sa.Engine, staff: Callable[[str], Staff], session: RecordSession
) -> None:
    theirs, ours = make_company(session, "Altrui srl", group=2).id, make_company(session, "Nostra srl").id
    both = Company.id.in_([theirs, ours])
    actor = load_actor(session, staff("administrator").id)
    session.rollback()
    with begin_writing(), open_session(engine, Context(actor, Door.desk)) as scoped:
        assert scoped.scalars(sa.select(Company.id).where(both)).all() == [ours]
        assert scoped.scalar(sa.select(sa.func.count()).select_from(Company).where(both)) == 1
        assert scoped.get(Company, theirs) is None
        scoped.execute(sa.update(Company).where(both).values(city="Ala"))
        scoped.commit()
    cities = as_stored(session).execute(sa.select(Company.id, Company.city).where(both)).all()
    assert dict(map(tuple, cities)) == {theirs: None, ours: "Ala"}
