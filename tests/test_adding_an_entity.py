"""The guide to adding an entity, followed to the letter in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import config

COPIED = ("backoffice", "models", "views", "seed", "migrations", "config.py", "run.py", "pyproject.toml")

#: Run inside the copy: everything the guide promises, on the new entity.
SCRIPT = """
import models
from backoffice import checks, migrate
from backoffice.actors import SYSTEM, Context, Door
from backoffice.app import create_application
from backoffice.database import begin_writing, make_engine, open_session
from backoffice.operations.roles import synchronise_roles
from backoffice.operations.staff import ensure_administrator
from flask_jwt_extended import create_access_token
from models.base import ENTITIES
from models.company import Company
from models.staff import Staff
from seed.reference import load_reference
from tests.clients import DeskClient
from tests.conftest import settings_for
import sqlalchemy as sa
from pathlib import Path

assert checks.run_checks() == [], checks.run_checks()
url = f"sqlite:///{Path('copy.sqlite').absolute()}"
engine = make_engine(url)
migrate.upgrade(engine)
assert migrate.drift(engine) == []
with begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
    synchronise_roles(session)
    load_reference(session)
    ensure_administrator(session, "quattro-gatti-verdi-27")
with begin_writing(), open_session(engine, Context(SYSTEM, Door.cli)) as session, session.begin():
    admin = session.scalars(sa.select(Staff)).first()
    session.add(Company(legal_name="Officine Prova", country="IT", group_id=admin.group_id))
    session.flush()

application = create_application(settings_for(url, Path("var")))
desk = application.mounts["/backoffice"]
client = DeskClient(application, desk, admin)
answer = client.submit("/vehicle/new", {"company": "1", "plate": "AB123CD", "kind": "lorry", "seats": "3"})
assert answer.status_code == 303, answer.text
assert "AB123CD" in client.get("/vehicle/").text
twice = {"company": "1", "plate": "AB123CD", "kind": "van", "seats": "0"}
assert client.submit("/vehicle/new", twice).status_code == 422
page = client.get("/vehicle/1")
assert page.status_code == 200 and "Officine Prova" in page.text
assert "AB123CD" in client.get("/company/1?tab=vehicle.company").text
assert "AB123CD" in client.get("/vehicle/1?tab=history").text
assert "AB123CD" in client.get("/vehicle/export.csv").get_data(as_text=True)
assert client.get("/vehicle/export.xlsx").data[:2] == b"PK"
assert client.get("/grid/vehicle/").status_code == 200
assert client.get("/vehicle/import/").status_code == 200
assert "/vehicle/" in client.get("/").text
with desk.app_context():
    token = create_access_token(admin.get_id())
headers = {"Authorization": f"Bearer {token}"}
rows = client.get("/api/v1/vehicle/", headers=headers).json["result"]
assert [row["plate"] for row in rows] == ["AB123CD"], rows
assert any("/vehicle/" in path for path in client.get("/api/v1/_openapi", headers=headers).json["paths"])
print("all there")
"""


@pytest.mark.long
def test_one_file_is_enough(tmp_path: Path) -> None:
    for name in (*COPIED, "bench", "tests"):
        source = config.ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    guide = (config.ROOT / "docs" / "adding-an-entity.md").read_text()
    found = re.search(r"```python\n(.*?)```", guide, re.DOTALL)
    assert found
    (tmp_path / "models" / "vehicle.py").write_text(found[1])
    _run(tmp_path, "-m", "backoffice.migrate", "new", "add vehicle")
    assert _run(tmp_path, "-c", SCRIPT).endswith("all there\n")


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
