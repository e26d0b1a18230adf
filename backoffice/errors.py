"""What may be refused: one class per reason, with data and translatable text apart."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

#: A sentence for people: translated when it is shown, never before.
Text = str | LazyString

#: Said of a relation to what is not there, or not the actor's to see: the two look alike.
UNKNOWN_REFERENCE: Text = _l("Unknown reference.")


class DomainError(Exception):
    """Something a person asked for is refused, for a reason a person can read.

    ``template`` is translated when shown and filled with ``values``; doors turn ``status`` into
    their answer and show the sentence beside ``field`` where there is one.
    """

    template: ClassVar[Text] = _l("This is not possible.")
    status: ClassVar[int] = 422

    def __init__(self, *, field: str | None = None, **values: Any) -> None:
        super().__init__(type(self).__name__)
        self.field = field
        self.values = values

    def __str__(self) -> str:
        return str(self.template) % self.values if self.values else str(self.template)


class InvalidRecord(DomainError):
    """Several values are refused at once: ``problems`` has a sentence per field.

    The key is the field's name, ``lines.2.service`` inside inline children, and ``""`` for what
    concerns the whole record.
    """

    template = _l("The record was not saved: some values need correcting.")

    def __init__(self, problems: Mapping[str, Text]) -> None:
        super().__init__()
        self.problems = dict(problems)


class NotFound(DomainError):
    """There is no such row, or it is not the actor's to see: the two look alike."""

    template = _l("It does not exist, or you may not see it.")
    status = 404


class Forbidden(DomainError):
    template = _l("Your role does not allow this.")
    status = 403


class BadRequest(DomainError):
    """The address or the question itself makes no sense: unknown filter, column, sort, cursor."""

    template = _l("The request cannot be understood: %(reason)s")
    status = 400


class TooLarge(DomainError):
    template = _l("This is too large: at most %(limit)s.")
    status = 413


class Conflict(DomainError):
    """Somebody else saved the record in the meantime; nothing was overwritten."""

    template = _l("Somebody else has changed this record in the meantime.")
    status = 409


class StillReferred(DomainError):
    """The record cannot be deleted while others refer to it (BO-05)."""

    template = _l("It cannot be deleted: it is still used by %(referrers)s.")
    status = 409


class KeptForGood(DomainError):
    """Records of this kind stay, whatever refers to them."""

    template = _l("Such records are never deleted: they are closed or withdrawn from instead.")
    status = 409


class KeptInThisState(DomainError):
    """Records of this kind can be deleted, but not any more."""

    template = _l("It can be deleted only in the state “%(states)s”.")
    status = 409


class TooSlow(DomainError):
    """A question outside the declared fast ones took longer than a page may wait."""

    template = _l("This question takes too long on so many rows: narrow it with a filter or remove the sorting.")
    status = 503


class Unavailable(DomainError):
    template = _l("The database is busy or cannot be reached: try again in a moment. Nothing was lost.")
    status = 503
