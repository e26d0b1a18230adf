"""The privacy panel: consent withdrawn and given again; one's own data, and nobody else's (PR-05, PR-08)."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession
from models.account import Account, AccountState
from models.consent import Consent
from models.ticket import Ticket
from tests.client_area.conftest import ClientBrowser

pytestmark = pytest.mark.databases("postgresql", "sqlite", long=("sqlite",))
Browsers = Callable[..., ClientBrowser]
Find = Callable[[str], Account]


def test_consent_is_withdrawn_knowingly_and_given_again(
    browser_of: Browsers, account: Find, session: RecordSession
) -> None:
    browser = browser_of("demo.client")
    assert browser.form("/it/privacy/", {"give": "1"}).status_code == 303
    assert browser.form("/it/privacy/", {}).status_code == 422
    assert account("demo.client").state is AccountState.active
    assert browser.form("/it/privacy/", {"understood": "1"}).status_code == 303
    assert account("demo.client").state is AccountState.consent_revoked
    # The panel is all that is left, also after signing in again.
    for path in ("/it/ticket/", "/it/ticket/export.csv", "/it/contract/", "/it/ask/service/"):
        assert browser.get(path).status_code == 403, path
    for path in ("/it/", "/it/profile/", "/it/notices/"):
        assert browser.get(path).location == "/it/privacy/", path
    again = browser_of("demo.client")
    assert again.get("/it/privacy/").status_code == 200
    assert again.form("/it/privacy/", {"give": "1"}).status_code == 303
    assert again.get("/it/ticket/").status_code == 200
    rows = session.scalars(sa.select(Consent).where(Consent.account_id == account("demo.client").id)).all()
    assert [row.revoked_at is None for row in sorted(rows, key=lambda row: row.id)] == [False, True]


def test_ones_own_data_is_all_of_it_and_nobody_elses(
    browser_of: Browsers, account: Find, store: Callable[..., None], session: RecordSession
) -> None:
    someone = account("demo.referent")
    tickets: Any = session.scalars(
        sa.select(Ticket).where(Ticket.company_id == someone.company_id).order_by(Ticket.id)
    ).all()
    own, others = tickets[0], tickets[1]
    store(Ticket, own.id, account_id=someone.id)
    browser = browser_of("demo.referent")
    browser.form("/it/privacy/", {"give": "1"})
    assert browser.form("/it/complaints/new/", {"description": "Nessuno risponde."}).status_code == 303
    with browser.form("/it/privacy/data.zip", {}, page="/it/privacy/") as answer:
        assert answer.status_code == 200
        archive = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    assert sorted(archive.namelist()) == ["dati.json", "dati.xlsx"]
    content = json.loads(archive.read("dati.json"))
    assert [row["Numero"] for row in content["Ticket"]] == [own.number]
    assert [row["E-mail"] for row in content["Account"]] == [someone.email]
    assert len(content["Consensi"]) == 1
    assert [row["Descrizione"] for row in content["Reclami"]] == ["Nessuno risponde."]
    assert len(content["Sessioni degli account"]) == 1, content.keys()
    services = {row["Servizio online"] for row in content["Servizi online dei clienti"]}
    accesses = {row["Servizio online del cliente"] for row in content["Servizi online degli account"]}
    assert accesses
    assert {name.split(" / ")[-1] for name in accesses} <= services
    text = archive.read("dati.json").decode()
    assert others.number not in text
    assert "demo.client" not in text
    logged: Any = session.execute(sa.text("SELECT actor_name, format FROM export_entry")).one()
    assert (logged.actor_name, logged.format) == (f"Account {someone.id}", "zip")
