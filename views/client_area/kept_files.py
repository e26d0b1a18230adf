"""Files of a form that goes through one more page before it is sent: kept in the file store, named by a signed text.

A browser does not send files along that were chosen on an earlier page. Content without a row is swept after a day
(``backoffice/operations/attachments.py``), so nothing has to be tidied up where somebody goes away.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from backoffice.files.store import digest, get_content

#: How long the page may wait, in seconds: much less than the day after which contents are swept.
GOOD_FOR = 6 * 3600

Files = list[tuple[str, bytes]]


def keep(files: Sequence[tuple[str, bytes]], account_id: int | None) -> str:
    """Store the files of an account; return what their form sends to get them back, nothing for no files."""
    named = []
    for name, content in files:
        key = digest(content)
        current_app.extensions["files"].put(key, content)
        named.append([key, name])
    return str(_signer().dumps([account_id, named])) if named else ""


def bring_back(token: str, account_id: int | None) -> Files:
    """Return the files that ``keep`` stored for the account; none where the text is not of ours, or too old.

    :raises FileGone: one of them is no longer there.
    """
    try:
        owner, named = _signer().loads(token, max_age=GOOD_FOR)
    except BadSignature:
        return []
    store = current_app.extensions["files"]
    return [(name, get_content(store, key)) for key, name in named] if owner == account_id else []


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="files of a form")
