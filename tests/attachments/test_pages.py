"""Attachments at the desk and for programs: uploading, opening, deleting; what is refused is told."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from backoffice.database import RecordSession
from backoffice.files.store import FolderStore
from models.attachment import Attachment
from models.contract import Contract
from models.customer_order import CustomerOrder
from models.ticket import Ticket
from tests.attachments.samples import EXE, PDF, PNG
from tests.attachments.test_pictures import SECRET, picture
from tests.visitors import Visitor


@pytest.fixture
def files(desk: Flask, tmp_path: Path) -> Iterator[FolderStore]:
    """The file store of the running application, empty."""
    kept = desk.extensions["files"]
    desk.extensions["files"] = FolderStore(tmp_path / "files")
    yield desk.extensions["files"]
    desk.extensions["files"] = kept


@pytest.fixture
def ticket(session: RecordSession) -> Ticket:
    return session.scalars(sa.select(Ticket).where(Ticket.group_id == 1).order_by(Ticket.id.desc())).first()  # type: ignore[return-value]


def upload(visitor: Visitor, ticket: Any, *files: tuple[bytes, str], **values: str) -> Any:
    sent = {"parent": "ticket", "parent_id": str(ticket.id), **values}
    return visitor.submit("/attachment/add", {**sent, "file": [(io.BytesIO(content), name) for content, name in files]})


def latest(session: RecordSession) -> Attachment:
    session.rollback()
    return session.scalars(sa.select(Attachment).order_by(Attachment.id.desc())).first()  # type: ignore[return-value]


def test_a_file_is_attached_shown_saved_and_deleted(
    person: Callable[[str], Visitor], session: RecordSession, ticket: Ticket, files: FolderStore
) -> None:
    operator, tab = person("operator1"), f"/ticket/{ticket.id}?tab=attachment.ticket"
    page = operator.get(tab).text
    assert 'type="file"' in page
    assert "multiple" in page
    error = picture("PNG") + SECRET
    answer = upload(operator, ticket, (error, "errore.png"), (PDF, "istruzioni.pdf"), description="Prova")
    assert answer.status_code == 303
    assert answer.location.endswith(tab)
    page = operator.get(tab).text
    assert "errore.png" in page
    assert "istruzioni.pdf" in page
    pdf = latest(session)
    assert (pdf.description, pdf.client_visible, pdf.created_by_id is None) == ("Prova", False, False)
    assert f"/attachment/{pdf.id}/file" in page
    saved = operator.get(f"/attachment/{pdf.id}/file")
    assert saved.get_data() == PDF
    assert saved.headers["Content-Disposition"].startswith("attachment")
    shown = operator.get(f"/attachment/{pdf.id - 1}/file")
    # Shown it is drawn anew; saved it is as it came.
    assert (shown.get_data()[:8], SECRET in shown.get_data()) == (PNG[:8], False)
    assert shown.headers["Content-Disposition"].startswith("inline")
    assert operator.get(f"/attachment/{pdf.id - 1}/file?save=1").get_data() == error
    for sent, media_type in ((saved, "application/pdf"), (shown, "image/png")):
        assert sent.headers["Content-Type"] == media_type
        assert "sandbox" in sent.headers["Content-Security-Policy"]
        assert sent.headers["X-Content-Type-Options"] == "nosniff"
    assert operator.get(f"/attachment/{pdf.id - 1}/file?save=1").headers["Content-Disposition"].startswith("attachment")
    assert operator.get(f"/attachment/{pdf.id}/remove").status_code == 403  # adds, and removes nothing
    secretary = person("secretariat")
    assert secretary.submit(f"/attachment/{pdf.id}/remove", {"reason": " "}).status_code == 422
    assert secretary.submit(f"/attachment/{pdf.id}/remove", {"reason": "Sbagliato"}).status_code == 303
    assert operator.get(f"/attachment/{pdf.id}/file").status_code == 404
    history = operator.get(f"/ticket/{ticket.id}?tab=history").text
    assert "istruzioni.pdf" in history
    assert "Sbagliato" in history


def test_only_pictures_are_shown_by_browsers(
    admin: Visitor, session: RecordSession, ticket: Ticket, files: FolderStore
) -> None:
    upload(admin, ticket, (b"<b>ciao</b>", "nota.txt"))
    sent = admin.get(f"/attachment/{latest(session).id}/file")
    assert sent.headers["Content-Disposition"].startswith("attachment")


def test_refused_files_are_told_and_nothing_is_kept(
    admin: Visitor, session: RecordSession, ticket: Ticket, files: FolderStore
) -> None:
    before = latest(session).id
    for sent in ([(EXE, "a.png")], [(b"", "vuoto.txt")], [(PNG, "buono.png"), (EXE, "cattivo.exe")], []):
        assert upload(admin, ticket, *sent).status_code == 303
        page = admin.get(f"/ticket/{ticket.id}?tab=attachment.ticket").text
        assert re.search(r'class="[^"]*(danger|bad)[^"]*" role="alert"|toast-bad|alert-danger', page), sent
    too_long = upload(admin, ticket, (PNG, "a.png"), description="x" * 200)
    assert too_long.status_code == 303
    refused = upload(admin, ticket, (EXE, "a.png"), description="Foglio <b>", client_visible="1")
    page = admin.get(refused.location.removeprefix("/backoffice")).text
    assert 'value="Foglio &lt;b&gt;"' in page
    assert re.search(r'id="attach-visible"[^>]* checked', page)
    assert latest(session).id == before


def test_not_yours_looks_like_not_there(
    person: Callable[[str], Visitor], session: RecordSession, files: FolderStore
) -> None:
    admin, operator, stranger = person("administrator"), person("operator1"), person("demo.sales.2")
    order = session.scalars(sa.select(CustomerOrder).where(CustomerOrder.group_id == 1)).first()
    sent = {"parent": "customer_order", "parent_id": str(order.id), "file": (io.BytesIO(PDF), "ordine.pdf")}  # type: ignore[union-attr]
    assert admin.submit("/attachment/add", sent).status_code == 303
    key = latest(session).id
    assert admin.get(f"/attachment/{key}/file").status_code == 200
    for other in (operator, stranger):
        for path in (f"/attachment/{key}", f"/attachment/{key}/file", f"/attachment/{key}/remove"):
            assert other.get(path).status_code == other.get(path.replace(str(key), "999999")).status_code == 404
        assert other.api("GET", f"attachment/{key}/file").status_code == 404
        assert other.api("GET", f"attachment/?f=id:is:{key}").json["count"] == 0
        sent["file"] = (io.BytesIO(PDF), "ordine.pdf")
        assert other.submit("/attachment/add", sent).status_code in (403, 404)
        assert other.api("POST", "attachment/add", data=form(customer_order=order.id)).status_code in (403, 404)  # type: ignore[union-attr]
    for path in (f"/attachment/{key}/file", f"/attachment/{key}"):
        assert person("management").get(path).status_code == 403


def form(content: bytes = PDF, name: str = "a.pdf", **values: Any) -> dict[str, Any]:
    return {**{key: str(value) for key, value in values.items()}, "file": (io.BytesIO(content), name)}


def test_programs_attach_read_and_delete(
    person: Callable[[str], Visitor], session: RecordSession, files: FolderStore
) -> None:
    sales = person("sales")
    contract = session.scalars(sa.select(Contract).where(Contract.group_id == 1).order_by(Contract.id.desc())).first()
    assert contract is not None
    made = sales.api("POST", "attachment/add", data=form(contract=contract.id, description="Foglio informativo"))
    assert made.status_code == 201
    assert made.json["contract"]["id"] == contract.id
    key = made.json["id"]
    listed = sales.api("GET", f"attachment/?f=contract:in:{contract.id}").json["result"]
    assert [(row["id"], row["name"]) for row in listed] == [(key, "a.pdf")]
    sent = sales.api("GET", f"attachment/{key}/file")
    assert (sent.get_data(), sent.headers["Content-Disposition"][:10]) == (PDF, "attachment")
    for nothing in ({}, {"reason": " "}, {"reason": 5}, []):
        assert sales.api("POST", f"attachment/{key}/remove", json=nothing).status_code == 422
    assert sales.api("POST", f"attachment/{key}/remove", json={"reason": "Superato"}).status_code == 204
    assert sales.api("GET", f"attachment/{key}/file").status_code == 404


def test_programs_are_told_what_is_wrong(admin: Visitor, ticket: Ticket, files: FolderStore) -> None:
    def refusal(status: int, **values: Any) -> None:
        assert admin.api("POST", "attachment/add", data=form(**values)).status_code == status

    refusal(400)
    refusal(400, ticket=ticket.id, company=1)
    refusal(404, ticket=999999)
    refusal(404, ticket="x")
    refusal(415, ticket=ticket.id, content=EXE)
    refusal(422, ticket=ticket.id, content=b"")
    refusal(422, ticket=ticket.id, description="x" * 200)
    assert admin.api("POST", "attachment/add", data={"ticket": str(ticket.id)}).status_code == 400
    assert admin.client.post("/api/v1/attachment/add", data=form(ticket=ticket.id)).status_code == 401


def test_what_is_too_large_is_refused(
    admin: Visitor, desk: Flask, ticket: Ticket, files: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(desk.config, "MAX_ATTACHMENT_MB", 0)
    answer = admin.api("POST", "attachment/add", data=form(ticket=ticket.id))
    assert (answer.status_code, "0 MB" in answer.json["detail"]) == (413, True)
    assert list(files.kept()) == []


def test_a_gone_file_is_told(admin: Visitor, session: RecordSession, ticket: Ticket, files: FolderStore) -> None:
    upload(admin, ticket, (PNG, "errore.png"))
    attachment = latest(session)
    files.delete(attachment.sha256)
    for answer in (
        admin.get(f"/attachment/{attachment.id}/file"),
        admin.api("GET", f"attachment/{attachment.id}/file"),
    ):
        assert answer.status_code == 404
        assert "danneggiato" in answer.text


def test_forms_without_our_token_attach_nothing(admin: Visitor, ticket: Ticket, files: FolderStore) -> None:
    sent = {"parent": "ticket", "parent_id": str(ticket.id), "file": (io.BytesIO(PNG), "a.png")}
    assert admin.client.post("/attachment/add", data=sent).status_code == 400
    assert admin.submit("/attachment/add", {"parent": "ab_user", "parent_id": "1"}).status_code == 404
