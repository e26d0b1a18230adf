"""The browser that is driven: Debian's Chromium, in tests and measurements alike."""

from __future__ import annotations

import shutil

#: No sandbox as root, no GPU and little shared memory in containers, and no word to anybody outside.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]  # fmt: skip


def find_chromium() -> str:
    """Return where it is installed: no browser is ever downloaded.

    :raises FileNotFoundError: it is not.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("Chromium is needed: apt-get install chromium")
