"""The walk through the first setting up: met at the first sign-in, left, taken up again, for administrators only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from backoffice import demo_jobs as _demo_jobs
from backoffice.background import work_off
from backoffice.database import RecordSession
from backoffice.operations.demonstration import REMOVAL
from backoffice.operations.jobs import IMPORTS
from backoffice.operations.setting_up import STEPS
from backoffice.outbox import has_demonstration
from models.job import Job, JobState
from models.outbox_mail import OutboxMail
from models.setup_step import SetupStep
from tests.clients import DeskClient
from tests.views.programs import as_stored

Clients = Callable[..., DeskClient]
PAGE = "/start/"
_ = _demo_jobs


def send(client: DeskClient, form: dict[str, Any]) -> Any:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get(PAGE).text)
    assert token
    return client.post(PAGE, data={"csrf_token": token[1], **form})


def sign_in(client: DeskClient, name: str, password: str) -> Any:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login/").text)
    assert token
    return client.post("/login/", data={"csrf_token": token[1], "username": name, "password": password})


def test_it_is_met_first_left_and_taken_up_again(desk_client: Clients, password: str, session: RecordSession) -> None:
    client = desk_client()
    assert sign_in(client, "demo.administrator", password).location == f"/backoffice{PAGE}"
    assert sign_in(desk_client(), "demo.sales", password).location == "/backoffice/"
    page = client.get(PAGE).text
    assert page.count('name="done"') == len(STEPS)
    assert "0 di 6" in page
    assert send(client, {"step": "group", "done": "1"}).status_code == 303
    assert send(client, {"step": "group", "done": "1"}).status_code == 303  # once more changes nothing
    assert "1 di 6" in client.get("/").text
    # From now on one gets to the start page, where it can be taken up again.
    assert sign_in(desk_client(), "demo.administrator", password).location == "/backoffice/"
    send(client, {"step": "group", "reopen": "1"})
    assert as_stored(session).scalars(sa.select(SetupStep)).all() == []
    for name in STEPS:
        send(client, {"step": name, "done": "1"})
    assert "Messa in funzione" not in client.get("/").text
    assert "6 di 6" in client.get(PAGE).text


def test_the_test_mail_goes_to_whoever_asks(desk_client: Clients, session: RecordSession) -> None:
    assert send(desk_client("administrator"), {"step": "mail", "test": "1"}).status_code == 303
    mail = as_stored(session).scalars(sa.select(OutboxMail).where(OutboxMail.template == "mail_test")).one()
    assert mail.recipient.endswith(".example")


def test_others_have_no_business_there(desk_client: Clients) -> None:
    assert desk_client("secretariat").get(PAGE).status_code == 403
    assert send(desk_client("administrator"), {"step": "anything", "done": "1"}).status_code == 303


def test_the_demonstration_is_removed_beside_the_page(
    desk_client: Clients, session: RecordSession, engine: sa.Engine
) -> None:
    path, client = "/start/demonstration", desk_client("administrator")
    assert desk_client("secretariat").get(path).status_code == 403
    whole = desk_client("admin")  # who looks after every corporate group
    assert "vengono cancellati" in whole.get(path).text
    assert client.get(path).status_code == 403
    assert whole.submit(path).status_code == 303
    assert work_off(engine, IMPORTS) == 1
    job = as_stored(session).scalars(sa.select(Job).where(Job.kind == REMOVAL)).one()
    assert (job.state, job.problem) == (JobState.done, None), job.problem
    assert not has_demonstration(session)
    assert whole.submit(path).status_code == 409
    page = whole.get(PAGE).text
    assert path not in page
    assert "1 di 6" in page  # nothing is left to be done about it
