"""From a template and its arguments to the text of a mail, in either language.

A template is a folder with ``subject.txt``, ``body.txt`` and ``body.html`` for each language. Whoever sends such mails
registers it with the names it may use; what it uses beyond them is found by the start-up checks. An administrator's own
``Wording`` takes its place: it consists of text and placeholders alone, so nothing in it could be executed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, meta, nodes, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlalchemy.orm import Session

from backoffice.errors import Text
from models.mail_template import MailEvent
from models.outbox_mail import MailLanguage, OutboxMail
from models.reading import BadValue

FOLDER = Path(__file__).resolve().parent / "templates"
PARTS = ("subject.txt", "body.txt", "body.html")
#: What everybody but the recipient sees in place of a link that carries a token.
LINK = "[link]"
#: Makes a token while the mail is being sent and returns the path of the page that takes it.
Mint = Callable[[Session, OutboxMail], str]
#: All that an administrator's text consists of.
_PLAIN = (nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name)


class Audience(enum.Enum):
    """Who has a bell."""

    staff = enum.auto()
    clients = enum.auto()


@dataclass(frozen=True)
class ShippedTemplate:
    """What the product ships for one event: what people call it, and an example for each argument it may use.

    Where it is registered with ``mint``, its text may use ``link`` too.
    """

    name: str
    label: Text
    examples: Mapping[str, Any] = field(hash=False)
    mint: Mint | None = None
    #: Whether it comes from the client's portal and its link leads to the client area, not to the desk.
    for_clients: bool = False
    #: Whose bell shows it too, if anybody's.
    bell: Audience | None = None
    #: Whether it is mailed in any case, because the mail is what was promised or what proves it.
    always_mailed: bool = False
    #: Whether the row keeps nothing of whom it went to, once it has left: they are somebody no more.
    forgets: bool = False

    @property
    def arguments(self) -> frozenset[str]:
        return frozenset(self.examples)

    def placeholders(self, part: str) -> frozenset[str]:
        """Return the names that this part of the mail may use: a link never stands in the subject."""
        may_link = self.mint is not None and not part.startswith("subject")
        return self.arguments | ({"link"} if may_link else set())


@dataclass(frozen=True)
class Wording:
    """An administrator's subject and text; what is None is as shipped."""

    subject: str | None = None
    body: str | None = None


@dataclass(frozen=True)
class Letter:
    """The text of a mail, ready to send or to show."""

    subject: str
    text: str
    html: str


TEMPLATES: dict[str, ShippedTemplate] = {}

_environment = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    autoescape=select_autoescape(("html",)),
    trim_blocks=True,
    lstrip_blocks=True,
)
#: For administrators' texts, which are no HTML: that is made of them, escaped, by ``words.html``.
_sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def register_template(
    name: str,
    label: Text,
    examples: Mapping[str, Any],
    *,
    mint: Mint | None = None,
    for_clients: bool = False,
    forgets: bool = False,
    bell: Audience | None = None,
    always_mailed: bool = False,
) -> ShippedTemplate:
    """Make a template known; a second one of the same name is an error. What rings with clients is for them."""
    is_theirs = for_clients or bell is Audience.clients
    template = ShippedTemplate(
        name, label, examples, mint, is_theirs, bell=bell, always_mailed=always_mailed, forgets=forgets
    )
    if TEMPLATES.setdefault(name, template) is not template:
        raise ValueError(f"There is already a mail template {name}")
    MailEvent.words[name] = label
    return template


def render(
    name: str, language: str, arguments: Mapping[str, Any], *, link: str = LINK, wording: Wording | None = None
) -> Letter:
    """Return the text of a mail, in the shipped words or in an administrator's.

    Words with a placeholder that the event has not count as not written, as figures out of bounds do: files bring them,
    and so does a new version that fills in less.

    :raises TemplateError: there is no such template, or an argument is missing.
    """
    values = {**arguments, "language": language}
    if TEMPLATES[name].mint is not None:
        values["link"] = link
    own = wording or Wording()
    subject = _filled(name, "subject", own.subject, values) or _shipped(name, language, "subject.txt", values)
    text = _filled(name, "body", own.body, values)
    if text is None:
        text, html = (_shipped(name, language, part, values) for part in ("body.txt", "body.html"))
    else:
        html = _environment.get_template("words.html").render(values, text=text.strip())
    # A line break would begin another header.
    return Letter(" ".join(subject.split()), text.strip() + "\n", html)


def _shipped(name: str, language: str, part: str, values: Mapping[str, Any]) -> str:
    return _environment.get_template(f"{name}/{language}/{part}").render(values)


def _filled(name: str, part: str, source: str | None, values: Mapping[str, Any]) -> str | None:
    if source is None:
        return None
    try:
        check_wording(source, TEMPLATES[name].placeholders(part))
    except BadValue:
        return None
    return _sandbox.from_string(source).render(values)


def draft(name: str, language: str, values: Mapping[str, Any]) -> str:
    """Return the first words of a text that somebody may change before it becomes an argument of the mail.

    They stand in ``draft.txt`` beside the mail's own files, and unlike those may have conditions: nobody edits them.
    """
    lines = [line.rstrip() for line in _shipped(name, language, "draft.txt", values).strip().splitlines()]
    return "\n".join(line for number, line in enumerate(lines) if line or lines[number - 1])


def shipped_wording(name: str, language: str) -> Wording:
    """Return the shipped words with their placeholders, as an administrator may change them."""
    subject, body = ((FOLDER / name / language / part).read_text(encoding="utf-8").strip() for part in PARTS[:2])
    return Wording(subject, body)


def check_wording(source: str, allowed: frozenset[str]) -> None:
    """Raise ``BadValue`` unless ``source`` consists of text and of placeholders among ``allowed``."""
    names = ", ".join(f"{{{{ {name} }}}}" for name in sorted(allowed)) or "–"
    try:
        tree = _sandbox.parse(source)
    except TemplateError as error:
        raise BadValue(_l("A placeholder is not closed or has no name: write %(names)s."), names=names) from error
    if not all(isinstance(node, _PLAIN) for node in [tree, *tree.find_all(nodes.Node)]):
        raise BadValue(_l("Between the braces only the name of a placeholder may stand: %(names)s."), names=names)
    unknown = sorted(meta.find_undeclared_variables(tree) - allowed)
    if unknown:
        text = _l("There is no placeholder “%(unknown)s” here: use %(names)s.")
        raise BadValue(text, unknown=", ".join(unknown), names=names)


def problems_of(template: ShippedTemplate) -> Iterator[str]:
    """Yield what is wrong with the files of a template: missing, not readable, or naming what nobody fills in."""
    for language in MailLanguage:
        for part in PARTS:
            path = f"{template.name}/{language.value}/{part}"
            known = template.placeholders(part) | {"language"}
            try:
                source = (FOLDER / path).read_text(encoding="utf-8")
                used = meta.find_undeclared_variables(_environment.parse(source))
            except (OSError, TemplateError) as error:
                yield f"{path}: {error}"
                continue
            for name in sorted(used - known):
                yield f"{path} names “{name}”, which nobody fills in"
            if part.endswith(".txt") and not used - known and not _is_plain(source):
                yield f"{path} has more than text and placeholders, so administrators could not change it"


def _is_plain(source: str) -> bool:
    tree = _sandbox.parse(source)
    return all(isinstance(node, _PLAIN) for node in tree.find_all(nodes.Node))


__all__ = [
    "LINK",
    "TEMPLATES",
    "Audience",
    "Letter",
    "ShippedTemplate",
    "TemplateError",
    "Wording",
    "check_wording",
    "draft",
    "problems_of",
    "register_template",
    "render",
    "shipped_wording",
]
