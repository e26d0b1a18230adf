"""Start-up checks: every declaration is verified against its model, and all problems are told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import models as _models  # every entity must be declared before it can be checked
from backoffice.checks import columns, pages, rules, scopes
from backoffice.checks.registry import CHECKS, Check, Problem
from backoffice.mail.rendering import TEMPLATES, ShippedTemplate, problems_of
from models.base import ENTITIES, Recorded

_ = (_models, columns, pages, rules, scopes)


def run_checks(entities: Iterable[type[Recorded]] | None = None) -> list[Problem]:
    """Return every problem of every declaration."""
    chosen = list(ENTITIES.values() if entities is None else entities)
    found = [problem for entity in chosen for check in CHECKS for problem in check(entity)]
    return found if entities is not None else [*found, *whole_mails(TEMPLATES.values())]


def whole_mails(templates: Iterable[ShippedTemplate]) -> Iterator[Problem]:
    """E028: a mail has its texts in every language, and they name nothing that nobody fills in."""
    for template in templates:
        for text in problems_of(template):
            yield Problem("E028", f"Mail {text}.", "Correct the file under backoffice/mail/templates/.")


__all__ = ["CHECKS", "Check", "Problem", "run_checks", "whole_mails"]
