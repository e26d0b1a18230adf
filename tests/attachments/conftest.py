"""What the tests of attachments share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backoffice.files.s3 import S3Access, open_store
from backoffice.files.store import FileStore, FolderStore

BUCKET = "allegati"


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    """An empty file store in a folder."""
    return FolderStore(tmp_path / "files")


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a server on this machine that speaks S3."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    """An empty file store of each kind."""
    if request.param == "folder":
        return open_store(str(tmp_path / "files"), S3Access())
    endpoint = request.getfixturevalue("s3_server")
    made: Any = open_store(f"s3://{BUCKET}/prova/{tmp_path.name}", S3Access(endpoint, "us-east-1", "prova", "segreta"))
    made._client.create_bucket(Bucket=BUCKET)
    return made  # type: ignore[no-any-return]
