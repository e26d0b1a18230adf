"""Texts of the client area that an administrator may put in other words (AC-30, TK-18), with the shipped ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from backoffice.access import INTERNAL
from backoffice.errors import Text
from models.outbox_mail import MailLanguage
from models.portal import Portal
from models.text_block import TextBlock, TextName


@dataclass(frozen=True)
class TextKey:
    """One text: where it stands, and the shipped words, which may be none."""

    name: str
    label: Text
    help: Text
    default: Text


TEXTS: dict[str, TextKey] = {}


def in_language(record: object, name: str, language: str | None = None) -> str | None:
    """Return a text that clients read, in ``language``, by default the reader's.

    The English of a column lies in the one of its name with ``_en``; where that is empty, one text is for all.
    """
    reads_english = (language or str(get_locale())) == MailLanguage.en.value
    twin: str | None = getattr(record, f"{name}_en") if reads_english else None
    text: str | None = getattr(record, name)
    return twin or text


def declare(key: TextKey) -> TextKey:
    """Make a text known to the page; a second one of the same name is an error."""
    if TEXTS.setdefault(key.name, key) is not key:
        raise ValueError(f"There is already a text {key.name}")
    TextName.words[key.name] = key.label
    return key


def text_values(session: Session, portal: Portal | None, language: MailLanguage) -> dict[str, str]:
    """Return every text of a portal by name, as it is at present in ``language``, that of the request.

    Where the portal has no words of its own, those for all portals count, and then the shipped ones. Without a portal
    they are those of such a one.
    """
    table = cast("sa.Table", TextBlock.__table__)
    wanted = (
        sa.select(table.c.key, table.c.body)
        .where(table.c.language == language, table.c.body.is_not(None))
        .where(sa.or_(table.c.portal_id == (portal.id if portal else None), table.c.portal_id.is_(None)))
        .order_by(table.c.portal_id.is_not(None))
    )
    own: dict[str, str] = {row.key: row.body for row in session.execute(wanted, execution_options=INTERNAL)}
    return {name: own.get(name, str(key.default)) for name, key in TEXTS.items()}


CLIENT_WELCOME = declare(
    TextKey(
        "client_welcome",
        _l("Heading"),
        _l("Large, at the head of the sign-in page."),
        _l("Welcome to the client area"),
    )
)
CLIENT_LEAD = declare(
    TextKey(
        "client_lead",
        _l("What it is"),
        _l("Under the heading of the sign-in page."),
        _l("One sign-in for your services and for assistance."),
    )
)
CLIENT_NOTICE = declare(
    TextKey(
        "client_notice",
        _l("Notice"),
        _l("Above the sign-in form, for closures and the like; shown while there are words here."),
        "",
    )
)

ACCESSIBILITY = declare(
    TextKey(
        "accessibility_statement",
        _l("Accessibility statement"),
        _l("Linked at the foot of every page of the client area. An empty line begins a paragraph."),
        _l(
            "We want everybody to be able to use this area. It is made according to the standard EN 301 549 and the "
            "WCAG 2.2 guidelines, level AA: every task can be done with the keyboard alone, pages can be enlarged to "
            "400 %, and no information is given by colour alone.\n\n"
            "Known limits: files that others send us, such as laboratory certificates and scanned documents, may not "
            "be accessible. Ask for them below and we send you the content in another form.\n\n"
            "This statement rests on our own assessment. If something does not work for you, tell us: we answer within "
            "30 days. If our answer does not satisfy you, you may turn to the Agenzia per l’Italia Digitale (AgID)."
        ),
    )
)

__all__ = [
    "ACCESSIBILITY",
    "CLIENT_LEAD",
    "CLIENT_NOTICE",
    "CLIENT_WELCOME",
    "TEXTS",
    "TextKey",
    "declare",
    "text_values",
]
