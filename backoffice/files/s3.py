"""Contents of files in a bucket of S3, or of anything that speaks like it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import config
from backoffice.files.store import KEY, FileStore, FolderStore, Kept, StoreUnavailable

#: How long the server may be silent, in seconds, and how often it is asked: somebody waits for the answer, and with
#: SQLite everybody who wants to write.
TIMEOUT = 10
ATTEMPTS = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class S3Access:
    """Where the server is and as whom to speak to it; what is empty is left to Amazon's own ways of finding it."""

    endpoint: str = ""
    region: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)


def file_store(settings: config.Settings) -> FileStore:
    """Return where the attachments of this installation lie."""
    access = S3Access(settings.s3_endpoint, settings.s3_region, settings.s3_access_key, settings.s3_secret_key)
    return open_store(settings.file_place, access)


def open_store(place: str, access: S3Access) -> FileStore:
    """Return the store at ``place``: a folder, or ``s3://bucket/prefix``; asks nobody yet."""
    if not place.startswith("s3://"):
        return FolderStore(Path(place))
    bucket, _slash, prefix = place.removeprefix("s3://").partition("/")
    return S3Store(bucket, prefix, access)


class S3Store:
    """A bucket, or what lies below a prefix in it."""

    def __init__(self, bucket: str, prefix: str, access: S3Access) -> None:
        # Only where it is used: it takes a quarter of a second to load.
        import boto3
        from botocore.config import Config

        self._bucket, self._prefix = bucket, f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=access.endpoint or None,
            region_name=access.region or None,
            aws_access_key_id=access.access_key or None,
            aws_secret_access_key=access.secret_key or None,
            config=Config(
                connect_timeout=5,
                read_timeout=TIMEOUT,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                # Others than Amazon do not all know its newer checksums; every content is proven as it is read anyway.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": "path"} if access.endpoint else None,
            ),
        )

    def put(self, key: str, content: bytes) -> None:
        with _told():
            self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=content, ContentType="application/octet-stream"
            )

    def get(self, key: str) -> bytes | None:
        with _told():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            except self._client.exceptions.NoSuchKey:
                return None
            with answer["Body"] as body:
                return body.read()  # type: ignore[no-any-return]

    def delete(self, key: str) -> None:
        with _told():
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def kept(self) -> Iterator[Kept]:
        pages = self._client.get_paginator("list_objects_v2")
        with _told():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for item in page.get("Contents", ()):
                    # Whatever else lies in the bucket is somebody else's.
                    if KEY.fullmatch(key := item["Key"][len(self._prefix) :]):
                        yield Kept(key, item["LastModified"])


@contextmanager
def _told() -> Iterator[None]:
    """Log what the server, or the way to it, refused; people read that the store cannot be reached."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        _log.error("The S3 server refused or cannot be reached: %s", error)  # its trace says no more
        raise StoreUnavailable from error
