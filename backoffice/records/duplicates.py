"""Rows that are probably there twice: the same partita IVA, the same address, names written nearly alike (issue 3).

Found anew each time, within what the actor may see: two passes over sorted names, so that the time grows with the
number of rows and not with its square.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from rapidfuzz import fuzz
from sqlalchemy.orm import Session

from backoffice.actors import Actor
from backoffice.records.show import in_sentence
from models.base import Duplicates, Recorded
from models.catalogue import Field, Kind, fields
from models.reading import fold

#: A value that more rows share says nothing of any two of them: the address of somebody who keeps books for many.
MOST_HOLDERS = 8
#: Each name is compared with so many that follow it in the order of names.
NEIGHBOURS = 8
#: How alike names are, of 100, and so each of their words, to be the same.
ALIKE = 88
#: Words of more names than this part of them, and more than so many, tell none from another: "comune", "impresa".
COMMON_PART, COMMON_LEAST = 0.01, 20
#: How a company is constituted is written in many ways, or left out; so are the words that only join others.
_LEGAL_FORMS = frozenset(
    """
    srl srls arl spa sapa snc sas ss ssd asd scarl scrl scpa soc coop onlus aps ets odv ltd gmbh llc inc ag sa
    societa cooperativa consortile responsabilita limitata semplificata azioni accomandita collettivo nome semplice
    unipersonale unico socio liquidazione per in di de del della dei degli delle ed ec the and of
    """.split()  # noqa: SIM905 - words are easier to read than a list of them
)
_APOSTROPHES = re.compile("['’‘`´]")
_WORDS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Pair:
    """Two rows that are probably the same, the older first, and why."""

    first: int
    second: int
    #: The fields by which they agree; empty where only their names are alike.
    same: tuple[Field, ...]
    #: How alike their names are, of 100; 0 where they are not.
    likeness: float

    @property
    def reasons(self) -> list[str]:
        """Return why they are probably the same, in the reader's language."""
        found = [_("same %(field)s", field=in_sentence(field.label)) for field in self.same]
        if self.likeness:
            found.append(_("same name") if self.likeness == 100 else _("names alike"))
        return found


def find_duplicates(session: Session, entity: type[Recorded], actor: Actor) -> list[Pair]:
    """Return the pairs of rows the actor may see that are probably the same, the surest first.

    What they see as a mask counts for nothing: else a pair would tell it.
    """
    rule = entity.__admin__.duplicates
    if rule is None:
        return []
    rows = _rows(session, entity, rule)
    same = _same(rows, fields(entity), rule, actor.masked(entity))
    alike: dict[tuple[int, int], float] = {}
    if not actor.masked(entity) & set(rule.alike):
        alike = _alike(rows, rule)
    pairs = [
        Pair(*key, tuple(same.get(key, {}).values()), alike.get(key, 0.0))
        for key in {*same, *alike}
        if key[0] != key[1]
    ]
    return sorted(pairs, key=lambda pair: (-len(pair.same), -pair.likeness, pair.first, pair.second))


def _rows(session: Session, entity: type[Recorded], rule: Duplicates) -> dict[int, Mapping[str, Any]]:
    """Return what the rule compares of every row within the scope, by key; the corporate group along."""
    names = {*rule.alike, *(name for group in rule.same for name in group)}
    columns = [getattr(entity, name).label(name) for name in names]
    within = getattr(entity, str(fields(entity)[rule.within].column)) if rule.within else sa.null()
    group = sa.null() if entity.__admin__.scope.shared else entity.group_scope()
    statement = sa.select(entity.id, group.label("group_id"), within.label("within_id"), *columns).order_by(entity.id)
    return {row["id"]: dict(row) for row in session.execute(statement).mappings()}


def _same(
    rows: Mapping[int, Mapping[str, Any]], known: Mapping[str, Field], rule: Duplicates, masked: frozenset[str]
) -> dict[tuple[int, int], dict[int, Field]]:
    """Return the pairs that have a value in common, and by the number of the rule's group the field that has it."""
    found: dict[tuple[int, int], dict[int, Field]] = {}
    for place, group in enumerate(rule.same):
        holders: dict[Any, dict[int, str]] = defaultdict(dict)
        for key, row in rows.items():
            for name in group:
                if row[name] and name not in masked:
                    holders[row["group_id"], _comparable(known[name], row[name])].setdefault(key, name)
        for held in holders.values():
            if len(held) <= MOST_HOLDERS:
                for pair in _pairs(sorted(held)):
                    found.setdefault(pair, {}).setdefault(place, known[held[pair[0]]])
    return found


def _comparable(field: Field, value: Any) -> Any:
    """Return a value as it is compared: an Italian VAT number is the same with and without the letters in front."""
    text = str(value).casefold()
    return text.removeprefix("it") if field.kind is Kind.code and text[2:].isdigit() else text


def _pairs(keys: list[int]) -> Iterator[tuple[int, int]]:
    return ((first, second) for place, first in enumerate(keys) for second in keys[place + 1 :])


def _alike(rows: Mapping[int, Mapping[str, Any]], rule: Duplicates) -> dict[tuple[int, int], float]:
    """Return the pairs whose names are written nearly alike, and how much so, of 100."""
    words = {key: name_words(" ".join(row[name] or "" for name in rule.alike)) for key, row in rows.items()}
    telling = _telling_words(words.values())
    names = {key: " ".join(found) for key, found in words.items() if found}
    cores = {key: " ".join(word for word in words[key] if word in telling) or name for key, name in names.items()}
    # Only neighbours of one corporate group, and of one row of ``within``, are compared.
    places = {key: (rows[key]["group_id"] or 0, rows[key]["within_id"] or 0) for key in names}
    codes = {key: _identity(rows[key], rule) for key in names}
    found: dict[tuple[int, int], float] = {}
    # Read backwards as well, so that a letter that differs at the beginning puts no two far apart.
    for order in (names, cores, {key: core[::-1] for key, core in cores.items()}):
        keys = [key for _place, _text, key in sorted((places[key], text, key) for key, text in order.items())]
        for place, first in enumerate(keys):
            for second in keys[place + 1 : place + 1 + NEIGHBOURS]:
                if places[first] != places[second]:
                    break
                score = _score(names[first], names[second])
                # Whoever has another number is another, unless even the name is the same to the letter.
                apart = codes[first] and codes[second] and not codes[first] & codes[second]
                if score and (score == 100 or not apart):
                    found[min(first, second), max(first, second)] = score
    return found


def _identity(row: Mapping[str, Any], rule: Duplicates) -> frozenset[str]:
    """Return the values by which a row is one and no other: those of the first group of the rule."""
    return frozenset(str(row[name]) for name in rule.same[0] if row[name]) if rule.same else frozenset()


def _score(first: str, second: str) -> float:
    if first == second:
        return 100.0
    score = fuzz.ratio(first, second, score_cutoff=ALIKE)
    # Never 100, which says that only case, accents, legal form or order differ.
    return min(99.0, score) if score and _differ_by_letters(first.split(), second.split()) else 0.0


def _differ_by_letters(first: list[str], second: list[str]) -> bool:
    """Say whether the words that differ are the same ones but for a letter or two: in long names one word is little."""
    ours, theirs = set(first) - set(second), set(second) - set(first)
    if len(ours) != len(theirs) or any(word.isdigit() for word in ours | theirs):
        return False
    return all(any(fuzz.ratio(word, other) >= ALIKE for other in theirs) for word in ours)


def _telling_words(names: Iterable[list[str]]) -> frozenset[str]:
    """Return the words that few names have: what tells a name from another."""
    counted: Counter[str] = Counter()
    total = 0
    for words in names:
        counted.update(set(words))
        total += 1
    most = max(COMMON_LEAST, total * COMMON_PART)
    return frozenset(word for word, count in counted.items() if count <= most)


def name_words(name: str) -> list[str]:
    """Return the words of a name as names are compared: folded, in alphabetical order, without legal forms.

    A name that is nothing else keeps them.
    """
    words: list[str] = []
    spelled = ""
    for word in [*_WORDS.findall(fold(_APOSTROPHES.sub(" ", name))), ""]:
        if len(word) == 1 and word.isalpha():
            spelled += word
            continue
        # "S. r. l." is "SRL"; what stands alone, as in "L’Artigiano" or "& C.", is no word.
        words += [found for found in (spelled.removeprefix("c"), word) if len(found) > 1 or found.isdigit()]
        spelled = ""
    return sorted(word for word in words if word not in _LEGAL_FORMS) or sorted(words)


__all__ = ["Pair", "find_duplicates", "name_words"]
