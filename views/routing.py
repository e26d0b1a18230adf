"""Routes of which there are thousands: a start must not pay for addresses that nobody has asked for yet.

And the addresses of style sheets and scripts, which change with them: no browser mixes those of two releases.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response
from werkzeug.routing import Rule


class DeferredRule(Rule):
    """A rule that makes the code for building its addresses when the first one is built.

    Werkzeug compiles two functions for each rule as it is added: of 3,500 rules that was a third of a start.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: DeferredRule, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(super()._compile_builder(append_unknown))
            return made[0](rule, **values)

        return build


#: How long browsers keep a file, in seconds, at the address that says which it is.
_KEPT = 365 * 24 * 3600


class Application(Flask):
    """Flask with such rules, and with its own files under ``/static/of-<release>/``.

    Scripts name each other by relative addresses, so that they come from the same release as the page. An address of
    another release, in a page that was open during an upgrade, brings the file of this one.
    """

    url_rule_class = DeferredRule

    def __init__(self, name: str, *, static_folder: str, **rest: Any) -> None:
        super().__init__(name, static_folder=static_folder, **rest)
        self.release = _checksum(Path(static_folder))
        self.add_url_rule(f"{self.static_url_path}/of-<release>/<path:filename>", endpoint="static")
        self.url_defaults(self._name_release)

    def _name_release(self, endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values.setdefault("release", self.release)

    def send_static_file(self, filename: str, release: str = "") -> Response:
        answer = super().send_static_file(filename)
        if release == self.release:
            answer.cache_control.max_age, answer.cache_control.immutable = _KEPT, True
        return answer


def _checksum(folder: Path) -> str:
    """Return what tells the files of a folder from any others: the same on every machine."""
    found = 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found = zlib.crc32(path.read_bytes(), zlib.crc32(path.relative_to(folder).as_posix().encode(), found))
    return f"{found:08x}"
