"""A browser without scripts that is fast enough to measure with: one kept connection, cookies, forms."""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit


class TooSlow(Exception):
    """An answer did not come within the time a step may take."""


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds its last byte was there."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        return self.body.decode()


class Browser:
    """Visits one site, signed in or not."""

    def __init__(self, port: int, timeout: float) -> None:
        self.port, self.timeout = port, timeout
        self.cookies: dict[str, str] = {}
        self._connection: http.client.HTTPConnection | None = None

    def copy(self) -> Browser:
        """Return another browser of the same person."""
        other = Browser(self.port, self.timeout)
        other.cookies = dict(self.cookies)
        return other

    def get(self, path: str, *, keep: bool = True) -> Answer:
        """Ask for a path; ``keep`` says whether its body is wanted.

        :raises TooSlow: it took longer than this browser waits.
        """
        return self._ask("GET", path, None, {}, keep)

    def post(self, path: str, values: dict[str, Any]) -> Answer:
        """Send a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, urlencode(values, doseq=True).encode(), headers, True)

    def upload(self, path: str, values: dict[str, str], name: str, content: bytes) -> Answer:
        """Send a form with one file, in the field ``file``."""
        edge, parts = "----bench", []
        for key, value in values.items():
            parts.append(f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode())
        heading = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts += [f"{heading}Content-Type: text/csv\r\n\r\n".encode(), content, f"\r\n--{edge}--\r\n".encode()]
        headers = {"Content-Type": f"multipart/form-data; boundary={edge}"}
        return self._ask("POST", path, b"".join(parts), headers, True)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str], keep: bool) -> Answer:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {"Host": f"localhost:{self.port}", "Accept-Language": "it", "Referer": f"http://localhost:{self.port}/"}
        sent |= {**({"Cookie": cookie} if cookie else {}), **headers}
        began = time.perf_counter()
        try:
            answer = self._send(method, path, body, sent)
            content = answer.read() if keep else _count(answer)
        except TimeoutError:
            self.close()
            raise TooSlow from None
        except (http.client.HTTPException, ConnectionError):
            # A server that was told to answer sooner has given up by itself.
            self.close()
            if time.perf_counter() - began > self.timeout * 0.9:
                raise TooSlow from None
            raise
        seconds = time.perf_counter() - began
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if answer.will_close:
            self.close()
        return Answer(answer.status, dict(answer.headers.items()), content, seconds)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> http.client.HTTPResponse:
        for attempt in (1, 2):
            fresh = self._connection is None
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
            try:
                self._connection.request(method, path, body, headers)
                return self._connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()
                # A kept connection may have been closed while nobody used it; a new one has not.
                if fresh or attempt == 2:
                    raise
        raise AssertionError

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _count(answer: http.client.HTTPResponse) -> bytes:
    while answer.read(1 << 20):
        pass
    return b""


class _Forms(HTMLParser):
    """Collects the forms of a page, each with the values that a browser would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, str]] = []
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        name = values.get("name") or ""
        if tag == "form":
            self.forms.append({})
        elif not self.forms:
            return
        elif tag == "input" and name and values.get("type") not in ("submit", "file", "button", "image"):
            if values.get("type") not in ("checkbox", "radio") or "checked" in values:
                self.forms[-1][name] = values.get("value") or ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in values or self._select not in self.forms[-1]):
            self.forms[-1][self._select] = values.get("value") or ""  # without a choice the first one is sent
        elif tag == "textarea" and name:
            self._area, self.forms[-1][name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            # The newline right behind the tag belongs to the page.
            before = self.forms[-1][self._area]
            self.forms[-1][self._area] = before + data if before else data.removeprefix("\r").removeprefix("\n")


def form_with(page: str, field: str) -> dict[str, str]:
    """Return what a browser would send of the form of a page that has ``field``."""
    reader = _Forms()
    reader.feed(page)
    return next(form for form in reader.forms if field in form)


def local(address: str) -> str:
    """Return path and query of an address."""
    parts = urlsplit(address)
    return parts.path + (f"?{parts.query}" if parts.query else "")
