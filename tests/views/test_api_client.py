"""The example client of the documentation, run as it stands against a served desk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

import config
from backoffice.database import RecordSession
from models.company import Company, CompanyState
from tests.clients import DESK, DeskClient
from tests.views.test_api_keys import make_key

DOCUMENT = (config.ROOT / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.databases("sqlite")
def test_the_example_does_what_it_says(
    desk_client: Callable[..., DeskClient], live_server: str, session: RecordSession, tmp_path: Path
) -> None:
    client = desk_client("administrator")
    group = client.staff.group_id if client.staff else None
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    environment = {"DESK_API": f"{live_server}{DESK}/api/v1", "DESK_KEY": make_key(client)}
    answer = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, **environment}, capture_output=True, text=True, timeout=120
    )
    assert answer.returncode == 0, answer.stderr
    counted, changed, refused = answer.stdout.splitlines()
    of_group = sa.select(sa.func.count()).select_from(Company).where(Company.group_id == group)
    clients = session.scalar(of_group.where(Company.state == CompanyState.client, Company.deleted_at.is_(None)))
    assert counted == f"{clients} clients"
    assert clients > 25, "more than a page"
    assert changed == "Esempio di programma srl Rovereto"
    assert refused.startswith("refused: ")
    session.rollback()
    stored = session.scalars(sa.select(Company).where(Company.legal_name == "Esempio di programma srl")).one()
    assert (stored.city, stored.version) == ("Rovereto", 2)
