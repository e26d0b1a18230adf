"""From a template and its arguments to the text of a mail, in either language.

A template is a folder with ``subject.txt``, ``body.txt`` and ``body.html`` for each language. Whoever sends such mails
registers it with the names it may use; what it uses beyond them is found by the start-up checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, meta, select_autoescape
from sqlalchemy.orm import Session

from models.outbox_mail import MailLanguage, OutboxMail

FOLDER = Path(__file__).resolve().parent / "templates"
PARTS = ("subject.txt", "body.txt", "body.html")
#: What everybody but the recipient sees in place of a link that carries a token.
LINK = "[link]"
#: Makes a token while the mail is being sent and returns the path of the page that takes it.
Mint = Callable[[Session, OutboxMail], str]


@dataclass(frozen=True)
class MailTemplate:
    """What a template may use: ``arguments`` by name and, where it is registered with ``mint``, ``link``."""

    name: str
    arguments: frozenset[str]
    mint: Mint | None = None


@dataclass(frozen=True)
class Letter:
    """The text of a mail, ready to send or to show."""

    subject: str
    text: str
    html: str


TEMPLATES: dict[str, MailTemplate] = {}

_environment = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    autoescape=select_autoescape(("html",)),
    trim_blocks=True,
    lstrip_blocks=True,
)


def register_template(name: str, *arguments: str, mint: Mint | None = None) -> MailTemplate:
    """Make a template known; a second one of the same name is an error."""
    template = MailTemplate(name, frozenset(arguments), mint)
    if TEMPLATES.setdefault(name, template) is not template:
        raise ValueError(f"There is already a mail template {name}")
    return template


def render(name: str, language: str, arguments: Mapping[str, Any], *, link: str = LINK) -> Letter:
    """Return the text of a mail.

    :raises TemplateError: there is no such template, or an argument is missing.
    """
    values = {**arguments, "language": language}
    if TEMPLATES[name].mint is not None:
        values["link"] = link
    subject, text, html = (_environment.get_template(f"{name}/{language}/{part}").render(values) for part in PARTS)
    # A line break would begin another header.
    return Letter(" ".join(subject.split()), text.strip() + "\n", html)


def problems_of(template: MailTemplate) -> Iterator[str]:
    """Yield what is wrong with the files of a template: missing, not readable, or naming what nobody fills in."""
    for language in MailLanguage:
        for part in PARTS:
            path = f"{template.name}/{language.value}/{part}"
            may_link = template.mint is not None and part != "subject.txt"
            known = template.arguments | {"language"} | ({"link"} if may_link else set())
            try:
                source = (FOLDER / path).read_text(encoding="utf-8")
                used = meta.find_undeclared_variables(_environment.parse(source))
            except (OSError, TemplateError) as error:
                yield f"{path}: {error}"
                continue
            for name in sorted(used - known):
                yield f"{path} names “{name}”, which nobody fills in"


__all__ = ["LINK", "TEMPLATES", "Letter", "MailTemplate", "TemplateError", "problems_of", "register_template", "render"]
