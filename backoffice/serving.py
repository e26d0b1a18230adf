"""Where a web server meets the application: the built-in one, and what gunicorn loads."""

from __future__ import annotations

import gc
import logging
import signal
import socket
from types import FrameType
from typing import TYPE_CHECKING, Any

import waitress
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import config
from backoffice.app import create_application

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


def application(settings: config.Settings | None = None) -> WSGIApplication:
    """Return both applications as browsers reach them; ``gunicorn 'backoffice.serving:application()'``.

    What has been made by now stays as long as the process: nobody looks through it for garbage again.
    """
    settings = settings or config.load()
    wsgi = behind_proxies(create_application(settings), settings.proxies)
    gc.freeze()
    gc.enable()
    return wsgi


def behind_proxies(wsgi: WSGIApplication, count: int) -> WSGIApplication:
    """Believe the last ``count`` entries of X-Forwarded-*, and nothing a browser made up."""
    return ProxyFix(wsgi, x_for=count, x_proto=count, x_host=count) if count else wsgi


def listen(settings: config.Settings) -> socket.socket:
    """Take the port, before anything that takes time; whoever connects from now on waits to be answered.

    Raises OSError when the port is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=1024)


def make_server(settings: config.Settings, listening: socket.socket) -> Any:
    """Return the built-in server; from now on Ctrl+C and SIGTERM raise SystemExit."""
    stop_by_signal()
    # Its warnings about queued requests say nothing that a person could act on.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return waitress.create_server(
        application(settings),
        sockets=[listening],
        threads=settings.threads,
        # Beyond what a page refuses with a sentence, the connection is cut short.
        max_request_body_size=4 * settings.max_upload_mb * 1024 * 1024,
        # ProxyFix decides alone which forwarded headers count.
        clear_untrusted_proxy_headers=not settings.proxies,
        ident=None,
    )


def stop_by_signal() -> None:
    """From now on Ctrl+C and SIGTERM raise SystemExit."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def wait_for_signal() -> None:
    """Do nothing until Ctrl+C or SIGTERM."""
    while True:
        signal.pause()


def run(server: Any) -> None:
    """Answer requests until Ctrl+C or SIGTERM; those that are running then are finished first."""
    try:
        server.run()
    finally:
        server.close()


def mounted(settings: config.Settings) -> list[tuple[str, Flask]]:
    """Return each application with the path it is mounted at."""
    dispatcher = create_application(settings)
    return [("", dispatcher.app), *dispatcher.mounts.items()]


def _stop(_number: int, _frame: FrameType | None) -> None:
    # Set for SIGINT too: a shell that starts us in the background has it ignored.
    raise SystemExit(0)
