"""Where contents lie: the same promises in a folder and in a bucket."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from backoffice.files.s3 import S3Access, open_store
from backoffice.files.store import FileGone, FileStore, FolderStore, StoreUnavailable, digest, get_content
from tests.attachments.conftest import BUCKET

CONTENT = b"Ciao\0mondo"
KEY = digest(CONTENT)


def test_a_content_comes_back_as_it_was(store: FileStore) -> None:
    assert store.get(KEY) is None
    assert list(store.kept()) == []
    store.put(KEY, CONTENT)
    store.put(KEY, CONTENT)
    assert get_content(store, KEY) == CONTENT
    (kept,) = store.kept()
    assert kept.key == KEY
    assert abs(kept.put_at - datetime.now(UTC)) < timedelta(minutes=5)  # noqa: TID251
    store.delete(KEY)
    store.delete(KEY)
    assert list(store.kept()) == []
    with pytest.raises(FileGone):
        get_content(store, KEY)


def test_a_damaged_content_is_not_sent(store: FileStore) -> None:
    store.put(KEY, b"something else")
    with pytest.raises(FileGone):
        get_content(store, KEY)


def test_what_others_put_into_the_place_is_not_ours(store: Any, tmp_path: Path) -> None:
    store.put(KEY, CONTENT)
    for name in ("README.txt", f"{KEY[:2]}/leggimi.txt", f"other/{KEY}.bak", f"other/prova/{KEY}x"):
        if isinstance(store, FolderStore):
            (tmp_path / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "files" / name).write_bytes(CONTENT)
        else:
            store._client.put_object(Bucket=BUCKET, Key=f"prova/{tmp_path.name}/{name}", Body=CONTENT)
    assert [kept.key for kept in store.kept()] == [KEY]


def test_only_the_owner_may_look_into_the_folder(folder: FolderStore, tmp_path: Path) -> None:
    folder.put(KEY, CONTENT)
    (file,) = (path for path in (tmp_path / "files").rglob("*") if path.is_file())
    assert file.parent.name == KEY[:2]
    assert {path.stat().st_mode & 0o077 for path in (file, file.parent, tmp_path / "files")} == {0}


@pytest.mark.parametrize("key", ["../x", "", "x" * 64, KEY.upper(), f"{KEY}/../.."])
def test_nothing_else_in_the_folder_has_a_name(folder: FolderStore, key: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        folder.get(key)


def test_a_place_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("not a folder")
    nowhere = open_store("s3://allegati", S3Access("http://127.0.0.1:9", "us-east-1", "a", "b"))
    for store in (FolderStore(tmp_path / "files"), nowhere):
        with pytest.raises(StoreUnavailable):
            store.put(KEY, CONTENT)
    with pytest.raises(StoreUnavailable):
        list(nowhere.kept())
