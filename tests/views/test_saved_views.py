"""Lists kept under a name: whose they are, who sees them, and that nobody sees more by them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest
import sqlalchemy as sa

from backoffice.database import RecordSession, begin_writing
from backoffice.operations import saved_views
from models.history_entry import HistoryEntry
from models.saved_view import SavedView
from tests.clients import DESK, DeskClient
from tests.views.programs import as_stored, make_company
from tests.visitors import Visitor

ADDRESS = "f=city:is:Ala&s=legal_name&c=legal_name,city&n=50"


def keep(client: Any, name: str = "Di Ala", address: str = ADDRESS, path: str = "/company/") -> str:
    """Save a list as a view; return its address."""
    answer = client.submit(f"{path}views/new", {"name": name, "address": address})
    assert answer.status_code == 303
    return unquote(answer.location.removeprefix(DESK))


def latest(session: RecordSession) -> SavedView:
    found = as_stored(session).scalars(sa.select(SavedView).order_by(SavedView.id.desc())).first()
    assert found is not None
    return found


def change(client: Any, view: SavedView, **values: Any) -> Any:
    sent = {"name": view.name, "version": view.version, "role": view.role_id or "", **values}
    return client.submit(f"/company/views/{view.id}", sent)


def tabs(client: Any, path: str = "/company/") -> list[tuple[str, bool]]:
    """Return the tabs of a list, and which one is open."""
    page = client.get(path, follow_redirects=True).text
    (row,) = re.findall(r'<nav class="views".*?</nav>', page, re.DOTALL) or [""]
    found = re.findall(r'<a class="tab"[^>]*?( aria-current="true")?>(.*?)</a>', row, re.DOTALL)
    return [(html.unescape(re.sub(r"<span.*|<[^>]+>", "", label)).strip(), bool(current)) for current, label in found]


def role_id(session: RecordSession, name: str) -> int:
    return int(session.scalar(sa.text("SELECT id FROM ab_role WHERE name = :name"), {"name": name}) or 0)


def test_a_list_is_kept_as_it_was(admin: Visitor, session: RecordSession) -> None:
    for name in ("Aaa srl", "Bbb srl"):
        make_company(session, name, city="Ala")
    path = keep(admin)
    view = latest(session)
    assert path == f"/company/?f=city:is:Ala&s=legal_name&c=legal_name,city&n=50&v={view.id}"
    page = admin.get(path).text
    assert page.count("<tr data-url") == 2
    assert page.index("Aaa srl") < page.index("Bbb srl")
    assert 'data-label="Comune"' in page
    assert 'data-label="Stato"' not in page
    assert tabs(admin) == [("Elenco intero", True), ("Di Ala", False)]
    assert tabs(admin, path) == [("Elenco intero", False), ("Di Ala", True)]
    assert "Vista modificata" not in page
    changed = admin.get(f"{path}&f=legal_name:contains:a").text
    assert "Vista modificata" in changed
    assert "Salva come vista" in changed
    admin.submit(f"/company/views/{view.id}/keep", {"address": "f=city:is:Ala"})
    assert unquote(latest(session).address) == "f=city:is:Ala"
    assert admin.submit(f"/company/views/{view.id}/delete", {}).status_code == 303
    assert tabs(admin) == []
    events = as_stored(session).scalars(sa.select(HistoryEntry.event).where(HistoryEntry.entity == "saved_view")).all()
    assert list(events) == ["created", "updated", "deleted"]


def test_it_is_its_owner_s_alone(
    admin: Visitor, session: RecordSession, desk_client: Callable[..., DeskClient]
) -> None:
    sales, colleague = desk_client("sales"), desk_client("operator2")
    keep(sales)
    view = latest(session)
    for other in (admin, colleague):
        assert tabs(other) == []
        assert change(other, view, name="Mia").status_code in (403, 404)
        for name in ("keep", "delete"):
            assert other.submit(f"/company/views/{view.id}/{name}", {}).status_code in (403, 404)
        assert other.get(f"/company/views/{view.id}").status_code in (403, 404)
    assert sales.get(f"/contact/views/{view.id}").status_code == 404, "of another list"
    before = view.version
    assert change(sales, view, name="Della Val Lagarina").status_code == 303
    assert latest(session).name == "Della Val Lagarina"
    assert change(sales, view, name="Altro", version=before).status_code == 409, "changed meanwhile"


def test_sharing_needs_the_right_and_shows_it_to_the_role(
    admin: Visitor, session: RecordSession, desk_client: Callable[..., DeskClient]
) -> None:
    operator, sales = desk_client("operator2"), desk_client("sales")
    keep(operator)
    own, wanted = latest(session), role_id(session, "sales")
    assert "Condivisa con" not in operator.get(f"/company/views/{own.id}").text
    assert change(operator, own, role=wanted).status_code == 403
    keep(sales, "Trentine")
    shared = latest(session)
    assert change(sales, shared, role=role_id(session, "operator2")).status_code == 303
    assert tabs(operator) == [("Elenco intero", True), ("Di Ala", False), ("Trentine", False)]
    assert tabs(desk_client("operator1")) == []
    shared = latest(session)
    # Whoever it is shared with opens it and saves another of their own, and changes it not.
    page = operator.get(f"/company/?{shared.address}&f=city:is:Trento&v={shared.id}").text
    assert ("Salva come vista" in page, "Salva le modifiche alla vista" in page) == (True, False)
    assert change(operator, shared, name="Mia").status_code in (403, 404)
    # Only administrators say what a role begins with; they look after what is shared.
    assert change(sales, shared, is_default="1").status_code == 303
    assert not latest(session).is_default
    shared = latest(session)
    assert change(admin, shared, name="Trentine", is_default="1").status_code == 303
    assert latest(session).is_default


def test_a_role_begins_with_its_view(
    admin: Visitor, session: RecordSession, desk_client: Callable[..., DeskClient]
) -> None:
    make_company(session, "Aaa srl", city="Ala")
    wanted = role_id(session, "sales")
    for name in ("Prima", "Seconda"):
        keep(admin, name)
        assert change(admin, latest(session), role=wanted, is_default="1").status_code == 303
    defaults = as_stored(session).scalars(sa.select(SavedView.name).where(SavedView.is_default)).all()
    assert list(defaults) == ["Seconda"], "one view a role"
    sales = desk_client("sales")
    opened = sales.get("/company/")
    assert (opened.status_code, f"v={latest(session).id}" in opened.location) == (302, True)
    assert tabs(sales)[2] == ("Seconda", True)
    assert tabs(sales, "/company/?v=0")[0] == ("Elenco intero", True)
    assert sales.get("/company/?q=aaa").status_code == 200, "whoever asks for something gets that"
    assert admin.get("/company/").status_code == 200, "another role"
    assert change(admin, latest(session), role="", is_default="1").status_code == 422


@pytest.mark.parametrize("lost", ["f=nothing:is:1", "f=state:in:nothing", "s=nothing", "c=nothing"])
def test_a_view_of_what_is_gone_says_so(admin: Visitor, session: RecordSession, lost: str) -> None:
    keep(admin)
    view = latest(session)
    with begin_writing():
        session.execute(sa.update(SavedView).values(address=f"f=city:is:Ala&{lost}"))
        session.commit()
    path = f"/company/?{latest(session).address}&v={view.id}"
    page = admin.get(path)
    assert page.status_code == 200
    assert "La vista “Di Ala” non si può mostrare" in html.unescape(page.text)
    assert f"/company/views/{view.id}" in page.text, "where it is changed or deleted"
    assert admin.get(path.replace(f"v={view.id}", "v=99")).status_code == 400, "without a view it is a mistake"


def test_a_shared_view_shows_nobody_more(
    admin: Visitor, session: RecordSession, desk_client: Callable[..., DeskClient]
) -> None:
    """Rows are found with the eyes of whoever opens it; a filter on what they see as a mask is told, not applied."""
    keep(admin, "Tutte le aziende", "s=legal_name&n=200")
    assert change(admin, latest(session), role=role_id(session, "consultant")).status_code == 303
    view = latest(session)
    consultant = desk_client("consultant")
    own = set(re.findall(r'data-url="([^"]+)"', consultant.get("/company/?n=200").text))
    opened = consultant.get(f"/company/?{view.address}&v={view.id}")
    assert set(re.findall(r'data-url="([^"]+)"', opened.text)) == own
    assert len(own) < admin.get("/company/?n=200").text.count("<tr data-url")
    keep(admin, "Per e-mail", "f=email:contains:a", "/contact/")
    view = latest(session)
    with begin_writing():
        session.execute(sa.update(SavedView).values(role_id=role_id(session, "management")))
        session.commit()
    masked = desk_client("management").get(f"/contact/?{view.address}&v={view.id}")
    assert (masked.status_code, "non si può mostrare" in html.unescape(masked.text)) == (200, True)


def test_names_and_numbers_have_limits(admin: Visitor, session: RecordSession, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(admin)
    for name, sentence in (("", "obbligatorio"), ("x" * 81, "80"), ("Di Ala", "Hai già una vista con questo nome")):
        keep(admin, name)
        assert sentence in html.unescape(admin.get("/company/").text), name
    monkeypatch.setattr(saved_views, "MOST", 1)
    keep(admin, "Altra")
    assert "Conservi già 1 viste" in admin.get("/company/").text
    for address in ("s=nothing", "q=" + "x" * 5000, "f=" * 3):
        status = admin.submit("/company/views/new", {"name": "Altra", "address": address}).status_code
        assert status in (303, 400), address
    assert as_stored(session).scalar(sa.select(sa.func.count(SavedView.id))) == 1
