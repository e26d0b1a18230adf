"""By what a person is recognised in texts, and the pseudonym that takes its place (PR-12)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import phonenumbers
from werkzeug.utils import cached_property

from models.reading import fold

#: The domain of addresses that are nobody's (RFC 2606).
NOWHERE = "deleted.invalid"
#: User names are words such as "info" too; one with a mark or a number in it is somebody's, from this length on.
_DISTINCTIVE = re.compile(r"(?=.{6,})[\w.-]*[\d._-][\w.-]*")
#: A number with fewer digits stands in texts for other things.
_FEWEST_DIGITS = 6


@dataclass(frozen=True)
class Identity:
    """What is known of one person: full names, e-mail addresses, phone numbers as stored, and user names."""

    pseudonym: str
    names: frozenset[str]
    addresses: frozenset[str]
    phones: frozenset[str]
    usernames: frozenset[str] = frozenset()
    #: Whether user names that are words like any other are theirs, too: so in what speaks of their account.
    any_username: bool = False

    @property
    def address(self) -> str:
        """The address that takes the place of theirs."""
        return f"{self.pseudonym}@{NOWHERE}"

    @cached_property
    def telling(self) -> tuple[str, ...]:
        """What is nobody else's, in small letters: where it stands, the person is meant."""
        return tuple(sorted(word.lower() for word in (*self.addresses, *self.phones)))

    @cached_property
    def spelled(self) -> tuple[str, ...]:
        """Their full names in small letters, also as JSON writes them: others may be called so too."""
        found = {" ".join(words) for words in _spellings(self.names)}
        return tuple(sorted({name.lower() for name in found} | {json.dumps(name.lower())[1:-1] for name in found}))

    @cached_property
    def _address_pattern(self) -> re.Pattern[str] | None:
        return _any_of(rf"(?<![\w.+-]){re.escape(address)}(?![\w-])" for address in self.addresses)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        names = (_name_pattern(name) for name in _spellings(self.names))
        phones = (_phone_pattern(phone) for phone in self.phones)
        users = (rf"(?<![\w.-]){re.escape(name)}(?![\w-])" for name in self._own_usernames())
        return _any_of([*names, *phones, *users])

    def _own_usernames(self) -> list[str]:
        return [name for name in self.usernames if name and (self.any_username or _DISTINCTIVE.fullmatch(name))]

    def redact(self, value: Any) -> Any:
        """Return a text, or what JSON can hold, without the person; anything else as it is."""
        if isinstance(value, str):
            text = self._address_pattern.sub(self.address, value) if self._address_pattern else value
            return self._pattern.sub(self.pseudonym, text) if self._pattern else text
        if isinstance(value, list):
            return [self.redact(part) for part in value]
        if isinstance(value, dict):
            return {key: self.redact(part) for key, part in value.items()}
        return value


def _any_of(patterns: Iterable[str]) -> re.Pattern[str] | None:
    # Longer ones first: an address contains the user name that was made of it.
    found = sorted({pattern for pattern in patterns if pattern}, key=len, reverse=True)
    return re.compile("|".join(found), re.IGNORECASE) if found else None


def _spellings(names: Iterable[str]) -> set[tuple[str, ...]]:
    """Return names of at least two words, also with the last word first, and as sorting copies have them."""
    found = set()
    for name in names:
        for words in (name.split(), fold(name).split()):
            if len(words) > 1:
                found |= {tuple(words), (*words[-1:], *words[:-1]), (*words[1:], words[0])}
    return found


def _name_pattern(words: tuple[str, ...]) -> str:
    spelled = r"[\s,]+".join(re.escape(word) for word in words)
    return rf"(?<!\w){spelled}(?!\w)"


def _phone_pattern(stored: str) -> str:
    """Return the pattern of a number in international form, however people write it."""
    try:
        number = phonenumbers.parse(stored)
    except phonenumbers.NumberParseException:
        return re.escape(stored) if len(stored) >= _FEWEST_DIGITS else ""
    digits = phonenumbers.national_significant_number(number)
    if len(digits) < _FEWEST_DIGITS:
        return ""
    between = r"[\s./()-]*"
    return rf"(?<!\d)(?:(?:\+|00){between}{number.country_code}{between})?{between.join(digits)}(?!\d)"


__all__ = ["NOWHERE", "Identity"]
