"""The logo of a portal: chosen at the desk, shown to clients on every page, drawn anew (AC-03)."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image
from werkzeug.test import Client

from backoffice.actors import SYSTEM
from backoffice.database import RecordSession
from backoffice.operations.portal_logos import MOST_BYTES, LogoTooLarge, set_logo
from models.history_entry import HistoryEntry
from models.portal import Portal
from models.portal_logo import PortalLogo
from tests.attachments.test_pictures import SECRET, picture
from tests.clients import DeskClient
from tests.views.programs import as_stored

Clients = Callable[..., DeskClient]


@pytest.fixture
def portal(session: RecordSession) -> Portal:
    return session.scalars(sa.select(Portal).where(Portal.code == "ECOOPERA")).one()


def send(client: DeskClient, portal: Portal, content: bytes | None, **form: Any) -> Any:
    files = {"logo": (io.BytesIO(content), "logo.png")} if content is not None else {}
    group = portal.group_id if client.staff else ""
    return client.submit(f"/portal-logo/{portal.id}", {**form, **files, "group": group})


def test_it_is_chosen_shown_and_removed(
    desk_client: Clients, application: Any, portal: Portal, session: RecordSession
) -> None:
    desk, browser = desk_client("administrator"), Client(application)
    login = f"/it/login/?portal={portal.code}"
    assert "brand-logo" not in browser.get(login).text
    assert "/portal-logo/" in desk.get(f"/portal/{portal.id}").text
    assert send(desk, portal, picture("WEBP", (900, 300)) + SECRET).status_code == 303
    shown = re.search(r'class="brand-logo" src="([^"]+)"', browser.get(login).text)
    assert shown
    answer = browser.get(shown[1])
    assert (answer.status_code, answer.mimetype, SECRET in answer.data) == (200, "image/png", False)
    with Image.open(io.BytesIO(answer.data)) as made:
        assert (made.format, made.size) == ("PNG", (432, 144))
    assert desk.get(f"/portal-logo/{portal.id}/picture").data == answer.data
    assert send(desk, portal, None, remove="1").status_code == 303
    assert "brand-logo" not in browser.get(login).text
    assert browser.get(shown[1]).status_code == 404
    assert desk.get(f"/portal-logo/{portal.id}/picture").status_code == 404
    as_stored(session)
    assert session.scalars(sa.select(PortalLogo)).all() == []
    events = sa.select(HistoryEntry.event).where(HistoryEntry.entity == "portal").order_by(HistoryEntry.id.desc())
    assert list(session.scalars(events.limit(2))) == ["portal.remove_logo", "portal.set_logo"]


def test_what_is_none_is_refused(desk_client: Clients, portal: Portal, session: RecordSession) -> None:
    answer = send(desk_client("administrator"), portal, SECRET)
    assert (answer.status_code, 'id="logo-error"' in answer.text) == (422, True)
    with pytest.raises(LogoTooLarge):
        set_logo(session, portal, b"\x00" * (MOST_BYTES + 1), actor=SYSTEM)


def test_others_do_not_choose_it(desk_client: Clients, portal: Portal) -> None:
    assert send(desk_client("sales"), portal, picture("PNG")).status_code == 403
    assert desk_client().get(f"/portal-logo/{portal.id}").status_code in (302, 303)
